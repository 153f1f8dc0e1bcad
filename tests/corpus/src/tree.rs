//! Nested data, printed as JSON, YAML or XML.

use crate::{t, text::Text};

#[derive(Debug, Clone)]
pub enum Node {
    /// In quotes where the format has them.
    Word(Text),
    /// A number, a truth value.
    Bare(Text),
    Map(Vec<(String, Node)>),
    List(Vec<Node>),
}

pub fn word(text: impl Into<Text>) -> Node {
    Node::Word(text.into())
}

pub fn bare(text: impl Into<Text>) -> Node {
    Node::Bare(text.into())
}

pub fn map<const N: usize>(entries: [(&str, Node); N]) -> Node {
    Node::Map(entries.into_iter().map(|(key, node)| (key.to_owned(), node)).collect())
}

pub fn list<const N: usize>(nodes: [Node; N]) -> Node {
    Node::List(nodes.into())
}

impl Node {
    #[must_use]
    pub fn and(mut self, key: &str, node: Node) -> Self {
        if let Self::Map(entries) = &mut self {
            entries.push((key.to_owned(), node));
        }
        self
    }

    /// On one line. `loose`: with blanks, as Python and Ruby print.
    pub fn json(&self, loose: bool) -> Text {
        let (comma, colon) = if loose { (", ", ": ") } else { (",", ":") };
        match self {
            Self::Word(text) => t!["\"", text, "\""],
            Self::Bare(text) => text.clone(),
            Self::Map(entries) => {
                t!["{", Text::join(entries.iter().map(|(key, node)| t!["\"", key, "\"", colon, node.json(loose)]), comma), "}"]
            }
            Self::List(nodes) => t!["[", Text::join(nodes.iter().map(|node| node.json(loose)), comma), "]"],
        }
    }

    /// One value a line. `paint`: as `jq` does.
    pub fn json_lines(&self, indent: usize, paint: bool) -> Vec<Text> {
        let mut lines = Vec::new();
        self.pretty(&mut lines, t![], 0, indent, paint, "");
        lines
    }

    fn pretty(&self, lines: &mut Vec<Text>, front: Text, depth: usize, indent: usize, paint: bool, end: &str) {
        let blanks = " ".repeat(depth * indent);
        let (green, blue, off) = if paint { ("\x1b[0;32m", "\x1b[34;1m", "\x1b[0m") } else { ("", "", "") };
        let inner = " ".repeat((depth + 1) * indent);
        match self {
            Self::Word(text) => lines.push(t![front, Text::control(green), "\"", text, "\"", Text::control(off), end]),
            Self::Bare(text) => lines.push(t![front, text, end]),
            Self::Map(entries) => {
                lines.push(t![front, "{"]);
                for (n, (key, node)) in entries.iter().enumerate() {
                    let comma = if n + 1 < entries.len() { "," } else { "" };
                    let front = t![&inner, Text::control(blue), "\"", key, "\"", Text::control(off), ": "];
                    node.pretty(lines, front, depth + 1, indent, paint, comma);
                }
                lines.push(t![blanks, "}", end]);
            }
            Self::List(nodes) => {
                lines.push(t![front, "["]);
                for (n, node) in nodes.iter().enumerate() {
                    let comma = if n + 1 < nodes.len() { "," } else { "" };
                    node.pretty(lines, t![&inner], depth + 1, indent, paint, comma);
                }
                lines.push(t![blanks, "]", end]);
            }
        }
    }

    pub fn yaml(&self, quotes: bool) -> Vec<Text> {
        let mut lines = Vec::new();
        self.yaml_at(&mut lines, 0, quotes);
        lines
    }

    fn yaml_at(&self, lines: &mut Vec<Text>, depth: usize, quotes: bool) {
        let blanks = "  ".repeat(depth);
        let leaf = |node: &Self| match node {
            Self::Word(text) if quotes => t!["\"", text, "\""],
            Self::Word(text) | Self::Bare(text) => text.clone(),
            _ => t![],
        };
        match self {
            Self::Map(entries) => {
                for (key, node) in entries {
                    match node {
                        Self::Map(_) | Self::List(_) => {
                            lines.push(t![&blanks, key, ":"]);
                            node.yaml_at(lines, depth + 1, quotes);
                        }
                        node => lines.push(t![&blanks, key, ": ", leaf(node)]),
                    }
                }
            }
            Self::List(nodes) => {
                for node in nodes {
                    let at = lines.len();
                    if matches!(node, Self::Word(_) | Self::Bare(_)) {
                        lines.push(t![&blanks, "- ", leaf(node)]);
                        continue;
                    }
                    node.yaml_at(lines, depth + 1, quotes);
                    if let Some(line) = lines.get_mut(at) {
                        let (_, rest) = line.split(blanks.len() + 2);
                        *line = t![&blanks, "- ", rest];
                    }
                }
            }
            node => lines.push(t![blanks, leaf(node)]),
        }
    }

    /// Elements with their text inside.
    pub fn xml(&self, name: &str, depth: usize) -> Vec<Text> {
        let blanks = "  ".repeat(depth);
        match self {
            Self::Word(text) | Self::Bare(text) => vec![t![blanks, "<", name, ">", text, "</", name, ">"]],
            Self::Map(entries) => {
                let mut lines = vec![t![&blanks, "<", name, ">"]];
                entries.iter().for_each(|(key, node)| lines.extend(node.xml(key, depth + 1)));
                lines.push(t![blanks, "</", name, ">"]);
                lines
            }
            Self::List(nodes) => nodes.iter().flat_map(|node| node.xml(name, depth)).collect(),
        }
    }

    /// FHIR's XML: values are attributes.
    pub fn xml_values(&self, name: &str, depth: usize) -> Vec<Text> {
        let blanks = "  ".repeat(depth);
        match self {
            Self::Word(text) | Self::Bare(text) => vec![t![blanks, "<", name, " value=\"", text, "\"/>"]],
            Self::Map(entries) => {
                let mut lines = vec![t![&blanks, "<", name, ">"]];
                entries.iter().for_each(|(key, node)| lines.extend(node.xml_values(key, depth + 1)));
                lines.push(t![blanks, "</", name, ">"]);
                lines
            }
            Self::List(nodes) => nodes.iter().flat_map(|node| node.xml_values(name, depth)).collect(),
        }
    }
}

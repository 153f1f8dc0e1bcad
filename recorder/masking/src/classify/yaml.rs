//! YAML 1.2 block style, and other files in which indentation nests keys: what a weak key means is said by the keys it stands under.

use super::{
    Both, Found, Rule,
    tree::{Node, Tree},
    value::at_start,
};
use crate::rules::{Label, RuleSet};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Indents {
    tree: Tree,
    /// Columns at which the open keys stand.
    at: Vec<u16>,
}

/// True inside a nesting of keys.
pub(super) fn find(line: &str, indents: &mut Indents, rules: &RuleSet, to: &mut Both<'_>) -> bool {
    let text = line.trim_start_matches(' ');
    // Nothing is open and nothing opens: the common case, told by one byte.
    if text.is_empty() || text.starts_with('#') || (indents.at.is_empty() && !text.ends_with(':')) {
        return !indents.at.is_empty();
    }
    let mut indent = line.len() - text.len();
    if indent > 60 {
        indents.clear();
        return false;
    }
    let mut content = text;
    let mut item = false;
    while let Some(rest) = content.strip_prefix("- ") {
        let trimmed = rest.trim_start_matches(' ');
        indent += content.len() - trimmed.len();
        content = trimmed;
        item = true;
    }
    let key = key(content);
    if key.is_none() && !item {
        indents.clear();
        return false;
    }
    // A list may stand as deep as its key.
    let outer = if item && key.is_none() { indent.saturating_sub(2) } else { indent };
    while indents.at.last().is_some_and(|at| if key.is_none() { usize::from(*at) > outer } else { usize::from(*at) >= indent }) {
        indents.at.pop();
        indents.tree.leave();
    }
    let start = line.len() - content.len();
    let Some((name, value)) = key else {
        if !indents.tree.is_empty() {
            scalar(line, start, None, indents, rules, to);
        }
        return !indents.at.is_empty();
    };
    let rest = content[value..].trim_start();
    if rest.is_empty() || rest.starts_with(['|', '>']) || rest.starts_with('&') {
        if indents.at.len() < 24 {
            let node = indents.tree.meaning(name, rules);
            indents.tree.enter(node, 0);
            indents.at.push(u16::try_from(indent).unwrap_or(u16::MAX));
        }
    } else if !indents.tree.is_empty() {
        scalar(line, line.len() - rest.len(), Some(name), indents, rules, to);
    }
    !indents.at.is_empty()
}

impl Indents {
    fn clear(&mut self) {
        if !self.at.is_empty() {
            *self = Self::default();
        }
    }
}

/// A key and where its value begins.
fn key(content: &str) -> Option<(&str, usize)> {
    let colon = content.find(':')?;
    let name = content[..colon].trim_matches(['"', '\'']);
    let plain =
        !name.is_empty() && name.len() <= 48 && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '/'));
    (plain && matches!(content.as_bytes().get(colon + 1), None | Some(b' ')) && !name.contains("  ")).then_some((name, colon + 1))
}

fn scalar(line: &str, start: usize, key: Option<&str>, indents: &mut Indents, rules: &RuleSet, to: &mut Both<'_>) {
    let text = &line[start..];
    let opened = text.trim_start_matches(['"', '\'', '[']);
    let from = line.len() - opened.len();
    let value = opened.split(" #").next().unwrap_or(opened).trim_end_matches(['"', '\'', ']', ' ', ',']);
    let Some(label) = indents.tree.leaf(key, value, rules) else { return };
    // Deep enough in a tree only what stands under a person or a name is trusted without a shape.
    let inside =
        [Node::Name, Node::Address, Node::Subject, Node::Telecom, Node::Identifier].into_iter().any(|node| indents.tree.inside(node));
    if inside || !label.strong {
        to.push(
            Label { strong: inside || label.strong, ..label },
            value,
            Found::new(from..from + value.len(), label.kind, Rule::Yaml),
            rules,
        );
    } else if let Some(length) = at_start(label.kind, value, true, rules) {
        to.found.push(Found::new(from..from + length, label.kind, Rule::Yaml));
    }
}

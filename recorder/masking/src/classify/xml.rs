//! XML 1.0: elements and attributes by their names and by what is around them, over as many lines as it takes.

use std::ops::Range;

use super::{
    Both, Found, Rule,
    tree::{Node, Tree},
};
use crate::rules::RuleSet;

/// Lines without a tag after which open elements are forgotten.
const PATIENCE: u8 = 4;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Elements {
    tree: Tree,
    idle: u8,
}

impl Elements {
    pub(super) fn is_open(&self) -> bool {
        !self.tree.is_empty()
    }
}

/// True when the line has elements in it or is inside one.
pub(super) fn find(line: &str, elements: &mut Elements, rules: &RuleSet, to: &mut Both<'_>) -> bool {
    let bytes = line.as_bytes();
    if memchr::memchr(b'<', bytes).is_none() {
        if elements.tree.is_empty() {
            return false;
        }
        // Text by itself belongs to an element inside another one; behind a manual's "<name>" it is prose.
        if elements.tree.depth() < 2 {
            elements.idle += 1;
            return true;
        }
        text(line, 0..line.len(), &mut elements.tree, rules, to);
        elements.idle += 1;
        if elements.idle > PATIENCE {
            *elements = Elements::default();
        }
        return true;
    }
    // "setting a pretty.<name> option" is prose with a placeholder.
    if elements.tree.is_empty() && !line.trim_start().starts_with('<') && !["</", "/>", "=\"", "='"].iter().any(|sign| line.contains(sign))
    {
        return false;
    }
    elements.idle = 0;
    let tree = &mut elements.tree;
    let mut at = 0;
    let mut any = false;
    for open in memchr::memchr_iter(b'<', bytes) {
        if open < at {
            continue;
        }
        let Some(tag) = tag(line, open) else { continue };
        text(line, at..open, tree, rules, to);
        at = tag.end;
        any = true;
        let name = &line[tag.name.clone()];
        if tag.closes {
            tree.close_tag(hash(name));
            continue;
        }
        let node = tree.meaning(name, rules);
        // DICOM PS3.19 Annex A, dcm2xml: the tag is an attribute; C-CDA: so is an identifier.
        let mut node = node;
        for (key, value) in attributes(line, tag.attributes.clone()) {
            let known = match &line[key.clone()] {
                "tag" => super::dicom::label_of_key(&line[value.clone()]),
                _ => None,
            };
            if let Some(label) = known {
                node = Node::Labelled(label);
            }
        }
        tree.enter(node, hash(name));
        for (key, value) in attributes(line, tag.attributes) {
            let text = &line[value.clone()];
            if let Some(label) = tree.leaf(Some(&line[key]), text, rules) {
                // C-CDA's telecom is a URL: "tel:+1(555)...".
                let scheme = ["tel:", "mailto:", "fax:"].iter().find(|scheme| text.starts_with(**scheme)).map_or(0, |scheme| scheme.len());
                to.push(label, text, Found::new(value.start + scheme..value.end, label.kind, Rule::Xml), rules);
            }
        }
        if tag.empty {
            tree.leave();
        }
    }
    text(line, at..line.len(), tree, rules, to);
    any
}

struct Tag {
    name: Range<usize>,
    attributes: Range<usize>,
    /// The byte behind `>`.
    end: usize,
    closes: bool,
    empty: bool,
}

fn tag(line: &str, open: usize) -> Option<Tag> {
    let bytes = line.as_bytes();
    let closes = bytes.get(open + 1) == Some(&b'/');
    let start = open + 1 + usize::from(closes);
    if !bytes.get(start)?.is_ascii_alphabetic() {
        return None;
    }
    let length = bytes[start..].iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':')).count();
    let name = start..start + length;
    // A value in an attribute may hold `>`.
    let mut quote = None;
    let mut at = name.end;
    if !matches!(bytes.get(at), None | Some(b' ' | b'\t' | b'/' | b'>')) {
        return None;
    }
    while at < bytes.len() {
        match (bytes[at], quote) {
            (b'"' | b'\'', None) => quote = Some(bytes[at]),
            (b, Some(open)) if b == open => quote = None,
            (b'>', None) => break,
            (b'<', None) => return None,
            _ => {}
        }
        at += 1;
    }
    let empty = at > name.end && bytes[at - 1] == b'/';
    Some(Tag { attributes: name.end..at.max(name.end), end: (at + 1).min(line.len()), closes, empty, name })
}

fn attributes(line: &str, within: Range<usize>) -> impl Iterator<Item = (Range<usize>, Range<usize>)> + '_ {
    let bytes = line.as_bytes();
    let mut at = within.start;
    std::iter::from_fn(move || {
        loop {
            let sign = at + bytes[at..within.end].iter().position(|b| *b == b'=')?;
            let key_length =
                bytes[at..sign].iter().rev().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':')).count();
            let quote = *bytes.get(sign + 1)?;
            if !matches!(quote, b'"' | b'\'') {
                at = sign + 1;
                continue;
            }
            let start = sign + 2;
            if start > within.end {
                return None;
            }
            let end = start + bytes[start..within.end].iter().position(|b| *b == quote).unwrap_or(within.end - start);
            at = (end + 1).min(within.end);
            return Some((sign - key_length..sign, start..end));
        }
    })
}

fn text(line: &str, range: Range<usize>, tree: &mut Tree, rules: &RuleSet, to: &mut Both<'_>) {
    if tree.is_empty() || range.is_empty() {
        return;
    }
    let text = &line[range.clone()];
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return;
    }
    let start = range.start + (text.len() - text.trim_start().len());
    if let Some(label) = tree.leaf(None, trimmed, rules) {
        to.push(label, trimmed, Found::new(start..start + trimmed.len(), label.kind, Rule::Xml), rules);
    }
}

fn hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, b| (hash ^ u32::from(b)).wrapping_mul(0x0100_0193))
}

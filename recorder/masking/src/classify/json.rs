//! JSON (RFC 8259), over as many lines as it takes, also inside a line of a log.

use std::ops::Range;

use super::{
    Both, Found, Rule,
    tree::{Node, Tree},
};
use crate::rules::RuleSet;

/// True when the line has JSON in it.
pub(super) fn find(line: &str, tree: &mut Tree, rules: &RuleSet, to: &mut Both<'_>) -> bool {
    let text = line.trim_start();
    let goes_on = |c: char| matches!(c, '{' | '}' | '[' | ']' | '"' | '-' | 't' | 'f' | 'n') || c.is_ascii_digit();
    let start = if !tree.is_empty() && text.starts_with(goes_on) {
        line.len() - text.len()
    } else {
        if !tree.is_empty() {
            *tree = Tree::default();
        }
        if memchr::memchr2(b'{', b'[', line.as_bytes()).is_none() {
            return false;
        }
        let open = ["{\"", "[{", "{ \"", "[\""].iter().filter_map(|open| line.find(open)).min();
        let Some(start) = open.or_else(|| (text.trim_end().ends_with(['{', '['])).then(|| line.trim_end().len() - 1)) else { return false };
        start
    };
    let bytes = line.as_bytes();
    let mut at = start;
    // `"patient": {` in a list of members that began above the screen.
    if tree.is_empty()
        && let Some(open) = line[..start].rfind('"').filter(|_| line[..start].trim_end().ends_with(':'))
        && let Some(begin) = line[..open].rfind('"')
    {
        let node = tree.meaning(&line[begin + 1..open], rules);
        tree.enter(node, 0);
        at = start + 1;
    }
    let mut key: Option<Range<usize>> = None;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let end = string_end(bytes, at + 1);
                // A string before a colon is a key, any other a value.
                let rest = line.get(end + 1..).unwrap_or_default().trim_start();
                if rest.starts_with(':') {
                    key = Some(at + 1..end);
                } else {
                    value(line, key.take(), at + 1..end, tree, rules, to);
                }
                at = end + 1;
                continue;
            }
            b'{' | b'[' => {
                let node = match key.take() {
                    Some(key) => tree.meaning(&line[key], rules),
                    // An object in an array means what the array means.
                    None => tree.top(),
                };
                tree.enter(node, 0);
            }
            b'}' | b']' => {
                tree.leave();
                key = None;
            }
            b',' => key = None,
            b'0'..=b'9' if key.is_some() || matches!(tree.top(), Node::Labelled(_)) => {
                let end = at + bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
                value(line, key.take(), at..end, tree, rules, to);
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    true
}

fn value(line: &str, key: Option<Range<usize>>, range: Range<usize>, tree: &mut Tree, rules: &RuleSet, to: &mut Both<'_>) {
    let Some(text) = line.get(range.clone()) else { return };
    if let Some(label) = tree.leaf(key.map(|key| &line[key]), text, rules) {
        to.push(label, text, Found::new(range, label.kind, Rule::Json), rules);
    }
}

/// Where the string ends: its quote, or the line's end.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

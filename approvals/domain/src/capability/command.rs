use std::fmt;

/// A command a grant allows. Everything counts literally; `*` stands for one or more plain characters, so that no
/// shell syntax, no second word and no option can come in through it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandPattern(String);

impl CommandPattern {
    /// None if empty.
    pub fn new(s: &str) -> Option<Self> {
        let s = s.trim();
        (!s.is_empty()).then(|| Self(s.to_owned()))
    }

    /// `command` is what the client sent, which the target's shell will read.
    pub fn matches(&self, command: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = command.strip_prefix(first) else { return false };
        let mut before = first.chars().next_back();
        for literal in parts {
            // The literal after a star begins at the first character a star can't take, or at its own first place after
            // at least one character; plain characters are tried greedily from the longest.
            let run = rest.find(|c| !plain(c)).unwrap_or(rest.len());
            let starts_word = before.is_none_or(char::is_whitespace);
            if run == 0 || (starts_word && rest.starts_with('-')) {
                return false;
            }
            let end = (1..=run).rev().find(|n| rest[*n..].starts_with(literal) && (!literal.is_empty() || *n == run));
            let Some(n) = end else { return false };
            before = literal.chars().next_back().or_else(|| rest[..n].chars().next_back());
            rest = &rest[n + literal.len()..];
        }
        rest.is_empty()
    }
}

impl CommandPattern {
    /// A text without stars is one command: whether that one is allowed.
    pub(super) fn within(&self, ceiling: &Self) -> bool {
        self == ceiling || (!self.0.contains('*') && ceiling.matches(&self.0))
    }
}

/// What means nothing to a shell.
fn plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_./:@%+=,-".contains(c)
}

impl fmt::Display for CommandPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

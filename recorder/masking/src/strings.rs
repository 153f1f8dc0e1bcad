//! Drops the bodies of control strings before the parser sees them.
//!
//! OSC, DCS, APC, PM and SOS carry titles, hyperlinks, clipboards, pictures; none of it reaches the grid. The parser would collect an OSC
//! without end in memory, so they are cut here, at the byte, whatever their length.

use std::ops::Range;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Text,
    /// An ESC was seen and held back: what follows says what it is.
    Escape,
    /// In a control string; `bel` says whether BEL ends it (OSC only, as xterm has it).
    String { bel: bool },
    /// In a control string, after an ESC that may be half of the string terminator.
    StringEscape,
}

/// Keeps its state over calls, so a sequence may be split anywhere.
#[derive(Debug, Default)]
pub(crate) struct StringFilter(State);

impl StringFilter {
    /// Calls `keep` with what is not part of a control string, in order.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut keep: impl FnMut(&[u8])) {
        let mut rest = bytes;
        while let Some(first) = rest.first().copied() {
            match self.0 {
                State::Text => {
                    let end = find(rest, |b| b == 0x1b);
                    keep(&rest[Range { start: 0, end }]);
                    if end < rest.len() {
                        self.0 = State::Escape;
                    }
                    rest = rest.get(end + 1..).unwrap_or_default();
                }
                State::Escape => {
                    match first {
                        b']' => self.0 = State::String { bel: true },
                        b'P' | b'X' | b'^' | b'_' => self.0 = State::String { bel: false },
                        0x1b => {}
                        _ => {
                            keep(&[0x1b, first]);
                            self.0 = State::Text;
                        }
                    }
                    rest = &rest[1..];
                }
                State::String { bel } => {
                    let end = find(rest, |b| matches!(b, 0x1b | 0x18 | 0x1a) || (bel && b == 0x07));
                    match rest.get(end) {
                        Some(0x1b) => self.0 = State::StringEscape,
                        // CAN and SUB end any sequence (ECMA-48 8.3.148), BEL an OSC.
                        Some(_) => self.0 = State::Text,
                        None => {}
                    }
                    rest = rest.get(end + 1..).unwrap_or_default();
                }
                // ESC \ ends the string. Any other ESC ends it too and begins a sequence of its own.
                State::StringEscape => {
                    if first == b'\\' {
                        self.0 = State::Text;
                        rest = &rest[1..];
                    } else {
                        self.0 = State::Escape;
                    }
                }
            }
        }
    }
}

fn find(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|b| wanted(*b)).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(parts: &[&[u8]]) -> Vec<u8> {
        let mut filter = StringFilter::default();
        let mut out = Vec::new();
        for part in parts {
            filter.feed(part, |text| out.extend_from_slice(text));
        }
        out
    }

    #[test]
    fn titles_links_clipboards_and_pictures_are_dropped() {
        assert_eq!(kept(&[b"a\x1b]0;John Smith\x07b"]), b"ab");
        assert_eq!(kept(&[b"a\x1b]8;;http://x/?mrn=1\x1b\\b\x1b]8;;\x1b\\c"]), b"abc");
        assert_eq!(kept(&[b"a\x1bPq#0;2;0;0;0\x1b\\b\x1b_secret\x1b\\c\x1b^p\x18d"]), b"abcd");
        assert_eq!(kept(&[b"\x1b[31mred\x1b[0m"]), b"\x1b[31mred\x1b[0m");
    }

    #[test]
    fn a_sequence_may_be_split_anywhere() {
        let whole = b"x\x1b]2;title\x1b\\y\x1b[1mz\x1b]52;c;aGk=\x07\x1b\x1bM!";
        let expected = kept(&[whole]);
        for at in 0..whole.len() {
            assert_eq!(kept(&[&whole[..at], &whole[at..]]), expected, "split at {at}");
        }
    }
}

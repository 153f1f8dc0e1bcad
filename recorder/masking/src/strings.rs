//! Drops the bodies of control strings before the parser sees them.
//!
//! OSC, DCS, APC, PM and SOS carry titles, hyperlinks, clipboards, pictures; none of it reaches the grid. The parser would collect an OSC
//! without end in memory, so they are cut here, at the byte, whatever their length.

/// Takes a begun escape sequence back (ECMA-48 8.3.6).
const CANCEL: u8 = 0x18;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Text,
    /// The last byte kept was an ESC: what follows says what it begins.
    Escape,
    /// In a control string; `bel` says whether BEL ends it (OSC only, as xterm has it).
    String { bel: bool },
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
                    let escape = memchr::memchr(0x1b, rest);
                    let end = escape.map_or(rest.len(), |at| at + 1);
                    // An introducer right behind, as nearly always, costs no second call.
                    match escape.and_then(|at| rest.get(at + 1)) {
                        Some(next) if !is_introducer(*next) && *next != 0x1b => {
                            let end = end + 1;
                            keep(&rest[..end]);
                            rest = &rest[end..];
                        }
                        _ => {
                            keep(&rest[..end]);
                            if escape.is_some() {
                                self.0 = State::Escape;
                            }
                            rest = &rest[end..];
                        }
                    }
                }
                State::Escape => {
                    if is_introducer(first) {
                        keep(&[CANCEL]);
                        self.0 = State::String { bel: first == b']' };
                    } else {
                        keep(&[first]);
                        if first != 0x1b {
                            self.0 = State::Text;
                        }
                    }
                    rest = &rest[1..];
                }
                State::String { bel } => {
                    let end = rest.iter().position(|b| matches!(*b, 0x1b | 0x18 | 0x1a) || (bel && *b == 0x07));
                    match end.map(|end| rest[end]) {
                        // ESC ends the string, the backslash of the terminator means nothing by itself, anything else begins a sequence.
                        Some(0x1b) => {
                            keep(&[0x1b]);
                            self.0 = State::Escape;
                        }
                        // CAN and SUB end any sequence, BEL an OSC.
                        Some(_) => self.0 = State::Text,
                        None => {}
                    }
                    rest = rest.get(end.map_or(rest.len(), |end| end + 1)..).unwrap_or_default();
                }
            }
        }
    }
}

/// OSC, DCS, SOS, PM, APC.
fn is_introducer(byte: u8) -> bool {
    matches!(byte, b']' | b'P' | b'X' | b'^' | b'_')
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
        assert_eq!(kept(&[b"a\x1b]0;John Smith\x07b"]), b"a\x1b\x18b");
        assert_eq!(kept(&[b"a\x1b]8;;http://x/?mrn=1\x1b\\b\x1b]8;;\x1b\\c"]), b"a\x1b\x18\x1b\\b\x1b\x18\x1b\\c");
        assert_eq!(kept(&[b"a\x1bPq#0;2;0;0;0\x1b\\b\x1b_secret\x1b\\c\x1b^p\x18d"]), b"a\x1b\x18\x1b\\b\x1b\x18\x1b\\c\x1b\x18d");
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

//! Takes control strings (titles, links, clipboard writes, pictures) out of raw output before the emulator sees them: an endless one would
//! be kept in its memory.

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Text,
    Escape,
    String,
    StringEscape,
}

#[derive(Debug, Default)]
pub(super) struct Strings {
    state: State,
}

impl Strings {
    /// Appends what is no control string (ECMA-48 section 5.6) to `out`.
    pub(super) fn filter(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for b in bytes {
            self.state = match (self.state, *b) {
                (State::Text, 0x1b) => State::Escape,
                (State::Text, b) => {
                    out.push(b);
                    State::Text
                }
                (State::Escape, b']' | b'P' | b'X' | b'^' | b'_') => State::String,
                (State::Escape, 0x1b) => State::Escape,
                (State::Escape, b) => {
                    out.extend([0x1b, b]);
                    State::Text
                }
                // BEL, CAN and SUB end a string too.
                (State::String, 0x07 | 0x18 | 0x1a) => State::Text,
                (State::String | State::StringEscape, 0x1b) => State::StringEscape,
                (State::StringEscape, b'\\') => State::Text,
                (State::String | State::StringEscape, _) => State::String,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_go_and_everything_else_stays_however_it_is_cut() {
        let whole = b"a\x1b]52;c;aGk=\x07b\x1b[31mc\x1bPq#0\x1b\\d\x1b(0q\x1b]8;;x\x1b\\e\xc3\xa9";
        for cut in 1..whole.len() {
            let (mut strings, mut out) = (Strings::default(), Vec::new());
            whole.chunks(cut).for_each(|piece| strings.filter(piece, &mut out));
            assert_eq!(out, b"ab\x1b[31mcd\x1b(0qe\xc3\xa9", "cut every {cut}");
        }
    }
}

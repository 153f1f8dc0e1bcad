//! The line a target's output ends in, as a person would read it: escape sequences out, carriage return and backspace obeyed.

/// Characters of a line that are kept; of longer ones, the end.
const MAX_LINE: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Text,
    Escape,
    /// ECMA-48 section 5.4, until its final byte.
    Control,
    /// OSC, DCS, SOS, PM, APC: until BEL, ST or the end of the line, which no terminal waits beyond in a login dialogue.
    String,
    StringEscape,
}

/// Lines in bytes, lower case, spaces trimmed when asked for.
#[derive(Debug)]
pub(crate) struct PlainLines {
    at: At,
    line: Vec<u8>,
    returned: bool,
}

impl PlainLines {
    pub(crate) fn new() -> Self {
        Self { at: At::Text, line: Vec::new(), returned: false }
    }

    /// Takes one byte; a line that it ends goes to `ended`.
    pub(crate) fn feed(&mut self, byte: u8, ended: impl FnOnce(&str)) {
        match (self.at, byte) {
            (_, 0x1b) => self.at = if self.at == At::String { At::StringEscape } else { At::Escape },
            (At::Text, _) => self.text(byte, ended),
            (At::Escape, b'[') => self.at = At::Control,
            (At::Escape, b']' | b'P' | b'X' | b'^' | b'_') => self.at = At::String,
            (At::Escape, 0x20..=0x2f) => {}
            (At::Escape | At::StringEscape, _) => self.at = At::Text,
            // Cursor placement and erasure: what follows stands elsewhere, so it is another line.
            (At::Control, b'H' | b'f' | b'd' | b'E' | b'F' | b'J') => {
                self.at = At::Text;
                self.end(ended);
            }
            (At::Control, 0x40..=0x7e) => self.at = At::Text,
            (At::String, 0x07) => self.at = At::Text,
            (At::String, b'\r' | b'\n') => {
                self.at = At::Text;
                self.text(byte, ended);
            }
            (At::Control | At::String, _) => {}
        }
    }

    /// The line so far, which no line feed has ended.
    pub(crate) fn current(&self) -> String {
        readable(&self.line)
    }

    fn text(&mut self, byte: u8, ended: impl FnOnce(&str)) {
        match byte {
            b'\n' => self.end(ended),
            b'\r' => self.returned = true,
            0x08 => {
                self.line.pop();
            }
            0x20..=0x7e | 0x80.. => {
                if std::mem::take(&mut self.returned) {
                    self.line.clear();
                }
                if self.line.len() >= 2 * MAX_LINE {
                    self.line.drain(..MAX_LINE);
                }
                self.line.push(byte.to_ascii_lowercase());
            }
            _ => {}
        }
    }

    fn end(&mut self, ended: impl FnOnce(&str)) {
        self.returned = false;
        ended(&readable(&self.line));
        self.line.clear();
    }
}

fn readable(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> (Vec<String>, String) {
        let mut plain = PlainLines::new();
        let mut ended = Vec::new();
        for &byte in bytes {
            plain.feed(byte, |line| ended.push(line.to_owned()));
        }
        (ended, plain.current())
    }

    #[test]
    fn colours_titles_and_overwriting_leave_what_a_person_reads() {
        let (ended, current) = lines(b"\x1b]0;mri\x07\x1b[1;32mWelcome\x1b[0m\r\nxxxxx\rLogi\x08in: ");
        assert_eq!((ended, current.as_str()), (vec!["welcome".to_owned()], "login:"));
    }

    #[test]
    fn a_form_drawn_with_cursor_positions_has_lines_too() {
        assert_eq!(lines(b"\x1b[2J\x1b[3;4HSystem\x1b[10;20HPassword: ").1, "password:");
    }

    #[test]
    fn an_endless_line_keeps_its_end_only() {
        let mut bytes = vec![b'a'; 1_000_000];
        bytes.extend(b"login:");
        let (_, current) = lines(&bytes);
        assert!(current.len() <= 2 * MAX_LINE && current.ends_with("login:"));
    }
}

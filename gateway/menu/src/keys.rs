//! Typed bytes as keys: UTF-8, what terminals send for the other keys (ECMA-48 CSI and SS3), and bracketed paste.
use std::time::Duration;

/// How long an Esc that nothing follows is taken for the beginning of something longer.
pub const ESCAPE_DELAY: Duration = Duration::from_millis(50);

/// Bytes of a control sequence that are kept: more than any key has.
const MAX_SEQUENCE: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Char(char),
    /// A character that a paste brought: text, never a command.
    Pasted(char),
    Enter,
    Esc,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    Backspace,
    Delete,
    Tab,
    BackTab,
    /// Ctrl-U.
    Clear,
    /// Ctrl-L.
    Redraw,
    /// Ctrl-C or Ctrl-D.
    Leave,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum At {
    Ground,
    Escape,
    Csi,
    Ss3,
}

/// Remembers what came before over any split of the bytes.
#[derive(Debug)]
pub(crate) struct Keys {
    at: At,
    sequence: Vec<u8>,
    character: Vec<u8>,
    pasting: bool,
    after_return: bool,
    /// When a tick first saw the Esc that waits.
    escape_seen: Option<Duration>,
}

impl Keys {
    pub(crate) fn new() -> Self {
        let (sequence, character) = (Vec::new(), Vec::new());
        Self { at: At::Ground, sequence, character, pasting: false, after_return: false, escape_seen: None }
    }

    pub(crate) fn feed(&mut self, byte: u8) -> [Option<Key>; 2] {
        self.escape_seen = None;
        match self.at {
            At::Ground => [self.ground(byte), None],
            At::Escape => match byte {
                b'[' => {
                    self.at = At::Csi;
                    self.sequence.clear();
                    [None, None]
                }
                b'O' => {
                    self.at = At::Ss3;
                    [None, None]
                }
                _ => {
                    self.at = At::Ground;
                    let escape = (!self.pasting).then_some(Key::Esc);
                    [escape, self.ground(byte)]
                }
            },
            At::Csi => match byte {
                0x20..=0x3f => {
                    if self.sequence.len() < MAX_SEQUENCE {
                        self.sequence.push(byte);
                    }
                    [None, None]
                }
                0x40..=0x7e => {
                    self.at = At::Ground;
                    [self.control_sequence(byte), None]
                }
                // A control within a sequence ends it: Ctrl-C works whatever came before.
                _ => {
                    self.at = At::Ground;
                    [self.ground(byte), None]
                }
            },
            At::Ss3 => {
                self.at = At::Ground;
                let key = match byte {
                    b'M' => Some(Key::Enter),
                    0x40..=0x7e => letter(byte),
                    _ => self.ground(byte),
                };
                [key.filter(|_| !self.pasting || byte < 0x20), None]
            }
        }
    }

    /// An Esc alone is told from the beginning of a sequence by nothing but time.
    pub(crate) fn tick(&mut self, now: Duration) -> Option<Key> {
        if self.at != At::Escape {
            return None;
        }
        let seen = *self.escape_seen.get_or_insert(now);
        if now.saturating_sub(seen) < ESCAPE_DELAY {
            return None;
        }
        self.at = At::Ground;
        self.escape_seen = None;
        (!self.pasting).then_some(Key::Esc)
    }

    fn ground(&mut self, byte: u8) -> Option<Key> {
        let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
        if byte < 0x80 {
            self.character.clear();
        }
        match byte {
            0x03 | 0x04 => Some(Key::Leave),
            0x1b => {
                self.at = At::Escape;
                None
            }
            b'\n' if after_return => None,
            b'\r' | b'\n' | b'\t' if self.pasting => Some(Key::Pasted(' ')),
            b' '..=b'~' => Some(self.text(char::from(byte))),
            0x80.. => self.utf8(byte),
            _ if self.pasting => None,
            b'\r' | b'\n' => Some(Key::Enter),
            b'\t' => Some(Key::Tab),
            0x08 | 0x7f => Some(Key::Backspace),
            0x15 => Some(Key::Clear),
            0x0c => Some(Key::Redraw),
            _ => None,
        }
    }

    fn text(&self, c: char) -> Key {
        if self.pasting { Key::Pasted(c) } else { Key::Char(c) }
    }

    /// What is not UTF-8 is no key.
    fn utf8(&mut self, byte: u8) -> Option<Key> {
        if byte >= 0xc0 {
            self.character.clear();
        }
        self.character.push(byte);
        let found = match std::str::from_utf8(&self.character) {
            Ok(text) => text.chars().next(),
            Err(e) if e.error_len().is_none() => return None,
            Err(_) => None,
        };
        self.character.clear();
        found.map(|c| self.text(c))
    }

    fn control_sequence(&mut self, last: u8) -> Option<Key> {
        if last == b'~' {
            let number = self.sequence.split(|b| *b == b';').next().unwrap_or_default();
            match number {
                b"200" => self.pasting = true,
                b"201" => self.pasting = false,
                _ => {}
            }
            let key = match number {
                b"1" | b"7" => Key::Home,
                b"3" => Key::Delete,
                b"4" | b"8" => Key::End,
                b"5" => Key::PageUp,
                b"6" => Key::PageDown,
                _ => return None,
            };
            return (!self.pasting).then_some(key);
        }
        // Private sequences are answers of a terminal, not keys.
        let private = self.sequence.first().is_some_and(|b| (0x3c..=0x3f).contains(b));
        if private || self.pasting { None } else { letter(last) }
    }
}

fn letter(byte: u8) -> Option<Key> {
    Some(match byte {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'F' => Key::End,
        b'H' => Key::Home,
        b'Z' => Key::BackTab,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut keys = Keys::new();
        bytes.iter().flat_map(|b| keys.feed(*b)).flatten().collect()
    }

    #[test]
    fn arrows_are_known_in_both_modes_and_with_modifiers() {
        assert_eq!(keys(b"\x1b[A\x1bOA\x1b[1;5B\x1b[D\x1bOC"), [Key::Up, Key::Up, Key::Down, Key::Left, Key::Right]);
        assert_eq!(
            keys(b"\x1b[H\x1b[4~\x1bOF\x1b[5~\x1b[6~\x1b[3~"),
            [Key::Home, Key::End, Key::End, Key::PageUp, Key::PageDown, Key::Delete]
        );
        assert_eq!(keys(b"\t\x1b[Z\x7f\x08\x15\x0c"), [Key::Tab, Key::BackTab, Key::Backspace, Key::Backspace, Key::Clear, Key::Redraw]);
    }

    #[test]
    fn enter_is_one_key_however_it_is_sent() {
        assert_eq!(keys(b"\r"), [Key::Enter]);
        assert_eq!(keys(b"\n"), [Key::Enter]);
        assert_eq!(keys(b"\r\n"), [Key::Enter]);
        assert_eq!(keys(b"\r\r"), [Key::Enter, Key::Enter]);
    }

    #[test]
    fn letters_of_any_alphabet_come_whole_and_broken_ones_not_at_all() {
        assert_eq!(keys("ö漢".as_bytes()), [Key::Char('ö'), Key::Char('漢')]);
        assert_eq!(keys(b"a\xffb\xc3c\x80d"), ['a', 'b', 'c', 'd'].map(Key::Char));
    }

    #[test]
    fn ctrl_c_is_heard_in_the_middle_of_anything() {
        for before in [&b"\x1b"[..], b"\x1b[", b"\x1b[1;", b"\x1bO", b"\xe6\xbc", b"\x1b[200~text", b"\x1b[200~\x1b[", b"\x1b[200~\x1bO"] {
            assert_eq!(keys(&[before, b"\x03"].concat()).last(), Some(&Key::Leave), "{before:?}");
        }
    }

    #[test]
    fn an_escape_alone_is_a_key_after_a_while() {
        let mut keys = Keys::new();
        assert_eq!(keys.feed(0x1b), [None, None]);
        assert_eq!(keys.tick(Duration::from_secs(7)), None);
        assert_eq!(keys.tick(Duration::from_secs(7) + ESCAPE_DELAY), Some(Key::Esc));
        assert_eq!(keys.tick(Duration::from_secs(9)), None, "once");
        assert_eq!(keys.feed(b'['), [Some(Key::Char('[')), None]);
    }

    #[test]
    fn a_sequence_that_was_cut_is_not_an_escape() {
        let mut keys = Keys::new();
        let _ = keys.feed(0x1b);
        assert_eq!(keys.tick(Duration::from_secs(1)), None);
        assert_eq!(keys.feed(b'['), [None, None]);
        assert_eq!(keys.tick(Duration::from_secs(2)), None);
        assert_eq!(keys.feed(b'A'), [Some(Key::Up), None]);
    }

    #[test]
    fn a_paste_is_text_without_commands() {
        let pasted = keys(b"\x1b[200~a?\r\n\x1b[A\x7f\x1bb\x1b[201~?");
        assert_eq!(pasted, [Key::Pasted('a'), Key::Pasted('?'), Key::Pasted(' '), Key::Pasted('b'), Key::Char('?')]);
    }

    #[test]
    fn an_endless_sequence_is_not_kept() {
        let mut keys = Keys::new();
        b"\x1b[".iter().chain(&[b'1'; 100_000]).for_each(|b| assert_eq!(keys.feed(*b), [None, None]));
        assert!(keys.sequence.len() <= MAX_SEQUENCE);
        assert_eq!(keys.feed(b'z'), [None, None]);
        assert_eq!(keys.feed(b'z'), [Some(Key::Char('z')), None]);
    }
}

//! What was typed, as somebody reads it: `ls -l<Enter>`, `^C`, `<Up>`. Control characters never come out as themselves.

/// Sequences of keys by what follows ESC, as xterm sends them; longer ones first where one begins the other.
const SEQUENCES: [(&str, &str); 34] = [
    ("[200~", "<Paste>"),
    ("[201~", "<End of paste>"),
    ("[A", "<Up>"),
    ("[B", "<Down>"),
    ("[C", "<Right>"),
    ("[D", "<Left>"),
    ("OA", "<Up>"),
    ("OB", "<Down>"),
    ("OC", "<Right>"),
    ("OD", "<Left>"),
    ("[H", "<Home>"),
    ("[F", "<End>"),
    ("OH", "<Home>"),
    ("OF", "<End>"),
    ("[1~", "<Home>"),
    ("[4~", "<End>"),
    ("[2~", "<Insert>"),
    ("[3~", "<Delete>"),
    ("[5~", "<Page up>"),
    ("[6~", "<Page down>"),
    ("[Z", "<Back tab>"),
    ("OP", "<F1>"),
    ("OQ", "<F2>"),
    ("OR", "<F3>"),
    ("OS", "<F4>"),
    ("[15~", "<F5>"),
    ("[17~", "<F6>"),
    ("[18~", "<F7>"),
    ("[19~", "<F8>"),
    ("[20~", "<F9>"),
    ("[21~", "<F10>"),
    ("[23~", "<F11>"),
    ("[24~", "<F12>"),
    ("OM", "<Enter>"),
];

/// Keeps the beginning of a character that was cut in two.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pending: Vec<u8>,
}

impl Keys {
    /// The readable form of what was typed.
    pub(super) fn read(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let whole = std::mem::take(&mut self.pending);
        let text = match std::str::from_utf8(&whole) {
            Ok(text) => text.to_owned(),
            Err(e) if e.error_len().is_none() => {
                self.pending = whole[e.valid_up_to()..].to_vec();
                String::from_utf8_lossy(&whole[..e.valid_up_to()]).into_owned()
            }
            Err(_) => String::from_utf8_lossy(&whole).into_owned(),
        };
        readable(&text)
    }

    /// What was cut and never went on.
    pub(super) fn rest(&mut self) -> String {
        readable(&String::from_utf8_lossy(&std::mem::take(&mut self.pending)))
    }
}

fn readable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\x1b' => match SEQUENCES.iter().find(|(sequence, _)| rest.starts_with(sequence)) {
                Some((sequence, name)) => {
                    rest = &rest[sequence.len()..];
                    out.push_str(name);
                }
                None => out.push_str("<Esc>"),
            },
            '\r' | '\n' => out.push_str("<Enter>"),
            '\t' => out.push_str("<Tab>"),
            '\x7f' | '\x08' => out.push_str("<Backspace>"),
            '\0'..='\x1f' => out.extend(['^', char::from(c as u8 + 0x40)]),
            c if c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}') =>
            {
                out.push('\u{fffd}');
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_is_read_as_people_say_it() {
        let mut keys = Keys::default();
        assert_eq!(keys.read(b"ls -l\r\x1b[A\x03\x7f\t\x1b\x01"), "ls -l<Enter><Up>^C<Backspace><Tab><Esc>^A");
        assert_eq!(keys.read(b"\x1b]52;c;aGk=\x07"), "<Esc>]52;c;aGk=^G");
    }

    #[test]
    fn a_character_that_was_cut_in_two_is_one() {
        let mut keys = Keys::default();
        assert_eq!(keys.read(&[0xc3]) + &keys.read(&[0xa9, b'!']) + &keys.read(&[0xff]), "\u{e9}!\u{fffd}");
        assert_eq!(keys.read(&[0xe2, 0x82]) + &keys.rest(), "\u{fffd}");
    }
}

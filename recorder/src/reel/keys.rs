//! What was typed at a desktop, readable. Keys come as scan codes, which name places on a keyboard: letters are those of a US keyboard.

/// Shift, as far as the frames before said.
#[derive(Debug, Default)]
pub(super) struct Keys {
    shift: [bool; 2],
    caps: bool,
    control: bool,
    alt: bool,
}

/// Rows of a US keyboard by scan code set 1, without and with shift; a space where there is no letter.
const PLAIN: &[u8; 0x36] = b"  1234567890-=  qwertyuiop[]  asdfghjkl;'` \\zxcvbnm,./";
const SHIFTED: &[u8; 0x36] = b"  !@#$%^&*()_+  QWERTYUIOP{}  ASDFGHJKL:\"~ |ZXCVBNM<>?";

const NAMES: [(u16, &str); 27] = [
    (0x01, "Esc"),
    (0x0e, "Backspace"),
    (0x0f, "Tab"),
    (0x1c, "Enter"),
    (0x3b, "F1"),
    (0x3c, "F2"),
    (0x3d, "F3"),
    (0x3e, "F4"),
    (0x3f, "F5"),
    (0x40, "F6"),
    (0x41, "F7"),
    (0x42, "F8"),
    (0x43, "F9"),
    (0x44, "F10"),
    (0x57, "F11"),
    (0x58, "F12"),
    (EXTENDED | 0x1c, "Enter"),
    (EXTENDED | 0x47, "Home"),
    (EXTENDED | 0x48, "Up"),
    (EXTENDED | 0x49, "PageUp"),
    (EXTENDED | 0x4b, "Left"),
    (EXTENDED | 0x4d, "Right"),
    (EXTENDED | 0x4f, "End"),
    (EXTENDED | 0x50, "Down"),
    (EXTENDED | 0x51, "PageDown"),
    (EXTENDED | 0x53, "Delete"),
    (EXTENDED | 0x5b, "Windows"),
];
const EXTENDED: u16 = 0x100;
/// The keys of a numeric pad, with numbers locked.
const PAD: &[u8; 13] = b"789-456+1230.";

impl Keys {
    /// Takes a frame of the client's: fast-path input (MS-RDPBCGR 2.2.8.1.2) or an Input Event PDU (2.2.8.1.1.3). Whatever else it is says nothing.
    pub(super) fn read(&mut self, frame: &[u8]) -> String {
        let mut text = String::new();
        let done = match frame.first().map(|b| b & 3) {
            Some(0) => self.fast_path(frame, &mut text),
            Some(3) => self.slow_path(frame, &mut text),
            _ => None,
        };
        // A frame that is cut says what it said until there.
        let _ = done;
        text
    }

    fn fast_path(&mut self, frame: &[u8], text: &mut String) -> Option<()> {
        let mut rest = Rest(frame);
        let mut count = rest.u8()? >> 2 & 0xf;
        if rest.u8()? & 0x80 != 0 {
            rest.u8()?;
        }
        if count == 0 {
            count = rest.u8()?;
        }
        for _ in 0..count {
            let header = rest.u8()?;
            let flags = header & 0x1f;
            match header >> 5 {
                0 => {
                    let code = u16::from(rest.u8()?) | if flags & 2 != 0 { EXTENDED } else { 0 };
                    self.key(code, flags & 1 != 0, text);
                }
                3 => {}
                4 => self.unicode(rest.u16()?, flags & 1 != 0, text),
                6 => drop(rest.take(4)?),
                1 | 2 | 5 => drop(rest.take(6)?),
                _ => return None,
            }
        }
        Some(())
    }

    fn slow_path(&mut self, frame: &[u8], text: &mut String) -> Option<()> {
        // TPKT, X.224 data, MCS Send Data Request: code, initiator, channel, priority, length.
        let mut rest = Rest(frame);
        if rest.take(7)?.get(5) != Some(&0xf0) || rest.u8()? >> 2 != 25 {
            return None;
        }
        rest.take(5)?;
        if rest.u8()? & 0x80 != 0 {
            rest.u8()?;
        }
        // Share control and share data headers.
        let head = rest.take(18)?;
        if head.get(2).map(|t| t & 0xf) != Some(7) || head.get(14) != Some(&28) {
            return None;
        }
        let count = rest.u16()?;
        rest.u16()?;
        for _ in 0..count {
            rest.take(4)?;
            let (kind, flags, code) = (rest.u16()?, rest.u16()?, rest.u16()?);
            rest.u16()?;
            let released = flags & 0x8000 != 0;
            match kind {
                4 => self.key((code & 0xff) | if flags & 0x100 != 0 { EXTENDED } else { 0 }, released, text),
                5 => self.unicode(code, released, text),
                _ => {}
            }
        }
        Some(())
    }

    fn unicode(&self, code: u16, released: bool, text: &mut String) {
        let c = char::from_u32(code.into()).filter(|c| !c.is_control());
        text.extend(c.filter(|_| !released));
    }

    fn key(&mut self, code: u16, released: bool, text: &mut String) {
        match code {
            0x2a => self.shift[0] = !released,
            0x36 => self.shift[1] = !released,
            0x1d | 0x11d => self.control = !released,
            0x38 | 0x138 => self.alt = !released,
            0x3a if !released => self.caps = !self.caps,
            _ if released => {}
            _ => self.pressed(code, text),
        }
    }

    fn pressed(&self, code: u16, text: &mut String) {
        let held = format!("{}{}", if self.control { "Ctrl-" } else { "" }, if self.alt { "Alt-" } else { "" });
        if let Some((_, name)) = NAMES.iter().find(|(known, _)| *known == code) {
            text.push_str(&format!("<{held}{name}>"));
            return;
        }
        let at = usize::from(code);
        let shift = self.shift[0] || self.shift[1];
        let letter = match code {
            0x39 => Some(b' '),
            0x47..=0x53 => PAD.get(at - 0x47).copied(),
            0x37 => Some(b'*'),
            0x135 => Some(b'/'),
            _ => PLAIN.get(at).zip(SHIFTED.get(at)).map(|(plain, shifted)| {
                let upper = shift != (self.caps && plain.is_ascii_lowercase());
                if upper { *shifted } else { *plain }
            }),
        };
        match letter.map(char::from) {
            Some(' ') if code != 0x39 => {}
            Some(c) if held.is_empty() => text.push(c),
            Some(c) => text.push_str(&format!("<{held}{c}>")),
            None => {}
        }
    }
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(head)
    }
    fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }
    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Fast-path scan codes: flags and code of each.
    fn fast(keys: &[(u8, u8)]) -> Vec<u8> {
        let mut frame = vec![(u8::try_from(keys.len()).unwrap()) << 2, u8::try_from(2 + keys.len() * 2).unwrap()];
        frame.extend(keys.iter().flat_map(|(flags, code)| [*flags, *code]));
        frame
    }

    #[test]
    fn letters_shift_and_named_keys() {
        let mut keys = Keys::default();
        assert_eq!(keys.read(&fast(&[(0, 0x26), (1, 0x26), (0, 0x1f), (0, 0x39), (0, 0x0c), (0, 0x1c)])), "ls -<Enter>");
        assert_eq!(keys.read(&fast(&[(0, 0x2a), (0, 0x1e), (0, 0x02), (1, 0x2a), (0, 0x1e)])), "A!a");
        assert_eq!(keys.read(&fast(&[(0, 0x1d), (0, 0x2e), (1, 0x1d), (2, 0x48)])), "<Ctrl-c><Up>");
        assert_eq!(keys.read(&fast(&[(0, 0x3a), (0, 0x1e), (0, 0x02), (0, 0x3a), (0, 0x1e)])), "A1a");
    }

    #[test]
    fn unicode_and_slow_path() {
        let mut keys = Keys::default();
        assert_eq!(keys.read(&[2 << 2, 8, 0x80, 0xe9, 0, 0x81, 0xe9, 0]), "é");
        let event =
            |flags: u16, code: u16| [[0; 4].as_slice(), &4u16.to_le_bytes(), &flags.to_le_bytes(), &code.to_le_bytes(), &[0; 2]].concat();
        let mut share = vec![0, 0, 0x17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0, 2, 0, 0, 0];
        share.extend([event(0, 0x23), event(0xc000, 0x23)].concat());
        let mut frame = vec![3, 0, 0, 0, 2, 0xf0, 0x80, 25 << 2, 0, 1, 3, 0xeb, 0x70, 0x80, u8::try_from(share.len()).unwrap()];
        frame.extend(share);
        assert_eq!(keys.read(&frame), "h");
        for end in 0..frame.len() {
            assert!(keys.read(&frame[..end]).len() <= 1, "a cut frame is no panic");
        }
    }
}

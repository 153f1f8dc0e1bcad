//! Characters reach the parser whole. What vte 0.15 shows of a character cut between two calls depends on where it was cut.

/// Holds back the beginning of a character until its end comes; replaces what is no character.
#[derive(Debug, Default)]
pub(crate) struct WholeCharacters {
    held: [u8; 4],
    count: usize,
}

impl WholeCharacters {
    /// Calls `keep` with valid UTF-8, in pieces that do not end inside a character.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut keep: impl FnMut(&[u8])) {
        let mut rest = bytes;
        while self.count > 0 {
            let Some((next, later)) = rest.split_first() else { return };
            self.held[self.count] = *next;
            match std::str::from_utf8(&self.held[..=self.count]) {
                Ok(_) => {
                    keep(&self.held[..=self.count]);
                    self.count = 0;
                    rest = later;
                }
                Err(error) if error.error_len().is_none() => {
                    self.count += 1;
                    rest = later;
                }
                // The byte does not belong to the character that was begun.
                Err(_) => {
                    keep(REPLACEMENT);
                    self.count = 0;
                }
            }
        }
        while let Err(error) = std::str::from_utf8(rest) {
            let (valid, after) = rest.split_at(error.valid_up_to());
            if !valid.is_empty() {
                keep(valid);
            }
            let Some(length) = error.error_len() else {
                self.held[..after.len()].copy_from_slice(after);
                self.count = after.len();
                return;
            };
            // A lone C1 control, as the parser would take it: nothing to see.
            if length > 1 || after[0] > 0x9f {
                keep(REPLACEMENT);
            }
            rest = &after[length..];
        }
        if !rest.is_empty() {
            keep(rest);
        }
    }
}

const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_piece_ends_inside_a_character() {
        let text = "aß山🙂\u{301}z".as_bytes();
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let mut whole = WholeCharacters::default();
                let mut out = Vec::new();
                for part in [&text[..first], &text[first..second], &text[second..]] {
                    whole.feed(part, |piece| {
                        assert!(std::str::from_utf8(piece).is_ok());
                        out.extend_from_slice(piece);
                    });
                }
                assert_eq!(out, text);
            }
        }
    }

    #[test]
    fn what_is_no_character_is_replaced_as_soon_as_that_is_known() {
        let mut whole = WholeCharacters::default();
        let mut out = String::new();
        for part in [b"\xc3".as_slice(), b"(", b"\xe5\xb1", b"\xb1\xe5", b"x\xff", b"\xc2\xc2", b"\x1b\x80"] {
            whole.feed(part, |piece| out.push_str(&String::from_utf8_lossy(piece)));
        }
        assert_eq!(out, "\u{fffd}(山\u{fffd}x\u{fffd}\u{fffd}\u{fffd}\x1b");
    }
}

//! The parser of escape sequences, and plain text past it.
//!
//! Nearly all output is runs of printable ASCII. Where the parser is known to be between sequences it would draw them character by
//! character; they are handed to the grid whole instead, all but the last character, which it has to know (REP, ECMA-48 8.3.103).

use std::time::Duration;

use alacritty_terminal::vte::ansi::{Processor, Timeout};

use crate::tap::Tap;

/// Shorter runs are left to the parser.
const MIN_RUN: usize = 8;
const ESCAPE: u8 = 0x1b;

#[derive(Default)]
pub(crate) struct Parser {
    parser: Processor<NoSynchronizedUpdates>,
    /// The parser may be in a sequence.
    inside: bool,
}

impl Parser {
    /// Takes valid UTF-8 that does not end inside a character.
    pub(crate) fn advance(&mut self, tap: &mut Tap<'_>, text: &[u8]) {
        let mut rest = text;
        while !rest.is_empty() {
            let taken = if self.inside { self.sequence(tap, rest) } else { self.text(tap, rest) };
            rest = &rest[taken..];
        }
    }

    /// Between sequences: a run, or what stands before the next one.
    fn text(&mut self, tap: &mut Tap<'_>, text: &[u8]) -> usize {
        let run = printable(text);
        if run >= MIN_RUN && tap.text(&text[..run - 1]) {
            return run - 1;
        }
        let mut end = run;
        loop {
            let odd = text[end..].iter().take_while(|byte| !is_printable(**byte) && **byte != ESCAPE).count();
            end += odd;
            if text.get(end) == Some(&ESCAPE) {
                end += 1;
                self.inside = true;
                break;
            }
            let run = printable(&text[end..]);
            if end == text.len() || run >= MIN_RUN {
                break;
            }
            end += run;
        }
        self.parser.advance(tap, &text[..end]);
        end
    }

    /// Perhaps in a sequence. A character that is drawn tells that it has ended: only an escape character begins another.
    fn sequence(&mut self, tap: &mut Tap<'_>, text: &[u8]) -> usize {
        let limit = memchr::memchr(ESCAPE, text).unwrap_or(text.len());
        if limit == 0 {
            self.parser.advance(tap, &text[..1]);
            return 1;
        }
        tap.seen.drew = false;
        let within = &text[..limit];
        // To where it should end (ECMA-48 5.4), to what would be drawn then, to wherever it ends.
        let last = within.iter().position(|byte| matches!(byte, 0x40..=0x7e) && *byte != b'[').map_or(limit, |at| at + 1);
        let drawn = within[last..].iter().position(|byte| is_printable(*byte)).map_or(limit, |at| last + at + 1);
        let mut at = 0;
        for end in [last, drawn, limit] {
            if !tap.seen.drew {
                self.parser.advance(tap, &within[at..end]);
                at = end;
            }
        }
        self.inside = !tap.seen.drew;
        at
    }
}

fn is_printable(byte: u8) -> bool {
    (b' '..=b'~').contains(&byte)
}

/// Length of the run of printable ASCII that `text` begins with.
fn printable(text: &[u8]) -> usize {
    // Many at once, where asking each whether it is the last would not be.
    let whole = text.chunks(32).take_while(|bytes| bytes.iter().fold(true, |all, byte| all & is_printable(*byte))).count() * 32;
    let rest = text.get(whole..).unwrap_or_default();
    whole.min(text.len()) + rest.iter().take_while(|byte| is_printable(**byte)).count()
}

/// DEC mode 2026 would hold bytes back until a timer; frames are cut at recorded times instead.
#[derive(Debug, Default)]
struct NoSynchronizedUpdates;

impl Timeout for NoSynchronizedUpdates {
    fn set_timeout(&mut self, _: Duration) {}
    fn clear_timeout(&mut self) {}
    fn pending_timeout(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn a_run_ends_at_the_first_byte_that_is_not_drawn() {
        for length in 0..100 {
            let text = [b"x".repeat(length), b"\r\nxyz".to_vec()].concat();
            assert_eq!((printable(&text), printable(&text[..length])), (length, length));
        }
    }
}

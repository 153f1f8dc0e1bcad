//! How a terminal behaves, as a program set it: what keys send, whether the mouse tells, how the cursor looks. Says nothing of any text.

use alacritty_terminal::{
    term::TermMode,
    vte::ansi::{CursorShape, CursorStyle},
};

/// Modes of a program's terminal that the person's own has to be in too, for keys and mouse to mean the same to both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Modes {
    flags: u32,
    cursor: Cursor,
}

/// DECSCUSR's parameter; 0 for the terminal's own.
type Cursor = u8;

/// DEC private modes by number (xterm's ctlseqs).
const PRIVATE: [(TermMode, u16); 8] = [
    (TermMode::APP_CURSOR, 1),
    (TermMode::MOUSE_REPORT_CLICK, 1000),
    (TermMode::MOUSE_DRAG, 1002),
    (TermMode::MOUSE_MOTION, 1003),
    (TermMode::FOCUS_IN_OUT, 1004),
    (TermMode::UTF8_MOUSE, 1005),
    (TermMode::SGR_MOUSE, 1006),
    (TermMode::BRACKETED_PASTE, 2004),
];

impl Modes {
    pub(crate) fn of(mode: &TermMode, style: Option<CursorStyle>) -> Self {
        let mut flags = 0;
        for (bit, (flag, _)) in PRIVATE.iter().enumerate() {
            flags |= u32::from(mode.contains(*flag)) << bit;
        }
        flags |= u32::from(mode.contains(TermMode::APP_KEYPAD)) << PRIVATE.len();
        let cursor = style.map_or(0, |CursorStyle { shape, blinking }| {
            let steady = match shape {
                CursorShape::Underline => 4,
                CursorShape::Beam => 6,
                _ => 2,
            };
            steady - u8::from(blinking)
        });
        Self { flags, cursor }
    }

    /// Writes what makes a terminal in these modes one in the others. Off before on: of the mouse's modes one can be on.
    pub(super) fn change(self, to: Self, text: &mut String) {
        for on in [false, true] {
            for (bit, (_, number)) in PRIVATE.iter().enumerate() {
                if (self.flags ^ to.flags) >> bit & 1 == 1 && (to.flags >> bit & 1 == 1) == on {
                    text.push_str("\x1b[?");
                    super::style::number(text, usize::from(*number));
                    text.push(if on { 'h' } else { 'l' });
                }
            }
        }
        let keypad = 1 << PRIVATE.len();
        if (self.flags ^ to.flags) & keypad != 0 {
            text.push_str(if to.flags & keypad != 0 { "\x1b=" } else { "\x1b>" });
        }
        if self.cursor != to.cursor {
            text.push_str("\x1b[");
            super::style::number(text, usize::from(to.cursor));
            text.push_str(" q");
        }
    }
}

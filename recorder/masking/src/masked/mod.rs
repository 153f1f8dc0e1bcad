//! What went through classification: the only things the renderer can write.
//!
//! **Invariant:** a [`MaskedRow`] is made from a row *and its verdict*, a [`Verdicts`](crate::classify::Verdicts) is made only by the
//! classifier, and the [`Ink`] that builds a [`MaskedText`] accepts nothing but these, cursor movements and fixed notes.

mod ink;
mod modes;
mod row;
mod style;

use std::{fmt, ops::Deref};

pub(crate) use ink::Ink;
pub(crate) use modes::Modes;
pub(crate) use row::{MaskedRow, PackedMaskedRow};
pub(crate) use style::Style;

/// Stands for one masked column.
pub const MASK: char = '█';
/// Stands for two masked columns, where a wide character was (the geta mark, printers' sign for a glyph that is not there).
pub const WIDE_MASK: char = '〓';

/// Terminal text that is safe to keep in the masked track. It cannot be made outside this crate:
///
/// ```compile_fail
/// let leak = anteroom_masking::MaskedText(String::from("MRN 123456"));
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct MaskedText(String);

impl MaskedText {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }

    pub(crate) fn append(&mut self, later: &Self) {
        self.0.push_str(&later.0);
    }

    /// For a reader that is no terminal: lines end as programs without one end them.
    pub(crate) fn with_bare_line_feeds(self) -> Self {
        Self(self.0.replace("\r\n", "\n"))
    }
}

impl Deref for MaskedText {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<[u8]> for MaskedText {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<MaskedText> for String {
    fn from(text: MaskedText) -> String {
        text.0
    }
}

impl fmt::Display for MaskedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MaskedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MaskedText({:?})", self.0)
    }
}

/// Fixed sentences the masker may say by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Note {
    Binary { bytes: u64 },
    LinesNotHeld { lines: u64 },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Binary { bytes } if bytes >= 1 << 20 => {
                write!(f, "[binary, {}.{} MiB not shown]", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20)
            }
            Self::Binary { bytes } => write!(f, "[binary, {bytes} bytes not shown]"),
            Self::LinesNotHeld { lines } => write!(f, "[{lines} lines not shown]"),
        }
    }
}

/// As many columns as the character has.
fn mask_of(c: char) -> Option<char> {
    match c {
        ' ' | '\t' => Some(c),
        _ => match unicode_width::UnicodeWidthChar::width(c) {
            Some(2) => Some(WIDE_MASK),
            Some(0) => None,
            _ => Some(MASK),
        },
    }
}

/// Characters that could carry text nobody sees (tag characters, bidi controls) or that a terminal would obey (C0, C1).
pub(crate) fn hides_text(c: char) -> bool {
    matches!(c as u32,
        0x00..=0x08 | 0x0a..=0x1f | 0x7f..=0x9f | 0xad | 0x61c | 0x200b | 0x200e..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff
        | 0xfff9..=0xfffb | 0x1_d173..=0x1_d17a | 0xe_0000..=0xe_0fff)
}

//! Text that went through classification. Its constructors are private to this crate's renderer.

use std::{fmt, ops::Deref};

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

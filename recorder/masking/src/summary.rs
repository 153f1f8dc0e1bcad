//! What was masked: types and counts, never values.

use std::collections::BTreeMap;

use serde::Serialize;

/// What a masker did, known when the recording ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Identifiers masked, by type ("name", "mrn", ...). One on the screen counts once for each frame that newly shows it.
    pub counts: BTreeMap<String, u64>,
    /// An identifier that was masked somewhere is readable somewhere else: only people cleared to unmask may open the recording.
    pub incomplete: bool,
    /// Where and why, when the masker was asked to explain (`Masker::explain`).
    pub spans: Vec<Span>,
}

/// One masked place. Carries no value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Microseconds since the session's start.
    pub at_us: u64,
    /// Row counted from the start of the recording, scrolled rows included, from 0.
    pub row: u64,
    /// First masked column and how many columns.
    pub column: u32,
    pub width: u32,
    /// Type of identifier.
    pub kind: String,
    /// The rule and why it applied.
    pub rule: String,
}

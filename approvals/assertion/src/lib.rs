//! A passkey's signature over a content, checked from what was kept of it: no database, no server, no clock.
//!
//! Shared by who stores evidence (`anteroom-approvals`), who checks it offline, and by the unsealer, which believes nobody else.
#![forbid(unsafe_code)]

mod assertion;
mod card;
mod evidence;

pub use assertion::{Assertion, signed, verify_assertion};
pub use card::{CardOfficer, CardRefused, OfflineCard, Site};
pub use evidence::{AssertionEvidence, key_sha256};

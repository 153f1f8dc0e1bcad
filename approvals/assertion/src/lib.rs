//! A passkey's signature over a content, checked from what was kept of it: no database, no server, no clock.
//!
//! Shared by who stores evidence (`anteroom-approvals`), who checks it offline, and by the unsealer, which believes nobody else.
#![forbid(unsafe_code)]

mod assertion;
mod evidence;

pub use assertion::{Assertion, signed, verify_assertion};
pub use evidence::{AssertionEvidence, key_sha256};

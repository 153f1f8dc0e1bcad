//! Checks evidence offline: no database, no keys of ours, no trust in who hands it over.
mod story;

pub use anteroom_assertion::{Assertion, verify_assertion};
pub use story::{Finding, all_good, verify_evidence};

//! Checks evidence offline: no database, no keys of ours, no trust in who hands it over.
mod assertion;
mod story;

pub use assertion::{Assertion, verify_assertion};
pub use story::{Finding, all_good, verify_evidence};

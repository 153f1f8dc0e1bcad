//! Checks evidence offline: no database, no keys of ours, no trust in who hands it over.
mod approval;
mod card;
mod emergency;
mod keeping;
mod story;
mod unmask;

pub use anteroom_assertion::{Assertion, verify_assertion};
pub(crate) use story::hashes;
pub use story::{Finding, all_good, verify_evidence};
pub(crate) use unmask::state;

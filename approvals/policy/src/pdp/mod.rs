//! Policies: text that is checked when it is loaded, and answers with obligations and reasons afterwards.
//!
//! Cedar says permit or forbid; annotations say what a satisfied permit asks in return. What cannot be decided is denied.
mod annotations;
mod ask;
mod cases;
mod decide;
mod error;
mod load;
mod question;

pub use ask::{Ask, Factor, FactorKind, Question};
pub use cases::{CasesError, Tried, try_cases};
pub use decide::{Ground, Ruling};
pub use error::{PolicyError, PolicyErrors};
pub use load::{MAX_FILES, MAX_POLICIES, MAX_TEXT, Policy, PolicyFile, PolicyName};

#[cfg(test)]
mod tests;

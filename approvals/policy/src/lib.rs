//! The policy decision point: facts in, decision out. Pure; the only maker of a [`Permit`].
//!
//! Default deny: whatever no line here allows is refused, and "unknown" is answered exactly like "forbidden".
#![forbid(unsafe_code)]

mod access;
pub mod aftermath;
pub mod break_glass;
pub mod cards;
mod commands;
mod patients;
pub mod pdp;
mod portal;
mod quorum;
mod retention;
mod standing;
mod stricter;
pub mod supervision;
pub mod vendor;

pub use access::{Decision, Facts, Permit, Refusal, SecondFactor, judge, needs_the_database};
pub use commands::{CommandRule, CommandRules, CommandRulesError, Does};
pub use patients::{Baseline, Limit, PatientLimits, Reaction};
pub use pdp::{Ask, Policy, PolicyErrors, PolicyFile, Question, Ruling};
pub use portal::{Action, may};
pub use quorum::{Needed, NoVoice, Tally, Voice, listed};
pub use retention::{Kept, expires};
pub use standing::{Circumstances, PolicySays, Standing, Verdict, rejudge};
pub use stricter::{Given, More};
pub use vendor::{VendorRefusal, may_supervise, unfit_roles};

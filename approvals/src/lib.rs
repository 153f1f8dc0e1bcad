//! Decides who may do what, until when, and keeps the log of every decision.
#![forbid(unsafe_code)]

mod approvals;
mod change;
mod error;
pub mod evidence;
mod listing;
mod skeleton;
mod types;
pub mod verify;

pub use approvals::{Approvals, Options};
pub use change::Change;
pub use error::{
    KeyError, ManageError, MigrateError, OpenError, RequestError, ReviewError, SignError, StartError, StepUpError, StoreError, VaultError,
};
pub use evidence::Evidence;
pub use listing::{Listing, Page};
pub use skeleton::migrate;
pub use types::*;
mod clock;
mod store;

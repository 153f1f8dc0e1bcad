//! Decides who may do what, until when, and keeps the log of every decision.
//!
//! One handle, [`Approvals`]; what it does is in files by use case: `identity` (passkeys, web sessions, SSH keys),
//! `workflow` (request, review, authorize, step-up, certificates, sessions), `authority` (our certificate authorities),
//! `audit` (Merkle log, checkpoints, spool), `search` (what recordings show), `vault`.
//! All SQL is in `store`; deciding who may connect is the pure crate `anteroom-policy`.
#![forbid(unsafe_code)]

mod approvals;
pub mod audit;
mod authority;
mod change;
mod clock;
mod error;
pub mod evidence;
mod identity;
mod listing;
mod run;
mod search;
mod store;
mod types;
mod vault;
pub mod verify;
mod workflow;

pub use approvals::{Approvals, Options, migrate, pool_options};
pub use change::Change;
pub use error::{
    AuthorityError, CertificateError, CertificateRefusal, KeyError, ManageError, MigrateError, OpenError, RequestError, ReviewError,
    SearchError, SignError, StartError, StepUpError, StoreError, UnmaskError, VaultError,
};
pub use evidence::Evidence;
pub use listing::{Listing, Page};
pub use search::{Hit, Hits, IndexLine, Indexed, Place, SearchFilter, SearchPage};
pub use types::*;
pub use workflow::Claim;

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
pub mod notify;
mod run;
mod safe;
mod search;
mod store;
mod ticket;
mod types;
mod vault;
pub mod verify;
mod workflow;

pub use anteroom_assertion::{CardOfficer, CardRefused, OfflineCard, Site};
pub use anteroom_sbom::MAX_BYTES as MAX_SBOM_BYTES;
pub use approvals::{Approvals, Options, migrate, pool_options};
pub use change::Change;
pub use error::{
    AbsenceError, AuthorityError, CertificateError, CertificateRefusal, KeepError, KeyError, ManageError, MigrateError, OpenError,
    RedeemError, RequestError, ReviewError, SearchError, SignError, StartError, StepUpError, StoreError, TicketError, TicketRefusal,
    UnmaskError, VaultError,
};
pub use evidence::{Evidence, Keeping};
pub use listing::{Listing, Page};
pub use safe::{LocalLockError, LockHere, SafeMode, ShownCard, lock_here};
pub use search::{Hit, Hits, IndexLine, Indexed, Place, SearchFilter, SearchPage};
pub use ticket::{IssuedTicket, Redeemed, Ticket};
pub use types::*;
pub use workflow::{
    Affected, Answered, BreakGlassError, BreakGlassForm, CardError, CardForm, CardUse, Claim, CompanyPage, CompanyRow, CompanyTerm, Effect,
    Effects, Envelopes, Explained, Feed, FeedKind, FoundComponent, HOSPITAL, Inventory, LockRow, MachineRow, Pausing, PersonPatients,
    PolicySetError, PolicyVersion, PostureError, Prolonged, RDP_FINGERPRINT, Rejudged, STARTERS, Said, SbomInfo, SessionPatients,
    Supervised, SupervisionNote, TimeLeft, ToWatch, Turned, UnreadPolicy, Watching, WhatIf, WhatIfAnswer, Whence, Why, policy_sha256,
    shipped_policies,
};

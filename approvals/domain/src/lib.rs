//! The words everybody shares: who, what, for how long, and what was decided.
//!
//! Pure: no clock, no randomness, no I/O. Everything that needs "now" is told it.
#![forbid(unsafe_code)]

pub mod attributes;
pub mod audit;
pub mod break_glass;
pub mod canonical;
pub mod capability;
pub mod card;
pub mod certificate;
pub mod company;
pub mod content;
pub mod control;
pub mod grant;
mod hex;
mod hold;
pub mod ids;
pub mod keeping;
pub mod lock;
pub mod names;
pub mod obligation;
pub mod patients;
pub mod person;
pub mod posture;
pub mod probe;
pub mod request;
pub mod secret;
pub mod session;
pub mod shown;
pub mod target;
pub mod terminal;
pub mod unmask;
pub mod weekly;

pub use attributes::{ClinicalUse, Criticality, PersonAttributes, PersonKind, TargetAttributes};
pub use audit::{AuditEvent, AuditRecord, FactorUsed};
pub use break_glass::BreakGlass;
pub use capability::{Capabilities, Capability};
pub use card::{Card, CardCode, CardCodeError, CardState};
pub use certificate::CertificateFingerprint;
pub use company::{Company, Contract};
pub use control::{LiveSession, MessageText, SessionControl};
pub use grant::{Grant, GrantState};
pub use hex::hex;
pub use hold::{Hold, Holds};
pub use ids::*;
pub use keeping::{HoldLifted, LegalHold, Shredding};
pub use lock::{Lock, Lockable};
pub use names::{
    AccountName, Comment, DeviceName, DisplayName, GatewayName, GroupName, Handle, Label, NameError, OsName, Reason, TargetName,
    TicketNumber, UnitName, ZoneName,
};
pub use obligation::{AtEnd, Obligations, Quorum};
pub use patients::PatientsSeen;
pub use person::{Person, Role, Roles};
pub use posture::{Machine, Posture};
pub use probe::{Probe, ProbeOutcome, TargetProbe};
pub use request::{AccessRequest, Asks, Place, RequestState};
pub use secret::Secret;
pub use session::{EndReason, RecordingState, SessionRecord};
pub use shown::LineKind;
pub use target::{Account, Profile, Protocol, Target, TargetKind, Via};
pub use terminal::{OpenTerminal, TerminalDoor, TerminalInput, TerminalOutput, TerminalSession};
pub use unmask::{UnmaskRequest, UnmaskStage, UnmaskState};
pub use weekly::Weekly;

/// A moment as RFC 3339 text, for places where it is hashed.
pub type CanonicalText = String;

/// Wall-clock moment, always UTC when shown or signed.
pub type Moment = time::OffsetDateTime;

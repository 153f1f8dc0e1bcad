//! The unsealer: a process of its own with the sealed track's keys. It believes signatures of people it was told to trust, and nothing
//! that a portal, a gateway or a database says.
//!
//! [`decide`] is pure: trust, proof and time in, a [`Warrant`] or a [`Refusal`] out. Around it the thin rest: the recording is read here
//! (`interval`), what was asked is written down before keys leave (`journal`), and requests come over a Unix socket (`serve`).
#![forbid(unsafe_code)]

mod client;
mod decide;
mod interval;
mod journal;
mod refusal;
mod serve;
mod trust;
mod trust_file;
mod wire;

pub use client::Client;
pub use decide::{CLOCK_SKEW, LONGEST_HOLD, MAX_APPROVALS, OPENING_LIFETIME, Warrant, decide};
pub use interval::{Keys, RecordingError, chunk_keys};
pub use journal::{Journal, JournalError};
pub use refusal::Refusal;
pub use serve::{Options, ServeError, Server};
pub use trust::{Holder, Site, Trust, TrustError, TrustedKey};
pub use trust_file::TrustFileError;
pub use wire::{Answer, MAX_ANSWER, MAX_REQUEST, Refused, Request, RequestError};

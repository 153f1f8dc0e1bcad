//! Wishes to see an interval of a recording unmasked.
use crate::evidence::AssertionEvidence;
use anteroom_domain::{Moment, PersonId, Reason, SessionId, UnmaskRequest, UnmaskState, content::Verdict};
use serde::Serialize;

/// A wish to see an interval of a recording as it was, as the form has it.
#[derive(Debug, Clone)]
pub struct UnmaskForm {
    pub session: SessionId,
    /// Microseconds since the session's start.
    pub from_us: u64,
    pub until_us: u64,
    pub reason: Reason,
    /// For how long it may be used, from now; one of [`anteroom_domain::unmask::USES_HOURS`].
    pub hours: u8,
}

#[derive(Debug, Clone, Default)]
pub struct UnmaskFilter {
    pub state: Option<UnmaskState>,
    pub requester: Option<PersonId>,
    /// Only what this key-holder can answer now.
    pub waits_for: Option<PersonId>,
    pub search: String,
}

/// What a key-holder said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct UnmaskAnswer {
    pub holder: PersonId,
    pub verdict: Verdict,
    #[serde(with = "time::serde::rfc3339")]
    pub at: Moment,
}

/// Everything the page of an unmask request shows.
#[derive(Debug, Clone)]
pub struct UnmaskView {
    pub request: UnmaskRequest,
    /// In the order they were given.
    pub answers: Vec<UnmaskAnswer>,
    /// When the requester opened it.
    pub openings: Vec<Moment>,
    /// The requester has a passkey that not every key-holder saw who approved: it opens with those that they saw.
    pub keys_changed: bool,
}

/// An opening that is signed, stored and in the log: what the unsealer is asked with.
#[derive(Debug, Clone)]
pub struct UnmaskOpened {
    pub request: UnmaskRequest,
    pub approvals: Vec<AssertionEvidence>,
    pub opening: AssertionEvidence,
}

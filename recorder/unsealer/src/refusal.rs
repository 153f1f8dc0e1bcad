//! Why nothing is released: each reason is one of its own, for the log and for the person who asked.
use anteroom_domain::Handle;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("it takes two key-holders; {given} approved")]
    TooFewApprovals { given: usize },
    #[error("more approvals than there can be")]
    TooManyApprovals,
    #[error("the signature of {whose} does not hold: {why}")]
    Signature { whose: Whose, why: &'static str },
    #[error("the signature of {whose} was given on another site than the one this unsealer serves")]
    OtherSite { whose: Whose },
    #[error("what {whose} signed is of a version that is not known here")]
    Version { whose: Whose },
    #[error("{holder} denied it")]
    Denied { holder: Handle },
    #[error("{holder} asked for it and cannot approve it too")]
    HolderIsRequester { holder: Handle },
    #[error("{holder} is no key-holder here; if they should be: anteroom unsealer trust {holder}")]
    UnknownHolder { holder: Handle },
    #[error("{holder} signed with a passkey that is not trusted here; if it should be: anteroom unsealer trust {holder}")]
    UntrustedKey { holder: Handle },
    #[error("both approvals are by {holder}; it takes two people")]
    SameHolderTwice { holder: Handle },
    #[error("the key-holders signed different things: {what}")]
    ContentsDiffer { what: &'static str },
    #[error("the interval ends before it begins")]
    NoInterval,
    #[error("the approval has expired")]
    Expired,
    #[error("it was opened for another {what} than the approved one")]
    OtherOpening { what: &'static str },
    #[error("it was opened with a passkey that was not the requester's when it was approved")]
    OtherKey,
    #[error("it was opened with a passkey of a key-holder")]
    OpenedByHolder,
    #[error("the key it was to be released to is none")]
    NoRecipient,
    #[error("it was opened too long ago; open it again")]
    OpeningTooOld,
    #[error("it was opened in the future; compare the clocks of portal and unsealer")]
    OpeningInFuture,
    #[error("this opening was used already; open it again")]
    OpeningUsed,
}

/// Which of the signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// From 1.
    Approval(usize),
    Opening,
}

impl std::fmt::Display for Whose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Approval(n) => write!(f, "approval {n}"),
            Self::Opening => f.write_str("the opening"),
        }
    }
}

impl Refusal {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooFewApprovals { .. } => "too_few_approvals",
            Self::TooManyApprovals => "too_many_approvals",
            Self::Signature { .. } => "bad_signature",
            Self::OtherSite { .. } => "other_site",
            Self::Version { .. } => "unknown_version",
            Self::Denied { .. } => "denied",
            Self::HolderIsRequester { .. } => "holder_is_requester",
            Self::UnknownHolder { .. } => "unknown_holder",
            Self::UntrustedKey { .. } => "untrusted_key",
            Self::SameHolderTwice { .. } => "same_holder_twice",
            Self::ContentsDiffer { .. } => "contents_differ",
            Self::NoInterval => "no_interval",
            Self::Expired => "expired",
            Self::OtherOpening { .. } => "other_opening",
            Self::OtherKey => "other_key",
            Self::OpenedByHolder => "opened_by_holder",
            Self::NoRecipient => "no_recipient",
            Self::OpeningTooOld => "opening_too_old",
            Self::OpeningInFuture => "opening_in_future",
            Self::OpeningUsed => "opening_used",
        }
    }
}

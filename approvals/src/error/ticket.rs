//! What can be wrong with a ticket for an RDP session.
use super::StoreError;
use anteroom_domain::EndReason;

/// Making a ticket for an RDP session.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The same for unknown, somebody else's, ended and revoked.
    #[error("you have no current grant for this desktop")]
    NoSuchAccess,
    #[error("you have a grant for this desktop and cannot connect now: {0}")]
    NotNow(EndReason),
    #[error("your passkey has to confirm this connection first; please start again")]
    NotConfirmed,
    #[error("you have {max} unused tickets already; use one, or wait until their time is over")]
    TooMany { max: i64 },
    #[error("the ticket could not be made")]
    Seal,
}

/// Using one. The words go to the audit log, and to whoever has proven the ticket's secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TicketRefusal {
    #[error("there is no such ticket, or its session is long over")]
    Unknown,
    #[error("the ticket's time is over; get a new one at the portal")]
    Expired,
    #[error("a wrong secret was given too often for this ticket; get a new one at the portal")]
    Voided,
    #[error("the ticket was made from another address than this connection comes from")]
    Address,
    #[error("the ticket's session is open already")]
    InUse,
    #[error("the ticket was used and its session is over; get a new one at the portal")]
    Over,
    #[error("the secret was wrong")]
    WrongSecret,
    #[error(transparent)]
    Access(#[from] anteroom_policy::Refusal),
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedeemError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Refused(#[from] TicketRefusal),
}

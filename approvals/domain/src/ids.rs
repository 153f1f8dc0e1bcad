//! Ids are newtypes: a grant's id can't be handed over where a session's is meant.
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}({})", stringify!($name), self.0) }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> { Uuid::parse_str(s).map(Self) }
        }
        impl From<Uuid> for $name {
            fn from(u: Uuid) -> Self { Self(u) }
        }
    )*};
}

id!(
    /// A human being known to the gateway.
    PersonId,
    /// A server or a medical device.
    TargetId,
    /// A login on a target.
    AccountId,
    /// A wish for access, before anybody judged it.
    RequestId,
    /// Somebody's signed answer to a request.
    ApprovalId,
    /// A right to connect that ends by itself.
    GrantId,
    /// One connection of one person to one account of one target. Its recording carries the same id.
    SessionId,
    /// A WebAuthn credential.
    PasskeyId,
    /// An SSH public key bound to a person.
    SshKeyId,
    /// A second factor asked of one SSH connection.
    StepUpId,
    /// A pending WebAuthn exchange; used once.
    CeremonyId,
    /// A certificate authority of ours.
    AuthorityId,
    /// Somebody's program waits for a certificate. Unguessable: it is the secret part of a link.
    CertificateAskId,
    /// A supervisor's words on their way to a session.
    MessageId,
    /// A wish to see an interval of a recording as it was.
    UnmaskId,
    /// A ticket's row; its public name is another.
    TicketId,
    /// A legal hold on a recording.
    HoldId,
    /// A company whose people keep some of the targets.
    CompanyId,
    /// Somebody who watches a session, from when until when.
    SupervisionId,
    /// A sealed break-glass card.
    CardId,
    /// A lock on a person, a target or a company.
    LockId,
    /// One line of the audit log.
    AuditEntryId,
);

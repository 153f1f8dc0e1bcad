//! One small error type a family of calls. None of them repeats what a stranger sent, and none shows SQL.
mod ticket;

pub use ticket::{RedeemError, TicketError, TicketRefusal};

use anteroom_domain::{EndReason, request::WindowError, unmask::IntervalError};

/// The database could not do its part. Everything else builds on this one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("the database does not answer; try again in a moment")]
    Away,
    /// A row that no version of this program writes.
    #[error("the database holds something unreadable in {0}; see the log")]
    Damaged(&'static str),
    /// `code` is the SQLSTATE.
    #[error("the database refused (SQLSTATE {code})")]
    Refused { code: String },
}

impl From<sqlx::Error> for StoreError {
    fn from(e: sqlx::Error) -> Self {
        match &e {
            sqlx::Error::Database(d) => {
                let code = d.code().unwrap_or_default().into_owned();
                // 08 connection, 53 resources, 57P shutdown, 58 system: the server is not in a state to serve.
                if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) {
                    return Self::Away;
                }
                tracing::error!(code, constraint = d.constraint(), table = d.table(), "the database refused a statement");
                Self::Refused { code }
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => Self::Away,
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Damaged("a column"),
            _ => {
                tracing::error!(kind = std::any::type_name_of_val(&e), "an unexpected database error");
                Self::Refused { code: "none".into() }
            }
        }
    }
}

/// Why [`Approvals::open`](crate::Approvals::open) refused to start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the database is not at the version this program needs; run: anteroom migrate")]
    NotMigrated,
    #[error(
        "the database role {role:?} can change the audit log; connect as a role that can only insert and read there (anteroom_app), see SECURITY.md"
    )]
    CanRewriteAudit { role: String },
    #[error("portal origin {origin:?}: {why}")]
    Origin { origin: String, why: &'static str },
    #[error("audit log name {0:?}: it must not be empty and hold no spaces, plus signs or control characters")]
    LogName(String),
    #[error("{what} {path:?}: {source}")]
    Directory { what: &'static str, path: std::path::PathBuf, source: std::io::Error },
    /// Going by another would let in whom it keeps out.
    #[error("{0}\nnothing counts in its place. Start the version of the program that set it, or set another: anteroom policy set FILE")]
    UnreadPolicy(crate::UnreadPolicy),
    #[error("the policy kept for safe mode cannot be read: {0}\nstart the version of the program that kept it, or wait for the database")]
    KeptPolicy(anteroom_policy::PolicyErrors),
    /// A fault of the program: its own policy is tested.
    #[error("the policy that comes with the program: {0}")]
    Policy(anteroom_policy::PolicyErrors),
}

impl OpenError {
    /// The database did not answer; nothing else is wrong so far.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Store(StoreError::Away))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("migrating the database: {0}")]
    Migrate(#[source] sqlx::migrate::MigrateError),
}

/// Searching recordings.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("you may not do this")]
    NotAllowed,
    #[error("write at least one word that has to be there")]
    NoWord,
    #[error("that is too much for one search: at most 200 characters and 16 words")]
    TooLong,
    #[error("too many lines hold this: add a word, a person, a target or days")]
    TooMany,
}

impl From<ManageError> for SearchError {
    fn from(e: ManageError) -> Self {
        match e {
            ManageError::Store(e) => Self::Store(e),
            _ => Self::NotAllowed,
        }
    }
}

/// Keeping people and targets.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManageError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("you may not do this")]
    NotAllowed,
    #[error("there is no such {0}")]
    NoSuch(&'static str),
    #[error("this {0} is taken")]
    Taken(&'static str),
    #[error("{what}: {why}")]
    Invalid { what: &'static str, why: String },
}

/// Enrolling, signing in, and every ceremony with a passkey.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("this link was used before, has expired or never existed; ask for a new one")]
    LinkGone,
    #[error("this took too long or was sent twice; please start again")]
    CeremonyGone,
    /// The reason is for the person in front of the screen; it holds nothing of what was sent.
    #[error("the passkey was not accepted: {0}")]
    PasskeyRefused(&'static str),
    #[error("this passkey is already enrolled")]
    PasskeyTaken,
    #[error("you have no passkey yet")]
    NoPasskey,
    #[error("your access is suspended")]
    Suspended,
    #[error("your access is locked; ask the people who run this gateway")]
    Locked,
    #[error("label: at most 60 printable characters")]
    Label,
}

/// Binding SSH keys.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error("this is not an OpenSSH public key line; paste the content of a .pub file")]
    Unreadable,
    #[error("this is a private key; it must never leave your machine. Paste the .pub file, and make a new key pair")]
    Private,
    #[error("{algorithm} keys are not accepted; make one with: ssh-keygen -t ed25519")]
    Algorithm { algorithm: String },
    #[error("this RSA key has {bits} bits; at least 3072 are needed, or make one with: ssh-keygen -t ed25519")]
    ShortRsa { bits: u32 },
    #[error("this key is already bound to somebody")]
    Taken,
    #[error("you have no such key")]
    NoSuchKey,
}
impl From<StoreError> for KeyError {
    fn from(e: StoreError) -> Self {
        Self::Sign(e.into())
    }
}

/// Asking for access.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("you may not ask for access")]
    NotAllowed,
    /// The same for unknown and forbidden.
    #[error("there is no such account on such a target for you")]
    NoSuchTarget,
    #[error("your company's contract ends at {at}; ask for less time")]
    Contract { at: anteroom_domain::Moment },
    #[error(transparent)]
    Window(#[from] WindowError),
    #[error("ask for at least one and at most 64 capabilities, for example shell and exec, or desktop")]
    Capabilities,
    #[error("{target} speaks {protocol}: {capability} means nothing there")]
    Misfit { target: String, protocol: &'static str, capability: String },
    #[error("{target} speaks RDP: ask for desktop, and for whatever shall go along with it")]
    NoDesktop { target: String },
    /// The reason is not told.
    #[error("{target} is locked; ask the people who run this gateway")]
    Locked { target: String },
    #[error("you have no such request")]
    NoSuchRequest,
    #[error("this request was already answered or withdrawn")]
    NotPending,
    #[error("you have {max} requests waiting already; withdraw one first")]
    TooMany { max: i64 },
    #[error("more than {max} requests in a minute; wait a minute, then ask again")]
    TooFast { max: u32 },
    #[error("a request holds at most {max} logins; make two of it")]
    Places { max: usize },
    #[error("{place} is there twice")]
    SamePlace { place: String },
    #[error("a time comes back in at most {max} following weeks")]
    Weeks { max: u8 },
    #[error("policy asks for a ticket number here: the change or the incident this belongs to")]
    TicketMissing,
    #[error("there is no grant of yours for exactly this login that could be extended to then")]
    NothingToExtend,
    #[error("there are {max} comments already")]
    TooManyComments { max: i64 },
    #[error("policy does not let you ask for this: {}", .0.join(" "))]
    Policy(Vec<String>),
    #[error("policy lets this be asked for at most {minutes} minutes at once")]
    TooLong { minutes: u32 },
    #[error("policy leaves nothing of what you ask for; there is: {0}")]
    Beyond(String),
}

/// Who is away, and who fills their place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AbsenceError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("only approvers name a deputy")]
    NotAllowed,
    #[error("the deputy has to be another approver who is not suspended")]
    Deputy,
    #[error("name an end, at most {days} days ahead")]
    Window { days: i64 },
    #[error("you are not set as away")]
    NotAway,
}

/// Answering a request.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReviewError {
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error("you may not answer requests")]
    NotAllowed,
    #[error("this is your own request; somebody else has to answer it")]
    OwnRequest,
    #[error("there is no such request")]
    NoSuchRequest,
    #[error("the requester is suspended")]
    RequesterSuspended,
    #[error("this request was already answered or withdrawn")]
    Answered,
    #[error("what you signed is not what the request says now; look again")]
    Changed,
    #[error("the time asked for is already over")]
    Over,
    #[error("nobody answered this in time; it has to be asked again")]
    Expired,
    #[error(transparent)]
    NoVoice(#[from] anteroom_policy::NoVoice),
}
impl From<StoreError> for ReviewError {
    fn from(e: StoreError) -> Self {
        Self::Sign(e.into())
    }
}

/// Asking to see an interval unmasked, answering, and opening it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnmaskError {
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error("you may not ask to see recordings unmasked")]
    NotAllowed,
    #[error("you are not a key-holder")]
    NotHolder,
    #[error("there is no such session")]
    NoSuchSession,
    #[error("there is no such request to see a recording unmasked")]
    NoSuchUnmask,
    #[error("the recording is still being written; ask when the session is over")]
    NotSealed,
    #[error(transparent)]
    Interval(#[from] IntervalError),
    #[error("choose 1, 8, 24 or 72 hours")]
    Hours,
    #[error("you have {max} requests waiting already; withdraw one first")]
    TooMany { max: i64 },
    #[error("this is your own request; two others have to answer it")]
    OwnRequest,
    #[error("you approved this already; somebody else has to be the second")]
    Twice,
    #[error("this request was already answered or withdrawn")]
    Answered,
    #[error("the time of this request is over; ask again")]
    Over,
    #[error("the keys of this recording were destroyed; nobody can see it, masked or not")]
    Shredded,
    #[error("the requester is suspended or no auditor any more")]
    RequesterGone,
    #[error("what you signed is not what the request says now; look again")]
    Changed,
    #[error("two key-holders have to approve first")]
    NotApproved,
    #[error("a key-holder who approved this is suspended or no key-holder any more; ask again")]
    HolderGone,
    #[error("none of your passkeys is one that both key-holders saw when they approved; ask again")]
    NoKnownKey,
}
impl From<StoreError> for UnmaskError {
    fn from(e: StoreError) -> Self {
        Self::Sign(e.into())
    }
}

/// Holding a recording, lifting a hold, and destroying a recording's keys.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("you may not do this")]
    NotAllowed,
    #[error("there is no such session")]
    NoSuchSession,
    #[error("the session runs, or its recording is still being written; do this when it is closed")]
    NotSealed,
    #[error("a legal hold is on this recording ({reason}), so it is not shredded; an auditor has to lift it first")]
    Held { reason: String },
    #[error("you lifted a legal hold of this recording; somebody else has to shred it")]
    LiftedByYou,
    #[error("an interval of it may be seen unmasked until {until}; wait, or have that request withdrawn")]
    BeingUnmasked { until: String },
    #[error("the keys of this recording were destroyed; there is nothing to keep any more")]
    Shredded,
    #[error("no legal hold is on this recording")]
    NoHold,
    #[error("there are several legal holds on this recording; say which one")]
    WhichHold,
    #[error("there are {max} legal holds on this recording already")]
    TooMany { max: usize },
}

/// Confirming a connection.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepUpError {
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The same for unknown and somebody else's.
    #[error("there is no such connection waiting for you")]
    NoSuchStepUp,
    #[error("this connection was already answered, or waited too long")]
    Over,
    #[error("too many connections of yours are waiting for a passkey already")]
    TooMany,
}
impl From<StoreError> for StepUpError {
    fn from(e: StoreError) -> Self {
        Self::Sign(e.into())
    }
}

/// Taking a credential out of the vault.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no credential is stored for this account; the operator has to set one")]
    Missing,
    #[error("the stored credential can't be opened with this vault key")]
    Sealed,
}

/// Our certificate authorities, and what they sign.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("you may not do this")]
    NotAllowed,
    #[error("there is no such authority that still counts")]
    NoSuch,
    #[error("this is the authority that signs now; make a new one first: anteroom ca rotate")]
    Current,
    #[error("the authority's key can't be opened with this vault key")]
    Sealed,
    #[error("the certificate could not be made")]
    Certificate,
}

/// Why a certificate lets nobody in. Told to the log, never to whoever showed it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateRefusal {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("it is not signed by an authority of ours that counts")]
    Authority,
    #[error("its signature does not fit")]
    Invalid,
    #[error("its time has not begun or is over")]
    Time,
    #[error("it is not a certificate for a person")]
    Kind,
    #[error("it has a critical option that is not known here")]
    Option,
    #[error("it counts only from the address that asked for it")]
    Address,
    #[error("it was not issued here, or was revoked")]
    Revoked,
    #[error("its person is not known, suspended, or called otherwise")]
    Person,
}

/// Asking for a short-lived certificate.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    #[error("you may not connect to anything, so there is no certificate for you")]
    NotAllowed,
    /// The same for unknown and somebody else's.
    #[error("no such certificate waits for you")]
    NoSuch,
    #[error("this was already answered, or waited too long; run anteroom login again")]
    Over,
    #[error("too many certificates are being asked for; try again in a moment")]
    TooMany,
}
impl From<StoreError> for CertificateError {
    fn from(e: StoreError) -> Self {
        Self::Authority(e.into())
    }
}
impl From<SignError> for CertificateError {
    fn from(e: SignError) -> Self {
        Self::Key(e.into())
    }
}

/// Starting a session with a permit that may have become void meanwhile.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    NoLonger(EndReason),
    #[error("the certificate that let you in counts no longer; get a new one: anteroom login")]
    CertificateOver,
    #[error(
        "another session is open on {target}; only {at_once} may run there at a time: wait until it has ended, or ask whoever supervises it"
    )]
    Busy { target: String, at_once: u16 },
}

//! What goes into and comes out of the calls of [`Approvals`](crate::Approvals).
mod asking;
mod unmask;
pub use asking::*;
pub use unmask::*;

use anteroom_domain::{
    AccountName, AuditRecord, AuthorityId, CeremonyId, CertificateAskId, CertificateFingerprint, Moment, PasskeyId, Person, PersonId,
    Profile, Protocol, RecordingState, Secret, SessionId, SshKeyId, StepUpId, Target, TargetKind, TargetName,
};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::IpAddr;
use webauthn_rs_proto::{CreationChallengeResponse, RequestChallengeResponse};

/// A one-time link was opened; `options` go to `navigator.credentials.create()`.
#[derive(Debug)]
pub struct EnrolStart {
    pub ceremony: CeremonyId,
    pub person: Person,
    pub options: CreationChallengeResponse,
}

/// A second passkey is being added.
#[derive(Debug)]
pub struct PasskeyStart {
    pub ceremony: CeremonyId,
    pub options: CreationChallengeResponse,
}

/// Somebody wants to sign in; nobody knows yet who.
#[derive(Debug)]
pub struct LoginStart {
    pub ceremony: CeremonyId,
    pub options: RequestChallengeResponse,
}

/// A content waits for a passkey's signature. `content` is canonical JSON: exactly what is signed.
#[derive(Debug)]
pub struct SignStart {
    pub ceremony: CeremonyId,
    pub content: String,
    pub options: RequestChallengeResponse,
}

/// A new web session. The token is in no log and no table; it can't be shown again.
#[derive(Debug)]
pub struct SignedIn {
    pub person: Person,
    pub token: Secret<String>,
    /// The absolute end; idling ends it earlier.
    pub expires_at: Moment,
}

#[derive(Debug, Clone, Serialize)]
pub struct PasskeyInfo {
    pub id: PasskeyId,
    pub label: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: Moment,
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<Moment>,
}

/// A passkey's public half, for whoever checks its signatures without us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PasskeyKey {
    pub label: String,
    /// How contents and the unsealer's list name it: [`anteroom_assertion::key_sha256`].
    pub sha256: String,
    /// base64url without padding, as in evidence.
    pub credential_id: String,
    /// As `webauthn-rs-core` writes a COSE key in JSON.
    pub cose_key: serde_json::Value,
}

#[derive(Debug, Clone, Serialize)]
pub struct SshKeyInfo {
    pub id: SshKeyId,
    /// `SHA256:...`, as `ssh-keygen -l` shows it.
    pub fingerprint: String,
    pub label: String,
    #[serde(with = "time::serde::rfc3339")]
    pub added_at: Moment,
}

#[derive(Debug, Clone)]
pub struct NewTarget {
    pub name: TargetName,
    pub kind: TargetKind,
    /// Host name or IP address.
    pub host: String,
    pub port: u16,
    pub description: String,
    pub protocol: Protocol,
    /// More hosts of the same target, with their own port (`host:port`) or the target's.
    pub more_hosts: Vec<String>,
    pub profile: Profile,
    /// The login on another target through which this one is reached.
    pub via: Option<(TargetName, AccountName)>,
    /// OpenSSH public key lines of CAs that certify its host key.
    pub pinned_host_cas: Vec<String>,
    /// Of an RDP target.
    pub pinned_certificates: Vec<CertificateFingerprint>,
}

impl NewTarget {
    /// An SSH target reached directly, with modern algorithms.
    pub fn ssh(name: TargetName, kind: TargetKind, host: impl Into<String>, port: u16) -> Self {
        Self {
            name,
            kind,
            host: host.into(),
            port,
            description: String::new(),
            protocol: Protocol::Ssh,
            more_hosts: Vec::new(),
            profile: Profile::Modern,
            via: None,
            pinned_host_cas: Vec::new(),
            pinned_certificates: Vec::new(),
        }
    }

    /// An RDP target reached directly, with nothing pinned yet.
    pub fn rdp(name: TargetName, kind: TargetKind, host: impl Into<String>, port: u16) -> Self {
        Self { protocol: Protocol::Rdp, ..Self::ssh(name, kind, host, port) }
    }
}

/// What of a target may be changed later; none leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct TargetChange {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub more_hosts: Option<Vec<String>>,
    pub profile: Option<Profile>,
    /// `Some(None)` takes the relay away.
    pub via: Option<Option<(TargetName, AccountName)>>,
    pub pinned_host_cas: Option<Vec<String>>,
}

/// One prompt a target may ask, and its answer.
#[derive(Debug)]
pub struct PromptAnswer {
    /// Part of the prompt, in any case.
    pub prompt: String,
    pub answer: Secret<String>,
}

/// What opens an account on a target. Never shown to its user.
#[derive(Debug)]
pub enum Credential {
    Password(Secret<String>),
    /// OpenSSH PEM, without a passphrase.
    PrivateKey(Secret<String>),
    /// Answers to keyboard-interactive prompts.
    Prompts(Vec<PromptAnswer>),
    /// No secret at all: a certificate of our own authority, made for one session.
    GatewayCa,
}

/// A login on the way to a target, outermost first.
#[derive(Debug)]
pub struct Relay {
    pub target: Target,
    pub account: AccountName,
    pub credential: Credential,
}

/// What an authority of ours signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Short-lived certificates of people; the gateway alone believes in it.
    Person,
    /// The gateway's own certificates, one a session; targets believe in it (`TrustedUserCAKeys`).
    Target,
    /// Our host certificates; people's clients believe in it (`@cert-authority` in `known_hosts`).
    Host,
}

impl Purpose {
    pub const ALL: [Self; 3] = [Self::Person, Self::Target, Self::Host];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Target => "target",
            Self::Host => "host",
        }
    }
    pub fn from_name(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == s)
    }
}

/// An authority as others see it: without its private half.
#[derive(Debug, Clone, Serialize)]
pub struct AuthorityInfo {
    pub id: AuthorityId,
    pub purpose: Purpose,
    /// OpenSSH public key line.
    pub public_key: String,
    /// `SHA256:...`
    pub fingerprint: String,
    #[serde(with = "time::serde::rfc3339")]
    pub made_at: Moment,
    /// From here on its certificates count for nothing.
    #[serde(with = "time::serde::rfc3339::option")]
    pub retired_at: Option<Moment>,
}

/// Somebody's program asked for a certificate: what it shows and keeps.
#[derive(Debug)]
pub struct CertificateAsked {
    pub id: CertificateAskId,
    /// Two times three digits, shown by the program and on the page.
    pub number: String,
    /// Fetches the certificate, once; only the program that asked has it.
    pub poll_token: Secret<String>,
    /// The portal's page that asks for the passkey.
    pub link_path: String,
    pub expires_at: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateState {
    Pending,
    Signed,
    Refused,
    Expired,
}

/// What the page shows before a passkey confirms a certificate.
#[derive(Debug, Clone, Serialize)]
pub struct CertificateAskView {
    pub id: CertificateAskId,
    pub number: String,
    pub fingerprint: String,
    /// The address that asked. If it is not the one the browser comes from, the page should say so.
    pub source: String,
    #[serde(with = "time::serde::rfc3339")]
    pub asked_at: Moment,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: Moment,
    pub state: CertificateState,
}

/// What the waiting program hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificatePoll {
    Pending,
    Refused,
    /// Or fetched before, or never asked for.
    Expired,
    /// Handed out once.
    Ready {
        /// OpenSSH certificate line, the content of a `-cert.pub` file.
        certificate: String,
        until: Moment,
    },
}

/// A person's certificate, as the portal lists it.
#[derive(Debug, Clone, Serialize)]
pub struct CertificateInfo {
    /// Decimal.
    pub serial: String,
    pub fingerprint: String,
    pub source: String,
    #[serde(with = "time::serde::rfc3339")]
    pub issued_at: Moment,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: Moment,
    #[serde(with = "time::serde::rfc3339::option")]
    pub revoked_at: Option<Moment>,
}

#[derive(Debug, Clone, Default)]
pub struct GrantFilter {
    pub person: Option<PersonId>,
    pub live_only: bool,
    pub search: String,
}

#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    pub person: Option<PersonId>,
    pub live_only: bool,
    pub search: String,
}

/// A connection that needs a passkey.
#[derive(Debug, Clone)]
pub struct AskStepUp {
    pub person: PersonId,
    /// RFC 4253 section 7.2.
    pub ssh_session_id: Vec<u8>,
    /// Of the key that signed.
    pub fingerprint: String,
    pub target: TargetName,
    pub account: AccountName,
    pub source: IpAddr,
}

#[derive(Debug, Clone, Serialize)]
pub struct StepUpAsked {
    pub id: StepUpId,
    /// Two times three digits, shown in the terminal and on the page: `481 206`.
    pub number: String,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepUpState {
    Pending,
    Passed,
    Refused,
    Expired,
}

/// What the page shows before a passkey confirms the connection.
#[derive(Debug, Clone, Serialize)]
pub struct StepUpView {
    pub id: StepUpId,
    pub number: String,
    pub target: TargetName,
    pub account: AccountName,
    pub source: String,
    pub fingerprint: String,
    #[serde(with = "time::serde::rfc3339")]
    pub asked_at: Moment,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: Moment,
    pub state: StepUpState,
}

/// A recording that was closed, with its manifest.
#[derive(Debug, Clone, Serialize, serde::Deserialize)]
pub struct SealedRecord {
    pub session: SessionId,
    pub state: RecordingState,
    pub manifest: serde_json::Value,
    /// Over the manifest's canonical bytes.
    pub manifest_sha256: [u8; 32],
    pub mask_incomplete: bool,
    pub mask_counts: BTreeMap<String, u64>,
    pub bytes: u64,
}

/// `text` is looked for anywhere in the line; `kind` is an event's name as the log writes it.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    pub text: String,
    pub kind: Option<String>,
    pub person: Option<PersonId>,
    pub session: Option<SessionId>,
    pub from: Option<Moment>,
    pub until: Option<Moment>,
}

/// A line and its place in the tree; none until the sequencer took it, a few seconds later.
#[derive(Debug, Clone, Serialize)]
pub struct AuditLine {
    pub index: Option<u64>,
    pub record: AuditRecord,
}

/// What became of a supervisor's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageFate {
    /// It stands in a terminal.
    Shown,
    /// The session runs, but has no terminal.
    NobodyReads,
    /// No gateway answered for the session.
    NoAnswer,
    SessionOver,
}

/// A message that a gateway has taken to show it.
pub struct TakenMessage {
    pub by: PersonId,
    /// The name to show it under.
    pub from: String,
    pub text: String,
}

/// Without the text: what people write to each other is in no log.
impl std::fmt::Debug for TakenMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TakenMessage").field("by", &self.by).finish_non_exhaustive()
    }
}

/// What [`verify_log`](crate::Approvals::verify_log) found.
#[derive(Debug, Clone, Serialize)]
pub struct LogReport {
    /// Entries in the tree.
    pub size: u64,
    /// Entries that wait for their place.
    pub waiting: u64,
    /// Checkpoints compared, from the database and from the checkpoint directory.
    pub checkpoints: u64,
    /// Hexadecimal RFC 6962 root of what the database holds now.
    pub root: String,
    /// Empty if everything fits.
    pub problems: Vec<LogProblem>,
}

impl LogReport {
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogProblem {
    /// The leaf it is about, if it is about one.
    pub index: Option<u64>,
    pub what: String,
}

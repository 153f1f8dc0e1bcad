//! Every line of the audit log. Free of ePHI and secrets by construction: ids, names, counts and hashes only;
//! the one free text is the requester's reason, by hash here and in full in the request.
mod attributes;
mod break_glass;
mod card;
mod company;
mod device;
mod factor;
mod lock;
mod patients;
mod policy;
mod posture;
mod requests;
mod safe_mode;
mod supervision;
pub use attributes::AttributesEvent;
pub use break_glass::BreakGlassEvent;
pub use card::CardEvent;
pub use company::CompanyEvent;
pub use device::DeviceEvent;
pub use factor::FactorUsed;
pub use lock::LockEvent;
pub use patients::{CommandsEvent, PatientsEvent};
pub use policy::PolicyEvent;
pub use posture::PostureEvent;
pub use requests::RequestsEvent;
pub use safe_mode::SafeModeEvent;
pub use supervision::SupervisionEvent;

use crate::{
    AccountName, Asks, AuditEntryId, CanonicalText, GrantId, Handle, HoldId, Moment, PersonId, RequestId, SessionId, StepUpId, TargetId,
    TargetName, UnmaskId, capability::Direction,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What happened. Adding a variant is fine; changing one breaks old logs, so they are only ever added. A field may be added
/// if it may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AuditEvent {
    PersonAdded {
        person: PersonId,
        handle: Handle,
        roles: Vec<String>,
    },
    PersonSuspended {
        person: PersonId,
    },
    PersonReinstated {
        person: PersonId,
    },
    EnrolLinkMade {
        person: PersonId,
    },
    PasskeyEnrolled {
        person: PersonId,
        credential_sha256: String,
    },
    SignedIn {
        person: PersonId,
        source: String,
    },
    SignInRefused {
        source: String,
        why: String,
    },
    SignedOut {
        person: PersonId,
    },
    SshKeyAdded {
        person: PersonId,
        fingerprint: String,
    },
    SshKeyRemoved {
        person: PersonId,
        fingerprint: String,
    },
    TargetAdded {
        target: TargetId,
        name: TargetName,
    },
    TargetPinned {
        target: TargetId,
        fingerprints: Vec<String>,
    },
    TargetKeyChanged {
        target: TargetId,
        offered: String,
    },
    /// An RDP target showed a certificate that is not pinned.
    TargetCertificateChanged {
        target: TargetId,
        offered: String,
    },
    CredentialStored {
        target: TargetId,
        account: AccountName,
    },
    RequestSubmitted {
        request: RequestId,
        person: PersonId,
        target: TargetId,
        account: AccountName,
        from: CanonicalText,
        until: CanonicalText,
        reason_sha256: String,
        source: String,
        /// Further targets, ticket, weeks, what is extended.
        #[serde(default, skip_serializing_if = "Asks::is_plain")]
        asks: Asks,
    },
    RequestWithdrawn {
        request: RequestId,
        person: PersonId,
    },
    /// `content_sha256` and `evidence_sha256` tie the row to the stored content and assertion.
    RequestApproved {
        request: RequestId,
        approver: PersonId,
        content_sha256: String,
        evidence_sha256: String,
    },
    RequestDenied {
        request: RequestId,
        approver: PersonId,
        content_sha256: String,
        evidence_sha256: String,
    },
    ReviewRefused {
        request: RequestId,
        approver: PersonId,
        why: String,
    },
    GrantMade {
        grant: GrantId,
        request: RequestId,
        person: PersonId,
        target: TargetId,
        account: AccountName,
        not_before: CanonicalText,
        not_after: CanonicalText,
    },
    GrantRevoked {
        grant: GrantId,
        by: PersonId,
    },
    StepUpAsked {
        step_up: StepUpId,
        person: PersonId,
        target: TargetName,
        source: String,
    },
    StepUpPassed {
        step_up: StepUpId,
        person: PersonId,
        content_sha256: String,
        evidence_sha256: String,
    },
    StepUpRemembered {
        person: PersonId,
        target: TargetName,
        source: String,
        session: SessionId,
    },
    AccessRefused {
        person: Option<PersonId>,
        target: String,
        source: String,
        why: String,
    },
    SessionStarted {
        session: SessionId,
        grant: GrantId,
        person: PersonId,
        target: TargetId,
        account: AccountName,
        source: String,
        recording_header_sha256: String,
        /// None in lines from before 2026-11-25.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        second_factor: Option<FactorUsed>,
    },
    ChannelRefused {
        session: SessionId,
        channel: String,
        why: String,
    },
    /// A forward was opened. `place` is a host and port, or a socket's path.
    ForwardOpened {
        session: SessionId,
        forward: String,
        place: String,
    },
    /// A file was moved. Paths may hold names of patients, so here is only the path's hash; the path is in the recording.
    FileMoved {
        session: SessionId,
        direction: Direction,
        path_sha256: String,
        bytes: u64,
        /// Of the bytes that passed; none if they did not pass in order.
        sha256: Option<String>,
        /// `complete`, `partial` or `refused`.
        outcome: String,
    },
    /// A supervisor wrote to the person; the text is in the recording.
    MessageSent {
        session: SessionId,
        by: PersonId,
    },
    /// A person's certificate. The hashes tie it to what the passkey signed.
    CertificateIssued {
        person: PersonId,
        serial: String,
        fingerprint: String,
        source: String,
        until: CanonicalText,
        content_sha256: String,
        evidence_sha256: String,
    },
    /// The person said that the program that asked is not theirs.
    CertificateRefused {
        person: PersonId,
        fingerprint: String,
        source: String,
    },
    CertificatesRevoked {
        person: PersonId,
        count: u64,
    },
    /// The gateway answers under these names.
    HostCertificateIssued {
        serial: String,
        fingerprint: String,
        names: Vec<String>,
        until: CanonicalText,
    },
    /// The gateway's own certificate for one session on a target.
    TargetCertificateIssued {
        session: SessionId,
        target: TargetId,
        account: AccountName,
        serial: String,
    },
    AuthorityMade {
        purpose: String,
        fingerprint: String,
    },
    AuthorityRetired {
        purpose: String,
        fingerprint: String,
    },
    TargetChanged {
        target: TargetId,
        what: String,
    },
    TargetTested {
        target: TargetId,
        by: Option<PersonId>,
        outcome: String,
    },
    SessionEnded {
        session: SessionId,
        reason: String,
    },
    SessionTerminated {
        session: SessionId,
        by: PersonId,
    },
    SessionPaused {
        session: SessionId,
        by: PersonId,
    },
    SessionResumed {
        session: SessionId,
        by: PersonId,
    },
    /// A ticket for one RDP session, made after a passkey; by its public name.
    TicketIssued {
        ticket: String,
        person: PersonId,
        target: TargetId,
        account: AccountName,
        grant: GrantId,
        step_up: StepUpId,
        source: String,
        until: CanonicalText,
    },
    /// Its secret was proven and the policy made a permit of it.
    TicketRedeemed {
        ticket: String,
        session: SessionId,
        person: PersonId,
        source: String,
        /// The same session, opened again after its client had gone away.
        again: bool,
    },
    /// `ticket` is what was given as user name, if it could be a ticket's.
    TicketRefused {
        ticket: String,
        person: Option<PersonId>,
        source: String,
        why: String,
    },
    /// `manifest_sha256` is over the manifest's canonical bytes; `state` is `complete` or `torn`.
    RecordingSealed {
        session: SessionId,
        state: String,
        manifest_sha256: String,
        mask_incomplete: bool,
        mask_counts: BTreeMap<String, u64>,
    },
    RecordingViewed {
        session: SessionId,
        by: PersonId,
    },
    RecordingExported {
        session: SessionId,
        by: PersonId,
        /// Only this channel, masked and readable; none for a whole bundle, which stays encrypted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        masked_channel: Option<u32>,
    },
    /// Somebody looked for words in what recordings show, masked.
    RecordingsSearched {
        by: PersonId,
        /// Of what was asked for: that can be a name.
        query_sha256: String,
    },
    /// An auditor asks to see an interval as it was; microseconds since the session's start.
    UnmaskRequested {
        unmask: UnmaskId,
        session: SessionId,
        by: PersonId,
        from_us: u64,
        until_us: u64,
        reason_sha256: String,
        expires_at: CanonicalText,
    },
    UnmaskApproved {
        unmask: UnmaskId,
        session: SessionId,
        holder: PersonId,
        content_sha256: String,
        evidence_sha256: String,
    },
    UnmaskDenied {
        unmask: UnmaskId,
        session: SessionId,
        holder: PersonId,
        content_sha256: String,
        evidence_sha256: String,
    },
    UnmaskWithdrawn {
        unmask: UnmaskId,
        session: SessionId,
        by: PersonId,
    },
    /// Somebody tried what is not allowed: their own request, a second answer, after its end.
    UnmaskRefused {
        unmask: UnmaskId,
        session: SessionId,
        by: PersonId,
        why: String,
    },
    /// Written before the unsealer is asked: a release that nobody knows of must not exist.
    UnmaskOpened {
        unmask: UnmaskId,
        session: SessionId,
        by: PersonId,
        content_sha256: String,
        evidence_sha256: String,
    },
    /// What the unsealer released. Chunk keys, by number.
    UnmaskReleased {
        unmask: UnmaskId,
        session: SessionId,
        chunks: u64,
    },
    /// The requester watched what was released; one line for each time it was sent to the browser.
    UnmaskViewed {
        unmask: UnmaskId,
        session: SessionId,
        by: PersonId,
    },
    /// The recording it is about was shredded while the request waited or could be opened.
    UnmaskEnded {
        unmask: UnmaskId,
        session: SessionId,
    },
    /// The recording's keys are to be destroyed: it can be verified and never be opened. Written before the first of them goes.
    RecordingShredded {
        session: SessionId,
        by: Option<PersonId>,
        /// `person` or `retention`.
        why: String,
        reason_sha256: String,
        /// The envelope files, by name, with their SHA-256.
        envelopes: BTreeMap<String, String>,
    },
    LegalHoldPlaced {
        hold: HoldId,
        session: SessionId,
        by: PersonId,
        reason_sha256: String,
    },
    LegalHoldLifted {
        hold: HoldId,
        session: SessionId,
        by: PersonId,
        reason_sha256: String,
    },
    /// Envelopes that the key `from` opened were wrapped anew, to these recipients. Keys by their ids.
    EnvelopesRewrapped {
        track: String,
        from: String,
        recipients: Vec<String>,
        count: u64,
    },
    /// Families of events have an enum of their own, told apart by a second tag.
    Attributes(AttributesEvent),
    Company(CompanyEvent),
    Supervision(SupervisionEvent),
    Requests(RequestsEvent),
    BreakGlass(BreakGlassEvent),
    Card(CardEvent),
    Policy(PolicyEvent),
    SafeMode(SafeModeEvent),
    Lock(LockEvent),
    Device(DeviceEvent),
    Posture(PostureEvent),
    Patients(PatientsEvent),
    Commands(CommandsEvent),
    GatewayStarted {
        gateway: String,
        version: String,
    },
    GatewayStopped {
        gateway: String,
    },
}

/// A line as it goes into the tree: canonical JSON of this is the leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    pub v: u8,
    pub id: AuditEntryId,
    #[serde(with = "time::serde::rfc3339")]
    pub at: Moment,
    /// Who did it; none for the system itself.
    pub actor: Option<PersonId>,
    #[serde(flatten)]
    pub event: AuditEvent,
}

impl AuditEvent {
    /// The `kind` as written in the log.
    pub fn kind(&self) -> String {
        serde_json::to_value(self).ok().and_then(|v| v.get("kind").and_then(|k| k.as_str()).map(str::to_owned)).unwrap_or_default()
    }

    /// The session it is about, for the search index.
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::StepUpRemembered { session, .. }
            | Self::SessionStarted { session, .. }
            | Self::ChannelRefused { session, .. }
            | Self::ForwardOpened { session, .. }
            | Self::FileMoved { session, .. }
            | Self::MessageSent { session, .. }
            | Self::TargetCertificateIssued { session, .. }
            | Self::SessionEnded { session, .. }
            | Self::SessionTerminated { session, .. }
            | Self::SessionPaused { session, .. }
            | Self::SessionResumed { session, .. }
            | Self::TicketRedeemed { session, .. }
            | Self::RecordingSealed { session, .. }
            | Self::RecordingViewed { session, .. }
            | Self::UnmaskRequested { session, .. }
            | Self::UnmaskApproved { session, .. }
            | Self::UnmaskDenied { session, .. }
            | Self::UnmaskWithdrawn { session, .. }
            | Self::UnmaskRefused { session, .. }
            | Self::UnmaskOpened { session, .. }
            | Self::UnmaskReleased { session, .. }
            | Self::UnmaskViewed { session, .. }
            | Self::UnmaskEnded { session, .. }
            | Self::RecordingShredded { session, .. }
            | Self::LegalHoldPlaced { session, .. }
            | Self::LegalHoldLifted { session, .. }
            | Self::RecordingExported { session, .. }
            | Self::Patients(PatientsEvent::Threshold { session, .. })
            | Self::Commands(CommandsEvent::Matched { session, .. }) => Some(*session),
            Self::Supervision(event) => Some(event.session()),
            Self::Policy(event) => event.session(),
            Self::SafeMode(event) => event.session(),
            _ => None,
        }
    }
}

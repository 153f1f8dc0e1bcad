#![allow(unused_variables, clippy::todo)]
use crate::*;
use anteroom_domain::{content::Verdict, *};
use anteroom_policy::{Decision, Permit, SecondFactor};
use std::{net::IpAddr, time::Duration};
use webauthn_rs_proto::{PublicKeyCredential, RegisterPublicKeyCredential};
type S<T> = Result<T, StoreError>;

pub async fn migrate(_pool: &sqlx::PgPool) -> Result<(), MigrateError> { todo!() }

impl Approvals {
    pub async fn healthy(&self) -> bool { todo!() }
    pub async fn add_person(&self, actor: Option<PersonId>, handle: Handle, display_name: DisplayName, roles: Roles) -> Result<Person, ManageError> { todo!() }
    pub async fn suspend_person(&self, actor: Option<PersonId>, person: PersonId) -> Result<(), ManageError> { todo!() }
    pub async fn reinstate_person(&self, actor: Option<PersonId>, person: PersonId) -> Result<(), ManageError> { todo!() }
    pub async fn person(&self, id: PersonId) -> S<Option<Person>> { todo!() }
    pub async fn person_by_handle(&self, handle: &Handle) -> S<Option<Person>> { todo!() }
    pub async fn people(&self, search: &str, page: Page) -> S<Listing<Person>> { todo!() }
    pub async fn make_enrol_link(&self, actor: Option<PersonId>, person: PersonId, ttl: Duration) -> Result<Secret<String>, ManageError> { todo!() }

    pub async fn begin_enrol(&self, token: &str) -> Result<EnrolStart, SignError> { todo!() }
    pub async fn finish_enrol(&self, ceremony: CeremonyId, credential: &RegisterPublicKeyCredential, label: &str, source: IpAddr) -> Result<SignedIn, SignError> { todo!() }
    pub async fn begin_login(&self) -> Result<LoginStart, SignError> { todo!() }
    pub async fn finish_login(&self, ceremony: CeremonyId, credential: &PublicKeyCredential, source: IpAddr) -> Result<SignedIn, SignError> { todo!() }
    pub async fn web_session(&self, token: &str) -> S<Option<Person>> { todo!() }
    pub async fn sign_out(&self, token: &str) -> S<()> { todo!() }
    pub async fn begin_add_passkey(&self, person: &Person) -> Result<PasskeyStart, SignError> { todo!() }
    pub async fn finish_add_passkey(&self, person: &Person, ceremony: CeremonyId, credential: &RegisterPublicKeyCredential, label: &str) -> Result<PasskeyInfo, SignError> { todo!() }
    pub async fn passkeys(&self, person: PersonId) -> S<Vec<PasskeyInfo>> { todo!() }

    pub async fn begin_ssh_key(&self, person: &Person, line: &str, label: &str) -> Result<SignStart, KeyError> { todo!() }
    pub async fn finish_ssh_key(&self, person: &Person, ceremony: CeremonyId, credential: &PublicKeyCredential) -> Result<SshKeyInfo, KeyError> { todo!() }
    pub async fn ssh_keys(&self, person: PersonId) -> S<Vec<SshKeyInfo>> { todo!() }
    pub async fn remove_ssh_key(&self, person: &Person, key: SshKeyId) -> Result<(), KeyError> { todo!() }
    pub async fn ssh_identity(&self, fingerprint: &str) -> S<Option<Person>> { todo!() }

    pub async fn add_target(&self, actor: Option<PersonId>, new: NewTarget) -> Result<Target, ManageError> { todo!() }
    pub async fn pin_target(&self, actor: Option<PersonId>, target: TargetId, host_key_lines: Vec<String>) -> Result<(), ManageError> { todo!() }
    pub async fn set_credential(&self, actor: Option<PersonId>, target: TargetId, account: AccountName, credential: Credential) -> Result<target::Account, ManageError> { todo!() }
    pub async fn target(&self, id: TargetId) -> S<Option<Target>> { todo!() }
    pub async fn target_by_name(&self, name: &TargetName) -> S<Option<Target>> { todo!() }
    pub async fn targets(&self, search: &str, page: Page) -> S<Listing<Target>> { todo!() }
    pub async fn open_credential(&self, permit: &Permit) -> Result<Credential, VaultError> { todo!() }

    pub async fn submit_request(&self, person: &Person, form: RequestForm, source: IpAddr) -> Result<AccessRequest, RequestError> { todo!() }
    pub async fn withdraw_request(&self, person: &Person, request: RequestId) -> Result<(), RequestError> { todo!() }
    pub async fn request(&self, id: RequestId) -> S<Option<AccessRequest>> { todo!() }
    pub async fn requests(&self, filter: RequestFilter, page: Page) -> S<Listing<AccessRequest>> { todo!() }
    pub async fn begin_review(&self, approver: &Person, request: RequestId, verdict: Verdict) -> Result<SignStart, ReviewError> { todo!() }
    pub async fn finish_review(&self, approver: &Person, ceremony: CeremonyId, credential: &PublicKeyCredential) -> Result<Option<Grant>, ReviewError> { todo!() }
    pub async fn grant(&self, id: GrantId) -> S<Option<Grant>> { todo!() }
    pub async fn grants(&self, filter: GrantFilter, page: Page) -> S<Listing<Grant>> { todo!() }
    pub async fn revoke_grant(&self, actor: Option<PersonId>, grant: GrantId) -> Result<(), ManageError> { todo!() }
    pub async fn reachable(&self, person: PersonId, now: Moment) -> S<Vec<Grant>> { todo!() }

    pub async fn authorize(&self, person: &Person, session: SessionId, target: &str, account: &str, source: IpAddr, second_factor: SecondFactor) -> S<Decision> { todo!() }
    pub async fn ask_step_up(&self, ask: AskStepUp) -> Result<StepUpAsked, StepUpError> { todo!() }
    pub async fn step_up(&self, person: &Person, id: StepUpId) -> S<Option<StepUpView>> { todo!() }
    pub async fn begin_step_up(&self, person: &Person, id: StepUpId) -> Result<SignStart, StepUpError> { todo!() }
    pub async fn finish_step_up(&self, person: &Person, ceremony: CeremonyId, credential: &PublicKeyCredential) -> Result<(), StepUpError> { todo!() }
    pub async fn refuse_step_up(&self, person: &Person, id: StepUpId) -> Result<(), StepUpError> { todo!() }
    pub async fn wait_step_up(&self, id: StepUpId, max: Duration) -> S<StepUpState> { todo!() }
    pub async fn step_up_remembered(&self, person: PersonId, fingerprint: &str, source: IpAddr, target: &TargetName) -> S<bool> { todo!() }

    pub async fn session_started(&self, permit: &Permit, recording_header_sha256: [u8; 32], gateway: &str) -> Result<(), StartError> { todo!() }
    pub async fn session_ended(&self, session: SessionId, reason: &EndReason) { todo!() }
    pub async fn recording_sealed(&self, sealed: SealedRecord) { todo!() }
    pub async fn note(&self, event: AuditEvent, actor: Option<PersonId>) { todo!() }
    pub async fn rejudge(&self, person: PersonId, grant: GrantId) -> S<Result<(), EndReason>> { todo!() }
    pub async fn sessions(&self, filter: SessionFilter, page: Page) -> S<Listing<SessionRecord>> { todo!() }
    pub async fn session(&self, id: SessionId) -> S<Option<SessionRecord>> { todo!() }
    pub async fn order_terminate(&self, session: SessionId, by: PersonId) -> Result<(), ManageError> { todo!() }

    pub async fn audit_search(&self, filter: AuditFilter, page: Page) -> S<Listing<AuditLine>> { todo!() }
    pub async fn verify_log(&self) -> S<LogReport> { todo!() }
    pub async fn checkpoint(&self) -> S<Option<String>> { todo!() }
    pub fn log_public_key(&self) -> String { todo!() }
    pub async fn evidence(&self, session: SessionId) -> S<Option<Evidence>> { todo!() }
}

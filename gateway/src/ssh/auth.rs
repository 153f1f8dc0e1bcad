//! Who is this, and may they? From the key that signed to a permit.
use super::{
    connection::{Connection, Permitted},
    login::Login,
    notice,
};
use anteroom_approvals::{AskStepUp, StepUpAsked, StepUpState};
use anteroom_domain::{AccountName, Moment, Person, PersonId, Role, TargetName};
use anteroom_policy::{Decision, Refusal, SecondFactor};
use russh::{
    MethodKind, MethodSet,
    keys::Certificate,
    server::{Auth, PublicKeyOffer, VerifiedPublicKey},
};
use std::{borrow::Cow, sync::Arc, time::Duration};
use tokio::time::Instant;

/// How long one keyboard-interactive round waits before it asks the client for a sign of life.
const ROUND: Duration = Duration::from_secs(10);

/// What an authenticated connection is good for.
#[derive(Debug)]
pub(super) enum Access {
    /// `ssh bastion`: shows what may be reached.
    Menu(Visitor),
    /// The key is known, the access is not granted; the reason is told on the first channel, where every client shows it.
    Refused(String),
    /// [`Connection::permitted`] holds the permit.
    Permitted,
}

/// Somebody who has signed in and named no target yet.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    pub(super) person: Person,
    /// Of the key that signed.
    pub(super) fingerprint: String,
    /// RFC 4253 section 7.2; empty with a certificate, which needs no confirmation.
    pub(super) ssh_session_id: Vec<u8>,
    /// What the signature proved beyond the key.
    pub(super) factor: SecondFactor,
}

#[derive(Debug)]
pub(super) enum Stage {
    Nobody,
    /// A registered key signed for this user name; a passkey has to confirm this very connection.
    Confirm(Box<Confirm>),
    In(Access),
}

#[derive(Debug)]
pub(super) struct Confirm {
    person: Person,
    user: String,
    account: String,
    target: String,
    fingerprint: String,
    ssh_session_id: Vec<u8>,
    asked: Option<StepUpAsked>,
}

/// The authentication of one connection.
#[derive(Debug)]
pub(super) struct Authentication {
    connection: Arc<Connection>,
    pub(super) stage: Stage,
}

fn reject() -> Auth {
    Auth::Reject { proceed_with_methods: None, partial_success: false }
}

/// Asks for the second factor: the key counted, something more is needed (RFC 4252 section 5.1).
fn go_on() -> Auth {
    let methods: &[MethodKind] = &[MethodKind::KeyboardInteractive];
    Auth::Reject { proceed_with_methods: Some(MethodSet::from(methods)), partial_success: true }
}

impl Authentication {
    pub(super) fn new(connection: Arc<Connection>) -> Self {
        Self { connection, stage: Stage::Nobody }
    }

    /// A key was offered, nothing proves that it is theirs. Answers only whether signing with it makes sense.
    pub(super) async fn offered(&self, offer: &PublicKeyOffer<'_>) -> Auth {
        if !acceptable(offer.algorithm) {
            return reject();
        }
        // A certificate is judged when it has signed; whoever only shows one learns nothing.
        if offer.certificate.is_some() {
            return Auth::Accept;
        }
        let approvals = &self.connection.shared.approvals;
        match approvals.ssh_identity(&fingerprint(offer.public_key)).await {
            Ok(Some(_)) => Auth::Accept,
            Ok(None) | Err(_) => reject(),
        }
    }

    /// Counts a failure; who fails too often waits.
    fn failed(&self, person: Option<PersonId>) -> Auth {
        self.connection.shared.failures.count(self.connection.peer.ip(), person, std::time::Instant::now());
        reject()
    }

    /// The person who signed, unless too many attempts of theirs have failed just now.
    fn patient(&self, person: Person) -> Option<Person> {
        let waits = self.connection.shared.failures.person_waits(person.id, std::time::Instant::now());
        (!waits).then_some(person)
    }

    /// What a user name asks for. Inside a jump it is the account; the target is the jump's.
    fn login(&self, user: &str) -> Login {
        match &self.connection.inside {
            None => Login::parse(user),
            Some(target) => Login::Target { account: user.to_owned(), target: target.to_string() },
        }
    }

    /// A certificate of ours signed: it was given out after a passkey, so it is both factors.
    pub(super) async fn certified(&mut self, user: &str, certificate: &Certificate) -> Auth {
        self.stage = Stage::Nobody;
        let judged = self.connection.shared.approvals.judge_certificate(certificate, self.connection.peer.ip(), Moment::now_utc()).await;
        let person = match judged {
            Ok(person) => person,
            Err(why) => {
                tracing::info!(peer = %self.connection.peer, %why, "certificate refused");
                return self.failed(None);
            }
        };
        let Some(person) = self.patient(person) else { return reject() };
        let factor = SecondFactor::Certificate { serial: certificate.serial() };
        match self.login(user) {
            Login::Menu => {
                let fingerprint = certificate.public_key().fingerprint(russh::keys::HashAlg::Sha256).to_string();
                let visitor = Visitor { person, fingerprint, ssh_session_id: Vec::new(), factor };
                self.stage = Stage::In(Access::Menu(visitor));
                Auth::Accept
            }
            Login::Target { account, target } => {
                let fingerprint = certificate.public_key().fingerprint(russh::keys::HashAlg::Sha256).to_string();
                let user = user.to_owned();
                let c = Confirm { person, user, account, target, fingerprint, ssh_session_id: Vec::new(), asked: None };
                self.decide(c, factor).await
            }
        }
    }

    /// This key *signed*: only now is anybody known (THREATS 1). Whatever an earlier key had reached is forgotten.
    pub(super) async fn signed(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Auth {
        self.stage = Stage::Nobody;
        if !acceptable(key.algorithm) || !touched(key.algorithm, key.signature.as_bytes()) {
            return self.failed(None);
        }
        let fingerprint = fingerprint(key.public_key);
        let Ok(Some(person)) = self.connection.shared.approvals.ssh_identity(&fingerprint).await else { return self.failed(None) };
        let Some(person) = self.patient(person) else { return reject() };
        match self.login(user) {
            Login::Menu => {
                let both = self.connection.shared.config.trust_security_keys && verified(key.algorithm, key.signature.as_bytes());
                let factor = if both { SecondFactor::SecurityKey } else { SecondFactor::Missing };
                let visitor = Visitor { person, fingerprint, ssh_session_id: key.session_id.to_vec(), factor };
                self.stage = Stage::In(Access::Menu(visitor));
                Auth::Accept
            }
            Login::Target { account, target } => {
                let factor = match TargetName::new(target.as_str()) {
                    _ if self.connection.shared.config.trust_security_keys && verified(key.algorithm, key.signature.as_bytes()) => {
                        SecondFactor::SecurityKey
                    }
                    Ok(name) if self.remembered(&person, &fingerprint, &name).await => SecondFactor::Remembered,
                    _ => SecondFactor::Missing,
                };
                let user = user.to_owned();
                let ssh_session_id = key.session_id.to_vec();
                self.decide(Confirm { person, user, account, target, fingerprint, ssh_session_id, asked: None }, factor).await
            }
        }
    }

    async fn remembered(&self, person: &Person, fingerprint: &str, target: &TargetName) -> bool {
        let source = self.connection.peer.ip();
        self.connection.shared.approvals.step_up_remembered(person.id, fingerprint, source, target).await.unwrap_or(false)
    }

    async fn decide(&mut self, c: Confirm, factor: SecondFactor) -> Auth {
        let conn = &self.connection;
        // Taken before the judgement: the monotonic deadline is never later than the judged one.
        let asked_at = Instant::now();
        let judged = conn.shared.approvals.authorize(&c.person, conn.session, &c.target, &c.account, conn.peer.ip(), factor).await;
        let refused = match judged {
            Ok(Decision::Permit(permit)) => {
                let deadline = asked_at + permit.remaining();
                conn.permit(Permitted { permit, deadline });
                self.stage = Stage::In(Access::Permitted);
                return Auth::Accept;
            }
            Ok(Decision::NeedsSecondFactor(_)) if factor == SecondFactor::Missing => {
                self.stage = Stage::Confirm(Box::new(c));
                return go_on();
            }
            Ok(Decision::NeedsSecondFactor(_)) => return reject(),
            Ok(Decision::Deny(Refusal::Suspended)) => return reject(),
            Ok(Decision::Deny(why)) => {
                notice::no_access(&why, &c.account, &c.target, c.person.roles.has(Role::Admin), &conn.shared.config.portal)
            }
            Err(e) => notice::refused(&e),
        };
        self.stage = Stage::In(Access::Refused(refused));
        Auth::Accept
    }

    /// Keyboard-interactive (RFC 4256): shows link and number, then waits in rounds without prompts, so that the
    /// terminal goes on by itself once the passkey has confirmed.
    pub(super) async fn interactive(&mut self, user: &str) -> Auth {
        let Stage::Confirm(confirm) = std::mem::replace(&mut self.stage, Stage::Nobody) else { return reject() };
        let mut c = *confirm;
        // A different user name would be a different request (RFC 4252 section 5).
        if c.user != user {
            return reject();
        }
        let Some(asked) = c.asked.clone() else { return self.ask(c).await };
        let approvals = self.connection.shared.approvals.clone();
        // Bounded: a round, and the step-up's own expiry.
        match approvals.wait_step_up(asked.id, ROUND).await {
            Ok(StepUpState::Pending) => {
                c.asked = Some(asked);
                self.stage = Stage::Confirm(Box::new(c));
                round(String::new())
            }
            Ok(StepUpState::Passed) => self.decide(c, SecondFactor::Passed(asked.id)).await,
            Ok(StepUpState::Refused | StepUpState::Expired) => self.failed(Some(c.person.id)),
            Err(_) => reject(),
        }
    }

    async fn ask(&mut self, mut c: Confirm) -> Auth {
        let (Ok(target), Ok(account)) = (TargetName::new(c.target.as_str()), AccountName::new(c.account.as_str())) else { return reject() };
        let conn = &self.connection;
        let ask = AskStepUp {
            person: c.person.id,
            ssh_session_id: c.ssh_session_id.clone(),
            fingerprint: c.fingerprint.clone(),
            target,
            account,
            source: conn.peer.ip(),
        };
        match conn.shared.approvals.ask_step_up(ask).await {
            Ok(asked) => {
                let text = notice::confirm(&conn.shared.config.portal, &asked, &c.user, conn.peer.ip());
                c.asked = Some(asked);
                self.stage = Stage::Confirm(Box::new(c));
                round(text)
            }
            Err(e) => {
                self.stage = Stage::In(Access::Refused(notice::refused(&e)));
                Auth::Accept
            }
        }
    }
}

fn round(instructions: String) -> Auth {
    Auth::Partial { name: Cow::Borrowed(""), instructions: Cow::Owned(instructions), prompts: Cow::Borrowed(&[]) }
}

fn fingerprint(key: &russh::keys::PublicKey) -> String {
    key.fingerprint(russh::keys::HashAlg::Sha256).to_string()
}

/// SHA-1 signatures are not taken (RFC 8332 section 5).
fn acceptable(algorithm: &russh::keys::Algorithm) -> bool {
    !matches!(algorithm, russh::keys::Algorithm::Rsa { hash: None } | russh::keys::Algorithm::Dsa)
}

/// A security key must have been touched: the last five bytes of its signature are flags and counter
/// (OpenSSH PROTOCOL.u2f, "SSH U2F Signatures").
fn touched(algorithm: &russh::keys::Algorithm, signature: &[u8]) -> bool {
    const USER_PRESENT: u8 = 0x01;
    flags(algorithm, signature).is_none_or(|f| f & USER_PRESENT != 0)
}

/// Whether a security key verified its person by PIN or finger (`verify-required`): possession and knowledge in one signature.
fn verified(algorithm: &russh::keys::Algorithm, signature: &[u8]) -> bool {
    const BOTH: u8 = 0x01 | 0x04;
    flags(algorithm, signature).is_some_and(|f| f & BOTH == BOTH)
}

/// None if it is no security key's signature.
fn flags(algorithm: &russh::keys::Algorithm, signature: &[u8]) -> Option<u8> {
    if !matches!(algorithm, russh::keys::Algorithm::SkEd25519 | russh::keys::Algorithm::SkEcdsaSha2NistP256) {
        return None;
    }
    Some(if signature.len() > 5 { signature[signature.len() - 5] } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use russh::keys::Algorithm;

    #[test]
    fn a_security_key_that_was_not_touched_does_not_count() {
        let sig = |flags: u8| [&[0u8; 64][..], &[flags, 0, 0, 0, 1]].concat();
        assert!(touched(&Algorithm::SkEd25519, &sig(0x01)));
        assert!(touched(&Algorithm::SkEd25519, &sig(0x05)));
        assert!(!touched(&Algorithm::SkEd25519, &sig(0x04)));
        assert!(!touched(&Algorithm::SkEcdsaSha2NistP256, &sig(0x00)));
        assert!(!touched(&Algorithm::SkEd25519, &[]));
        assert!(touched(&Algorithm::Ed25519, &[0; 64]));
    }

    #[test]
    fn a_security_key_is_both_factors_only_if_it_verified_its_person() {
        let sig = |flags: u8| [&[0u8; 64][..], &[flags, 0, 0, 0, 1]].concat();
        assert!(verified(&Algorithm::SkEd25519, &sig(0x05)));
        assert!(!verified(&Algorithm::SkEd25519, &sig(0x01)), "touched only");
        assert!(!verified(&Algorithm::SkEd25519, &sig(0x04)), "not touched");
        assert!(!verified(&Algorithm::Ed25519, &sig(0x05)), "not a security key");
    }

    #[test]
    fn sha1_signatures_are_not_taken() {
        assert!(!acceptable(&Algorithm::Rsa { hash: None }));
        assert!(acceptable(&Algorithm::Ed25519));
    }
}

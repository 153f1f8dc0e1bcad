//! Who is this, and may they? From the key that signed to a permit.
use super::{
    card::{self, Asked},
    connection::{Connection, Permitted},
    login::Login,
    notice,
    signature::{Signed, acceptable, touched, verified},
};
use anteroom_approvals::{AskStepUp, Claim, StepUpAsked, StepUpState};
use anteroom_domain::{AccountName, Moment, Person, PersonId, Role, TargetName};
use anteroom_policy::{Decision, Refusal, SecondFactor};
use russh::{
    MethodKind, MethodSet,
    keys::Certificate,
    server::{Auth, PublicKeyOffer, VerifiedPublicKey},
};
use std::{borrow::Cow, sync::Arc, time::Duration};
use tokio::time::Instant;
use zeroize::Zeroizing;

/// How long one keyboard-interactive round waits before it asks the client for a sign of life.
const ROUND: Duration = Duration::from_secs(10);

/// What an authenticated connection is good for.
#[derive(Debug)]
pub(super) enum Access {
    /// `ssh bastion`: shows what may be reached.
    Menu(Box<Visitor>),
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
    /// RFC 4253 section 7.2.
    pub(super) ssh_session_id: Vec<u8>,
    /// What the signature proved beyond the key.
    pub(super) factor: SecondFactor,
}

/// What proves somebody, on this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// A key alone: a passkey has to follow, unless an earlier one is remembered.
    Key,
    Factor(SecondFactor),
}

#[derive(Debug)]
pub(super) enum Stage {
    Nobody,
    /// A registered key signed for this user name; a passkey has to confirm this very connection.
    Confirm(Box<Confirm>),
    /// The database is away; a break-glass card would let them in.
    Card(Box<Asked>),
    In(Access),
}

#[derive(Debug)]
pub(super) struct Confirm {
    pub(super) person: Person,
    pub(super) user: String,
    pub(super) account: String,
    pub(super) target: String,
    fingerprint: String,
    ssh_session_id: Vec<u8>,
    asked: Option<StepUpAsked>,
}

/// The authentication of one connection.
#[derive(Debug)]
pub(super) struct Authentication {
    pub(super) connection: Arc<Connection>,
    pub(super) stage: Stage,
    /// What the key of a certificate has signed; russh tells it before it shows the certificate.
    certificate_signed: Option<Signed>,
}

pub(super) fn reject() -> Auth {
    Auth::Reject { proceed_with_methods: None, partial_success: false }
}

/// Asks for the second factor: the key counted, something more is needed (RFC 4252 section 5.1).
fn go_on() -> Auth {
    let methods: &[MethodKind] = &[MethodKind::KeyboardInteractive];
    Auth::Reject { proceed_with_methods: Some(MethodSet::from(methods)), partial_success: true }
}

impl Authentication {
    pub(super) fn new(connection: Arc<Connection>) -> Self {
        Self { connection, stage: Stage::Nobody, certificate_signed: None }
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
    pub(super) fn failed(&self, person: Option<PersonId>) -> Auth {
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

    /// The key of a certificate signed this connection; [`certified`](Self::certified) follows.
    pub(super) fn certificate_signed(&mut self, key: &VerifiedPublicKey<'_>) {
        self.certificate_signed = Some(Signed::of(key));
    }

    /// A certificate of ours signed: it was given out after a passkey, so it is both factors. If its key is a security key, it
    /// must have been touched as any other: malware on the person's machine could use it in silence otherwise.
    pub(super) async fn certified(&mut self, user: &str, certificate: &Certificate) -> Auth {
        self.stage = Stage::Nobody;
        // What cannot be told is refused.
        let Some(signed) = self.certificate_signed.take().filter(|s| s.counts) else { return self.failed(None) };
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
                let visitor = Visitor { person, fingerprint, ssh_session_id: signed.ssh_session_id, factor };
                self.stage = Stage::In(Access::Menu(Box::new(visitor)));
                Auth::Accept
            }
            Login::Target { account, target } => {
                let fingerprint = certificate.public_key().fingerprint(russh::keys::HashAlg::Sha256).to_string();
                let user = user.to_owned();
                let ssh_session_id = signed.ssh_session_id;
                let c = Confirm { person, user, account, target, fingerprint, ssh_session_id, asked: None };
                self.decide(c, Proof::Factor(factor)).await
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
        let both = self.connection.shared.config.trust_security_keys && verified(key.algorithm, key.signature.as_bytes());
        match self.login(user) {
            Login::Menu => {
                let factor = if both { SecondFactor::SecurityKey } else { SecondFactor::Missing };
                let visitor = Visitor { person, fingerprint, ssh_session_id: key.session_id.to_vec(), factor };
                self.stage = Stage::In(Access::Menu(Box::new(visitor)));
                Auth::Accept
            }
            Login::Target { account, target } => {
                let proof = if both { Proof::Factor(SecondFactor::SecurityKey) } else { Proof::Key };
                let user = user.to_owned();
                let ssh_session_id = key.session_id.to_vec();
                self.decide(Confirm { person, user, account, target, fingerprint, ssh_session_id, asked: None }, proof).await
            }
        }
    }

    async fn decide(&mut self, c: Confirm, proof: Proof) -> Auth {
        let conn = &self.connection;
        // Taken before the judgement: the monotonic deadline is never later than the judged one.
        let asked_at = Instant::now();
        let claim = match proof {
            Proof::Key => Claim::Key(&c.fingerprint),
            Proof::Factor(f) => Claim::Factor(f),
        };
        let whence = (conn.peer.ip(), c.fingerprint.as_str());
        let judged = conn.shared.approvals.authorize(&c.person, conn.session, &c.target, &c.account, whence, claim).await;
        let refused = match judged {
            Ok(Decision::Permit(permit)) => {
                let deadline = asked_at + permit.remaining();
                conn.permit(Permitted { permit, deadline });
                self.stage = Stage::In(Access::Permitted);
                return Auth::Accept;
            }
            Ok(Decision::NeedsSecondFactor(_)) if conn.shared.approvals.may_use_cards(&c.person) => {
                self.stage = Stage::Card(Box::new(Asked::new(c, card::NO_PASSKEY.to_owned())));
                return go_on();
            }
            Ok(Decision::NeedsSecondFactor(_)) if conn.shared.approvals.in_safe_mode() => notice::refused(&card::NO_PASSKEY),
            Ok(Decision::NeedsSecondFactor(_)) if proof == Proof::Key => {
                self.stage = Stage::Confirm(Box::new(c));
                return go_on();
            }
            Ok(Decision::NeedsSecondFactor(_)) => return reject(),
            Ok(Decision::Deny(Refusal::Suspended)) => return reject(),
            Ok(Decision::Deny(why)) if conn.shared.approvals.may_use_cards(&c.person) => {
                self.stage = Stage::Card(Box::new(Asked::new(c, why.to_string())));
                return go_on();
            }
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
    pub(super) async fn interactive(&mut self, user: &str, given: &[Zeroizing<String>]) -> Auth {
        let confirm = match std::mem::replace(&mut self.stage, Stage::Nobody) {
            Stage::Confirm(confirm) => confirm,
            Stage::Card(asked) => return self.card(*asked, user, given).await,
            Stage::Nobody | Stage::In(_) => return reject(),
        };
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
            Ok(StepUpState::Passed) => self.decide(c, Proof::Factor(SecondFactor::Passed(asked.id))).await,
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

//! Answering a request: other people's passkeys sign exactly what the request says (invariant 8), and who of them has to is judged by
//! `anteroom_policy::Needed`. The last signature that was missing makes the grants.
use crate::{
    Answer, Approvals, Change, ReviewError, SignError, SignStart, StoreError,
    audit::record,
    clock::{self, hex, text},
    identity::signing::{self, nonce},
    notify::{self, Notice, What},
    store::{self, approvals::Given, ceremonies::Kind},
};
use anteroom_domain::{
    AccessRequest, AccountId, AuditEvent, CeremonyId, Comment, Grant, Moment, Person, PersonId, Quorum, RequestId, RequestState, Target,
    content::{ApprovalContent, Nonce, Verdict},
};
use anteroom_policy::{Action, Needed, NoVoice, Tally, Voice, may};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use webauthn_rs_proto::PublicKeyCredential;

/// What came of an answer.
#[derive(Debug, Clone)]
pub enum Answered {
    /// It counts; these have to sign too.
    Waiting(Vec<Quorum>),
    /// One grant for each login and each time.
    Granted(Vec<Grant>),
    Denied,
}

impl Answered {
    /// The first grant, if it was the last signature that was missing.
    pub fn into_grant(self) -> Option<Grant> {
        match self {
            Self::Granted(grants) => grants.into_iter().next(),
            Self::Waiting(_) | Self::Denied => None,
        }
    }
}

/// What has to survive between begin and finish; everything else is read again.
#[derive(Debug, Serialize, Deserialize)]
struct Subject {
    request: RequestId,
    answer: Answer,
    /// The approver signs in this person's place.
    stands_for: Option<PersonId>,
    nonce: Nonce,
}

impl Answer {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Approve => Verdict::Approve,
            Self::Deny { .. } => Verdict::Deny,
        }
    }
    fn comment(&self) -> Option<&Comment> {
        match self {
            Self::Approve => None,
            Self::Deny { comment } => Some(comment),
        }
    }
}

/// Everybody and everything an answer is about, as they are now.
pub(super) struct Case {
    pub(super) request: AccessRequest,
    account: AccountId,
    requester: Person,
    approver: Person,
    /// Absent approvers whose deputy the approver is.
    absent: Vec<Person>,
    target: Target,
    given: Vec<Given>,
}

impl Case {
    /// The rules. Asked when a review begins and again, with the rows held, when it ends.
    fn check(&self, verdict: Verdict, now: Moment) -> Result<(), ReviewError> {
        if !may(&self.approver, Action::ReviewRequests) {
            return Err(ReviewError::NotAllowed);
        }
        if self.request.requester == self.approver.id {
            return Err(ReviewError::OwnRequest);
        }
        match self.request.state {
            RequestState::Pending => {}
            RequestState::Expired => return Err(ReviewError::Expired),
            RequestState::Approved | RequestState::Denied | RequestState::Withdrawn => return Err(ReviewError::Answered),
        }
        if verdict == Verdict::Approve {
            if !may(&self.requester, Action::RequestAccess) {
                return Err(ReviewError::RequesterSuspended);
            }
            if self.request.last_until() <= now {
                return Err(ReviewError::Over);
            }
            if self.request.expires_at.is_none_or(|at| at <= now) {
                return Err(ReviewError::Expired);
            }
        }
        Ok(())
    }

    fn needed(&self) -> Needed {
        Needed::new(&self.request.obligations, self.request.requester)
    }

    /// Those that count: of people who are approvers still and not locked, over the words that the request has now. A grant that was made stays,
    /// whatever becomes of its approvers: its approvals were good when they were counted, and taking it back is somebody's decision.
    fn voices(&self) -> Result<Vec<Voice>, ReviewError> {
        let subject = self.subject()?;
        Ok(self.given.iter().filter(|g| counts(g, &subject)).map(|g| g.voice.clone()).collect())
    }

    fn subject(&self) -> Result<[u8; 32], StoreError> {
        subject(&self.request, &self.requester, &self.target)
    }

    fn voice(&self, verdict: Verdict, place: Option<&Person>) -> Voice {
        let whose = &place.unwrap_or(&self.approver).attributes;
        let companies = self.approver.attributes.company.into_iter().chain(whose.company).collect();
        Voice { approver: self.approver.id, stands_for: place.map(|p| p.id), groups: whose.groups.clone(), companies, verdict }
    }

    /// The approver's own voice if it counts, otherwise the first that counts in the place of somebody who is away.
    fn finds_voice(&self, verdict: Verdict) -> Result<Voice, ReviewError> {
        let (needed, voices) = (self.needed(), self.voices()?);
        let twice = |v: &Voice| {
            self.given.iter().any(|g| g.voice.approver == v.approver || (v.stands_for.is_some() && g.voice.stands_for == v.stands_for))
        };
        let hears = |v: &Voice| match needed.hears(&voices, v) {
            _ if twice(v) => Err(NoVoice::Twice),
            // A lock was lifted, and what did not count when the last one signed does again: one more signature makes the grant.
            Err(NoVoice::NotNeeded(left)) if left.is_empty() => Ok(()),
            heard => heard,
        };
        let own = self.voice(verdict, None);
        let Err(why) = hears(&own) else { return Ok(own) };
        let other = self.absent.iter().map(|p| self.voice(verdict, Some(p))).find(|v| hears(v).is_ok());
        other.ok_or(why.into())
    }

    fn content(&self, answer: &Answer, voice: &Voice, nonce: Nonce) -> ApprovalContent {
        content(&self.request, &self.requester, &self.target, &self.approver, answer, voice, nonce)
    }

    /// One for each login and each time that is not over.
    fn grants(&self, now: Moment) -> Vec<Grant> {
        let r = &self.request;
        let first = (r.target, r.target_name.clone(), self.account, r.account.clone());
        let more = r.asks.more.iter().map(|p| (p.target, p.target_name.clone(), p.account, p.account_name.clone()));
        let mut grants = Vec::new();
        for (target, target_name, account, account_name) in std::iter::once(first).chain(more) {
            for (not_before, not_after) in r.times().filter(|(_, until)| *until > now) {
                grants.push(Grant {
                    id: clock::new_id(),
                    request: r.id,
                    person: r.requester,
                    target,
                    target_name: target_name.clone(),
                    account,
                    account_name: account_name.clone(),
                    capabilities: r.capabilities.clone(),
                    obligations: r.obligations.clone(),
                    not_before,
                    not_after,
                    revoked_at: None,
                });
            }
        }
        grants
    }
}

fn content(
    r: &AccessRequest,
    requester: &Person,
    target: &Target,
    approver: &Person,
    answer: &Answer,
    voice: &Voice,
    nonce: Nonce,
) -> ApprovalContent {
    ApprovalContent {
        v: 2,
        verdict: answer.verdict(),
        request: r.id,
        requester: r.requester,
        requester_handle: requester.handle.clone(),
        requester_source: r.source.clone(),
        approver: approver.id,
        approver_handle: approver.handle.clone(),
        target: r.target,
        target_name: r.target_name.clone(),
        target_kind: target.kind,
        account: r.account.clone(),
        capabilities: r.capabilities.clone(),
        reason: r.reason.clone(),
        from: r.from,
        until: r.until,
        obligations: r.obligations.clone(),
        asks: r.asks.clone(),
        expires_at: r.expires_at,
        requester_company: requester.attributes.company,
        groups: voice.groups.clone(),
        companies: voice.companies.clone(),
        stands_for: voice.stands_for,
        comment: answer.comment().cloned(),
        nonce,
    }
}

/// Over what all approvers of this request sign alike, as it is now. Whose voice it is made with is not in it.
pub(super) fn subject(r: &AccessRequest, requester: &Person, target: &Target) -> Result<[u8; 32], StoreError> {
    let nobody =
        Voice { approver: requester.id, stands_for: None, groups: BTreeSet::new(), companies: BTreeSet::new(), verdict: Verdict::Approve };
    let content = content(r, requester, target, requester, &Answer::Approve, &nobody, Nonce::new());
    content.subject_sha256().map_err(|_| StoreError::Damaged("access_request"))
}

pub(super) fn counts(g: &Given, subject: &[u8; 32]) -> bool {
    g.live && g.subject_sha256.as_deref() == Some(&subject[..])
}

/// Reads the case and holds its rows until the transaction ends: nobody answers, suspends or withdraws meanwhile.
async fn hold(tx: &mut sqlx::PgConnection, request: RequestId, approver: PersonId, now: Moment) -> Result<Case, ReviewError> {
    let approver = store::people::held(&mut *tx, approver).await?.ok_or(ReviewError::NotAllowed)?;
    // Before the request is looked at: who may not review learns nothing of what exists.
    if !may(&approver, Action::ReviewRequests) {
        return Err(ReviewError::NotAllowed);
    }
    let (request, account) = store::requests::held(&mut *tx, request).await?.ok_or(ReviewError::NoSuchRequest)?;
    case(tx, request, account, approver, now).await
}

async fn case(
    tx: &mut sqlx::PgConnection,
    request: AccessRequest,
    account: AccountId,
    approver: Person,
    now: Moment,
) -> Result<Case, ReviewError> {
    let damaged = || StoreError::Damaged("access_request");
    let requester = store::people::held(&mut *tx, request.requester).await?.ok_or_else(damaged)?;
    let target = store::targets::by_id(&mut *tx, request.target).await?.ok_or_else(damaged)?;
    let mut absent = Vec::new();
    for id in store::absences::deputised(&mut *tx, approver.id, now).await? {
        absent.extend(store::people::held(&mut *tx, id).await?.filter(|p| may(p, Action::ReviewRequests)));
    }
    let given = store::approvals::of(tx, request.id).await?;
    Ok(Case { request, account, requester, approver, absent, target, given })
}

impl Approvals {
    /// The content to show and the options for the passkey that signs it.
    pub async fn begin_review(&self, approver: &Person, request: RequestId, answer: Answer) -> Result<SignStart, ReviewError> {
        let mut tx = self.begin().await?;
        let case = Box::pin(hold(&mut tx, request, approver.id, clock::now())).await?;
        let voice = case.check(answer.verdict(), clock::now()).and_then(|()| case.finds_voice(answer.verdict()));
        drop(tx);
        let voice = match voice {
            Ok(voice) => voice,
            Err(e) => {
                self.note_refused_review(request, approver, &e).await;
                return Err(e);
            }
        };
        let nonce = nonce();
        let content = case.content(&answer, &voice, nonce.clone());
        let subject = Subject { request, answer, stands_for: voice.stands_for, nonce };
        Ok(self.begin_signing(Kind::Review, approver.id, &subject, &content).await?)
    }

    /// What came of it. The request, the signature and the grants are one transaction.
    pub async fn finish_review(
        &self,
        approver: &Person,
        ceremony: CeremonyId,
        credential: &PublicKeyCredential,
    ) -> Result<Answered, ReviewError> {
        let (taken, content) = self.take_signing::<Subject>(Kind::Review, approver.id, ceremony).await?;
        let request = taken.subject.request;
        let done = Box::pin(self.decide(approver, taken, content, credential)).await;
        if let Err(e) = &done {
            self.note_refused_review(request, approver, e).await;
        }
        done
    }

    async fn decide(
        &self,
        approver: &Person,
        taken: signing::Signing<Subject>,
        content: String,
        credential: &PublicKeyCredential,
    ) -> Result<Answered, ReviewError> {
        let (now, s) = (clock::now(), taken.subject);
        let mut tx = self.begin().await?;
        let case = Box::pin(hold(&mut tx, s.request, approver.id, now)).await?;
        case.check(s.answer.verdict(), now)?;
        let voice = case.finds_voice(s.answer.verdict())?;
        // What would be shown now is what was shown then, to the byte; also in whose place.
        if voice.stands_for != s.stands_for || signing::text(&case.content(&s.answer, &voice, s.nonce))? != content {
            return Err(ReviewError::Changed);
        }
        let signed = self.accept::<ApprovalContent>(&mut tx, case.approver.id, &taken.state, &content, credential, now).await?;
        let approval = store::approvals::New {
            id: clock::new_id(),
            request: s.request,
            requester: case.requester.id,
            voice: &voice,
            subject_sha256: case.subject()?,
            comment: s.answer.comment(),
            at: now,
        };
        if !store::approvals::insert(&mut *tx, approval, &signed.evidence).await? {
            return Err(NoVoice::Twice.into());
        }
        let (request, approver) = (s.request, case.approver.id);
        let (content_sha256, evidence_sha256) = (hex(&signed.content_sha256), hex(&signed.evidence.sha256));
        let event = match s.answer {
            Answer::Approve => AuditEvent::RequestApproved { request, approver, content_sha256, evidence_sha256 },
            Answer::Deny { .. } => AuditEvent::RequestDenied { request, approver, content_sha256, evidence_sha256 },
        };
        record::write(&mut tx, event, Some(approver), now).await?;
        let mut voices = case.voices()?;
        voices.push(voice);
        let answered = match case.needed().tally(&voices) {
            Tally::Waiting(missing) => Answered::Waiting(missing),
            Tally::Denied(_) => Answered::Denied,
            Tally::Satisfied => Answered::Granted(case.grants(now)),
        };
        conclude(&mut tx, &case, &answered, now).await?;
        store::tell(&mut *tx, Change::Request(request)).await?;
        self.commit(tx).await?;
        Ok(answered)
    }

    async fn note_refused_review(&self, request: RequestId, approver: &Person, e: &ReviewError) {
        if matches!(e, ReviewError::Sign(SignError::Store(_) | SignError::NoPasskey) | ReviewError::NoSuchRequest) {
            return;
        }
        let event = AuditEvent::ReviewRefused { request, approver: approver.id, why: e.to_string() };
        self.note(event, Some(approver.id)).await;
    }
}

/// The state, the grants with their entries, and who is told.
async fn conclude(tx: &mut sqlx::PgConnection, case: &Case, answered: &Answered, now: Moment) -> Result<(), ReviewError> {
    let (r, requester) = (&case.request, case.requester.handle.clone());
    let state = match answered {
        Answered::Waiting(missing) => {
            if r.obligations.ordered {
                // The next group's turn: they hear of it now.
                let what = What::RequestWaiting { request: r.id, requester, targets: r.target_names() };
                notify::enqueue(tx, &Notice { to: notify::asked(missing, true), what }, now).await?;
            }
            return Ok(());
        }
        Answered::Granted(_) => RequestState::Approved,
        Answered::Denied => RequestState::Denied,
    };
    if !store::requests::answer(&mut *tx, r.id, state).await? {
        return Err(ReviewError::Answered);
    }
    if let Answered::Granted(grants) = answered {
        for g in grants {
            store::grants::insert(&mut *tx, g).await?;
            let event = AuditEvent::GrantMade {
                grant: g.id,
                request: r.id,
                person: g.person,
                target: g.target,
                account: g.account_name.clone(),
                not_before: text(g.not_before),
                not_after: text(g.not_after),
            };
            record::write(&mut *tx, event, Some(case.approver.id), now).await?;
        }
    }
    let what = What::RequestAnswered { request: r.id, requester, targets: r.target_names(), state };
    notify::enqueue(tx, &Notice { to: vec![notify::To::Person(r.requester)], what }, now).await?;
    Ok(())
}

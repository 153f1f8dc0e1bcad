//! Seeing an interval of a recording as it was: asked by an auditor, approved by two key-holders, opened by the auditor. And everything
//! that is none of that.
use crate::{
    connecting::permit,
    evidence::{paths, spoil, wrong},
    world::{Someone, World},
};
use anteroom_approvals::{
    Evidence, Page, SealedRecord, SignError, UnmaskError, UnmaskFilter, UnmaskForm, UnmaskOpened,
    verify::{all_good, verify_evidence},
};
use anteroom_domain::{
    AuditEvent, EndReason, Reason, RecordingState, Role, SessionId, UnmaskId, UnmaskRequest, UnmaskState,
    content::{Signable, UnmaskContent, UnmaskOpening, Verdict, challenge},
    unmask::IntervalError,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const MINUTE: u64 = 60_000_000;
const LINE: &str = "anteroom-x25519-v1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// A session of an hour that is over, an auditor, and two key-holders.
struct Scene {
    w: World,
    session: SessionId,
    max: Someone,
    kim: Someone,
    lee: Someone,
}

async fn scene() -> Scene {
    Box::pin(set()).await
}

async fn set() -> Scene {
    let w = World::new().await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.grant(&ada, &mut bob).await;
    let session = SessionId(Uuid::now_v7());
    let p = Box::pin(permit(&w, &mut ada, session)).await;
    w.approvals.session_started(&p, [3; 32], "gw").await.unwrap();
    let (max, kim) = (w.somebody("max", Role::Auditor).await, w.somebody("kim", Role::KeyHolder).await);
    let lee = w.somebody("lee", Role::KeyHolder).await;
    let s = Scene { w, session, max, kim, lee };
    assert_eq!(s.ask().await.unwrap_err(), UnmaskError::NotSealed, "while it is being written");
    s.w.approvals.session_ended(session, &EndReason::ClientClosed).await;
    s.w.approvals
        .recording_sealed(SealedRecord {
            session,
            state: RecordingState::Complete,
            manifest: serde_json::json!({ "duration_us": 60 * MINUTE }),
            manifest_sha256: Sha256::digest(br#"{"duration_us":3600000000}"#).into(),
            mask_incomplete: false,
            mask_counts: Default::default(),
            bytes: 4096,
        })
        .await;
    s
}

impl Scene {
    fn form(&self) -> UnmaskForm {
        let reason = Reason::new("complaint 17: was the wrong chart opened?").unwrap();
        UnmaskForm { session: self.session, from_us: 5 * MINUTE, until_us: 6 * MINUTE, reason, hours: 8 }
    }
    async fn ask(&self) -> Result<UnmaskRequest, UnmaskError> {
        self.w.approvals.ask_unmask(&self.max.person, self.form()).await
    }
    async fn answer(&self, who: &mut Someone, id: UnmaskId, v: Verdict) -> Result<UnmaskState, UnmaskError> {
        let start = Box::pin(self.w.approvals.begin_unmask_review(&who.person, id, v)).await?;
        let answer = who.passkey.get(&start.options).unwrap();
        Box::pin(self.w.approvals.finish_unmask_review(&who.person, start.ceremony, &answer)).await
    }
    async fn open(&self, who: &mut Someone, id: UnmaskId) -> Result<UnmaskOpened, UnmaskError> {
        let start = Box::pin(self.w.approvals.begin_unmask_opening(&who.person, id, LINE.into())).await?;
        let answer = who.passkey.get(&start.options).unwrap();
        Box::pin(self.w.approvals.finish_unmask_opening(&who.person, start.ceremony, &answer)).await
    }
    /// Asked, and approved by both.
    async fn approved(&mut self) -> UnmaskId {
        let id = self.ask().await.unwrap().id;
        assert_eq!(self.both(id).await, UnmaskState::Approved);
        id
    }
    async fn both(&mut self, id: UnmaskId) -> UnmaskState {
        let mut two = (self.kim.take(), self.lee.take());
        assert_eq!(self.answer(&mut two.0, id, Verdict::Approve).await.unwrap(), UnmaskState::Pending);
        let state = self.answer(&mut two.1, id, Verdict::Approve).await.unwrap();
        (self.kim, self.lee) = two;
        state
    }
    async fn opened(&mut self, id: UnmaskId) -> Result<UnmaskOpened, UnmaskError> {
        let mut max = self.max.take();
        let done = self.open(&mut max, id).await;
        self.max = max;
        done
    }
    /// The reasons of all refusals in the log.
    async fn refusals(&self) -> Vec<String> {
        let log = self.w.log().await;
        log.into_iter().filter_map(|e| if let AuditEvent::UnmaskRefused { why, .. } = e { Some(why) } else { None }).collect()
    }
}

impl Someone {
    /// For calls that borrow the scene and a person of it.
    fn take(&mut self) -> Self {
        let passkey = std::mem::replace(&mut self.passkey, anteroom_test_authenticator::Authenticator::new(crate::world::origin()));
        Self { person: self.person.clone(), passkey, token: self.token.clone() }
    }
}

#[tokio::test]
async fn two_key_holders_sign_what_they_see_and_the_auditor_opens_it() {
    let mut s = scene().await;
    let asked = s.ask().await.unwrap();
    let start = s.w.approvals.begin_unmask_review(&s.kim.person, asked.id, Verdict::Approve).await.unwrap();
    let c: UnmaskContent = serde_json::from_str(&start.content).unwrap();
    assert_eq!(c.canonical().unwrap(), start.content.as_bytes());
    assert_eq!(start.options.public_key.challenge, challenge(UnmaskContent::DOMAIN, start.content.as_bytes()));
    assert_eq!((c.session_person.as_str(), c.session_target.as_str()), ("ada", "root@ehr-db-1"));
    assert_eq!((c.from_us, c.until_us, &c.reason, c.expires_at), (5 * MINUTE, 6 * MINUTE, &asked.reason, asked.expires_at));
    assert_eq!((c.header_sha256.as_str(), c.requester_keys.len()), (&*"03".repeat(32), 1));

    let waits = UnmaskFilter { waits_for: Some(s.kim.person.id), ..Default::default() };
    assert_eq!(s.w.approvals.unmasks(waits.clone(), Page::default()).await.unwrap().total, 1);
    assert_eq!(s.both(asked.id).await, UnmaskState::Approved);
    assert_eq!(s.w.approvals.unmasks(waits, Page::default()).await.unwrap().total, 0);
    let opened = s.opened(asked.id).await.unwrap();
    assert_eq!(opened.approvals.len(), 2);
    let o: UnmaskOpening = anteroom_assertion::signed(&opened.opening).unwrap();
    assert_eq!((o.unmask, o.requester, o.recipient.as_str()), (asked.id, s.max.person.id, LINE));

    let view = s.w.approvals.unmask(asked.id).await.unwrap().unwrap();
    assert_eq!((view.answers.len(), view.openings.len(), view.keys_changed), (2, 1, false));
    let kinds: Vec<_> = s.w.log().await.iter().map(AuditEvent::kind).filter(|k| k.starts_with("unmask")).collect();
    assert_eq!(kinds, ["unmask_requested", "unmask_approved", "unmask_approved", "unmask_opened"]);
}

#[tokio::test]
async fn one_approval_opens_nothing_and_one_denial_ends_it() {
    let mut s = scene().await;
    let id = s.ask().await.unwrap().id;
    let mut kim = s.kim.take();
    assert_eq!(s.answer(&mut kim, id, Verdict::Approve).await.unwrap(), UnmaskState::Pending);
    assert_eq!(s.opened(id).await.unwrap_err(), UnmaskError::NotApproved);
    // The same holder is not two people.
    for v in [Verdict::Approve, Verdict::Deny] {
        assert_eq!(s.answer(&mut kim, id, v).await.unwrap_err(), UnmaskError::Twice);
    }
    let mut lee = s.lee.take();
    assert_eq!(s.answer(&mut lee, id, Verdict::Deny).await.unwrap(), UnmaskState::Denied);
    assert_eq!(s.opened(id).await.unwrap_err(), UnmaskError::Answered);
    let mut mia = s.w.somebody("mia", Role::KeyHolder).await;
    assert_eq!(s.answer(&mut mia, id, Verdict::Approve).await.unwrap_err(), UnmaskError::Answered);
    assert_eq!(s.refusals().await.len(), 5, "each try is in the log");
}

#[tokio::test]
async fn nobody_but_a_key_holder_approves_and_nobody_their_own_request() {
    let mut s = scene().await;
    let mut max = s.max.take();
    s.w.sql("update person set roles = '{auditor,key_holder}' where handle = 'max'").await;
    let id = s.ask().await.unwrap().id;
    assert_eq!(s.answer(&mut max, id, Verdict::Approve).await.unwrap_err(), UnmaskError::OwnRequest);
    for role in [Role::Admin, Role::Approver, Role::Operator, Role::Auditor] {
        let mut who = s.w.somebody(&format!("no-{role}"), role).await;
        assert_eq!(s.answer(&mut who, id, Verdict::Approve).await.unwrap_err(), UnmaskError::NotHolder, "{role}");
        let nowhere = UnmaskId(Uuid::nil());
        assert_eq!(s.answer(&mut who, nowhere, Verdict::Approve).await.unwrap_err(), UnmaskError::NotHolder, "{role} learns nothing");
    }
    assert_eq!(s.refusals().await.len(), 5);
    // Nor with the database in their hands.
    let mut kim = s.kim.take();
    s.answer(&mut kim, id, Verdict::Approve).await.unwrap();
    let e = sqlx::query("update unmask_answer set holder = requester").execute(&s.w.owner).await.unwrap_err();
    assert_eq!(e.as_database_error().unwrap().code().unwrap(), "23514");
}

#[tokio::test]
async fn after_its_time_nothing_is_approved_or_opened() {
    let mut s = scene().await;
    let (late, open) = (s.ask().await.unwrap().id, s.approved().await);
    let start = s.w.approvals.begin_unmask_review(&s.kim.person, late, Verdict::Approve).await.unwrap();
    s.w.sql("update unmask set created_at = created_at - interval '9 hours', expires_at = expires_at - interval '9 hours'").await;
    let answer = s.kim.passkey.get(&start.options).unwrap();
    let signed_too_late = s.w.approvals.finish_unmask_review(&s.kim.person, start.ceremony, &answer).await.unwrap_err();
    assert_eq!(signed_too_late, UnmaskError::Over);
    let mut lee = s.lee.take();
    assert_eq!(s.answer(&mut lee, late, Verdict::Approve).await.unwrap_err(), UnmaskError::Over);
    assert_eq!(s.opened(open).await.unwrap_err(), UnmaskError::Over);
    assert_eq!(s.refusals().await.len(), 3);
}

#[tokio::test]
async fn what_was_withdrawn_is_neither_approved_nor_opened() {
    let mut s = scene().await;
    let (waits, open) = (s.ask().await.unwrap().id, s.approved().await);
    let start = s.w.approvals.begin_unmask_review(&s.kim.person, waits, Verdict::Approve).await.unwrap();
    assert_eq!(s.w.approvals.withdraw_unmask(&s.kim.person, waits).await.unwrap_err(), UnmaskError::NoSuchUnmask, "it is not theirs");
    for id in [waits, open] {
        s.w.approvals.withdraw_unmask(&s.max.person, id).await.unwrap();
        assert_eq!(s.w.approvals.withdraw_unmask(&s.max.person, id).await.unwrap_err(), UnmaskError::Answered);
    }
    let answer = s.kim.passkey.get(&start.options).unwrap();
    assert_eq!(s.w.approvals.finish_unmask_review(&s.kim.person, start.ceremony, &answer).await.unwrap_err(), UnmaskError::Answered);
    assert_eq!(s.opened(open).await.unwrap_err(), UnmaskError::Answered);
}

#[tokio::test]
async fn what_changed_between_showing_and_signing_is_refused() {
    let s = scene().await;
    let mut kim = s.w.somebody("kay", Role::KeyHolder).await;
    for change in [
        "update unmask set reason = 'something else entirely'",
        "update unmask set until_us = until_us + 1",
        "update unmask set from_us = from_us - 1",
        "update unmask set expires_at = expires_at + interval '1 hour'",
        "update session set recording_header_sha256 = decode(repeat('04', 32), 'hex')",
        // The requester enrols another passkey.
        "insert into passkey select gen_random_uuid(), k.person, 'x', o.credential, 'y', now(), null from passkey k, passkey o, person p, \
         person q where k.person = p.id and p.handle = 'max' and o.person = q.id and q.handle = 'lee'",
    ] {
        let id = s.ask().await.unwrap().id;
        let start = s.w.approvals.begin_unmask_review(&kim.person, id, Verdict::Approve).await.unwrap();
        s.w.sql(change).await;
        let answer = kim.passkey.get(&start.options).unwrap();
        let refused = s.w.approvals.finish_unmask_review(&kim.person, start.ceremony, &answer).await.unwrap_err();
        assert_eq!(refused, UnmaskError::Changed, "{change}");
    }
    // A denial is no approval, and a signature counts once.
    let id = s.ask().await.unwrap().id;
    let deny = s.w.approvals.begin_unmask_review(&kim.person, id, Verdict::Deny).await.unwrap();
    let approve = s.w.approvals.begin_unmask_review(&kim.person, id, Verdict::Approve).await.unwrap();
    let answer = kim.passkey.get(&deny.options).unwrap();
    assert!(s.w.approvals.finish_unmask_review(&kim.person, approve.ceremony, &answer).await.is_err());
    s.w.approvals.finish_unmask_review(&kim.person, deny.ceremony, &answer).await.unwrap();
    let again = s.w.approvals.finish_unmask_review(&kim.person, deny.ceremony, &answer).await.unwrap_err();
    assert_eq!(again, UnmaskError::Sign(SignError::CeremonyGone));
}

#[tokio::test]
async fn another_auditor_opens_nothing_and_the_log_knows_that_they_tried() {
    let mut s = scene().await;
    let id = s.approved().await;
    let mut mona = s.w.somebody("mona", Role::Auditor).await;
    assert_eq!(s.open(&mut mona, id).await.unwrap_err(), UnmaskError::NoSuchUnmask);
    assert!(s.refusals().await[0].contains("somebody else asked"));
    // Nor does their passkey open it for the one who may.
    let mut start = s.w.approvals.begin_unmask_opening(&s.max.person, id, LINE.into()).await.unwrap();
    start.options.public_key.allow_credentials.clear();
    let answer = mona.passkey.get(&start.options).unwrap();
    let refused = s.w.approvals.finish_unmask_opening(&s.max.person, start.ceremony, &answer).await.unwrap_err();
    assert_eq!(refused, UnmaskError::Sign(SignError::PasskeyRefused("it is not yours")));
    let stolen = s.w.approvals.begin_unmask_opening(&s.max.person, id, LINE.into()).await.unwrap();
    let answer = s.max.passkey.get(&stolen.options).unwrap();
    let refused = s.w.approvals.finish_unmask_opening(&mona.person, stolen.ceremony, &answer).await.unwrap_err();
    assert_eq!(refused, UnmaskError::Sign(SignError::CeremonyGone));
}

#[tokio::test]
async fn a_suspended_person_approves_asks_and_opens_nothing() {
    let mut s = scene().await;
    let (waits, open) = (s.ask().await.unwrap().id, s.approved().await);
    let (mut kim, mut lee) = (s.kim.take(), s.lee.take());
    s.w.approvals.suspend_person(None, kim.person.id).await.unwrap();
    assert_eq!(s.answer(&mut kim, waits, Verdict::Approve).await.unwrap_err(), UnmaskError::NotHolder);
    assert_eq!(s.opened(open).await.unwrap_err(), UnmaskError::HolderGone, "her approval counts no longer");
    s.w.approvals.reinstate_person(None, kim.person.id).await.unwrap();
    s.opened(open).await.unwrap();

    s.w.approvals.suspend_person(None, s.max.person.id).await.unwrap();
    assert_eq!(s.answer(&mut lee, waits, Verdict::Approve).await.unwrap_err(), UnmaskError::RequesterGone);
    assert_eq!(s.opened(open).await.unwrap_err(), UnmaskError::NotAllowed);
    assert_eq!(s.ask().await.unwrap_err(), UnmaskError::NotAllowed);
}

#[tokio::test]
async fn it_opens_with_a_passkey_that_both_key_holders_saw() {
    let mut s = scene().await;
    let id = s.approved().await;
    let mut second = anteroom_test_authenticator::Authenticator::new(crate::world::origin());
    let start = s.w.approvals.begin_add_passkey(&s.max.person).await.unwrap();
    let credential = second.create(&start.options).unwrap();
    s.w.approvals.finish_add_passkey(&s.max.person, start.ceremony, &credential, "new").await.unwrap();
    assert!(s.w.approvals.unmask(id).await.unwrap().unwrap().keys_changed);
    let mut start = s.w.approvals.begin_unmask_opening(&s.max.person, id, LINE.into()).await.unwrap();
    assert_eq!(start.options.public_key.allow_credentials.len(), 1, "only the known one is asked for");
    start.options.public_key.allow_credentials.clear();
    let answer = second.get(&start.options).unwrap();
    let refused = s.w.approvals.finish_unmask_opening(&s.max.person, start.ceremony, &answer).await.unwrap_err();
    assert_eq!(refused, UnmaskError::NoKnownKey);
    s.opened(id).await.unwrap();
}

#[tokio::test]
async fn an_interval_is_in_the_recording_and_a_use_has_an_end() {
    let s = scene().await;
    let ask = async |form: UnmaskForm| s.w.approvals.ask_unmask(&s.max.person, form).await.unwrap_err();
    assert_eq!(ask(UnmaskForm { until_us: 61 * MINUTE, ..s.form() }).await, UnmaskError::Interval(IntervalError::BeyondRecording));
    assert_eq!(ask(UnmaskForm { until_us: 5 * MINUTE, ..s.form() }).await, UnmaskError::Interval(IntervalError::EndNotAfterStart));
    assert_eq!(ask(UnmaskForm { hours: 5, ..s.form() }).await, UnmaskError::Hours);
    assert_eq!(ask(UnmaskForm { session: SessionId(Uuid::nil()), ..s.form() }).await, UnmaskError::NoSuchSession);
    for _ in 0..20 {
        s.ask().await.unwrap();
    }
    assert_eq!(s.ask().await.unwrap_err(), UnmaskError::TooMany { max: 20 });
}

async fn told() -> (Scene, Evidence) {
    let mut s = scene().await;
    let id = s.approved().await;
    s.opened(id).await.unwrap();
    let (session, by) = (s.session, s.max.person.id);
    s.w.approvals.note(AuditEvent::UnmaskReleased { unmask: id, session, chunks: 2 }, Some(by)).await;
    s.w.approvals.note(AuditEvent::UnmaskViewed { unmask: id, session, by }, Some(by)).await;
    let e = Box::pin(s.w.approvals.evidence(s.session)).await.unwrap().unwrap();
    (s, e)
}

#[tokio::test]
async fn the_bundle_tells_who_saw_it_unmasked_and_any_change_is_seen() {
    let (_s, e) = told().await;
    let e: Evidence = serde_json::from_slice(&serde_json::to_vec(&e).unwrap()).unwrap();
    let f = verify_evidence(&e, None);
    assert!(all_good(&f), "{f:#?}");
    let says = |check: &str| f.iter().find(|f| f.check == check).unwrap().detail.clone();
    assert_eq!(says("unmask 1: answers"), "kim approved, lee approved");
    assert_eq!(says("unmask 1: openings"), "opened 1 times, watched 1 times");

    let whole = serde_json::to_value(&e).unwrap();
    let mut leaves = Vec::new();
    paths(&whole["unmasks"], "/unmasks".into(), &mut leaves);
    assert!(leaves.len() > 40, "{}", leaves.len());
    for path in leaves {
        let mut changed = whole.clone();
        spoil(changed.pointer_mut(&path).unwrap());
        let bad = match serde_json::from_value::<Evidence>(changed) {
            Ok(e) => !all_good(&verify_evidence(&e, None)),
            Err(_) => true,
        };
        assert!(bad, "a change at {path} goes unseen");
    }
}

#[tokio::test]
async fn each_damage_to_the_story_of_unmasking_is_named() {
    let (_s, e) = told().await;
    let with = |f: &dyn Fn(&mut Evidence)| {
        let mut changed = e.clone();
        f(&mut changed);
        changed
    };
    assert!(wrong(&with(&|e| e.unmasks.clear()), "unmask requests").contains("does not hold"));
    assert!(wrong(&with(&|e| drop(e.unmasks[0].answers.pop())), "unmask requests").contains("does not hold"));
    assert!(wrong(&with(&|e| drop(e.unmasks[0].answers.pop())), "unmask 1: answers").contains("fewer than two"));
    assert!(wrong(&with(&|e| e.unmasks[0].openings.clear()), "unmask requests").contains("does not hold"));
    let twice = with(&|e| e.unmasks[0].answers[1] = e.unmasks[0].answers[0].clone());
    assert!(wrong(&twice, "unmask 1: answers").contains("answered twice"));
    assert!(wrong(&with(&|e| e.unmasks[0].request.until_us += 1), "unmask 1: answers").contains("something else than was asked"));
    assert!(wrong(&with(&|e| e.unmasks[0].request.until_us += 1), "unmask 1: openings").contains("something else was opened"));
    assert!(wrong(&with(&|e| e.unmasks[0].request.header_sha256 = "00".repeat(32)), "unmask 1: asked").contains("another recording"));
    assert!(wrong(&with(&|e| e.unmasks[0].request.state = UnmaskState::Denied), "unmask 1: asked").contains("another outcome"));
    let unsaid = |kind: &str| with(&|e| e.records.retain(|r| !r.record.contains(&format!("\"kind\":\"{kind}\""))));
    assert!(wrong(&unsaid("unmask_requested"), "unmask 1: asked").contains("no entry"));
    assert!(wrong(&unsaid("unmask_approved"), "unmask 1: answers").contains("no entry"));
    assert!(wrong(&unsaid("unmask_opened"), "unmask 1: openings").contains("no entry"));
    let (_other, foreign) = told().await;
    let swapped = with(&|e| e.unmasks[0].openings.clone_from(&foreign.unmasks[0].openings));
    assert!(wrong(&swapped, "unmask 1: openings").contains("something else was opened"));
}

#[tokio::test]
async fn a_bundle_from_before_unmasking_verifies_as_it_did() {
    let s = scene().await;
    let e = Box::pin(s.w.approvals.evidence(s.session)).await.unwrap().unwrap();
    let old = serde_json::to_value(&e).unwrap();
    assert!(old.get("unmasks").is_none());
    let f = verify_evidence(&serde_json::from_value(old).unwrap(), None);
    assert!(all_good(&f) && !f.iter().any(|f| f.check.starts_with("unmask")), "{f:#?}");
}

//! A recording is held, its keys are destroyed, and never both. What was decided is told, to the portal and in the evidence.
use crate::{
    connecting::{permit, sealed},
    evidence::{paths, spoil, wrong},
    unmask::Scene,
    world::{Someone, World},
};
use anteroom_approvals::{
    Envelopes, Evidence, IndexLine, Indexed, KeepError, UnmaskError,
    verify::{all_good, verify_evidence},
};
use anteroom_domain::{AuditEvent, EndReason, LineKind, Reason, Role, SessionId, UnmaskState, content::Verdict};
use std::time::Duration;
use time::Duration as Span;
use uuid::Uuid;

fn because(text: &str) -> Reason {
    Reason::new(text).unwrap()
}

fn keys() -> Envelopes {
    ["masked.0.envelope", "sealed.0.envelope"].map(|name| (name.to_owned(), "ab".repeat(32))).into()
}

/// Sessions of ada's, and who keeps or destroys their recordings.
struct Court {
    w: World,
    ada: Someone,
    max: Someone,
    olga: Someone,
}

impl Court {
    async fn new() -> Self {
        let w = Box::pin(World::new()).await;
        let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
        w.grant(&ada, &mut bob).await;
        let (max, olga) = (w.somebody("max", Role::Auditor).await, w.somebody("olga", Role::Operator).await);
        Self { w, ada, max, olga }
    }

    async fn running(&mut self) -> SessionId {
        let session = SessionId(Uuid::now_v7());
        let p = Box::pin(permit(&self.w, &mut self.ada, session)).await;
        self.w.approvals.session_started(&p, [3; 32], "gw").await.unwrap();
        session
    }

    async fn session(&mut self) -> SessionId {
        let session = self.running().await;
        self.w.approvals.session_ended(session, &EndReason::ClientClosed).await;
        self.w.approvals.recording_sealed(sealed(session)).await;
        session
    }

    async fn hold(&self, by: &Someone, session: SessionId) -> Result<anteroom_domain::LegalHold, KeepError> {
        self.w.approvals.place_hold(by.person.id, session, because("case 17")).await
    }
    async fn lift(&self, by: &Someone, session: SessionId) -> Result<anteroom_domain::LegalHold, KeepError> {
        self.w.approvals.lift_hold(by.person.id, session, None, because("case 17 is closed")).await
    }
    async fn shred(&self, by: &Someone, session: SessionId) -> Result<anteroom_domain::Shredding, KeepError> {
        self.w.approvals.shred_recording(by.person.id, session, because("asked for by the patient"), keys()).await
    }
    async fn kept(&self, session: SessionId) -> Vec<String> {
        let all = self.w.log().await;
        let ours = all.iter().filter(|e| e.session() == Some(session)).map(AuditEvent::kind);
        ours.filter(|k| k.starts_with("legal_hold") || k.contains("shredded")).collect()
    }
}

#[tokio::test]
async fn a_held_recording_is_not_shredded_until_an_auditor_lifts_the_hold() {
    let mut c = Court::new().await;
    let session = c.session().await;
    c.hold(&c.max, session).await.unwrap();
    assert!(c.w.approvals.session(session).await.unwrap().unwrap().held);
    assert_eq!(c.shred(&c.olga, session).await.unwrap_err(), KeepError::Held { reason: "case 17".into() });
    assert_eq!(c.lift(&c.olga, session).await.unwrap_err(), KeepError::NotAllowed, "who shreds may not lift");
    let lifted = c.lift(&c.max, session).await.unwrap().lifted.unwrap();
    assert_eq!((lifted.by, lifted.reason.as_str()), (c.max.person.id, "case 17 is closed"));
    assert_eq!(c.lift(&c.max, session).await.unwrap_err(), KeepError::NoHold, "once");
    let done = c.shred(&c.olga, session).await.unwrap();
    assert_eq!((done.decided_by(), done.envelopes.len()), ("olga", 2));

    let row = c.w.approvals.session(session).await.unwrap().unwrap();
    assert_eq!((row.held, row.shredded_at), (false, Some(done.at)));
    assert_eq!(c.hold(&c.max, session).await.unwrap_err(), KeepError::Shredded, "there is nothing to keep");
    assert_eq!(c.w.approvals.keeping(session).await.unwrap().shredding, Some(done.clone()));
    let again = c.w.approvals.shred_recording(c.olga.person.id, session, because("again"), Envelopes::new()).await.unwrap();
    assert_eq!(again, done, "the first decision stays");
    assert_eq!(c.kept(session).await, ["legal_hold_placed", "legal_hold_lifted", "recording_shredded"]);
    let to_do = c.w.approvals.shreddings_to_do(None, 10).await.unwrap();
    assert_eq!(to_do, [(done.at, session)], "until somebody says that the files are gone");
    c.w.approvals.shredding_done(session).await.unwrap();
    assert_eq!(c.w.approvals.shreddings_to_do(None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn only_auditors_and_operators_hold_and_only_operators_shred() {
    let mut c = Court::new().await;
    let session = c.session().await;
    let kim = c.w.somebody("kim", Role::KeyHolder).await;
    for nobody in [&c.ada, &kim] {
        assert_eq!(c.hold(nobody, session).await.unwrap_err(), KeepError::NotAllowed);
        assert_eq!(c.shred(nobody, session).await.unwrap_err(), KeepError::NotAllowed);
    }
    assert_eq!(c.shred(&c.max, session).await.unwrap_err(), KeepError::NotAllowed);
    c.hold(&c.olga, session).await.unwrap();
    c.w.approvals.suspend_person(None, c.max.person.id).await.unwrap();
    assert_eq!(c.lift(&c.max, session).await.unwrap_err(), KeepError::NotAllowed, "suspended");
    let nowhere = SessionId(Uuid::nil());
    assert_eq!(c.hold(&c.olga, nowhere).await.unwrap_err(), KeepError::NoSuchSession);
    assert_eq!(c.shred(&c.olga, nowhere).await.unwrap_err(), KeepError::NoSuchSession);
}

#[tokio::test]
async fn whoever_lifted_a_hold_cannot_shred_it_alone_whatever_their_roles() {
    let mut c = Court::new().await;
    let session = c.session().await;
    let both = c.w.approvals.add_person(
        None,
        anteroom_domain::Handle::new("otto").unwrap(),
        anteroom_domain::DisplayName::new("Otto").unwrap(),
        anteroom_domain::Roles::from_iter([Role::Auditor, Role::Operator]),
    );
    let both = both.await.unwrap().id;
    c.hold(&c.max, session).await.unwrap();
    c.w.approvals.lift_hold(both, session, None, because("closed")).await.unwrap();
    let refused = c.w.approvals.shred_recording(both, session, because("old"), keys()).await.unwrap_err();
    assert_eq!(refused, KeepError::LiftedByYou);
    c.shred(&c.olga, session).await.unwrap();
}

#[tokio::test]
async fn two_matters_hold_a_recording_and_each_ends_its_own() {
    let mut c = Court::new().await;
    let session = c.running().await;
    let first = c.hold(&c.max, session).await.unwrap();
    let second = c.hold(&c.olga, session).await.unwrap();
    assert_eq!(c.lift(&c.max, session).await.unwrap_err(), KeepError::WhichHold);
    let end = async |which| c.w.approvals.lift_hold(c.max.person.id, session, Some(which), because("over")).await;
    end(first.id).await.unwrap();
    assert_eq!(end(first.id).await.unwrap_err(), KeepError::NoHold);
    assert!(matches!(c.shred(&c.olga, session).await, Err(KeepError::Held { .. })));
    end(second.id).await.unwrap();
    assert_eq!(c.shred(&c.olga, session).await.unwrap_err(), KeepError::NotSealed, "it runs");
    c.w.approvals.session_ended(session, &EndReason::ClientClosed).await;
    assert_eq!(c.shred(&c.olga, session).await.unwrap_err(), KeepError::NotSealed, "its recording is not closed yet");
    c.w.approvals.recording_sealed(sealed(session)).await;
    c.shred(&c.olga, session).await.unwrap();
}

#[tokio::test]
async fn a_hold_that_is_being_placed_wins_over_a_shredding_that_comes_meanwhile() {
    let mut c = Court::new().await;
    let session = c.session().await;
    // Another connection has taken the row and placed its hold, and not said so yet.
    let mut other = c.w.owner.begin().await.unwrap();
    sqlx::query("select id from session where id = $1 for no key update").bind(session.0).execute(&mut *other).await.unwrap();
    sqlx::query("insert into legal_hold (id, session, reason, placed_by, placed_at) values ($1, $2, 'case 17', $3, now())")
        .bind(Uuid::now_v7())
        .bind(session.0)
        .bind(c.max.person.id.0)
        .execute(&mut *other)
        .await
        .unwrap();
    let shred = c.shred(&c.olga, session);
    let place = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        other.commit().await.unwrap();
    };
    let (shredded, ()) = tokio::join!(shred, place);
    assert!(matches!(shredded, Err(KeepError::Held { .. })), "{shredded:?}");
    assert!(c.w.approvals.keeping(session).await.unwrap().shredding.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hold_and_a_shredding_at_the_same_moment_one_happens() {
    let mut c = Court::new().await;
    let (mut held, mut shredded) = (0, 0);
    for _ in 0..12 {
        let session = c.session().await;
        let (a, b) = (c.w.approvals.clone(), c.w.approvals.clone());
        let (max, olga) = (c.max.person.id, c.olga.person.id);
        let hold = tokio::spawn(async move { a.place_hold(max, session, because("case 17")).await });
        let shred = tokio::spawn(async move { b.shred_recording(olga, session, because("old"), keys()).await });
        match (hold.await.unwrap(), shred.await.unwrap()) {
            (Ok(_), Err(KeepError::Held { .. })) => held += 1,
            (Err(KeepError::Shredded), Ok(_)) => shredded += 1,
            both => panic!("{both:?}"),
        }
    }
    assert_eq!(held + shredded, 12);
}

#[tokio::test]
async fn what_is_decided_cannot_be_taken_back_even_by_the_programs_own_role() {
    let mut c = Court::new().await;
    let session = c.session().await;
    c.shred(&c.olga, session).await.unwrap();
    let mut tx = c.w.owner.begin().await.unwrap();
    sqlx::query("set local role anteroom_app").execute(&mut *tx).await.unwrap();
    for statement in
        ["delete from shredding", "update shredding set reason = ''", "delete from legal_hold", "update legal_hold set reason = ''"]
    {
        let mut try_it = sqlx::Acquire::begin(&mut tx).await.unwrap();
        let e = sqlx::query(statement).execute(&mut *try_it).await.unwrap_err();
        assert_eq!(e.as_database_error().and_then(|d| d.code()).as_deref(), Some("42501"), "{statement}: {e}");
    }
}

#[tokio::test]
async fn nothing_of_a_shredded_recording_is_found_and_nobody_reads_it_again() {
    let mut c = Court::new().await;
    let session = c.session().await;
    let a = &c.w.approvals;
    let found = async || {
        let filter = anteroom_approvals::SearchFilter::default();
        a.search_recordings(c.max.person.id, "vacuum", &filter, anteroom_approvals::SearchPage::New).await.unwrap().rows.len()
    };
    assert!(a.begin_index(session, 1).await.unwrap());
    let line = IndexLine { channel: 0, at_us: 1, kind: LineKind::Screen, text: "vacuum full".into() };
    let timeline = Indexed { timeline: serde_json::json!({}), cut: false };
    assert!(a.finish_index(session, std::slice::from_ref(&line), &timeline).await.unwrap());
    assert_eq!(found().await, 1);
    c.shred(&c.olga, session).await.unwrap();
    assert_eq!(found().await, 0);
    assert!(a.indexed(session).await.unwrap().is_none() && !a.begin_index(session, 99).await.unwrap());
}

#[tokio::test]
async fn time_ends_by_itself_what_is_not_held() {
    let mut c = Court::new().await;
    let (old, held, young) = (c.session().await, c.session().await, c.session().await);
    c.hold(&c.max, held).await.unwrap();
    for session in [old, held] {
        sqlx::query(
            "update session set started_at = started_at - interval '10 days', ended_at = ended_at - interval '10 days' where id = $1",
        )
        .bind(session.0)
        .execute(&c.w.owner)
        .await
        .unwrap();
    }
    let (a, week) = (&c.w.approvals, Span::days(7));
    let due: Vec<_> = a.expired(week, None, 10).await.unwrap().unwrap();
    assert_eq!(due.iter().map(|d| d.1).collect::<Vec<_>>(), [old]);
    assert_eq!(a.expired(week, Some(due[0]), 10).await.unwrap().unwrap(), []);
    assert_eq!(a.shred_expired(young, week, keys()).await.unwrap(), None, "asked again with the row held");
    assert!(matches!(a.shred_expired(held, week, keys()).await, Err(KeepError::Held { .. })));
    let done = a.shred_expired(old, week, keys()).await.unwrap().unwrap();
    assert_eq!((done.by, done.decided_by()), (None, "retention"));
    assert_eq!(a.shred_expired(old, week, keys()).await.unwrap(), None, "once");
    let log = c.w.log().await;
    let said = log.iter().find(|e| matches!(e, AuditEvent::RecordingShredded { .. })).unwrap();
    assert!(matches!(said, AuditEvent::RecordingShredded { session, by: None, why, .. } if *session == old && why == "retention"));
}

#[tokio::test]
async fn requests_to_unmask_end_with_the_keys_and_an_open_one_keeps_them() {
    let mut s = Scene::new().await;
    let olga = s.w.somebody("olga", Role::Operator).await;
    let shred = async |s: &Scene| s.w.approvals.shred_recording(olga.person.id, s.session, because("old"), keys()).await;
    let opened = s.approved().await;
    s.opened(opened).await.unwrap();
    assert!(matches!(shred(&s).await, Err(KeepError::BeingUnmasked { .. })));
    s.w.approvals.withdraw_unmask(&s.max.person, opened).await.unwrap();
    let (approved, waiting) = (s.approved().await, s.ask().await.unwrap().id);
    shred(&s).await.unwrap();

    for id in [approved, waiting] {
        assert_eq!(s.w.approvals.unmask(id).await.unwrap().unwrap().request.state, UnmaskState::Shredded);
        assert_eq!(s.w.approvals.withdraw_unmask(&s.max.person, id).await.unwrap_err(), UnmaskError::Shredded);
    }
    assert_eq!(s.opened(approved).await.unwrap_err(), UnmaskError::Shredded);
    let mut kim = s.kim.take();
    assert_eq!(s.answer(&mut kim, waiting, Verdict::Approve).await.unwrap_err(), UnmaskError::Shredded);
    assert_eq!(s.ask().await.unwrap_err(), UnmaskError::Shredded);
    assert_eq!(s.w.approvals.unmask(opened).await.unwrap().unwrap().request.state, UnmaskState::Withdrawn, "what was over stays as it was");
    let e = Box::pin(s.w.approvals.evidence(s.session)).await.unwrap().unwrap();
    let f = verify_evidence(&e, None);
    assert!(all_good(&f), "{f:#?}");
}

async fn told() -> (Court, Evidence) {
    let mut c = Court::new().await;
    let session = c.session().await;
    c.hold(&c.max, session).await.unwrap();
    c.lift(&c.max, session).await.unwrap();
    c.shred(&c.olga, session).await.unwrap();
    let e = Box::pin(c.w.approvals.evidence(session)).await.unwrap().unwrap();
    (c, e)
}

#[tokio::test]
async fn the_evidence_says_who_destroyed_the_keys_when_and_why_and_any_change_is_seen() {
    let (_c, e) = told().await;
    let e: Evidence = serde_json::from_slice(&serde_json::to_vec(&e).unwrap()).unwrap();
    let f = verify_evidence(&e, None);
    assert!(all_good(&f), "{f:#?}");
    let said = f.iter().find(|f| f.check == "keys destroyed").unwrap();
    assert!(said.detail.contains("by olga: asked for by the patient (2 envelopes)"), "{said:?}");

    let whole = serde_json::to_value(&e).unwrap();
    let mut leaves = Vec::new();
    paths(&whole["keeping"], "/keeping".into(), &mut leaves);
    leaves.extend(["/session/held", "/session/shredded_at"].map(str::to_owned));
    assert!(leaves.len() > 15, "{}", leaves.len());
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
async fn each_damage_to_the_story_of_keeping_is_named() {
    let (_c, e) = told().await;
    let with = |f: &dyn Fn(&mut Evidence)| {
        let mut changed = e.clone();
        f(&mut changed);
        changed
    };
    let unsaid = |kind: &str| with(&|e| e.records.retain(|r| !r.record.contains(&format!("\"kind\":\"{kind}\""))));
    assert!(wrong(&with(&|e| e.keeping.shredding = None), "keys destroyed").contains("does not say why"));
    assert!(wrong(&with(&|e| e.keeping.shredding = None), "keeping").contains("row says otherwise"));
    assert!(wrong(&unsaid("recording_shredded"), "keys destroyed").contains("no entry"));
    assert!(
        wrong(&unsaid("legal_hold_lifted"), "keys destroyed").contains("a legal hold was on it"),
        "the log is believed, not the bundle"
    );
    assert!(wrong(&unsaid("legal_hold_placed"), "legal holds").contains("no entry says that this hold was placed"));
    assert!(wrong(&with(&|e| e.keeping.holds.clear()), "legal holds").contains("does not hold"));
    assert!(wrong(&with(&|e| e.keeping.holds[0].lifted = None), "legal holds").contains("or its end"));
    let less = with(&|e| drop(e.keeping.shredding.as_mut().map(|d| d.envelopes.remove("masked.0.envelope"))));
    assert!(wrong(&less, "keys destroyed").contains("which keys"));
}

#[tokio::test]
async fn evidence_of_a_recording_that_nobody_held_reads_as_it_did() {
    let mut c = Court::new().await;
    let session = c.session().await;
    let e = Box::pin(c.w.approvals.evidence(session)).await.unwrap().unwrap();
    let mut old = serde_json::to_value(&e).unwrap();
    assert!(old.get("keeping").is_none());
    for new in ["held", "shredded_at"] {
        old["session"].as_object_mut().unwrap().remove(new).unwrap();
    }
    let f = verify_evidence(&serde_json::from_value(old).unwrap(), None);
    assert!(all_good(&f) && !f.iter().any(|f| f.check == "legal holds"), "{f:#?}");
}

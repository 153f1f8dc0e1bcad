//! Locks, roles taken away, and how running sessions are judged again.
use crate::{
    connecting::permit,
    world::{HERE, World, now},
};
use anteroom_approvals::{Change, ManageError, RequestError, SignError, StartError};
use anteroom_domain::{
    AuditEvent, CompanyId, EndReason, Lockable, PersonAttributes, Reason, Role, Roles, SessionId, TargetAttributes,
    audit::{AttributesEvent, LockEvent},
};
use anteroom_policy::{Decision, Refusal, SecondFactor, Verdict};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

fn session() -> SessionId {
    SessionId(Uuid::now_v7())
}
fn because() -> Reason {
    Reason::new("laptop stolen").unwrap()
}

/// A company, and ada works for it.
async fn company(w: &World, ada: anteroom_domain::PersonId) -> CompanyId {
    let id = CompanyId(Uuid::now_v7());
    sqlx::query("insert into company (id, name, contract_ends, created_at) values ($1, 'acme', now() + interval '1 year', now())")
        .bind(id.0)
        .execute(&w.owner)
        .await
        .unwrap();
    w.approvals.set_person_attributes(None, ada, PersonAttributes { company: Some(id), ..Default::default() }).await.unwrap();
    w.approvals.set_target_attributes(None, w.target.id, TargetAttributes { vendor: Some(id), ..Default::default() }).await.unwrap();
    id
}

#[tokio::test]
async fn a_lock_ends_what_runs_lets_nothing_begin_and_is_undone_at_once() {
    let w = World::new().await;
    let a = &w.approvals;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let acme = company(&w, ada.person.id).await;
    w.grant(&ada, &mut bob).await;
    for on in [Lockable::Person(ada.person.id), Lockable::Target(w.target.id), Lockable::Company(acme)] {
        let (running, waiting) = (permit(&w, &mut ada, session()).await, permit(&w, &mut ada, session()).await);
        a.session_started(&running, [0; 32], "gw").await.unwrap();
        let standing = running.standing();
        assert!(matches!(a.rejudge(&standing).await.unwrap().0, Verdict::Stays { .. }), "{on:?}");

        a.lock(Some(bob.person.id), on, because()).await.unwrap();
        a.lock(Some(bob.person.id), on, because()).await.unwrap();
        let (verdict, known) = a.rejudge(&standing).await.unwrap();
        assert_eq!(verdict, Verdict::Ends(EndReason::Locked), "{on:?}");
        assert_eq!(a.judge_by_the_clock(&standing, &known.unwrap()), verdict);
        let refused = a.session_started(&waiting, [0; 32], "gw").await.unwrap_err();
        assert_eq!(refused, StartError::NoLonger(EndReason::Locked), "{on:?}: a permit made before it opens nothing");
        let again = a.authorize(&ada.person, session(), "ehr-db-1", "root", HERE, SecondFactor::SecurityKey).await.unwrap();
        assert!(matches!(again, Decision::Deny(Refusal::Locked)), "{on:?}: {again:?}");
        let asked = a.submit_request(&ada.person, w.form(30), HERE).await.unwrap_err();
        assert_eq!(asked, RequestError::Locked { target: "ehr-db-1".into() }, "{on:?}");
        let in_portal = a.web_session(ada.token.expose()).await.unwrap().is_some();
        assert_eq!(in_portal, matches!(on, Lockable::Target(_)), "{on:?}: whoever is locked is out of the portal too");
        assert_eq!(a.locks().await.unwrap().len(), 1);

        a.unlock(Some(bob.person.id), on).await.unwrap();
        a.unlock(Some(bob.person.id), on).await.unwrap();
        assert!(matches!(a.rejudge(&standing).await.unwrap().0, Verdict::Stays { .. }), "{on:?}");
        // A vendor has one session on a device.
        a.session_ended(running.session(), &EndReason::ClientClosed).await;
        assert!(a.web_session(ada.token.expose()).await.unwrap().is_some() && a.locks().await.unwrap().is_empty());
    }
    let log = w.log().await;
    let count = |f: fn(&AuditEvent) -> bool| log.iter().filter(|e| f(e)).count();
    assert_eq!(count(|e| matches!(e, AuditEvent::Lock(LockEvent::Locked { .. }))), 3, "the same lock twice is one");
    assert_eq!(count(|e| matches!(e, AuditEvent::Lock(LockEvent::Unlocked { .. }))), 3);
}

#[tokio::test]
async fn who_is_locked_cannot_sign_in_or_unlock_and_only_some_may_lock() {
    let w = World::new().await;
    let a = &w.approvals;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let on = Lockable::Person(bob.person.id);
    assert_eq!(a.lock(Some(ada.person.id), on, because()).await.unwrap_err(), ManageError::NotAllowed);
    a.lock(None, on, because()).await.unwrap();
    assert_eq!(a.unlock(Some(bob.person.id), on).await.unwrap_err(), ManageError::NotAllowed);
    let login = a.begin_login().await.unwrap();
    let answer = bob.passkey.get(&login.options).unwrap();
    assert_eq!(a.finish_login(login.ceremony, &answer, HERE).await.unwrap_err(), SignError::Locked);
    assert_eq!(a.begin_add_passkey(&bob.person).await.unwrap_err(), SignError::Locked);
    let nobody = Lockable::Person(anteroom_domain::PersonId(Uuid::nil()));
    assert_eq!(a.lock(None, nobody, because()).await.unwrap_err(), ManageError::NoSuch("person"));
}

#[tokio::test]
async fn roles_that_are_taken_away_are_told_and_end_what_runs() {
    let w = World::new().await;
    let a = &w.approvals;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let olga = w.somebody("olga", Role::Operator).await;
    w.grant(&ada, &mut bob).await;
    let standing = permit(&w, &mut ada, session()).await.standing();
    let stop = CancellationToken::new();
    let mut changes = a.endings();
    let running = tokio::spawn({
        let (a, stop) = (a.clone(), stop.clone());
        async move { a.run(stop).await }
    });
    while changes.recv().await.unwrap() != Change::Resync {}
    let by = Some(olga.person.id);
    assert!(matches!(a.set_roles(by, olga.person.id, Roles::default()).await, Err(ManageError::Invalid { .. })));
    assert_eq!(a.set_roles(Some(bob.person.id), ada.person.id, Roles::default()).await.unwrap_err(), ManageError::NotAllowed);
    a.set_roles(by, ada.person.id, Roles::from_iter([Role::Auditor])).await.unwrap();
    let told =
        tokio::time::timeout(Duration::from_secs(2), async { while changes.recv().await.unwrap() != Change::Person(ada.person.id) {} });
    told.await.expect("every gateway hears of it");
    assert_eq!(a.rejudge(&standing).await.unwrap().0, Verdict::Ends(EndReason::PolicyDenied));
    assert!(
        w.log().await.iter().any(|e| matches!(e, AuditEvent::Attributes(AttributesEvent::Roles { roles, .. }) if roles == &["auditor"]))
    );
    stop.cancel();
    running.await.unwrap();
}

/// A changed policy concerns every session of a gateway at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_sessions_are_judged_again_within_a_second_with_few_questions() {
    let w = World::new().await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.grant(&ada, &mut bob).await;
    let standing = permit(&w, &mut ada, session()).await.standing();
    let before = w.queries().await;
    let began = Instant::now();
    let all: Vec<_> = (0..500)
        .map(|_| {
            let (a, s) = (w.approvals.clone(), standing.clone());
            tokio::spawn(async move { a.rejudge(&s).await.unwrap().0 })
        })
        .collect();
    // Some of those that ask end in the middle of it.
    all.iter().step_by(7).for_each(tokio::task::JoinHandle::abort);
    let mut judged = 0;
    for one in all {
        if let Ok(verdict) = one.await {
            assert!(matches!(verdict, Verdict::Stays { deadline, .. } if deadline > now()));
            judged += 1;
        }
    }
    let (took, asked) = (began.elapsed(), w.queries().await - before);
    assert!(judged >= 428 && took < Duration::from_secs(5), "{judged} in {took:?}");
    assert!(asked < 200, "{asked}");
}

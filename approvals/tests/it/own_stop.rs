//! Whoever has two roles does not let themselves go on: neither out of a pause, nor past a lock, nor before their own eyes.
use crate::{
    connecting::permit,
    quorum::TWO,
    world::{HERE, Someone, World, now},
};
use anteroom_approvals::{Answer, Answered, ManageError, ReviewError, shipped_policies};
use anteroom_domain::{Lockable, MessageText, Reason, Role, Roles, SessionId};
use anteroom_policy::{NoVoice, PolicyFile};
use uuid::Uuid;

fn because() -> Reason {
    Reason::new("signed in from two countries").unwrap()
}

/// The hospital's own policy, and everything is watched.
async fn all_is_watched(w: &World) {
    let mut files = shipped_policies();
    let text = "@id(\"all\") @supervise @at_end(\"supervisor 10m\") permit (principal, action == Action::\"oblige\", resource);".into();
    files.push(PolicyFile { name: "watched.cedar".into(), text });
    w.approvals.set_policy(None, files, "everything is watched").await.unwrap();
}

/// Admin and approver in one person, with a session of their own.
async fn both(w: &World, bob: &mut Someone) -> (Someone, SessionId) {
    let mut ada = w.somebody("ada", Role::Admin).await;
    w.grant(&ada, bob).await;
    let s = SessionId(Uuid::now_v7());
    let p = permit(w, &mut ada, s).await;
    w.approvals.session_started(&p, [0; 32], "gw").await.unwrap();
    w.approvals.set_roles(None, ada.person.id, Roles::from_iter([Role::Admin, Role::Approver])).await.unwrap();
    (ada, s)
}

fn own(e: ManageError) -> String {
    assert!(matches!(e, ManageError::Invalid { .. }), "{e:?}");
    e.to_string()
}

#[tokio::test]
async fn who_is_held_still_does_not_let_their_own_session_go_on() {
    let w = World::new().await;
    let mut bob = w.somebody("bob", Role::Approver).await;
    let (ada, s) = both(&w, &mut bob).await;
    let a = &w.approvals;
    for by in [bob.person.id, ada.person.id] {
        a.order_pause(s, by).await.unwrap();
        let why = own(a.order_resume(s, ada.person.id).await.unwrap_err());
        assert!(why.contains("somebody else has to let it go on"), "{why}");
        assert!(a.pausing(&[s]).await.unwrap()[&s].stands(), "it stands still");
        a.order_resume(s, bob.person.id).await.unwrap();
        assert!(!a.pausing(&[s]).await.unwrap()[&s].stands());
    }
    // A rule's stop (too many patients) has no row: that cannot be lifted by oneself either.
    own(a.order_resume(s, ada.person.id).await.unwrap_err());
}

#[tokio::test]
async fn nobody_is_the_supervisor_of_their_own_session() {
    let w = World::new().await;
    all_is_watched(&w).await;
    let mut bob = w.somebody("bob", Role::Approver).await;
    let (ada, s) = both(&w, &mut bob).await;
    let (a, me) = (&w.approvals, ada.person.id);
    assert_eq!(a.join_supervision(s, me, HERE).await.unwrap_err(), ManageError::NotAllowed);
    assert_eq!(a.note_supervision(s, me, HERE, &MessageText::new("all is well").unwrap()).await.unwrap_err(), ManageError::NotAllowed);
    a.join_supervision(s, bob.person.id, HERE).await.unwrap();
    assert_eq!(a.prolong_session(s, me, HERE).await.unwrap_err(), ManageError::NotAllowed);
    assert_eq!(a.prolong_session(s, bob.person.id, HERE).await.unwrap(), 10);
}

#[tokio::test]
async fn a_locked_approvers_signature_does_not_count_until_the_lock_is_lifted() {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    let (mut bob, mut eve) = (w.somebody("bob", Role::Approver).await, w.somebody("eve", Role::Approver).await);
    let r = w.owing(&ada, TWO).await;
    w.answer(&mut bob, &r, Answer::Approve).await.unwrap();
    w.approvals.lock(None, Lockable::Person(bob.person.id), because()).await.unwrap();
    assert!(!w.approvals.progress(r.id).await.unwrap().unwrap().given[0].counts);
    assert!(matches!(w.answer(&mut eve, &r, Answer::Approve).await.unwrap(), Answered::Waiting(_)), "one of two");

    // It counts again, and nobody is left who has to sign: whoever signs next makes the grant; who signed does not sign twice.
    w.approvals.unlock(None, Lockable::Person(bob.person.id)).await.unwrap();
    assert_eq!(w.answer(&mut eve, &r, Answer::Approve).await.unwrap_err(), ReviewError::NoVoice(NoVoice::Twice));
    let mut dan = w.somebody("dan", Role::Approver).await;
    assert!(w.answer(&mut dan, &r, Answer::Approve).await.unwrap().into_grant().is_some());
}

#[tokio::test]
async fn a_deputys_signature_does_not_count_while_the_one_they_stand_for_is_locked() {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    let (bob, mut eve) = (w.somebody("bob", Role::Approver).await, w.somebody("eve", Role::Approver).await);
    w.in_groups(&bob, &["clinical-engineering"]).await;
    let r = w.owing(&ada, r#"{"approvals":[{"group":"clinical-engineering","count":1},{"group":null,"count":1}]}"#).await;
    w.approvals.set_absence(&bob.person, &eve.person.handle, now() + time::Duration::DAY).await.unwrap();
    w.answer(&mut eve, &r, Answer::Approve).await.unwrap();
    assert!(w.approvals.progress(r.id).await.unwrap().unwrap().given[0].counts);
    w.approvals.lock(None, Lockable::Person(bob.person.id), because()).await.unwrap();
    let given = w.approvals.progress(r.id).await.unwrap().unwrap().given;
    assert!(given[0].stands_for.is_none() || !given[0].counts, "in the place of somebody who is locked: {given:?}");
}

#[tokio::test]
async fn a_grant_that_was_made_outlives_a_lock_on_its_approver_and_is_taken_back_by_decision() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let grant = w.grant(&ada, &mut bob).await;
    w.approvals.lock(None, Lockable::Person(bob.person.id), because()).await.unwrap();
    assert_eq!(w.approvals.reachable(ada.person.id, now()).await.unwrap().len(), 1);
    w.approvals.revoke_grant(None, grant.id).await.unwrap();
    assert!(w.approvals.reachable(ada.person.id, now()).await.unwrap().is_empty());
}

#[tokio::test]
async fn whoever_has_a_grant_for_a_locked_target_does_not_lift_the_lock() {
    let w = World::new().await;
    let mut bob = w.somebody("bob", Role::Approver).await;
    let (ada, _) = both(&w, &mut bob).await;
    let (a, on) = (&w.approvals, Lockable::Target(w.target.id));
    a.lock(Some(bob.person.id), on, because()).await.unwrap();
    let why = own(a.unlock(Some(ada.person.id), on).await.unwrap_err());
    assert!(why.contains("you have a grant for this target"), "{why}");
    assert_eq!(a.locks().await.unwrap().len(), 1);
    a.unlock(Some(bob.person.id), on).await.unwrap();
    // Nor their own: somebody else let it be set, and somebody else says that it is over.
    a.lock(Some(ada.person.id), on, because()).await.unwrap();
    own(a.unlock(Some(ada.person.id), on).await.unwrap_err());
    for g in a.reachable(ada.person.id, now()).await.unwrap() {
        a.revoke_grant(None, g.id).await.unwrap();
    }
    a.unlock(Some(ada.person.id), on).await.unwrap();
}

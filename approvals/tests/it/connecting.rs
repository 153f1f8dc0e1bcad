//! From grant to session: second factor, permit, vault, end.
use crate::world::{HERE, KEY_FINGERPRINT, Someone, World, account, now};
use anteroom_approvals::{
    AskStepUp, Change, Credential, ManageError, Page, SealedRecord, SessionFilter, StartError, StepUpAsked, StepUpError, StepUpState,
};
use anteroom_domain::{AuditEvent, EndReason, RecordingState, Role, SessionId, StepUpId, TargetName};
use anteroom_policy::{Decision, Permit, Refusal, SecondFactor, Verdict};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, net::IpAddr, time::Duration};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

fn session() -> SessionId {
    SessionId(Uuid::now_v7())
}

fn ask(who: &Someone) -> AskStepUp {
    AskStepUp {
        person: who.person.id,
        ssh_session_id: vec![0xab; 32],
        fingerprint: KEY_FINGERPRINT.into(),
        target: TargetName::new("ehr-db-1").unwrap(),
        account: account("root"),
        source: HERE,
    }
}

async fn pass(w: &World, who: &mut Someone, asked: &StepUpAsked) {
    let start = w.approvals.begin_step_up(&who.person, asked.id).await.unwrap();
    assert!(start.content.contains(&asked.number) && start.content.contains(&"ab".repeat(32)));
    let answer = who.passkey.get(&start.options).unwrap();
    w.approvals.finish_step_up(&who.person, start.ceremony, &answer).await.unwrap();
}

async fn authorize(w: &World, who: &Someone, s: SessionId, f: SecondFactor) -> Decision {
    w.approvals.authorize(&who.person, s, "ehr-db-1", "root", HERE, f).await.unwrap()
}

/// A permit by the whole road.
pub async fn permit(w: &World, who: &mut Someone, s: SessionId) -> Permit {
    let asked = w.approvals.ask_step_up(ask(who)).await.unwrap();
    pass(w, who, &asked).await;
    match authorize(w, who, s, SecondFactor::Passed(asked.id)).await {
        Decision::Permit(p) => p,
        other => panic!("{other:?}"),
    }
}

/// A permit by what was passed for an earlier connection with the same key.
pub async fn remembered(w: &World, who: &Someone, s: SessionId) -> Permit {
    let claim = anteroom_approvals::Claim::Key(KEY_FINGERPRINT);
    match w.approvals.authorize(&who.person, s, "ehr-db-1", "root", (HERE, KEY_FINGERPRINT), claim).await.unwrap() {
        Decision::Permit(p) => p,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_whole_road_from_grant_to_a_sealed_recording() {
    let w = World::new().await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let grant = w.grant(&ada, &mut bob).await;
    let s = session();
    assert!(matches!(authorize(&w, &ada, s, SecondFactor::Missing).await, Decision::NeedsSecondFactor(g) if g == grant.id));
    let p = permit(&w, &mut ada, s).await;
    assert!(matches!(w.approvals.open_credential(&p).await.unwrap(), Credential::Password(x) if x.expose() == "s3cret-of-root"));
    w.approvals.session_started(&p, [3; 32], "gw-1").await.unwrap();
    let live = SessionFilter { live_only: true, ..Default::default() };
    assert_eq!(w.approvals.sessions(live.clone(), Page::default()).await.unwrap().rows[0].person_handle, "ada");

    w.approvals.session_ended(s, &EndReason::ClientClosed).await;
    w.approvals.recording_sealed(sealed(s)).await;
    let row = w.approvals.session(s).await.unwrap().unwrap();
    assert_eq!((row.end_reason.as_deref(), row.recording), (Some("client_closed"), RecordingState::Complete));
    assert_eq!(row.mask_counts["mrn"], 2);
    assert_eq!(w.approvals.sessions(live, Page::default()).await.unwrap().total, 0);
}

pub fn sealed(session: SessionId) -> SealedRecord {
    SealedRecord {
        session,
        state: RecordingState::Complete,
        manifest: serde_json::json!({"v": 1}),
        // Canonical bytes: {"v":1}
        manifest_sha256: Sha256::digest(br#"{"v":1}"#).into(),
        mask_incomplete: false,
        mask_counts: BTreeMap::from([("mrn".into(), 2)]),
        bytes: 4096,
    }
}

#[tokio::test]
async fn a_step_up_opens_one_session_of_one_connection() {
    let w = World::new().await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.grant(&ada, &mut bob).await;
    let asked = w.approvals.ask_step_up(ask(&ada)).await.unwrap();
    let passed = SecondFactor::Passed(asked.id);
    assert!(matches!(authorize(&w, &ada, session(), passed).await, Decision::NeedsSecondFactor(_)), "not passed yet");
    pass(&w, &mut ada, &asked).await;

    let elsewhere: IpAddr = "203.0.113.9".parse().unwrap();
    let moved = w.approvals.authorize(&ada.person, session(), "ehr-db-1", "root", elsewhere, passed).await.unwrap();
    assert!(matches!(moved, Decision::NeedsSecondFactor(_)), "another address");
    let invented = SecondFactor::Passed(StepUpId(Uuid::new_v4()));
    assert!(matches!(authorize(&w, &ada, session(), invented).await, Decision::NeedsSecondFactor(_)), "an invented one");

    let s = session();
    assert!(matches!(authorize(&w, &ada, s, passed).await, Decision::Permit(_)));
    assert!(matches!(authorize(&w, &ada, s, passed).await, Decision::Permit(_)), "asking again for the same session is fine");
    assert!(matches!(authorize(&w, &ada, session(), passed).await, Decision::NeedsSecondFactor(_)), "spent");
    assert!(
        matches!(authorize(&w, &ada, session(), SecondFactor::Remembered).await, Decision::NeedsSecondFactor(_)),
        "policy remembers nothing"
    );
}

#[tokio::test]
async fn somebody_elses_step_up_does_not_count_and_is_not_seen() {
    let w = World::new().await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let mut eve = w.somebody("eve", Role::Admin).await;
    w.grant(&ada, &mut bob).await;
    let hers = w.approvals.ask_step_up(ask(&eve)).await.unwrap();
    assert!(w.approvals.step_up(&ada.person, hers.id).await.unwrap().is_none());
    assert_eq!(w.approvals.begin_step_up(&ada.person, hers.id).await.unwrap_err(), StepUpError::NoSuchStepUp);
    assert_eq!(w.approvals.refuse_step_up(&ada.person, hers.id).await.unwrap_err(), StepUpError::NoSuchStepUp);
    pass(&w, &mut eve, &hers).await;
    assert!(matches!(authorize(&w, &ada, session(), SecondFactor::Passed(hers.id)).await, Decision::NeedsSecondFactor(_)));
    let mine = w.approvals.ask_step_up(ask(&ada)).await.unwrap();
    pass(&w, &mut ada, &mine).await;
}

#[tokio::test]
async fn a_waiting_terminal_hears_at_once() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let (a, stop) = (w.approvals.clone(), stop.clone());
        async move { a.run(stop).await }
    });
    let asked = w.approvals.ask_step_up(ask(&ada)).await.unwrap();
    assert_eq!(w.approvals.wait_step_up(asked.id, Duration::from_millis(50)).await.unwrap(), StepUpState::Pending);
    let waiting = tokio::spawn({
        let a = w.approvals.clone();
        async move { a.wait_step_up(asked.id, Duration::from_secs(20)).await.unwrap() }
    });
    pass(&w, &mut ada, &asked).await;
    let state = tokio::time::timeout(Duration::from_secs(3), waiting).await.expect("within seconds").unwrap();
    assert_eq!(state, StepUpState::Passed);

    let unwanted = w.approvals.ask_step_up(ask(&ada)).await.unwrap();
    w.approvals.refuse_step_up(&ada.person, unwanted.id).await.unwrap();
    assert_eq!(w.approvals.wait_step_up(unwanted.id, Duration::from_secs(5)).await.unwrap(), StepUpState::Refused);
    assert_eq!(w.approvals.begin_step_up(&ada.person, unwanted.id).await.unwrap_err(), StepUpError::Over);

    let slow = w.approvals.ask_step_up(ask(&ada)).await.unwrap();
    let start = w.approvals.begin_step_up(&ada.person, slow.id).await.unwrap();
    w.sql("update step_up set expires_at = now() - interval '1 second'").await;
    assert_eq!(w.approvals.wait_step_up(slow.id, Duration::from_secs(5)).await.unwrap(), StepUpState::Expired);
    let answer = ada.passkey.get(&start.options).unwrap();
    assert_eq!(w.approvals.finish_step_up(&ada.person, start.ceremony, &answer).await.unwrap_err(), StepUpError::Over);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_stolen_key_can_not_flood_its_owner_with_questions() {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    for _ in 0..5 {
        w.approvals.ask_step_up(ask(&ada)).await.unwrap();
    }
    assert_eq!(w.approvals.ask_step_up(ask(&ada)).await.unwrap_err(), StepUpError::TooMany);
}

#[tokio::test]
async fn a_remembered_step_up_counts_for_this_key_address_and_target_only() {
    let w = World::remembering(Duration::from_secs(3600)).await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.grant(&ada, &mut bob).await;
    let (name, elsewhere): (_, IpAddr) = (TargetName::new("ehr-db-1").unwrap(), "203.0.113.9".parse().unwrap());
    let remembered = |key: &'static str, from, target| {
        let (a, id) = (w.approvals.clone(), ada.person.id);
        async move { a.step_up_remembered(id, key, from, &target).await.unwrap() }
    };
    assert!(!remembered(KEY_FINGERPRINT, HERE, name.clone()).await);
    let asked = w.approvals.ask_step_up(ask(&ada)).await.unwrap();
    assert!(!remembered(KEY_FINGERPRINT, HERE, name.clone()).await, "asked is not passed");
    pass(&w, &mut ada, &asked).await;
    let ada = &ada;
    let remembered = |key: &'static str, from, target| {
        let (a, id) = (w.approvals.clone(), ada.person.id);
        async move { a.step_up_remembered(id, key, from, &target).await.unwrap() }
    };
    assert!(remembered(KEY_FINGERPRINT, HERE, name.clone()).await);
    assert!(!remembered("SHA256:other", HERE, name.clone()).await);
    assert!(!remembered(KEY_FINGERPRINT, elsewhere, name.clone()).await);
    assert!(!remembered(KEY_FINGERPRINT, HERE, TargetName::new("mri-3").unwrap()).await);
    assert!(matches!(authorize(&w, ada, session(), SecondFactor::Remembered).await, Decision::Permit(_)));
    assert!(w.log().await.iter().any(|e| matches!(e, AuditEvent::StepUpRemembered { .. })));
    w.sql("update step_up set answered_at = now() - interval '2 hours'").await;
    assert!(!remembered(KEY_FINGERPRINT, HERE, name).await);
    assert!(matches!(authorize(&w, ada, session(), SecondFactor::Remembered).await, Decision::NeedsSecondFactor(_)));
}

#[tokio::test]
async fn unknown_and_forbidden_get_the_same_answer_and_are_remembered() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let eve = w.somebody("eve", Role::Admin).await;
    w.grant(&ada, &mut bob).await;
    for (target, acc) in
        [("ehr-db-1", "root"), ("nowhere", "root"), ("ehr-db-1", "nobody"), ("John Smith, MRN 4711", "root"), ("ehr-db-1", "-o")]
    {
        let d = w.approvals.authorize(&eve.person, session(), target, acc, HERE, SecondFactor::Missing).await.unwrap();
        assert!(matches!(d, Decision::Deny(Refusal::NoSuchAccess)), "{target} {acc}: {d:?}");
    }
    let refused: Vec<String> = w
        .log()
        .await
        .into_iter()
        .filter_map(|e| if let AuditEvent::AccessRefused { target, .. } = e { Some(target) } else { None })
        .collect();
    assert_eq!(refused, ["ehr-db-1", "nowhere", "ehr-db-1", "(not a target name)", "ehr-db-1"]);
}

#[tokio::test]
async fn a_permit_that_became_void_starts_nothing() {
    let w = World::new().await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let grant = w.grant(&ada, &mut bob).await;
    let p = permit(&w, &mut ada, session()).await;
    w.approvals.revoke_grant(Some(bob.person.id), grant.id).await.unwrap();
    let refused = w.approvals.session_started(&p, [0; 32], "gw").await.unwrap_err();
    assert_eq!(refused, StartError::NoLonger(EndReason::GrantRevoked));

    w.grant(&ada, &mut bob).await;
    let p = permit(&w, &mut ada, session()).await;
    w.approvals.suspend_person(None, ada.person.id).await.unwrap();
    let refused = w.approvals.session_started(&p, [0; 32], "gw").await.unwrap_err();
    assert_eq!(refused, StartError::NoLonger(EndReason::PersonSuspended));
}

#[tokio::test]
async fn revoking_and_terminating_reach_every_gateway() {
    let w = World::new().await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let grant = w.grant(&ada, &mut bob).await;
    let s = session();
    let p = permit(&w, &mut ada, s).await;
    w.approvals.session_started(&p, [0; 32], "gw").await.unwrap();
    let standing = p.standing();
    let stop = CancellationToken::new();
    let mut changes = w.approvals.endings();
    let running = tokio::spawn({
        let (a, stop) = (w.approvals.clone(), stop.clone());
        async move { a.run(stop).await }
    });
    while changes.recv().await.unwrap() != Change::Resync {}

    let (bystander, by) = (w.somebody("eve", Role::Admin).await, bob.person.id);
    assert_eq!(w.approvals.order_terminate(s, bystander.person.id).await.unwrap_err(), ManageError::NotAllowed);
    assert_eq!(w.approvals.revoke_grant(Some(bystander.person.id), grant.id).await.unwrap_err(), ManageError::NotAllowed);
    w.approvals.order_terminate(s, by).await.unwrap();
    w.approvals.revoke_grant(Some(by), grant.id).await.unwrap();
    let mut want = vec![Change::Terminate { session: s, by }, Change::GrantRevoked(grant.id)];
    let heard = tokio::time::timeout(Duration::from_secs(2), async {
        while !want.is_empty() {
            let c = changes.recv().await.unwrap();
            want.retain(|x| *x != c);
        }
    });
    heard.await.expect("within a second or so");
    let (verdict, _) = w.approvals.rejudge(&standing).await.unwrap();
    assert_eq!(verdict, Verdict::Ends(EndReason::GrantRevoked));
    assert!(w.approvals.reachable(ada.person.id, now()).await.unwrap().is_empty());
    stop.cancel();
    running.await.unwrap();
}

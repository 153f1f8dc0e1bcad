//! What sessions show of patients is kept as counts, compared with the person's own, and done something about once.
use crate::{connecting::permit, world::World};
use anteroom_domain::{
    AuditEvent, EndReason, Lockable, PatientsSeen, Role, SessionId,
    audit::{LockEvent, PatientsEvent},
};
use anteroom_policy::{Limit, PatientLimits, Reaction};
use uuid::Uuid;

fn seen(n: u64) -> PatientsSeen {
    PatientsSeen::new([("mrn".to_owned(), n), ("phone".to_owned(), 1)].into())
}

#[tokio::test]
async fn a_session_is_judged_against_its_persons_own_and_each_step_is_in_the_log_once() {
    let w = Box::pin(World::new()).await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.grant(&ada, &mut bob).await;
    let limits = PatientLimits {
        alert: Limit { patients: Some(500), times: Some(5) },
        pause: Limit { patients: Some(200), times: None },
        lock: Limit { patients: Some(1000), times: None },
    };
    let person = ada.person.id;
    let mut last = SessionId(Uuid::nil());
    for n in 0..6 {
        last = SessionId(Uuid::now_v7());
        let p = Box::pin(permit(&w, &mut ada, last)).await;
        w.approvals.session_started(&p, [3; 32], "gw").await.unwrap();
        if n < 5 {
            assert_eq!(w.approvals.patients_seen(last, person, &seen(2), &limits).await.unwrap(), Reaction::Nothing);
            w.approvals.session_ended(last, &EndReason::ClientClosed).await;
        }
    }
    let usual = w.approvals.patients_of_person(person).await.unwrap().usual.unwrap();
    assert_eq!((usual.median, usual.sessions), (2, 5));

    let mut told = Vec::new();
    for n in [9, 10, 11, 3, 200, 250] {
        told.push(w.approvals.patients_seen(last, person, &seen(n), &limits).await.unwrap());
    }
    use Reaction::{Alert, Nothing, Pause};
    assert_eq!(told, [Nothing, Alert, Nothing, Nothing, Pause, Nothing]);
    let kept = w.approvals.patients_of(&[last]).await.unwrap().remove(&last).unwrap();
    assert_eq!((kept.seen.patients(), kept.reaction), (250, Pause), "counts never go down");

    assert_eq!(w.approvals.patients_seen(last, person, &seen(1000), &limits).await.unwrap(), Reaction::Lock);
    assert!(w.approvals.lock_on(Lockable::Person(person)).await.unwrap().is_some());
    let alarms: Vec<_> = w.alarms().await.into_iter().map(|a| (a["alarm"].clone(), a["person"].clone())).collect();
    let ada = |alarm: &str| (alarm.into(), "ada".into());
    assert_eq!(alarms, [ada("patients_seen"), ada("patients_seen"), ada("patients_seen"), ada("locked")]);
    let log = w.log().await;
    let reactions: Vec<&str> = log
        .iter()
        .filter_map(|e| match e {
            AuditEvent::Patients(PatientsEvent::Threshold { session, reaction, usual, .. }) if *session == last && *usual == Some(2) => {
                Some(reaction.as_str())
            }
            _ => None,
        })
        .collect();
    assert_eq!(reactions, ["alert", "pause", "lock"]);
    assert!(log.iter().any(|e| matches!(e, AuditEvent::Lock(LockEvent::Locked { what: Lockable::Person(p), .. }) if *p == person)));
}

//! What device managers report of people's machines: who may, what is taken, and what it does to what runs.
use crate::world::{HERE, KEY_FINGERPRINT, Someone, World, now};
use anteroom_approvals::{Approvals, Change, ManageError, PostureError, Whence, Why};
use anteroom_domain::{AuditEvent, DeviceName, Moment, Role, SessionId, audit::PostureEvent};
use anteroom_policy::{Decision, Permit, PolicyFile, Refusal, SecondFactor, Verdict};
use anteroom_posture::{Comes, Envelope, FeedSecret, MAX_BYTES};
use serde_json::{Value, json};
use std::time::Duration as StdDuration;
use time::{Duration, format_description::well_known::Rfc3339};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Healthy machines only; a report that is late makes wait.
const POLICY: &str = r#"
@id("asks") permit (principal, action == Action::"request", resource);
@id("connects") permit (principal, action == Action::"connect", resource) when { context has posture };
@id("unhealthy") @reason("your disk is not encrypted")
forbid (principal, action == Action::"connect", resource) when { context has posture && !context.posture.disk_encrypted };
@id("late") @pause @reason("the report is late")
forbid (principal, action == Action::"connect", resource) when { context has posture && context.posture.age_minutes > 60 };
"#;

fn report(reported_at: Moment, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut r = json!({
        "person": "ada", "device": "LAPTOP-7", "reported_at": reported_at.format(&Rfc3339).unwrap(), "disk_encrypted": true,
        "secure_boot": true, "endpoint_protection": true, "os": "Windows 11 24H2", "ssh_keys": [KEY_FINGERPRINT],
    });
    change(&mut r);
    r.to_string().into_bytes()
}

/// Signed at this moment, and sent.
async fn send_at(a: &Approvals, secret: &FeedSecret, at: Moment, body: &[u8]) -> Result<(), PostureError> {
    let at = at.unix_timestamp();
    let signature = secret.sign("msg_1", at, body);
    a.report_posture(Envelope { id: "msg_1", timestamp: &at.to_string(), signature: &signature, body }).await
}

async fn send(a: &Approvals, secret: &FeedSecret, body: &[u8]) -> Result<(), PostureError> {
    send_at(a, secret, now(), body).await
}

struct Scene {
    w: World,
    ada: Someone,
    feed: FeedSecret,
}

/// Ada has a grant, the policy asks for a machine, and a device manager is let in.
async fn scene() -> Scene {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let feed = FeedSecret::of([7; 32]);
    w.approvals.add_posture_feed(None, "device-manager", &feed.public()).await.unwrap();
    let files = vec![PolicyFile { name: "a.cedar".into(), text: POLICY.into() }];
    w.approvals.set_policy(None, files, "machines").await.unwrap();
    w.grant(&ada, &mut bob).await;
    Scene { w, ada, feed }
}

impl Scene {
    async fn connect(&self, key: &str) -> Decision {
        let whence = Whence { source: HERE, key: Some(key) };
        let session = SessionId(Uuid::now_v7());
        self.w.approvals.authorize(&self.ada.person, session, "ehr-db-1", "root", whence, SecondFactor::SecurityKey).await.unwrap()
    }

    async fn permit(&self) -> Permit {
        match self.connect(KEY_FINGERPRINT).await {
            Decision::Permit(p) => p,
            other => panic!("{other:?}"),
        }
    }

    async fn refused(&self) -> String {
        match self.connect(KEY_FINGERPRINT).await {
            Decision::Deny(Refusal::Policy(why)) => why.join(" "),
            other => panic!("{other:?}"),
        }
    }

    async fn log(&self) -> Vec<PostureEvent> {
        let log = self.w.log().await.into_iter();
        log.filter_map(|e| if let AuditEvent::Posture(p) = e { Some(p) } else { None }).collect()
    }
}

#[tokio::test]
async fn a_fresh_report_of_this_machine_permits_and_nothing_else_does() {
    let s = scene().await;
    let a = &s.w.approvals;
    assert!(s.refused().await.contains("no policy permits"), "nothing was reported");
    send(a, &s.feed, &report(now() - Duration::minutes(1), |_| {})).await.unwrap();
    assert_eq!(s.permit().await.circumstances().posture.as_ref().map(|p| p.os.as_str()), Some("Windows 11 24H2"));
    assert!(matches!(s.connect("SHA256:another").await, Decision::Deny(_)), "a key that is on no machine");

    let explained = |key: &'static str| {
        let (who, target, account) = (s.ada.person.clone(), s.w.target.name.clone(), crate::world::account("root"));
        async move { a.explain(Why::usual(&who, &target, &account, Comes { from: Some(HERE), key: Some(key) })).await.unwrap().unwrap() }
    };
    let e = explained(KEY_FINGERPRINT).await;
    assert!(
        e.may_connect && e.sentences.iter().any(|t| t.contains("LAPTOP-7 (Windows 11 24H2), reported healthy 1 minutes before")),
        "{e:?}"
    );
    let e = explained("SHA256:another").await;
    assert!(!e.may_connect && e.sentences.iter().any(|t| t.contains("does not fit this address and key")), "{e:?}");

    // The same key on a second machine: nobody can say which it is.
    send(a, &s.feed, &report(now(), |r| r["device"] = json!("COPY"))).await.unwrap();
    assert!(matches!(s.connect(KEY_FINGERPRINT).await, Decision::Deny(_)), "ambiguous");
    let copy = DeviceName::new("COPY").unwrap();
    a.forget_machine(None, s.ada.person.id, &copy).await.unwrap();
    assert_eq!(a.forget_machine(None, s.ada.person.id, &copy).await.unwrap_err(), ManageError::NoSuch("machine"));
    let _ = s.permit().await;

    // From known addresses only.
    send(a, &s.feed, &report(now(), |r| r["addresses"] = json!(["10.9.9.9"]))).await.unwrap();
    assert!(matches!(s.connect(KEY_FINGERPRINT).await, Decision::Deny(_)), "the key was copied elsewhere");
}

#[tokio::test]
async fn a_report_that_turns_bad_ends_what_runs_and_one_that_is_late_makes_it_wait() {
    let s = scene().await;
    let a = &s.w.approvals;
    send(a, &s.feed, &report(now() - Duration::minutes(2), |_| {})).await.unwrap();
    let (running, waiting) = (s.permit().await, s.permit().await);
    a.session_started(&running, [0; 32], "gw").await.unwrap();
    let standing = running.standing();
    assert!(matches!(a.rejudge(&standing).await.unwrap().0, Verdict::Stays { .. }));

    // The device manager falls silent. What was known is enough to see that: nobody asks the database.
    let mut known = running.circumstances().clone();
    if let Some(p) = &mut known.posture {
        p.reported_at = now() - Duration::minutes(62);
    }
    let by_the_clock = a.judge_by_the_clock(&standing, &known);
    assert!(matches!(&by_the_clock, Verdict::StandsStill { why, .. } if why.contains("late")), "{by_the_clock:?}");
    s.w.sql("update posture set posture = jsonb_set(posture, '{reported_at}', '\"2026-01-01T00:00:00Z\"'), reported_at = '2026-01-01'")
        .await;
    assert!(matches!(a.rejudge(&standing).await.unwrap().0, Verdict::StandsStill { .. }));
    assert!(s.refused().await.contains("late"), "and nothing new begins");

    // A new report is told to every gateway within the second, and the session goes on.
    let stop = CancellationToken::new();
    let mut changes = a.endings();
    let task = tokio::spawn({
        let (a, stop) = (a.clone(), stop.clone());
        async move { a.run(stop).await }
    });
    while changes.recv().await.unwrap() != Change::Resync {}
    let ada = Change::Person(s.ada.person.id);
    let told = async |changes: &mut tokio::sync::broadcast::Receiver<Change>| {
        tokio::time::timeout(StdDuration::from_secs(1), async { while changes.recv().await.unwrap() != ada {} }).await.expect("told");
    };
    send(a, &s.feed, &report(now() - Duration::minutes(1), |_| {})).await.unwrap();
    told(&mut changes).await;
    assert!(matches!(a.rejudge(&standing).await.unwrap().0, Verdict::Stays { .. }));

    send(a, &s.feed, &report(now(), |r| r["disk_encrypted"] = json!(false))).await.unwrap();
    told(&mut changes).await;
    assert_eq!(a.rejudge(&standing).await.unwrap().0, Verdict::Ends(anteroom_domain::EndReason::PolicyDenied));
    assert!(a.session_started(&waiting, [0; 32], "gw").await.is_err(), "a permit made before it opens nothing");
    assert!(s.refused().await.contains("not encrypted"));
    stop.cancel();
    task.await.unwrap();

    // A report that only says the same again is no line.
    let events = s.log().await;
    let disks: Vec<bool> = events
        .iter()
        .filter_map(|e| if let PostureEvent::Reported { disk_encrypted, .. } = e { Some(*disk_encrypted) } else { None })
        .collect();
    assert_eq!(disks, [true, false], "{events:?}");
}

#[tokio::test]
async fn what_is_forged_replayed_from_elsewhere_or_too_much_changes_nothing() {
    let s = scene().await;
    let (a, t) = (&s.w.approvals, now());
    let good = report(t - Duration::minutes(1), |_| {});
    let other = FeedSecret::of([8; 32]);
    assert_eq!(send(a, &other, &good).await.unwrap_err(), PostureError::NotSigned, "a key that nobody let in");
    let signature = s.feed.sign("msg_1", t.unix_timestamp(), &good);
    let changed = report(t - Duration::minutes(1), |r| r["person"] = json!("bob"));
    let forged = Envelope { id: "msg_1", timestamp: &t.unix_timestamp().to_string(), signature: &signature, body: &changed };
    assert_eq!(a.report_posture(forged).await.unwrap_err(), PostureError::NotSigned, "another body under the signature");
    assert_eq!(send(a, &s.feed, &vec![b' '; 1 << 20]).await.unwrap_err(), PostureError::NotSigned, "a megabyte is not even hashed");
    const { assert!(MAX_BYTES < 1 << 20) };
    for minutes in [-6, 6] {
        assert_eq!(send_at(a, &s.feed, t + Duration::minutes(minutes), &good).await.unwrap_err(), PostureError::Stale);
    }
    assert_eq!(send(a, &s.feed, &report(t + Duration::minutes(5), |_| {})).await.unwrap_err(), PostureError::Future);
    assert_eq!(send(a, &s.feed, &report(t, |r| r["person"] = json!("nobody"))).await.unwrap_err(), PostureError::NoSuchPerson);
    assert!(matches!(send(a, &s.feed, b"{}").await, Err(PostureError::Report(_))));
    assert!(a.machines(None).await.unwrap().is_empty(), "nothing of it was taken");

    send(a, &s.feed, &good).await.unwrap();
    assert_eq!(send(a, &s.feed, &good).await.unwrap_err(), PostureError::NotNewer, "the same message again");
    let older = report(t - Duration::minutes(2), |r| r["disk_encrypted"] = json!(false));
    assert_eq!(send(a, &s.feed, &older).await.unwrap_err(), PostureError::NotNewer, "an older one");

    // A second device manager has machines of its own, and not these.
    a.add_posture_feed(None, "second", &other.public()).await.unwrap();
    assert_eq!(send(a, &other, &report(t, |_| {})).await.unwrap_err(), PostureError::OtherFeed);
    assert_eq!(a.machines(Some(s.ada.person.id)).await.unwrap()[0].feed, "device-manager");
    // When the first is revoked, what it said counts no more, and the second may say it.
    let running = s.permit().await;
    a.session_started(&running, [0; 32], "gw").await.unwrap();
    a.revoke_feed(None, "device-manager").await.unwrap();
    assert_eq!(send(a, &s.feed, &report(now(), |_| {})).await.unwrap_err(), PostureError::NotSigned);
    assert!(a.machines(None).await.unwrap().is_empty());
    assert_eq!(a.rejudge(&running.standing()).await.unwrap().0, Verdict::Ends(anteroom_domain::EndReason::PolicyDenied));
    send(a, &other, &report(t, |_| {})).await.unwrap();
    let _ = s.permit().await;
}

#[tokio::test]
async fn who_lets_device_managers_in_and_how_much_one_may_say() {
    let s = scene().await;
    let a = &s.w.approvals;
    let key = FeedSecret::of([9; 32]).public();
    assert_eq!(a.add_posture_feed(Some(s.ada.person.id), "x", &key).await.unwrap_err(), ManageError::NotAllowed);
    assert_eq!(a.add_posture_feed(None, "device-manager", &key).await.unwrap_err(), ManageError::Taken("name"));
    assert_eq!(a.add_posture_feed(None, "again", &s.feed.public()).await.unwrap_err(), ManageError::Taken("key"));
    // Its name in the path of clinical use opens nothing.
    let name = s.w.target.name.clone();
    let said = a.report_clinical_use(&s.feed.public().text(), &name, anteroom_domain::ClinicalUse::Idle).await;
    assert_eq!(said.unwrap_err(), ManageError::NotAllowed);
    for n in 0..64 {
        send(a, &s.feed, &report(now(), |r| r["device"] = json!(format!("vm-{n}")))).await.unwrap();
    }
    assert_eq!(send(a, &s.feed, &report(now(), |r| r["device"] = json!("vm-64"))).await.unwrap_err(), PostureError::TooMany);
    send(a, &s.feed, &report(now(), |r| r["device"] = json!("vm-0"))).await.unwrap();
    let feeds = a.feeds().await.unwrap();
    assert_eq!(feeds[0].public_key.as_deref(), Some(s.feed.public().text().as_str()));
    assert!(matches!(&s.log().await[0], PostureEvent::FeedAdded { feed, .. } if feed == "device-manager"));
}

#[tokio::test]
async fn a_machine_that_is_reported_as_unprotected_is_told_of_once() {
    let s = scene().await;
    let at = now() - time::Duration::minutes(5);
    let bad = |r: &mut Value| r["endpoint_protection"] = false.into();
    for (minute, change) in [(0, None), (1, Some(bad)), (2, Some(bad)), (3, None)] {
        let body = report(at + time::Duration::minutes(minute), |r| change.into_iter().for_each(|c| c(r)));
        send(&s.w.approvals, &s.feed, &body).await.unwrap();
    }
    let alarms = s.w.alarms().await;
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert_eq!((&alarms[0]["alarm"], &alarms[0]["person"]), (&"posture".into(), &"ada".into()));
}

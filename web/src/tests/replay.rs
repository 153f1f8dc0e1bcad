//! Watching: who may, what is said about it, and what the log keeps.
use super::Site;
use crate::world::{HERE, KEY_FINGERPRINT, Someone, World, account};
use anteroom_approvals::{AskStepUp, Change, SealedRecord};
use anteroom_domain::{AuditEvent, EndReason, LiveSession, RecordingState, Role, Secret, SessionControl as _, SessionId, TargetName};
use anteroom_policy::{Decision, Permit, SecondFactor};
use anteroom_recorder::{Event, EventKind, PrivateKey, Pty, Recipients, Recorder, RecorderOptions, Recording, Replayer, SessionHeader};
use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use std::{io::Write, os::unix::fs::OpenOptionsExt, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

pub(super) async fn permit(w: &World, who: &mut Someone, session: SessionId) -> Permit {
    let ask = AskStepUp {
        person: who.person.id,
        ssh_session_id: vec![1; 32],
        fingerprint: KEY_FINGERPRINT.into(),
        target: TargetName::new("ehr-db-1").unwrap(),
        account: account("root"),
        source: HERE,
    };
    let asked = w.approvals.ask_step_up(ask).await.unwrap();
    let start = w.approvals.begin_step_up(&who.person, asked.id).await.unwrap();
    let answer = who.passkey.get(&start.options).unwrap();
    w.approvals.finish_step_up(&who.person, start.ceremony, &answer).await.unwrap();
    let factor = SecondFactor::Passed(asked.id);
    match w.approvals.authorize(&who.person, session, "ehr-db-1", "root", HERE, factor).await.unwrap() {
        Decision::Permit(p) => p,
        other => panic!("{other:?}"),
    }
}

pub(super) struct Studio {
    pub(super) dir: tempfile::TempDir,
    pub(super) recorder: Recorder,
    pub(super) replayer: Replayer,
}

pub(super) fn studio() -> Studio {
    let dir = tempfile::tempdir().unwrap();
    let key = |n| PrivateKey::from_seed(&[n; 32]);
    let options = RecorderOptions {
        root: dir.path().join("recordings"),
        gateway: "gw-test".into(),
        recipients: Recipients { masked: *key(1).public(), sealed: [*key(2).public(), *key(3).public()] },
        rules: Arc::new(anteroom_masking::RuleSet::builtin()),
        manifest_key: Secret::new([42; 32]),
        max_lag: Duration::from_secs(1),
    };
    let file = dir.path().join("masked.key");
    let mut f = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&file).unwrap();
    f.write_all(key(1).to_line().as_bytes()).unwrap();
    let root = options.root.clone();
    Studio { recorder: Recorder::open(options).unwrap(), replayer: Replayer::open(root, &file).unwrap(), dir }
}

/// A session with one line of output and one masked telephone number in it.
pub(super) async fn recorded(site: &Site, studio: &Studio, ada: &mut Someone) -> SessionId {
    recorded_saying(site, studio, ada, "hello from ehr-db-1\r\nSSN: 536-22-8726\r\n").await
}

/// A session that runs and has shown nothing yet.
pub(super) async fn begun(site: &Site, studio: &Studio, ada: &mut Someone) -> (SessionId, Recording) {
    let id = SessionId(uuid::Uuid::now_v7());
    let p = permit(&site.world, ada, id).await;
    let header = SessionHeader {
        session: id,
        person: ada.person.id,
        person_handle: "ada".into(),
        target: site.world.target.id,
        target_name: site.world.target.name.clone(),
        account: account("root"),
        source: HERE,
        started_at: crate::world::now(),
        grant: p.grant(),
    };
    let recording = studio.recorder.start(header).await.unwrap();
    site.world.approvals.session_started(&p, recording.header_sha256(), "gw-test").await.unwrap();
    (id, recording)
}

pub(super) async fn recorded_saying(site: &Site, studio: &Studio, ada: &mut Someone, output: &str) -> SessionId {
    let (id, recording) = begun(site, studio, ada).await;
    let pty = Pty { cols: 80, rows: 24, term: "xterm".into() };
    for (ms, kind) in [
        (0, EventKind::Open { pty: Some(pty), command: None }),
        (10, EventKind::Output(output.to_owned().into())),
        (500, EventKind::Exit { status: 0 }),
        (500, EventKind::Close),
    ] {
        recording.record(Event { at: Duration::from_millis(ms), channel: 0, kind }).await.unwrap();
    }
    seal(site, id, recording).await;
    id
}

/// What the gateway does when a session ends.
pub(super) async fn seal(site: &Site, id: SessionId, recording: Recording) {
    let sealed = recording.finish().await.unwrap();
    site.world.approvals.session_ended(id, &EndReason::ClientClosed).await;
    let record = SealedRecord {
        session: id,
        state: sealed.state,
        manifest: serde_json::to_value(&sealed.manifest).unwrap(),
        manifest_sha256: sealed.manifest_sha256,
        mask_incomplete: sealed.mask_incomplete,
        mask_counts: sealed.mask_counts,
        bytes: sealed.bytes,
    };
    assert_eq!(record.state, RecordingState::Complete);
    site.world.approvals.recording_sealed(record).await;
}

#[tokio::test]
async fn an_auditor_watches_masked_and_the_log_says_so_once() {
    let studio = studio();
    let site = Site::with(Some(studio.replayer.clone())).await;
    let (mut ada, mut bob) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
    let max = site.world.somebody("max", Role::Auditor).await;
    site.world.grant(&ada, &mut bob).await;
    let id = recorded(&site, &studio, &mut ada).await;

    let list = site.get("/recordings?q=ehr-db", Some(&max)).await.text;
    assert!(list.contains(&format!("/recordings/{id}")), "{list}");
    let page = site.get(&format!("/recordings/{id}"), Some(&max)).await;
    assert!(
        page.header("content-security-policy").contains("'wasm-unsafe-eval'")
            && !page.header("content-security-policy").contains("'unsafe")
    );
    assert!(page.text.contains(&format!("data-place=\"/recordings/{id}/channels/0\"")), "{}", page.text);

    let cast_path = format!("/recordings/{id}/channels/0/cast");
    for _ in 0..2 {
        let cast = site.get(&cast_path, Some(&max)).await;
        assert_eq!(cast.status, StatusCode::OK, "{}", cast.text);
        assert!(cast.text.lines().next().unwrap().contains("\"version\":2"), "{}", cast.text);
        assert!(cast.text.contains("hello from ehr-db-1") && !cast.text.contains("536-22-8726"), "{}", cast.text);
    }
    let viewings = site.world.log().await.into_iter().filter(|e| matches!(e, AuditEvent::RecordingViewed { .. })).count();
    assert_eq!(viewings, 1);

    // Nobody else, not even who made it; and no other site may start a viewing.
    for who in [&ada, &bob] {
        assert_eq!(site.get(&cast_path, Some(who)).await.status, StatusCode::NOT_FOUND);
        assert_eq!(site.get(&format!("/recordings/{id}"), Some(who)).await.status, StatusCode::NOT_FOUND);
    }
    let foreign = Request::get(&cast_path).header("host", "gate.example").header("sec-fetch-site", "cross-site");
    let foreign = foreign.header("cookie", format!("__Host-anteroom={}", max.token.expose())).body(Body::empty()).unwrap();
    assert_eq!(site.send(foreign).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_recording_with_an_incomplete_mask_stays_closed() {
    let studio = studio();
    let site = Site::with(Some(studio.replayer.clone())).await;
    let (mut ada, mut bob) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
    let max = site.world.somebody("max", Role::Auditor).await;
    site.world.grant(&ada, &mut bob).await;
    let id = recorded(&site, &studio, &mut ada).await;
    site.world.sql("update session set mask_incomplete = true").await;
    let page = site.get(&format!("/recordings/{id}"), Some(&max)).await.text;
    assert!(page.contains("Masking of this recording is incomplete") && !page.contains("data-place"), "{page}");
    let cast = site.get(&format!("/recordings/{id}/channels/0/cast"), Some(&max)).await;
    assert_eq!(cast.status, StatusCode::NOT_FOUND);
}

/// A session that runs, as the database and the registry know it.
async fn running(site: &Site, ada: &mut Someone, bob: &mut Someone) -> SessionId {
    let grant = site.world.grant(ada, bob).await;
    let id = SessionId(uuid::Uuid::now_v7());
    let p = permit(&site.world, ada, id).await;
    site.world.approvals.session_started(&p, [3; 32], "gw-test").await.unwrap();
    site.control.live.lock().unwrap().push(LiveSession {
        id,
        grant: grant.id,
        person: ada.person.id,
        person_handle: "ada".into(),
        target: grant.target,
        target_name: grant.target_name.clone(),
        account: grant.account_name.clone(),
        source: "10.0.0.7".into(),
        started_at: crate::world::now(),
        grant_ends_at: grant.not_after,
        channels: 1,
        bytes_out: 12_345,
        holds: Default::default(),
    });
    id
}

#[tokio::test]
async fn who_may_terminate_may_write_and_the_log_says_that_they_did() {
    let site = Site::new().await;
    let (mut ada, mut bob) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
    let max = site.world.somebody("max", Role::Auditor).await;
    let id = running(&site, &mut ada, &mut bob).await;
    let path = format!("/sessions/{id}/message");
    assert!(site.get("/sessions", Some(&bob)).await.text.contains(&path));
    assert!(!site.get("/sessions", Some(&max)).await.text.contains(&path));
    for who in [&max, &ada] {
        assert_eq!(site.form(&path, &[("text", "hello")], Some(who)).await.status, StatusCode::NOT_FOUND);
    }
    let bad = site.form(&path, &[("text", "\u{1b}[2J")], Some(&bob)).await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(site.control.said.lock().unwrap().is_empty());
    // No gateway takes it: the session runs on another one, which is away.
    let nobody = site.form(&path, &[("text", "hello?")], Some(&bob)).await;
    assert!(nobody.text.contains("no gateway answered") && nobody.text.contains("hello?"), "{}", nobody.text);
    let stop = CancellationToken::new();
    let gateway = other_gateway(&site, &stop).await;
    let sent = site.form(&path, &[("text", "please stop,\r\nthe ward calls")], Some(&bob)).await;
    assert_eq!(sent.header("location"), "/sessions?done=message-sent");
    assert_eq!(site.control.said.lock().unwrap().as_slice(), ["BOB: please stop, the ward calls"]);
    let told = |log: Vec<AuditEvent>| {
        log.into_iter().filter(|e| matches!(e, AuditEvent::MessageSent { session, by } if *session == id && *by == bob.person.id)).count()
    };
    assert_eq!(told(site.world.log().await), 1);
    // Nobody there: said so, and nothing in the log.
    site.control.live.lock().unwrap().clear();
    let nobody = site.form(&path, &[("text", "hello?")], Some(&bob)).await;
    assert!(nobody.text.contains("no terminal open") && nobody.text.contains("hello?"), "{}", nobody.text);
    assert_eq!(told(site.world.log().await), 1);
    stop.cancel();
    gateway.await.unwrap();
    site.world.approvals.session_ended(id, &EndReason::ClientClosed).await;
    let over = site.form(&path, &[("text", "hello?")], Some(&bob)).await;
    assert!(over.text.contains("This session is over"), "{}", over.text);
}

/// What a gateway does with messages, somewhere else: it is told of them by the database only.
async fn other_gateway(site: &Site, stop: &CancellationToken) -> tokio::task::JoinHandle<()> {
    let (a, control) = (site.world.approvals.clone(), site.control.clone());
    let mut changes = a.changes();
    let hears = tokio::spawn({
        let (a, stop) = (a.clone(), stop.clone());
        async move { a.run(stop).await }
    });
    while changes.recv().await.unwrap() != Change::Resync {}
    tokio::spawn(async move {
        loop {
            let Ok(Change::Message { session, message }) = changes.recv().await else { continue };
            let Some(taken) = a.take_message(message).await.unwrap() else { continue };
            let shown = control.message(session, &taken.from, &taken.text);
            a.message_answered(message, session, taken.by, shown).await.unwrap();
        }
    });
    hears
}

#[tokio::test]
async fn terminating_says_first_what_will_happen() {
    let site = Site::new().await;
    let (mut ada, mut bob) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
    let max = site.world.somebody("max", Role::Auditor).await;
    let id = running(&site, &mut ada, &mut bob).await;
    let list = site.get("/sessions", Some(&bob)).await.text;
    assert!(list.contains("12 kB") && list.contains("1 channel"), "{list}");
    let path = format!("/sessions/{id}/terminate");
    assert!(!site.get("/sessions", Some(&max)).await.text.contains(&path), "an auditor watches only");
    let confirm = site.get(&path, Some(&bob)).await.text;
    assert!(confirm.contains("What will happen") && confirm.contains("ADA"));
    assert!(site.control.ended.lock().unwrap().is_empty());
    assert_eq!(site.form(&path, &[], Some(&max)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.form(&path, &[], Some(&bob)).await.header("location"), "/sessions?done=terminated");
    assert_eq!(site.control.ended.lock().unwrap().as_slice(), [id]);
}

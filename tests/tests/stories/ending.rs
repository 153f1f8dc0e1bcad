//! A session ends when its right does: at once, and with a reason that its user can read.
use anteroom_tests::harness::{Person, SshSession, World, soon};
use std::time::{Duration, Instant};

/// "Within a second" on a machine that is busy with the other stories.
const AT_ONCE: Duration = Duration::from_secs(3);

/// A session in the middle of its work.
fn at_work(w: &World, ada: &Person) -> SshSession {
    let s = w.ssh(ada).unwrap().command("echo at work; cat").spawn().unwrap();
    s.expect("at work").unwrap();
    s
}

fn ends(mut s: SshSession, why: &str) {
    let took = s.ended(Duration::from_secs(15)).unwrap();
    let out = s.outcome(Duration::from_secs(1)).unwrap();
    assert!(out.stderr.contains(why), "expected {why:?} in {:?}", out.stderr);
    assert_ne!(out.status, Some(0));
    assert!(took < AT_ONCE, "it took {took:?}");
}

fn live_session(w: &World) -> String {
    let all = w.sessions().unwrap();
    let live = all.iter().find(|s| s["ended_at"].is_null()).expect("a live session");
    live["id"].as_str().unwrap().to_owned()
}

#[test]
fn revoked_terminated_and_suspended_sessions_end_at_once() {
    let w = World::start().unwrap();
    let (ada, ben) = (w.admin("ada").unwrap(), w.person("ben", &["approver", "operator"]).unwrap());

    let grant = w.grant(&ada, &ben).unwrap();
    let s = at_work(&w, &ada);
    ben.post_form(&format!("/grants/{grant}/revoke"), &[]).unwrap();
    ends(s, "the grant was revoked");
    let again = w.ssh(&ada).unwrap().command("echo in").run().unwrap();
    assert!(!again.said().contains("in\n") && again.status != Some(0), "a revoked grant opened something: {}", again.said());

    let grant = w.grant(&ada, &ben).unwrap();
    let s = at_work(&w, &ada);
    w.cli.good(&["grant", "revoke", &grant]).unwrap();
    ends(s, "the grant was revoked");

    w.grant(&ada, &ben).unwrap();
    let s = at_work(&w, &ada);
    ben.post_form(&format!("/sessions/{}/terminate", live_session(&w)), &[]).unwrap();
    ends(s, "it was terminated by a supervisor");

    let s = at_work(&w, &ada);
    w.cli.good(&["session", "terminate", &live_session(&w), "--as", "ben"]).unwrap();
    ends(s, "it was terminated by a supervisor");

    let s = at_work(&w, &ada);
    w.cli.good(&["person", "suspend", "ada"]).unwrap();
    ends(s, "the person was suspended");
    // Out everywhere at once.
    let home = ada.get("/").unwrap();
    assert_eq!((home.status, home.location.as_deref()), (303, Some("/sign-in")));
    assert!(ada.elsewhere().sign_in().is_err());
    let out = w.ssh(&ada).unwrap().command("echo in").run().unwrap();
    assert!(out.stderr.contains("Permission denied"), "{}", out.said());

    for kind in ["grant_revoked", "session_terminated", "person_suspended"] {
        assert!(!w.audited(kind).unwrap().is_empty(), "{kind} is not in the log");
    }
    let reasons: Vec<_> = w.audited("session_ended").unwrap().iter().map(|e| e["reason"].as_str().unwrap().to_owned()).collect();
    assert_eq!(reasons, ["grant_revoked", "grant_revoked", "terminated", "terminated", "person_suspended"]);
}

#[test]
fn a_session_ends_with_its_grant() {
    let w = World::start().unwrap();
    let (ada, ben) = (w.admin("ada").unwrap(), w.person("ben", &["approver"]).unwrap());
    // Whole seconds travel in the form.
    let until = (time::OffsetDateTime::now_utc() + time::Duration::seconds(14)).replace_nanosecond(0).unwrap();
    ben.approve(&ada.request_until(&w.target.name, &w.target.account, until).unwrap()).unwrap();
    let mut s = at_work(&w, &ada);
    s.ended(Duration::from_secs(20)).unwrap();
    let late = time::OffsetDateTime::now_utc() - until;
    assert!((time::Duration::ZERO..AT_ONCE.try_into().unwrap()).contains(&late), "ended {late} after the grant");
    let out = s.outcome(Duration::from_secs(1)).unwrap();
    assert!(out.stderr.contains("the grant has ended"), "{}", out.said());
    let after = w.ssh(&ada).unwrap().command("echo in").run().unwrap();
    assert!(after.status != Some(0) && !after.text().contains("in"), "{}", after.said());
}

#[test]
fn stopping_the_gateway_tells_its_sessions_and_seals_their_recordings() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let s = at_work(&w, &ada);
    let began = Instant::now();
    w.stop_gateway().unwrap();
    assert!(began.elapsed() < Duration::from_secs(15), "stopping took {:?}", began.elapsed());
    let out = s.finish(Duration::from_secs(5)).unwrap();
    assert!(out.stderr.contains("the gateway was stopped"), "{}", out.said());
    w.start_gateway().unwrap();
    soon("a complete recording", || Ok(w.sealed_session()?["recording"] == "complete")).unwrap();
}

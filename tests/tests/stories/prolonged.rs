//! A grant ends in the middle of a vendor's work, and the approvers signed that the supervisor may decide. One session is let go on and is
//! cut a minute later; of another nobody said anything, and it ends with its grant.
use anteroom_tests::harness::{Browser, Person, SshSession, Sshd, World, soon, wait_for};
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use time::OffsetDateTime;

const COMPANY: &str = "Made-up Imaging";
/// From the approval to the grant's end: two connections, their confirmations and a browser that joins, on a busy machine.
const GRANT: time::Duration = time::Duration::seconds(75);
/// "At once" on a busy machine.
const LATE: time::Duration = time::Duration::seconds(4);

/// Vera of the company, on her company's two devices, under a policy that lets a supervisor decide for a minute.
fn set_up(w: &World) -> (Person, Sshd) {
    let vera = w.admin("vera").unwrap();
    let other = w.add_target("ct-console-2", "").unwrap();
    w.cli.good(&["company", "add", COMPANY, "--until", "2099-12-31"]).unwrap();
    w.cli.good(&["person", "set", &vera.handle, "--company", COMPANY]).unwrap();
    for target in [&w.target.name, &other.name] {
        w.cli.good(&["company", "keeps", COMPANY, target]).unwrap();
    }
    let default = w.cli.good(&["policy", "default"]).unwrap();
    let decides = default.replacen("@supervise\n@ticket\n", "@supervise\n@at_end(\"supervisor 1m\")\n@ticket\n", 1);
    assert_ne!(default, decides);
    let file = w.dir.join("decides.cedar");
    std::fs::write(&file, decides).unwrap();
    w.cli.good(&["policy", "set", file.to_str().unwrap(), "--note", "a supervisor decides when the time is over"]).unwrap();
    (vera, other)
}

/// The session that runs on this target.
fn session(w: &World, target: &str) -> String {
    wait_for("a session", Duration::from_secs(20), || {
        let all = w.sessions()?.into_iter().find(|s| s["ended_at"].is_null() && s["target_name"] == target);
        Ok(all.and_then(|s| s["id"].as_str().map(str::to_owned)))
    })
    .unwrap()
}

/// Watches by the portal's interface until it is over, as the page's script does.
fn watch(by: &Person, id: &str, over: &AtomicBool) {
    let joined = by.post_json(&format!("/supervise/{id}/join"), &json!({})).unwrap().json().unwrap();
    while !over.load(Ordering::SeqCst) {
        let answer = by.post_json(&format!("/supervise/{id}/renew"), &json!({ "seat": joined["seat"] })).unwrap().json().unwrap();
        assert!(answer["watching"] == true || answer["over"] == true, "{answer}");
        std::thread::sleep(Duration::from_millis(700));
    }
}

/// How long after `end` this ssh was over.
fn over(shell: &mut SshSession, end: OffsetDateTime) -> time::Duration {
    let left = Duration::try_from(end - OffsetDateTime::now_utc()).unwrap_or_default();
    shell.ended(left + Duration::from_secs(20)).unwrap();
    OffsetDateTime::now_utc() - end
}

#[test]
fn a_supervisor_lets_work_go_on_after_the_grants_end_and_it_is_cut_a_minute_later() {
    let w = World::start().unwrap();
    let (vera, other) = set_up(&w);
    let (ben, max) = (w.person("ben", &["approver"]).unwrap(), w.person("max", &["auditor"]).unwrap());
    let nora = Browser::start("nora", &w.origin).unwrap();
    nora.open(&w.add_person("nora", &["approver"]).unwrap()).unwrap();
    nora.click("Create a passkey").unwrap();
    nora.expect("Hello, Nora Example").unwrap();

    let end = (OffsetDateTime::now_utc() + GRANT).replace_nanosecond(0).unwrap();
    for (target, account) in [(&w.target.name, &w.target.account), (&other.name, &other.account)] {
        ben.approve(&vera.request_until(target, account, end).unwrap()).unwrap();
    }
    let connect = |login: &str| w.ssh(&vera).unwrap().login(login).terminal(100, 24).spawn().unwrap();
    let (mut goes_on, mut ends) = (connect(&w.login()), connect(&format!("{}@{}", other.account, other.name)));
    let (first, second) = (session(&w, &w.target.name), session(&w, &other.name));
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| watch(&ben, &second, &done));
        let stop = Stop(&done);
        nora.open(&format!("/supervise/{first}")).unwrap();
        nora.expect("unless whoever watches lets it go on").unwrap();
        assert!(!nora.text().unwrap().contains("Let it go on for"), "who does not watch has nothing to decide");
        nora.click("Join and watch").unwrap();
        goes_on.expect("target$ ").unwrap();
        ends.expect("target$ ").unwrap();

        // The page says that it is soon, and counts.
        let counted = "return [document.getElementById('end').className, document.getElementById('ends-in').textContent]";
        nora.expect("left.").unwrap();
        let before = nora.script(counted, &[]).unwrap();
        assert!(before[0].as_str().unwrap().contains("warn"), "{before}");
        soon("the page to count down", || Ok(nora.script(counted, &[])? != before)).unwrap();
        nora.screenshot("supervise-ends").unwrap();
        let vain = |who: &Person| who.post_json(&format!("/supervise/{first}/prolong"), &json!({})).unwrap();
        assert_eq!(vain(&vera).status, 404, "not the one who is watched");
        assert!(vain(&ben).error().contains("join it first"), "not somebody who does not watch");

        nora.click("Let it go on for 1 more minute").unwrap();
        nora.expect("Nora Example let it go on after its grant's end").unwrap();
        assert!(!nora.text().unwrap().contains("Let it go on for"), "once");
        nora.screenshot("supervise-goes-on").unwrap();
        goes_on.expect("message from your supervisor: you may go on; in ").unwrap();

        let late = over(&mut ends, end);
        assert!((time::Duration::seconds(-1)..LATE).contains(&late), "nobody prolonged it, and it ended {late} after its grant");
        assert!(ends.said().contains("the grant has ended"), "{}", ends.said());
        drop(stop);

        // A minute of work that the grant alone would not have given; and nothing new begins meanwhile.
        goes_on.write("echo aft''er the end\n").unwrap();
        goes_on.expect("after the end").unwrap();
        nora.expect("after the end").unwrap();
        goes_on.expect("this session ends in 1 minute, whatever anybody does").unwrap();
        let new = w.ssh(&vera).unwrap().command("echo some''thing new").run().unwrap();
        assert!(!new.text().contains("something new"), "{}", new.said());
        nora.screenshot("supervise-after-its-end").unwrap();
        let late = over(&mut goes_on, end + time::Duration::MINUTE);
        assert!((time::Duration::seconds(-1)..LATE).contains(&late), "the hard end came {late} after its time");
    });
    assert!(goes_on.said().contains("the grant has ended"), "{}", goes_on.said());
    nora.expect("The session has ended").unwrap();

    let prolonged: Vec<Value> = w.audited("supervision").unwrap().into_iter().filter(|e| e["what"] == "prolonged").collect();
    assert_eq!(prolonged.len(), 1, "{prolonged:?}");
    assert!(prolonged[0]["session"] == first.as_str() && prolonged[0]["minutes"] == 1, "{prolonged:?}");
    let reasons = w.audited("session_ended").unwrap();
    assert!(reasons.len() == 2 && reasons.iter().all(|e| e["reason"] == "grant_ended"), "{reasons:?}");

    // What an auditor reads beside the recording: who decided, and what vera was told.
    soon("the recordings to be closed", || Ok(w.sessions()?.iter().all(|s| s["recording"] == "complete"))).unwrap();
    let mut page = String::new();
    wait_for("the recording's marks", Duration::from_secs(20), || {
        page = max.get(&format!("/recordings/{first}"))?.body;
        Ok(page.contains("let the session go on for 1 minute after its grant").then_some(()))
    })
    .unwrap_or_else(|e| panic!("{e}: {page}"));
    assert!(page.contains("you may go on"), "{page}");
    let quiet = max.get(&format!("/recordings/{second}")).unwrap().body;
    assert!(!quiet.contains("let the session go on"), "{quiet}");
}

/// Lets the other supervisor go home, also when an assertion fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

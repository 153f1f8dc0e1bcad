//! A vendor's person works on their company's device, and only while somebody of the hospital watches.
use anteroom_tests::harness::{Browser, Person, SshSession, World, WorldOptions, wait_for};
use std::time::{Duration, Instant};

const COMPANY: &str = "Made-up Imaging";

/// vera of the company, with a grant ben approved, and the device the company keeps.
fn vera(w: &World) -> (Person, Person) {
    let (vera, ben) = w.ada_and_ben().unwrap();
    w.cli.good(&["company", "add", COMPANY, "--until", "2099-12-31"]).unwrap();
    w.cli.good(&["person", "set", &vera.handle, "--company", COMPANY]).unwrap();
    w.cli.good(&["company", "keeps", COMPANY, &w.target.name]).unwrap();
    (vera, ben)
}

/// A supervisor in her own browser, with a passkey of its own.
fn nora(w: &World) -> Browser {
    let nora = Browser::start("nora", &w.origin).unwrap();
    nora.open(&w.add_person("nora", &["approver"]).unwrap()).unwrap();
    nora.click("Create a passkey").unwrap();
    nora.expect("Hello, Nora Example").unwrap();
    nora
}

fn running(w: &World) -> Option<String> {
    let all = w.sessions().unwrap();
    all.iter().find(|s| s["ended_at"].is_null()).and_then(|s| s["id"].as_str()).map(str::to_owned)
}

fn session(w: &World) -> String {
    wait_for("a session", Duration::from_secs(20), || Ok(running(w))).unwrap()
}

fn seat(ben: &Person, id: &str) -> String {
    ben.post_json(&format!("/supervise/{id}/join"), &serde_json::json!({})).unwrap().json().unwrap()["seat"].as_str().unwrap().to_owned()
}

/// Somebody watches by the portal's interface, as the page's script does.
fn watch_for(ben: &Person, id: &str, seat: &str, time: Duration, mut until: impl FnMut() -> bool) {
    let begun = Instant::now();
    while begun.elapsed() < time && !until() {
        let answer = ben.post_json(&format!("/supervise/{id}/renew"), &serde_json::json!({ "seat": seat })).unwrap().json().unwrap();
        assert_eq!(answer["watching"], true, "{answer}");
        std::thread::sleep(Duration::from_millis(700));
    }
}

fn typed(s: &mut SshSession, text: &str) {
    s.write(&format!("{text}\n")).unwrap();
}

#[test]
fn a_vendor_waits_in_the_lobby_works_while_watched_and_stands_still_when_nobody_watches() {
    let w = World::start().unwrap();
    let (vera, _ben) = vera(&w);
    let nora = nora(&w);
    nora.open("/supervise").unwrap();
    nora.expect("Nobody waits for a supervisor").unwrap();

    let mut shell = w.ssh(&vera).unwrap().terminal(80, 24).spawn().unwrap();
    shell.expect("waiting for a supervisor to join").unwrap();
    typed(&mut shell, "echo typed-in-the-lob''by");
    nora.expect("Waits for a supervisor").unwrap();
    assert!(!shell.said().contains("target$"), "the target was reached: {}", shell.said());
    let id = session(&w);
    nora.open(&format!("/supervise/{id}")).unwrap();
    nora.screenshot("supervise-lobby").unwrap();
    nora.click("Join and watch").unwrap();
    shell.expect("target$ ").unwrap();
    typed(&mut shell, "echo at wo''rk");
    shell.expect("at work").unwrap();
    assert!(!shell.said().contains("typed-in-the-lobby"), "what was typed in the lobby was kept: {}", shell.said());
    nora.expect("at work").unwrap();
    nora.screenshot("supervise-watching").unwrap();

    // Longer than a lease: the page renews it.
    std::thread::sleep(Duration::from_secs(6));
    typed(&mut shell, "echo st''ill here");
    shell.expect("still here").unwrap();

    nora.click("Pause").unwrap();
    shell.expect("paused by a supervisor").unwrap();
    typed(&mut shell, "echo pau''sed-typing");
    std::thread::sleep(Duration::from_secs(1));
    nora.click("Resume").unwrap();
    shell.expect("it goes on").unwrap();
    typed(&mut shell, "echo resu''med");
    shell.expect("resumed").unwrap();
    assert!(!shell.said().contains("paused-typing"), "{}", shell.said());
    nora.fill("Write a note", "replaced the coil driver").unwrap();
    nora.click("Keep the note").unwrap();
    nora.expect("Kept.").unwrap();

    // She goes away: another page in the same tab, as closing it would.
    let left = Instant::now();
    nora.open("/").unwrap();
    shell.expect("nobody watches this session").unwrap();
    assert!(left.elapsed() < Duration::from_secs(5), "{:?}", left.elapsed());
    typed(&mut shell, "echo unwat''ched-typing");
    std::thread::sleep(Duration::from_secs(2));
    nora.open(&format!("/supervise/{id}")).unwrap();
    nora.click("Join and watch").unwrap();
    wait_for("the session to go on", Duration::from_secs(10), || {
        typed(&mut shell, "echo wat''ched-again");
        std::thread::sleep(Duration::from_millis(500));
        Ok(shell.said().contains("watched-again").then_some(()))
    })
    .unwrap();
    assert!(!shell.said().contains("unwatched-typing"), "{}", shell.said());

    w.cli.good(&["session", "terminate", &id, "--as", "nora"]).unwrap();
    shell.expect("terminated by a supervisor").unwrap();
    w.sealed_session().unwrap();
    let events = w.audited("supervision").unwrap();
    let what: Vec<_> = events.iter().filter_map(|e| e["what"].as_str()).collect();
    for expected in ["joined", "goes_on", "noted", "left", "stands_still"] {
        assert!(what.contains(&expected), "{expected} in {what:?}");
    }
    assert!(!format!("{events:?}").contains("coil driver"), "the note's words are in the audit log");
    // The recording itself says who it was, each time.
    let max = w.person("max", &["auditor"]).unwrap();
    wait_for("the recording's marks", Duration::from_secs(20), || {
        let page = max.get(&format!("/recordings/{id}"))?.body;
        Ok((page.matches("a supervisor watches: Nora Example").count() >= 2).then_some(()))
    })
    .unwrap();
}

#[test]
fn whoever_watches_is_offered_what_is_opened_beside_it() {
    let w = World::start().unwrap();
    let (vera, _ben) = vera(&w);
    let nora = nora(&w);
    let socket = format!("-oControlPath={}", w.dir.join("shared").display());
    let mut first = w.ssh(&vera).unwrap().option("-oControlMaster=yes").option(&socket).terminal(80, 24).spawn().unwrap();
    first.expect("waiting for a supervisor").unwrap();
    nora.open(&format!("/supervise/{}", session(&w))).unwrap();
    nora.click("Join and watch").unwrap();
    first.expect("target$ ").unwrap();
    typed(&mut first, "echo in the fi''rst");
    nora.expect("in the first").unwrap();

    let mut second = w.ssh(&vera).unwrap().option("-oControlMaster=no").option(&socket).terminal(80, 24).spawn().unwrap();
    second.expect("target$ ").unwrap();
    nora.expect("opened something else beside this").unwrap();
    nora.click("Show it").unwrap();
    // The page begins anew, joins by itself, and the session goes on.
    wait_for("the second terminal in her browser", Duration::from_secs(20), || {
        typed(&mut second, "echo in the sec''ond");
        std::thread::sleep(Duration::from_millis(700));
        Ok(nora.text()?.contains("in the second").then_some(()))
    })
    .unwrap();
    assert!(!nora.text().unwrap().contains("in the first"), "it still shows the first");
}

#[test]
fn a_browser_that_is_lost_lets_the_session_stand_still_and_nobody_for_too_long_ends_it() {
    let w = World::with(WorldOptions { ssh: "supervisor_wait = \"8s\"".into(), ..Default::default() }).unwrap();
    let (vera, ben) = vera(&w);
    let mut shell = w.ssh(&vera).unwrap().terminal(80, 24).spawn().unwrap();
    shell.expect("waiting for a supervisor").unwrap();
    let id = session(&w);
    // Neither she herself nor somebody without the role.
    let otto = w.person("otto", &["operator"]).unwrap();
    for (who, status) in [(&vera, 404), (&otto, 404)] {
        assert_eq!(who.post_json(&format!("/supervise/{id}/join"), &serde_json::json!({})).unwrap().status, status, "{}", who.handle);
    }
    let s = seat(&ben, &id);
    watch_for(&ben, &id, &s, Duration::from_secs(8), || shell.said().contains("target$"));
    // Not a word more from ben's browser.
    let lost = Instant::now();
    shell.expect("nobody watches this session").unwrap();
    assert!(lost.elapsed() < Duration::from_secs(6), "{:?}", lost.elapsed());
    typed(&mut shell, "echo unwat''ched");
    shell.expect("no supervisor watched it").unwrap();
    assert!(!shell.said().contains("unwatched"), "{}", shell.said());
    assert_eq!(w.sealed_session().unwrap()["end_reason"], "unwatched");
    assert!(w.audited("supervision").unwrap().iter().any(|e| e["what"] == "lapsed"));
}

#[test]
fn a_paused_copy_of_a_file_goes_on_without_losing_a_byte() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    // Slow on purpose, so that the pause comes in the middle.
    let program = "i=0; while [ $i -lt 300 ]; do printf '%01000d\\n' $i; i=$((i+1)); sleep 0.02; done";
    let through = w.ssh(&ada).unwrap().command(program).spawn().unwrap();
    wait_for("the first of it", Duration::from_secs(10), || Ok((through.stdout().len() > 10_000).then_some(()))).unwrap();
    let id = session(&w);
    w.cli.good(&["session", "pause", &id, "--as", "ben"]).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let held = through.stdout().len();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(through.stdout().len(), held, "it went on while it was paused");
    w.cli.good(&["session", "resume", &id, "--as", "ben"]).unwrap();
    let out = through.finish(Duration::from_secs(60)).unwrap();
    let direct: String = (0..300).map(|i| format!("{i:01000}\n")).collect();
    assert!(held < direct.len() && out.stdout == direct.as_bytes(), "{} of {} bytes", out.stdout.len(), direct.len());
    assert_eq!(out.status, Some(0));
}

#[test]
fn a_vendor_reaches_only_their_companys_devices_one_session_each_and_nothing_after_the_contract() {
    let w = World::start().unwrap();
    let (vera, _ben) = vera(&w);
    // Nobody has to watch this company's people, says the hospital; its contract and its policy say so, for each asks by itself.
    w.cli.good(&["company", "set", COMPANY, "--supervised", "false"]).unwrap();
    let watched = w.cli.good(&["policy", "default"]).unwrap();
    let unwatched = watched.replacen("@supervise\n@ticket\n", "@ticket\n", 1);
    assert_ne!(watched, unwatched);
    let file = w.dir.join("unwatched.cedar");
    std::fs::write(&file, unwatched).unwrap();
    w.cli.good(&["policy", "set", file.to_str().unwrap(), "--note", "Acme works alone"]).unwrap();
    let shell = w.ssh(&vera).unwrap().command("echo first; cat").spawn().unwrap();
    shell.expect("first").unwrap();
    let second = w.ssh(&vera).unwrap().command("echo second").run().unwrap();
    assert!(second.said().contains("another session is open on") && !second.text().contains("second"), "{}", second.said());
    // Its contract ends: what runs ends, and nothing begins any more.
    let ended = Instant::now();
    w.cli.good(&["company", "set", COMPANY, "--until", "2020-01-01"]).unwrap();
    let mut shell = shell;
    shell.ended(Duration::from_secs(10)).unwrap();
    assert!(ended.elapsed() < Duration::from_secs(10));
    let after = w.ssh(&vera).unwrap().command("echo in").run().unwrap();
    assert!(after.said().contains("contract has ended"), "{}", after.said());
    // And with a contract, a device that is not the company's is as one that is not there.
    w.cli.good(&["company", "set", COMPANY, "--until", "2099-01-01"]).unwrap();
    w.cli.good(&["company", "keeps", COMPANY, &w.target.name, "--no-longer"]).unwrap();
    let other = w.ssh(&vera).unwrap().command("echo in").run().unwrap();
    assert!(other.said().contains("no current grant"), "{}", other.said());
}

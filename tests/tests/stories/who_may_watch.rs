//! Recordings are for auditors: every other role, a stranger and a suspended auditor get nothing (THREATS 6).
use anteroom_tests::harness::{Person, World};

#[test]
fn only_auditors_watch_and_every_viewing_is_written_down() {
    let w = World::start().unwrap();
    let (ada, ben) = w.ada_and_ben().unwrap();
    let (cleo, otto) = (w.person("cleo", &["auditor"]).unwrap(), w.person("otto", &["operator"]).unwrap());
    let anna = w.person("anna", &["approver"]).unwrap();
    w.ssh(&ada).unwrap().command("echo something was done").run().unwrap().good().unwrap();
    let id = w.sealed_session().unwrap()["id"].as_str().unwrap().to_owned();
    let (page, cast) = (format!("/recordings/{id}"), format!("/recordings/{id}/channels/1/cast"));
    // ada: whose session it is; ben: who approved it.
    for who in [&ada, &ben, &otto, &anna] {
        for path in ["/recordings", &page, &cast] {
            assert_eq!(who.get(path).unwrap().status, 404, "{} at {path}", who.handle);
        }
        for order in [&["recording", "play", &id, "--as"][..], &["recording", "export", &id, "--output", "/dev/null", "--as"]] {
            let f = w.cli.run(&[order, &[&who.handle[..]]].concat()).unwrap();
            assert!(f.code == Some(1) && f.stderr.contains("may not do this"), "{}: {f:?}", who.handle);
        }
    }
    let stranger = Person::new("stranger", &w.origin, w.dir.join("x"));
    assert_eq!(stranger.get(&page).unwrap().status, 303);
    assert_eq!(stranger.get(&cast).unwrap().status, 401);
    assert!(w.audited("recording_viewed").unwrap().is_empty() && w.audited("recording_exported").unwrap().is_empty());

    assert_eq!(cleo.get(&page).unwrap().status, 200);
    assert!(cleo.get(&cast).unwrap().body.contains("something was done"));
    assert_eq!(w.audited("recording_viewed").unwrap().len(), 1);
    assert_eq!(cleo.get(&cast.replace("/1/", "/99/")).unwrap().status, 404);
    assert_eq!(cleo.get("/recordings/00000000-0000-0000-0000-000000000000").unwrap().status, 404);

    w.cli.good(&["person", "suspend", "cleo"]).unwrap();
    assert_eq!(cleo.get(&page).unwrap().status, 303);
    assert_eq!(cleo.get(&cast).unwrap().status, 401);
    assert_eq!(w.cli.run(&["recording", "play", &id, "--as", "cleo"]).unwrap().code, Some(1));
}

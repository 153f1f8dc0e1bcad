//! The gateway dies in the middle of a session: what was acknowledged is still there afterwards, and it says that it is torn.
use anteroom_tests::harness::World;
use std::time::Duration;

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let cleo = w.person("cleo", &["auditor"]).unwrap();
    let mut s = w.ssh(&ada).unwrap().terminal(80, 24).spawn().unwrap();
    s.expect("target$ ").unwrap();
    s.write("echo before the power cut | tr a-z A-Z\n").unwrap();
    s.expect("BEFORE THE POWER CUT").unwrap();
    s.write("MRN=4700037; echo \"MRN: $MRN\"; seq 1 2000\n").unwrap();
    s.expect("2000").unwrap();
    // The promise is a lag of at most one second (invariant 2): what is older is on the disk. Nothing tells when.
    std::thread::sleep(Duration::from_millis(1500));
    w.kill_gateway().unwrap();
    s.ended(Duration::from_secs(20)).unwrap();

    w.start_gateway().unwrap();
    let session = w.sealed_session().unwrap();
    assert_eq!((session["recording"].as_str(), session["end_reason"].as_str()), (Some("torn"), Some("gateway_lost")));
    let id = session["id"].as_str().unwrap();
    let played = w.cli.good(&["recording", "play", id, "--as", "cleo"]).unwrap();
    assert!(played.contains("BEFORE THE POWER CUT") && played.contains("1999"), "{played}");
    assert!(!played.contains("MRN: 4700037"), "not masked");
    // The auditor's page says so too.
    cleo.sign_in().unwrap();
    let page = cleo.get(&format!("/recordings/{id}")).unwrap();
    assert!(page.status == 200 && page.body.contains("Torn"), "{page:?}");
    let bundle = w.dir.join("torn.bundle");
    w.cli.good(&["recording", "export", id, "--output", bundle.to_str().unwrap(), "--as", "cleo"]).unwrap();
    let verified = w.cli.run(&["verify", bundle.to_str().unwrap()]).unwrap();
    assert!(verified.code == Some(0) && verified.stdout.contains("cut short"), "{}", verified.said());
    assert!(w.cli.good(&["audit", "verify"]).unwrap().contains("the log is whole"));
    // And work goes on.
    assert_eq!(w.ssh(&ada).unwrap().command("echo again").run().unwrap().good().unwrap(), "again\n");
}

#[test]
fn a_kill_while_much_is_written_leaves_a_recording_that_hangs_together() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let _cleo = w.person("cleo", &["auditor"]).unwrap();
    let s = w.ssh(&ada).unwrap().command("echo first line; while :; do head -c 40000 /dev/urandom | base64 || exit; done").spawn().unwrap();
    anteroom_tests::harness::wait_for("a lot of output", Duration::from_secs(30), || Ok((s.stdout().len() > 8 << 20).then_some(())))
        .unwrap();
    w.kill_gateway().unwrap();
    drop(s);
    w.start_gateway().unwrap();
    let session = w.sealed_session().unwrap();
    assert_eq!(session["recording"], "torn");
    let id = session["id"].as_str().unwrap();
    assert!(w.cli.good(&["recording", "play", id, "--as", "cleo"]).unwrap().contains("first line"));
    let bundle = w.dir.join("torn.bundle");
    w.cli.good(&["recording", "export", id, "--output", bundle.to_str().unwrap(), "--as", "cleo"]).unwrap();
    let verified = w.cli.run(&["verify", bundle.to_str().unwrap()]).unwrap();
    assert_eq!(verified.code, Some(0), "{}", verified.said());
}

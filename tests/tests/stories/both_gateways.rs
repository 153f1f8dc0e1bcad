//! Two gateways on one Postgres: whatever takes somebody's access away ends their sessions on both, and soon.
use anteroom_tests::harness::{Cluster, Person, SecondGateway, SshSession, World, WorldOptions};
use std::time::{Duration, Instant};

/// "Within a second" on a machine that is busy with the other stories.
const AT_ONCE: Duration = Duration::from_secs(3);

fn at_work(w: &World, who: &Person, second: Option<&SecondGateway>) -> SshSession {
    let mut ssh = w.ssh(who).unwrap().command("echo at work; cat");
    if let Some(s) = second {
        ssh = ssh.option("-p").option(&s.ssh_port().to_string());
    }
    let s = ssh.spawn().unwrap();
    s.expect("at work").unwrap();
    s
}

/// Runs the command while one session is on each gateway; both end with these words.
fn ends_both(w: &World, who: &Person, second: &SecondGateway, command: &[&str], why: &str) {
    let mut both = [at_work(w, who, None), at_work(w, who, Some(second))];
    w.cli.good(command).unwrap();
    let told = Instant::now();
    for s in &mut both {
        s.ended(Duration::from_secs(15)).unwrap();
    }
    let took = told.elapsed();
    for s in both {
        let out = s.outcome(Duration::from_secs(1)).unwrap();
        assert!(out.stderr.contains(why) && out.status != Some(0), "{command:?}: expected {why:?} in {:?}", out.stderr);
    }
    assert!(took < AT_ONCE, "{command:?}: it took {took:?}");
}

#[test]
fn what_takes_access_away_ends_sessions_on_both_gateways() {
    let cluster = Cluster::start().unwrap();
    let database = format!("url = \"{}\"\nowner_url = \"{}\"", cluster.url("anteroom_app"), cluster.url("anteroom_owner"));
    let w = World::with(WorldOptions { database: Some(database), ..Default::default() }).unwrap();
    let second = w.second_gateway().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let target = w.target.name.clone();

    ends_both(&w, &ada, &second, &["lock", "person", "ada", "--reason", "laptop stolen"], "access was locked");
    let refused = w.ssh(&ada).unwrap().command("echo in").run().unwrap();
    assert!(!refused.text().contains("in\n") && refused.status != Some(0), "{}", refused.said());
    assert_eq!(ada.get("/").unwrap().status, 303, "out of the portal too");
    w.cli.good(&["unlock", "person", "ada"]).unwrap();

    ends_both(&w, &ada, &second, &["lock", "target", &target, "--reason", "recall notice 17"], "access was locked");
    let locks = w.cli.good(&["locks"]).unwrap();
    assert!(locks.contains("recall notice 17") && locks.contains(&target), "{locks}");
    w.cli.good(&["unlock", "target", &target]).unwrap();

    ends_both(&w, &ada, &second, &["person", "set", "ada", "--role", "auditor"], "policy no longer allows it");
    w.cli.good(&["person", "set", "ada", "--role", "admin"]).unwrap();

    ends_both(&w, &ada, &second, &["person", "suspend", "ada"], "the person was suspended");

    let reasons: Vec<_> = w.audited("session_ended").unwrap().iter().map(|e| e["reason"].as_str().unwrap().to_owned()).collect();
    for (reason, times) in [("locked", 4), ("policy_denied", 2), ("person_suspended", 2)] {
        assert_eq!(reasons.iter().filter(|r| *r == reason).count(), times, "{reasons:?}");
    }
    assert_eq!(w.audited("lock").unwrap().len(), 4);
}

//! A session that shows too many patients stands still, and one that shows far too many is over and its person locked; also while the
//! database is away. Real ssh, a Postgres that is stopped.
use anteroom_tests::harness::{Cluster, Person, World, WorldOptions, soon};
use std::time::Duration;

const LIMITS: &str = "[patients]\nalert = 2\npause = 4\nlock = 9\n";

/// Medical record numbers from the first to the last of these, on the screen.
fn shows(from: u32, to: u32) -> String {
    let numbers: Vec<_> = (from..=to).map(|n| n.to_string()).collect();
    format!("printf 'MRN: 47000%s\\r\\n' {}; echo shown' '{to}\n", numbers.join(" "))
}

fn refused(w: &World, ada: &Person) -> bool {
    w.ssh(ada).unwrap().command("echo in").run().unwrap().status != Some(0)
}

#[test]
fn a_session_that_shows_too_many_patients_stands_still_and_then_ends() {
    let w = World::with(WorldOptions { more: LIMITS.into(), ..WorldOptions::default() }).unwrap();
    let (ada, ben) = w.ada_and_ben().unwrap();
    let mut ssh = w.ssh(&ada).unwrap().terminal(120, 30).spawn().unwrap();
    ssh.expect("target$ ").unwrap();
    ssh.write(&shows(31, 35)).unwrap();
    ssh.expect("it stands still now").unwrap();
    ssh.write("echo typed' 'meanwhile\n").unwrap();
    std::thread::sleep(Duration::from_secs(1));
    assert!(!ssh.said().contains("typed meanwhile"), "{}", ssh.said());
    let id = w.sessions().unwrap()[0]["id"].as_str().unwrap().to_owned();
    let page = ben.get("/sessions").unwrap().body;
    assert!(page.contains("Resume"), "{page}");

    w.cli.good(&["session", "resume", &id, "--as", "ben"]).unwrap();
    ssh.expect("it goes on").unwrap();
    ssh.write("echo after' 'it\n").unwrap();
    ssh.expect("after it").unwrap();
    assert!(!ssh.said().contains("typed meanwhile"), "{}", ssh.said());
    ssh.write(&shows(41, 45)).unwrap();
    ssh.outcome(Duration::from_secs(20)).unwrap();
    assert_eq!(w.sealed_session().unwrap()["end_reason"], "locked");
    assert!(refused(&w, &ada), "who is locked comes back");
    let reactions: Vec<_> = w.audited("patients").unwrap().iter().map(|e| e["reaction"].as_str().unwrap().to_owned()).collect();
    assert_eq!(reactions, ["pause", "lock"]);
    w.cli.good(&["unlock", "person", "ada"]).unwrap();
    assert!(!refused(&w, &ada));
}

#[test]
fn limits_count_while_the_database_is_away() {
    let mut cluster = Cluster::start().unwrap();
    let database = format!("url = \"{}\"\nowner_url = \"{}\"", cluster.url("anteroom_app"), cluster.url("anteroom_owner"));
    let w = World::with(WorldOptions { database: Some(database), more: LIMITS.into(), ..WorldOptions::default() }).unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    // One after the other: a passkey answers for one connection at a time.
    let begin = || {
        let ssh = w.ssh(&ada).unwrap().terminal(120, 30).spawn().unwrap();
        ssh.expect("target$ ").unwrap();
        ssh
    };
    let (mut still, mut ends) = (begin(), begin());
    cluster.take_away().unwrap();
    still.write(&shows(31, 35)).unwrap();
    still.expect("it stands still now").unwrap();
    ends.write(&shows(41, 55)).unwrap();
    ends.outcome(Duration::from_secs(30)).unwrap();
    // The lock is the person's: the other session ends with it, and none begins.
    still.outcome(Duration::from_secs(30)).unwrap();
    assert!(refused(&w, &ada), "who is locked comes back");

    cluster.bring_back().unwrap();
    soon("the lock in the database", || Ok(w.cli.good(&["locks"])?.contains("ada"))).unwrap();
    soon("the log to have both", || {
        let all = w.audited("patients")?;
        Ok(["pause", "lock"].iter().all(|r| all.iter().any(|e| e["reaction"] == *r)))
    })
    .unwrap();
    assert!(refused(&w, &ada));
}

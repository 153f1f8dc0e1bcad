//! Postgres goes away in the middle of the day: running sessions go on to their deadline, new ones are refused in words, and
//! the log catches up when it is back.
use anteroom_tests::harness::{Cluster, Person, World, WorldOptions, soon};
use std::time::{Duration, Instant};

fn world_on(cluster: &Cluster) -> World {
    let database = format!("url = \"{}\"\nowner_url = \"{}\"", cluster.url("anteroom_app"), cluster.url("anteroom_owner"));
    World::with(WorldOptions { database: Some(database), ..Default::default() }).unwrap()
}

fn refused_in_words(w: &World, who: &Person) {
    let began = Instant::now();
    let out = w.ssh(who).unwrap().command("echo in").run().unwrap();
    assert!(out.status == Some(255) && !out.text().contains("in\n"), "{}", out.said());
    // Nobody has a security key here, and there is no card: safe mode says what would help.
    assert!(out.stderr.contains("the database is away: safe mode") && out.stderr.contains("Running sessions go on"), "{}", out.stderr);
    assert!(began.elapsed() < Duration::from_secs(20), "it took {:?} to say no", began.elapsed());
}

#[test]
fn running_sessions_go_on_and_the_log_catches_up() {
    let mut cluster = Cluster::start().unwrap();
    let w = world_on(&cluster);
    let (ada, ben) = w.ada_and_ben().unwrap();
    let eve = w.admin("eve").unwrap();
    let until = (time::OffsetDateTime::now_utc() + time::Duration::seconds(25)).replace_nanosecond(0).unwrap();
    ben.approve(&eve.request_until(&w.target.name, &w.target.account, until).unwrap()).unwrap();
    let mut short = w.ssh(&eve).unwrap().command("echo at work; cat").spawn().unwrap();
    let mut long = w.ssh(&ada).unwrap().command("echo at work; cat").spawn().unwrap();
    short.expect("at work").unwrap();
    long.expect("at work").unwrap();

    cluster.take_away().unwrap();
    long.write("typed without a database\n").unwrap();
    long.expect("typed without a database").unwrap();
    refused_in_words(&w, &ada);
    let page = ada.get("/").unwrap();
    assert!(page.status == 503 && page.body.contains("the database does not answer"), "{page:?}");
    // A deadline holds all the same.
    short.ended(Duration::from_secs(40)).unwrap();
    let late = time::OffsetDateTime::now_utc() - until;
    assert!(late > time::Duration::ZERO && late < time::Duration::seconds(3), "ended {late} after the grant");
    assert!(short.said().contains("the grant has ended"), "{}", short.said());
    long.write("still at it\n").unwrap();
    long.expect("still at it").unwrap();
    // Another session ends while nobody can be told.
    long.finish(Duration::from_secs(10)).unwrap().good().unwrap();

    cluster.bring_back().unwrap();
    soon("both ends in the log", || {
        let ends: Vec<_> = w.audited("session_ended")?.iter().map(|e| e["reason"].as_str().unwrap_or_default().to_owned()).collect();
        Ok(ends.contains(&"grant_ended".into()) && ends.iter().any(|e| e == "client_closed" || e == "target_closed"))
    })
    .unwrap();
    soon("both recordings in the log", || Ok(w.audited("recording_sealed")?.len() == 2)).unwrap();
    assert!(w.sessions().unwrap().iter().all(|s| s["recording"] == "complete" && !s["ended_at"].is_null()));
    soon("the log to be in order", || Ok(w.cli.good(&["audit", "verify"])?.contains(" 0 waiting"))).unwrap();
    assert_eq!(w.ssh(&ada).unwrap().command("echo again").run().unwrap().good().unwrap(), "again\n");
}

#[test]
fn a_database_that_hangs_is_no_better_and_no_worse() {
    let cluster = Cluster::start().unwrap();
    let w = world_on(&cluster);
    let (ada, ben) = w.ada_and_ben().unwrap();
    let mut s = w.ssh(&ada).unwrap().command("echo at work; cat").spawn().unwrap();
    s.expect("at work").unwrap();
    cluster.freeze().unwrap();
    s.write("typed meanwhile\n").unwrap();
    s.expect("typed meanwhile").unwrap();
    refused_in_words(&w, &ada);
    cluster.thaw().unwrap();
    soon("the portal to answer again", || Ok(ben.get("/")?.status == 200)).unwrap();
    // Orders reach the session again.
    w.cli.good(&["person", "suspend", "ada"]).unwrap();
    s.ended(Duration::from_secs(10)).unwrap();
    assert!(s.said().contains("the person was suspended"), "{}", s.said());
}

#[test]
fn a_revoke_in_the_moment_the_database_is_back_is_not_missed() {
    let mut cluster = Cluster::start().unwrap();
    let w = world_on(&cluster);
    let (ada, ben) = (w.admin("ada").unwrap(), w.person("ben", &["approver"]).unwrap());
    let grant = w.grant(&ada, &ben).unwrap();
    let mut s = w.ssh(&ada).unwrap().command("echo at work; cat").spawn().unwrap();
    s.expect("at work").unwrap();
    cluster.take_away().unwrap();
    cluster.bring_back().unwrap();
    // The gateway may not listen again yet: it has to look at what it did not hear.
    w.cli.good(&["grant", "revoke", &grant]).unwrap();
    s.ended(Duration::from_secs(10)).unwrap();
    assert!(s.said().contains("the grant was revoked"), "{}", s.said());
}

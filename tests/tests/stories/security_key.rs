//! A security key that verified its person by PIN or finger is both factors in one signature; one that was only touched is not. It is also what
//! lets a grant count while the database is away, where no passkey can be asked. Real ssh, a real agent's protocol, a Postgres that is stopped.
use anteroom_tests::harness::{Cluster, Confirm, KeyAgent, Person, Ssh, World, WorldOptions, soon};
use std::{collections::BTreeSet, time::Duration};

/// ada with a security key instead of a key in a file, and a grant for the target.
pub(super) fn ada_with_key(w: &World) -> (Person, KeyAgent) {
    let (ada, ben) = (w.person("ada", &["admin"]).unwrap(), w.person("ben", &["approver"]).unwrap());
    let key = ada.add_security_key().unwrap();
    w.grant(&ada, &ben).unwrap();
    (ada, key)
}

/// ssh by that key; a link it shows is nobody's to follow.
pub(super) fn ssh(w: &World, ada: &Person, key: &KeyAgent) -> Ssh {
    let agent = format!("-oIdentityAgent={}", key.socket.display());
    w.ssh(ada).unwrap().confirm(Confirm::Later).option(&agent)
}

#[test]
fn a_key_that_verified_its_person_is_enough_and_one_that_was_only_touched_is_not() {
    let w = World::start().unwrap();
    let (ada, key) = ada_with_key(&w);
    let out = ssh(&w, &ada, &key).command("echo by pin").run().unwrap();
    assert!(!out.said().contains("/step-up/"), "{}", out.said());
    assert_eq!(out.good().unwrap(), "by pin\n");
    let factor = |n: usize| {
        let started = w.audited("session_started").unwrap();
        assert_eq!(started.len(), n, "{started:?}");
        started[n - 1]["second_factor"].clone()
    };
    assert_eq!(factor(1)["kind"], "security_key", "{}", factor(1));

    // Touched and no more: the passkey is asked as for any other key.
    key.key().set_user_verification(false);
    let s = ssh(&w, &ada, &key).command("echo by passkey").spawn().unwrap();
    let link = s.link().unwrap();
    assert!(!s.said().contains("by passkey"));
    ada.confirm(&link.step_up, &link.number).unwrap();
    assert_eq!(s.finish(Duration::from_secs(20)).unwrap().good().unwrap(), "by passkey\n");
    assert_ne!(factor(2)["kind"], "security_key", "{}", factor(2));

    // Not touched: software did that alone, whatever else it claims.
    for verified in [true, false] {
        key.key().set_user_presence(false);
        key.key().set_user_verification(verified);
        let out = ssh(&w, &ada, &key).command("echo alone").run().unwrap();
        assert!(out.status == Some(255) && out.stderr.contains("Permission denied"), "{}", out.said());
        assert!(!out.said().contains("/step-up/"), "{}", out.said());
    }
}

/// Waits until the gateway knows what counts now. A reading may have begun before; the second one that is written after this began later.
pub(super) fn knows(w: &World) {
    let file = w.dir.join("state/safe-mode/known.sealed");
    let (mut written, mut told) = (BTreeSet::new(), 0);
    soon("what the gateway knows to be on its disk", || {
        w.cli.good(&["target", "set", &w.target.name, "--label", &format!("told={told}")])?;
        told += 1;
        written.extend(std::fs::metadata(&file).and_then(|m| m.modified()));
        Ok(written.len() > 2)
    })
    .unwrap();
    // What was heard of and could not be read any more would count no longer: nothing is said now, and all of it has been read.
    soon("the gateway to have read all that was said", || {
        Ok(std::fs::metadata(&file)?.modified()?.elapsed().is_ok_and(|ago| ago > Duration::from_secs(2)))
    })
    .unwrap();
}

#[test]
fn a_grant_counts_by_such_a_key_while_the_database_is_away() {
    let mut cluster = Cluster::start().unwrap();
    let database = format!("url = \"{}\"\nowner_url = \"{}\"", cluster.url("anteroom_app"), cluster.url("anteroom_owner"));
    let w = World::with(WorldOptions { database: Some(database), ..Default::default() }).unwrap();
    let (ada, key) = ada_with_key(&w);
    w.add_target("pacs-2", "").unwrap();
    knows(&w);

    cluster.take_away().unwrap();
    w.kill_gateway().unwrap();
    w.start_gateway().unwrap();
    let by_key = |command: &str| ssh(&w, &ada, &key).command(command).run().unwrap();
    let out = by_key("echo the ward goes on");
    assert!(out.said().contains("safe mode"), "nothing says what this is: {}", out.said());
    assert_eq!(out.good().unwrap(), "the ward goes on\n");

    key.key().set_user_verification(false);
    let touched = by_key("echo touched");
    assert!(touched.status != Some(0) && !touched.text().contains("touched\n"), "{}", touched.said());
    assert!(touched.said().contains("a security key that verifies you"), "nothing says what would help: {}", touched.said());
    key.key().set_user_verification(true);
    let elsewhere = ssh(&w, &ada, &key).login(&format!("{}@pacs-2", w.target.account)).command("echo elsewhere").run().unwrap();
    assert!(elsewhere.status != Some(0) && !elsewhere.text().contains("elsewhere\n"), "{}", elsewhere.said());

    cluster.bring_back().unwrap();
    soon("the session in the database, its recording whole", || {
        Ok(w.sessions()?.iter().any(|s| s["recording"] == "complete" && !s["ended_at"].is_null()))
    })
    .unwrap();
    assert_eq!(w.sessions().unwrap().len(), 1, "{:?}", w.sessions().unwrap());
    let started = w.audited("session_started").unwrap();
    assert_eq!(started[0]["second_factor"]["kind"], "security_key", "{started:?}");
    soon("the log to be in order", || Ok(w.cli.good(&["audit", "verify"])?.contains(" 0 waiting"))).unwrap();
}

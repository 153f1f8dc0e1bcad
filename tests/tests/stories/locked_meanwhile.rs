//! The database is away, safe mode lets ada in, and her laptop is stolen now: the operator locks her out of the gateway on its own machine, and
//! it is a lock like any other when the database is back. Real ssh, a Postgres that is stopped.
use super::security_key::{ada_with_key, knows, ssh};
use anteroom_tests::harness::{Cluster, World, WorldOptions, soon};

#[test]
fn somebody_is_locked_out_while_the_database_is_away_and_stays_so() {
    let mut cluster = Cluster::start().unwrap();
    let database = format!("url = \"{}\"\nowner_url = \"{}\"", cluster.url("anteroom_app"), cluster.url("anteroom_owner"));
    let w = World::with(WorldOptions { database: Some(database), ..Default::default() }).unwrap();
    let (ada, key) = ada_with_key(&w);
    knows(&w);
    let before = ssh(&w, &ada, &key).command("echo before; cat").spawn().unwrap();
    before.expect("before").unwrap();

    cluster.take_away().unwrap();
    let meanwhile = ssh(&w, &ada, &key).command("echo meanwhile; cat").spawn().unwrap();
    meanwhile.expect("meanwhile").unwrap();
    let unknown = w.cli.run(&["lock", "person", "nobody", "--reason", "laptop stolen"]).unwrap();
    assert!(unknown.code != Some(0) && unknown.stderr.contains("is not among those"), "{unknown:?}");
    let said = w.cli.good(&["lock", "person", "ada", "--reason", "laptop stolen"]).unwrap();
    assert!(said.contains("the database does not answer") && said.contains("locked at this gateway"), "{said}");
    for mut s in [before, meanwhile] {
        soon("a session of hers to end", || Ok(s.has_ended()?.is_some())).unwrap();
        assert!(s.said().contains("locked"), "nothing says why: {}", s.said());
    }
    let again = || ssh(&w, &ada, &key).command("echo again").run().unwrap();
    let out = again();
    assert!(out.status != Some(0) && !out.text().contains("again\n"), "{}", out.said());

    // The gateway begins anew, and knows it.
    w.kill_gateway().unwrap();
    w.start_gateway().unwrap();
    let out = again();
    assert!(out.status != Some(0) && !out.text().contains("again\n"), "{}", out.said());

    cluster.bring_back().unwrap();
    soon("the lock in the database", || Ok(w.cli.good(&["locks", "--json"])?.contains("laptop stolen"))).unwrap();
    let out = again();
    assert!(out.status != Some(0) && !out.text().contains("again\n"), "{}", out.said());
    soon("the log to be in order", || Ok(w.cli.good(&["audit", "verify"])?.contains(" 0 waiting"))).unwrap();
    assert_eq!(w.audited("lock").unwrap().len(), 1, "{:?}", w.audited("lock").unwrap());
    w.cli.good(&["unlock", "person", "ada"]).unwrap();
    assert_eq!(again().good().unwrap(), "again\n");
}

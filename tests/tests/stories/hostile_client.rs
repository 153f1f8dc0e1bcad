//! Somebody with a key who keeps to no rule of the protocol harms nobody else (THREATS 8). `tests/clients/mutate.py` is that somebody;
//! `ANTEROOM_MUTATE_SECONDS=600` makes it a long visit, `ANTEROOM_MUTATE_SEED` repeats one.
use anteroom_tests::harness::{Person, SshSession, World, WorldOptions, python_client, wait_for};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    process::{Child, Stdio},
    time::Duration,
};

/// What a round may leave behind that the round before did not, bytes: allocators keep some, a leak is many times that.
const KEPT: u64 = 64 << 20;
/// Descriptors that come and go with the database's connections.
const DESCRIPTORS: usize = 12;

#[test]
fn a_client_that_keeps_to_no_rule_harms_nobody_else() {
    let w = World::with(WorldOptions { remember_step_up: "1h".into(), ..Default::default() }).unwrap();
    let (eve, ben) = w.ada_and_ben().unwrap();
    let bob = w.admin("bob").unwrap();
    w.grant(&bob, &ben).unwrap();
    w.ssh(&eve).unwrap().command("true").run().unwrap().good().unwrap();
    let mut working = w.ssh(&bob).unwrap().command("cat").spawn().unwrap();
    working.write("before\n").unwrap();
    working.expect("before").unwrap();
    let quiet = Gauge::of(&w);

    let seconds = number("ANTEROOM_MUTATE_SECONDS").unwrap_or(20);
    let seed = number("ANTEROOM_MUTATE_SEED").unwrap_or(1);
    let mut after = Vec::new();
    let mut played = 0;
    for round in 0..2 {
        let said = visit(&w, &eve, seed + round, seconds / 2, &mut working);
        assert_eq!(said["violations"], serde_json::json!([]), "seed {}", seed + round);
        let attacks: BTreeMap<String, BTreeMap<String, u64>> = serde_json::from_value(said["played"].clone()).unwrap();
        for (attack, ends) in &attacks {
            assert!(!ends.keys().all(|e| e.starts_with("client: ")), "{attack} is broken itself: {ends:?}");
        }
        played += attacks.values().flat_map(BTreeMap::values).sum::<u64>();
        let settled = wait_for("the visitor's connections to be gone", Duration::from_secs(40), || {
            let now = Gauge::of(&w);
            Ok((now.descriptors <= quiet.descriptors + DESCRIPTORS).then_some(now))
        });
        after.push(settled.unwrap_or_else(|e| panic!("{e:#}: {:?} after {quiet:?}, seed {}", Gauge::of(&w), seed + round)));
    }
    assert!(played > 10, "only {played} attacks were played");
    let grown = after[1].resident.saturating_sub(after[0].resident);
    assert!(grown < KEPT, "the second round kept {grown} bytes more: {quiet:?}, then {after:?}, seed {seed}");

    // The other session was never disturbed, and there is room for the next.
    working.write("at last\n").unwrap();
    working.expect("at last").unwrap();
    let whole = working.finish(Duration::from_secs(20)).unwrap();
    assert_eq!((whole.status, whole.text().starts_with("before\n0 ")), (Some(0), true), "{}", whole.stderr);
    assert_eq!(w.ssh(&bob).unwrap().command("echo new").run().unwrap().good().unwrap(), "new\n");
}

/// One visit, while somebody else works: every line typed comes back before the next is.
fn visit(w: &World, eve: &Person, seed: u64, seconds: u64, working: &mut SshSession) -> Value {
    let mut c = python_client("mutate.py").unwrap();
    c.args(["--host", "127.0.0.1", "--port", &w.ssh_port().to_string(), "--login", &w.login(), "--key"]).arg(&eve.ssh_key);
    c.args(["--seed", &seed.to_string(), "--seconds", &seconds.to_string()]);
    let mut visitor = Visitor(c.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = 0;
    while visitor.0.try_wait().unwrap().is_none() {
        let line = format!("{lines} of round {seed}\n");
        working.write(&line).unwrap();
        working.expect(&line).unwrap_or_else(|e| panic!("the other session stands still: {e:#}"));
        lines += 1;
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(lines > 0);
    let said = std::io::read_to_string(visitor.0.stdout.take().unwrap()).unwrap();
    serde_json::from_str(&said).unwrap_or_else(|e| panic!("the visitor said {said:?}: {e}"))
}

/// What the gateway holds.
#[derive(Debug)]
struct Gauge {
    descriptors: usize,
    /// Bytes.
    resident: u64,
}

impl Gauge {
    fn of(w: &World) -> Self {
        let of = format!("/proc/{}", w.gateway_pid());
        let status = std::fs::read_to_string(format!("{of}/status")).unwrap_or_else(|e| panic!("the gateway does not run any more: {e}"));
        let kilobytes = status.lines().find_map(|l| l.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        let resident = kilobytes.expect("the gateway has no memory: it has ended") << 10;
        Self { descriptors: std::fs::read_dir(format!("{of}/fd")).unwrap().count(), resident }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|v| v.parse().unwrap_or_else(|e| panic!("{name}: {e}")))
}

struct Visitor(Child);
impl Drop for Visitor {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

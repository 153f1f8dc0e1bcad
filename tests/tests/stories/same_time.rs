//! Somebody who asks whether a name or a key exists learns it from the clock no more than from the words (THREATS 5).
use anteroom_tests::harness::{Person, World, python_client};
use serde_json::{Value, json};
use std::{collections::BTreeMap, io::Write as _, path::Path, process::Stdio};

/// Medians of one group may differ by this: far less than what asking another process, another table or the target costs would be
/// where the machine is idle, and more than noise where it is not.
const SLACK_MS: f64 = 15.0;
const SLACK: f64 = 0.4;

fn case(name: &str, login: &str, key: &Path) -> Value {
    json!({"name": name, "login": login, "key": key})
}

/// The median of each case in milliseconds, and what each was told.
fn medians(w: &World, rounds: usize, cases: &[Value]) -> BTreeMap<String, (f64, String)> {
    let mut c = python_client("timing.py").unwrap();
    c.args(["--host", "127.0.0.1", "--port", &w.ssh_port().to_string(), "--rounds", &rounds.to_string()]);
    let mut child = c.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&serde_json::to_vec(cases).unwrap()).unwrap();
    let out = child.wait_with_output().unwrap();
    let said: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("timing.py: {e}: {out:?}"));
    let times: BTreeMap<String, Vec<f64>> = serde_json::from_value(said["times"].clone()).unwrap();
    let median = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        assert_eq!(all.len(), rounds);
        all[all.len() / 2]
    };
    times.into_iter().map(|(name, all)| (name.clone(), (median(all), said["words"][&name].as_str().unwrap().to_owned()))).collect()
}

fn same_time(all: &BTreeMap<String, (f64, String)>) {
    let shown: Vec<String> = all.iter().map(|(name, (ms, _))| format!("{name}: {ms:.1} ms")).collect();
    let least = all.values().map(|v| v.0).fold(f64::MAX, f64::min);
    let most = all.values().map(|v| v.0).fold(0.0, f64::max);
    assert!(most - least < SLACK_MS + SLACK * least, "the clock tells them apart: {shown:?}");
}

#[test]
fn a_name_that_exists_takes_as_long_as_one_that_does_not() {
    let w = World::start().unwrap();
    let eve = w.admin("eve").unwrap();
    let (account, target) = (w.target.account.clone(), w.target.name.clone());
    let all = medians(
        &w,
        15,
        &[
            case("a target that she may not reach", &format!("{account}@{target}"), &eve.ssh_key),
            case("no such account", &format!("nobody@{target}"), &eve.ssh_key),
            case("no such target", &format!("{account}@no-such-target"), &eve.ssh_key),
            case("no name at all", "x@..", &eve.ssh_key),
        ],
    );
    assert!(all.values().all(|(_, said)| said.contains("Ask for access")), "{all:?}");
    same_time(&all);
}

#[test]
fn a_key_that_is_known_is_refused_no_faster_than_one_that_is_not() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let gone = w.admin("gone").unwrap();
    w.cli.good(&["person", "suspend", "gone"]).unwrap();
    let stranger = Person::new("stranger", &w.origin, w.dir.join("ssh/stranger"));
    stranger.make_ssh_key().unwrap();
    let all = medians(
        &w,
        9,
        &[
            case("a stranger, a target", &w.login(), &stranger.ssh_key),
            case("a stranger, no such target", "root@no-such-target", &stranger.ssh_key),
            case("a stranger, a person's name", &ada.handle, &stranger.ssh_key),
            case("a stranger, nobody's name", "no-such-person", &stranger.ssh_key),
            case("somebody suspended, a target", &w.login(), &gone.ssh_key),
            case("somebody suspended, no such target", "root@no-such-target", &gone.ssh_key),
        ],
    );
    assert!(all.values().all(|(_, said)| said.contains("AuthenticationException")), "{all:?}");
    same_time(&all);
}

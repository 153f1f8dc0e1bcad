//! Rules about commands, in a real shell: blocked, asked, let through, and written down by name; patients that a session shows are counted.
use anteroom_tests::harness::{World, WorldOptions, soon};
use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

const RULES: &str = r#"
[[rule]]
name = "no dumps"
does = "block"
matches = 'pg_dump'

[[rule]]
name = "restarts"
does = "confirm"
matches = '^restart-it\b'

[[rule]]
name = "leaves"
does = "alert"
matches = 'echo outward'

[[rule]]
name = "somewhere else"
does = "block"
matches = 'uptime'
targets = ["mri-*"]
"#;

#[test]
fn a_rule_stops_what_is_started_and_what_is_typed_and_asks_before_it_runs() {
    let rules = tempfile::NamedTempFile::new().unwrap();
    fs::write(rules.path(), RULES).unwrap();
    let options = WorldOptions {
        ssh: format!("command_rules = {:?}\n", rules.path()),
        more: "[patients]\nalert = 3\n".into(),
        ..WorldOptions::default()
    };
    let w = World::with(options).unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let bin = w.target.dir.join("restart-it");
    let ran = w.target.dir.join("ran");
    fs::write(&bin, format!("#!/bin/sh\ndate >> {}\necho restarted' 'well\n", ran.display())).unwrap();
    fs::set_permissions(&bin, fs::Permissions::from_mode(0o755)).unwrap();

    let out = w.ssh(&ada).unwrap().command("pg_dump ehr; echo it ran").run().unwrap();
    assert_eq!(out.status, Some(255), "{}", out.said());
    assert!(out.said().contains("the rule \"no dumps\" does not allow this command") && !out.said().contains("it ran"), "{}", out.said());
    assert!(w.ssh(&ada).unwrap().command("uptime").run().unwrap().good().is_ok(), "another target's rule");

    let mut ssh = w.ssh(&ada).unwrap().terminal(120, 30).spawn().unwrap();
    ssh.expect("target$ ").unwrap();
    ssh.write(&format!("cd {}; PATH=$PATH:.\n", w.target.dir.display())).unwrap();
    ssh.write("echo x; pg_dump ehr; echo it' 'ran\n").unwrap();
    ssh.expect("does not allow this").unwrap();
    ssh.write("restart-it\n").unwrap();
    ssh.expect("type yes and Enter").unwrap();
    ssh.write("no\n").unwrap();
    ssh.expect("taken back").unwrap();
    assert!(!ran.exists(), "it ran without a yes");
    ssh.write("restart-it\n").unwrap();
    std::thread::sleep(Duration::from_millis(800));
    ssh.write("yes\n").unwrap();
    ssh.expect("restarted well").unwrap();
    ssh.write("echo outward' 'bound\n").unwrap();
    ssh.expect("outward bound").unwrap();
    assert!(!ssh.said().contains("it ran"), "{}", ssh.said());

    // What is shown is counted while it runs.
    ssh.write("printf 'MRN: 470003%s\\r\\n' 1 2 3 4\n").unwrap();
    ssh.expect("4700034").unwrap();
    soon("the alert", || Ok(!w.audited("patients")?.is_empty())).unwrap();
    ssh.expect("more than is usual").unwrap();
    ssh.write("exit\n").unwrap();
    ssh.outcome(Duration::from_secs(20)).unwrap();
    w.sealed_session().unwrap();
    let alert = w.audited("patients").unwrap().remove(0);
    assert!(alert["reaction"] == "alert" && alert["patients"].as_u64() >= Some(3), "{alert}");

    let matched = w.audited("commands").unwrap();
    let of = |rule: &str, way: &str, outcome: &str| {
        matched.iter().filter(|e| e["rule"] == rule && e["way"] == way && e["outcome"] == outcome).count()
    };
    assert_eq!(of("no dumps", "exec", "blocked"), 1, "{matched:?}");
    assert_eq!(of("no dumps", "typed", "blocked"), 1, "{matched:?}");
    assert_eq!((of("restarts", "typed", "refused"), of("restarts", "typed", "confirmed")), (1, 1), "{matched:?}");
    assert_eq!(of("leaves", "typed", "passed"), 1, "{matched:?}");
    assert!(!format!("{matched:?}").contains("pg_dump"), "the log has no commands");
}

const HELD: &str = "[[rule]]\nname = \"drops\"\ndoes = \"pause\"\nmatches = '^drop-it\\b'\n";

#[test]
fn a_rule_holds_a_command_back_until_somebody_lets_it_go_on() {
    let rules = tempfile::NamedTempFile::new().unwrap();
    fs::write(rules.path(), HELD).unwrap();
    let ssh = format!("command_rules = {:?}\n", rules.path());
    let w = World::with(WorldOptions { ssh, ..WorldOptions::default() }).unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let (bin, ran) = (w.target.dir.join("drop-it"), w.target.dir.join("ran"));
    fs::write(&bin, format!("#!/bin/sh\necho $1 >> {}\necho dropped' '$1\n", ran.display())).unwrap();
    fs::set_permissions(&bin, fs::Permissions::from_mode(0o755)).unwrap();
    let runs = || fs::read_to_string(&ran).unwrap_or_default();
    let resume = || {
        soon("the session to stand still", || {
            let live = w.sessions()?.into_iter().find(|s| s["ended_at"].is_null());
            let id = live.as_ref().and_then(|s| s["id"].as_str()).unwrap_or_default().to_owned();
            Ok(w.cli.good(&["session", "resume", &id, "--as", "ben"]).is_ok())
        })
        .unwrap();
    };

    let mut ssh = w.ssh(&ada).unwrap().terminal(120, 30).spawn().unwrap();
    ssh.expect("target$ ").unwrap();
    ssh.write(&format!("PATH=$PATH:{}\n", w.target.dir.display())).unwrap();
    // Pasted together: what stands behind it must not end up on its line.
    ssh.write("drop-it tables\necho pasted' 'behind\n").unwrap();
    ssh.expect("holds this back").unwrap();
    ssh.expect("standing still").unwrap();
    ssh.write("\n").unwrap();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(runs(), "", "it ran");
    resume();
    ssh.expect("dropped tables").unwrap();
    ssh.write("echo still' 'here\n").unwrap();
    ssh.expect("still here").unwrap();
    assert!(!ssh.said().contains("pasted behind"), "{}", ssh.said());
    ssh.write("exit\n").unwrap();
    ssh.outcome(Duration::from_secs(20)).unwrap();
    assert_eq!(runs(), "tables\n", "once");
    w.sealed_session().unwrap();

    let alone = std::thread::scope(|threads| {
        let asked = threads.spawn(|| w.ssh(&ada).unwrap().command("drop-it rows").run().unwrap());
        std::thread::sleep(Duration::from_secs(1));
        assert!(!asked.is_finished(), "nobody was waited for");
        resume();
        asked.join().unwrap()
    });
    // Not found in the target's own path: that it is the target's answer is what counts here.
    assert_eq!(alone.status, Some(127), "{}", alone.said());
    let matched = w.audited("commands").unwrap();
    let outcomes: Vec<_> = matched.iter().map(|e| (e["way"].as_str().unwrap(), e["outcome"].as_str().unwrap())).collect();
    assert_eq!(outcomes, [("typed", "paused"), ("typed", "let_through"), ("exec", "paused"), ("exec", "let_through")]);
}

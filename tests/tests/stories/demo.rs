//! A stranger types `make demo` and does what it prints.
use anteroom_tests::harness::{Cli, Confirm, Daemon, Person, SshSession, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// `anteroom demo` and what it printed.
struct Demo {
    process: Child,
    told: String,
}

impl Demo {
    fn start(dir: &Path) -> Self {
        let out = dir.join("told");
        let cli = Cli::new(None).unwrap();
        let mut c = Daemon::command(cli.program(), "TERM");
        c.args(["demo", "--dir"]).arg(dir.join("demo-state"));
        c.stdin(Stdio::null()).stdout(File::create(&out).unwrap()).stderr(File::create(dir.join("progress")).unwrap());
        let mut process = c.spawn().unwrap();
        let told = wait_for("the demo to tell what to do", Duration::from_secs(60), || {
            assert!(process.try_wait()?.is_none(), "the demo ended: {}", fs::read_to_string(dir.join("progress"))?);
            Ok(Some(fs::read_to_string(&out)?).filter(|t| t.contains("Ctrl-C stops")))
        });
        Self { process, told: told.unwrap() }
    }

    /// The word that begins with `start`, on the first line that holds `holds`.
    fn word(&self, holds: &str, start: &str) -> String {
        let line = self.told.lines().find(|l| l.contains(holds)).unwrap_or_else(|| panic!("no {holds} in {}", self.told));
        line.split_whitespace().find(|w| w.starts_with(start)).unwrap_or_else(|| panic!("no {start} in {line}")).to_owned()
    }

    fn ctrl_c(mut self) {
        kill_process(Pid::from_child(&self.process), Signal::INT).unwrap();
        let status = wait_for("the demo to end", Duration::from_secs(40), || Ok(self.process.try_wait()?)).unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn ssh(dir: &Path, port: &str, person: &Person, login: &str, command: &str) -> String {
    let mut c = Command::new("ssh");
    c.args(["-F", "none", "-p", port, "-o", "StrictHostKeyChecking=accept-new", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]);
    c.arg("-o").arg(format!("UserKnownHostsFile={}", dir.join("known_hosts").display())).arg("-i").arg(&person.ssh_key);
    c.arg(format!("{login}@localhost")).arg(command);
    let session = SshSession::start(c, Some(Confirm::By(person.clone()))).unwrap();
    let done = session.finish(Duration::from_secs(40)).unwrap();
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn what_the_demo_prints_can_be_done_and_is_kept() {
    let dir = tempfile::Builder::new().prefix("anteroom-demo-").tempdir().unwrap();
    // The database's account passes through when root runs this.
    fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let demo = Demo::start(dir.path());
    let origin: url::Url = demo.word("Anteroom is running", "http").parse().unwrap();
    let port = demo.told.split("SSH: localhost port ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let person = |handle: &str| {
        let p = Person::new(handle, &origin, dir.path().join(handle));
        p.enrol(&demo.word(&format!("     {handle}"), "http")).unwrap();
        p
    };
    let (ada, ben) = (person("ada"), person("ben"));
    ada.add_ssh_key().unwrap();
    for (target, account) in [("ehr-db-1", "dba"), ("infusion-pump-7", "service")] {
        ben.approve(&ada.request(target, account).unwrap()).unwrap();
    }

    // The server has patients; the device is a device.
    let seen = ssh(dir.path(), &port, &ada, "dba@ehr-db-1", "psql -c 'select mrn, patient_name, ssn from patient order by mrn limit 2'");
    let row = seen.lines().nth(2).unwrap().to_owned();
    let values: Vec<&str> = row.split('|').map(str::trim).collect();
    assert!(values[0].starts_with("MRN-47") && values[2].starts_with('9'), "{seen}");
    assert!(ssh(dir.path(), &port, &ada, "service@infusion-pump-7", "status").starts_with("mode RUNNING"));

    // The auditor's view holds none of it.
    let config = dir.path().join("demo-state/anteroom.toml");
    let cli = Cli::new(Some(&config)).unwrap();
    let sessions = wait_for("both recordings to be closed", Duration::from_secs(20), || {
        let all: Vec<serde_json::Value> = serde_json::from_str(&cli.good(&["session", "list", "--json"])?)?;
        Ok(Some(all).filter(|a| a.len() == 2 && a.iter().all(|s| s["recording"] == "complete")))
    })
    .unwrap();
    let ehr = sessions.iter().find(|s| s["target_name"] == "ehr-db-1").unwrap()["id"].as_str().unwrap().to_owned();
    let masked = cli.good(&["recording", "play", &ehr, "--as", "cleo"]).unwrap();
    assert!(masked.contains("patient_name") && masked.contains('█'), "{masked}");
    for v in &values {
        assert!(!masked.contains(v), "{v} is in the masked recording:\n{masked}");
    }

    // And what was exported can be checked without any of this.
    let bundle = dir.path().join("bundle").display().to_string();
    cli.good(&["recording", "export", &ehr, "--as", "cleo", "--output", &bundle]).unwrap();
    let good = Cli::new(None).unwrap().good(&["verify", &bundle]).unwrap();
    assert!(good.trim_end().ends_with("everything fits"), "{good}");
    demo.ctrl_c();

    // The next start goes on: same addresses, same people, and only who has no passkey gets a link.
    let again = Demo::start(dir.path());
    assert_eq!(again.word("Anteroom is running", "http"), origin.as_str().trim_end_matches('/'));
    assert!(again.told.contains("     cleo") && !again.told.contains("     ada"), "{}", again.told);
    ada.sign_in().unwrap();
    let reset = Cli::new(None).unwrap();
    let state = dir.path().join("demo-state").display().to_string();
    assert!(reset.run(&["demo", "--dir", &state, "--reset"]).unwrap().said().contains("is running"));
    again.ctrl_c();
    reset.good(&["demo", "--dir", &state, "--reset"]).unwrap();
    assert!(!Path::new(&state).exists());
}

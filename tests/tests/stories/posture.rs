//! A device manager reports somebody's machine; a real ssh session lives as long as the machine is known to be as policy wants it.
use anteroom_tests::harness::{Person, World};
use std::{fs, process::Command, time::Duration, time::Instant};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// "Within a second" on a machine that is busy with the other stories.
const AT_ONCE: Duration = Duration::from_secs(3);

fn fingerprint(who: &Person) -> String {
    let out = Command::new("ssh-keygen").arg("-lf").arg(who.ssh_key.with_extension("pub")).output().unwrap();
    let line = String::from_utf8(out.stdout).unwrap();
    line.split_whitespace().find(|w| w.starts_with("SHA256:")).unwrap().to_owned()
}

struct DeviceManager<'w> {
    w: &'w World,
    key: String,
    fingerprint: String,
}

impl DeviceManager<'_> {
    fn report(&self, ago: time::Duration, disk_encrypted: bool) {
        let at = (OffsetDateTime::now_utc() - ago).format(&Rfc3339).unwrap();
        let report = serde_json::json!({
            "person": "ada", "device": "LAPTOP-7", "reported_at": at, "disk_encrypted": disk_encrypted, "secure_boot": true,
            "endpoint_protection": true, "os": "Made-up Linux 1", "ssh_keys": [self.fingerprint],
        });
        let said = self
            .w
            .cli
            .good_with(&["feed", "report", "-", "--key", &self.key, "--portal", self.w.origin.as_str()], report.to_string().as_bytes());
        assert_eq!(said.unwrap().trim(), "LAPTOP-7 of ada is reported");
    }
}

#[test]
fn a_session_lives_as_long_as_its_machine_is_known_to_be_healthy() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    // The strict policies as they come, for servers too: the target of this test is one.
    let dir = w.dir.join("policies").display().to_string();
    w.cli.good(&["policy", "default", "--dir", &dir]).unwrap();
    assert!(w.cli.good(&["policy", "test", &dir]).unwrap().contains("0 differ"));
    let strict = w.dir.join("policies/hospital-strict.cedar");
    fs::write(&strict, fs::read_to_string(&strict).unwrap().replace("TargetKind::\"medical_device\"", "TargetKind::\"server\"")).unwrap();
    w.cli.good(&["policy", "set", &dir, "--note", "machines"]).unwrap();
    w.cli.good(&["person", "set", "ada", "--group", "sees-patient-data"]).unwrap();

    let refused = w.ssh(&ada).unwrap().command("echo in").run().unwrap();
    assert!(refused.status != Some(0) && refused.said().contains("from a managed machine only"), "{}", refused.said());

    let key = w.dir.join("device-manager.key").display().to_string();
    let public = w.cli.good(&["feed", "key", &key]).unwrap();
    w.cli.good(&["feed", "add", "device-manager", "--key", public.trim()]).unwrap();
    let manager = DeviceManager { w: &w, key, fingerprint: fingerprint(&ada) };

    // An hour and fifty seconds old: in ten seconds it is too old.
    manager.report(time::Duration::seconds(3650), true);
    assert!(w.cli.good(&["policy", "explain", "ada", &w.target.name, "--key", &manager.fingerprint]).unwrap().contains("LAPTOP-7"));
    let mut ssh = w.ssh(&ada).unwrap().terminal(120, 30).spawn().unwrap();
    ssh.expect("target$ ").unwrap();
    ssh.expect("older than an hour").unwrap();
    ssh.write("echo typed' 'meanwhile\n").unwrap();
    std::thread::sleep(Duration::from_millis(700));
    assert!(!ssh.said().contains("typed meanwhile"), "it stands still: {}", ssh.said());

    manager.report(time::Duration::ZERO, true);
    let reported = Instant::now();
    loop {
        ssh.write("echo goes' 'on\n").unwrap();
        std::thread::sleep(Duration::from_millis(100));
        if ssh.said().contains("goes on") {
            break;
        }
        assert!(reported.elapsed() < AT_ONCE, "{}", ssh.said());
    }

    manager.report(time::Duration::ZERO, false);
    let told = Instant::now();
    ssh.ended(Duration::from_secs(15)).unwrap();
    let took = told.elapsed();
    assert!(took < AT_ONCE, "{took:?}");
    let out = ssh.outcome(Duration::from_secs(1)).unwrap();
    assert!(out.said().contains("policy no longer allows it"), "{}", out.said());
    let refused = w.ssh(&ada).unwrap().command("echo in").run().unwrap();
    assert!(refused.said().contains("disk encryption, secure boot"), "{}", refused.said());

    let events = w.audited("posture").unwrap();
    let said: Vec<_> = events.iter().map(|e| e["of"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(said, ["feed_added", "reported", "reported"], "the report that said the same is no line: {events:?}");
    assert_eq!(w.audited("session_ended").unwrap()[0]["reason"], "policy_denied");
}

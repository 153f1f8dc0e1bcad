//! The disk for recordings fills up: what can't be recorded does not go on (THREATS 7, invariant 2).
use anteroom_tests::harness::{World, WorldOptions, account_here};
use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// A small file system of its own; needs root.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, megabytes: u32) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        if account_here().unwrap() != "root" {
            skipped("only root can mount the small disk that this story fills");
            return None;
        }
        let out = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"]).arg(at).output().unwrap();
        if !out.status.success() {
            skipped(&format!("no small disk can be mounted here: {}", String::from_utf8_lossy(&out.stderr).trim()));
            return None;
        }
        Some(Self(at.to_owned()))
    }
    fn grow(&self, megabytes: u32) {
        let done = Command::new("mount").args(["-o", &format!("remount,size={megabytes}m")]).arg(&self.0).status().unwrap();
        assert!(done.success());
    }
}

/// Past the test runner, which shows what a passing test prints to nobody.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED disk_full: {why}");
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_session_that_cannot_be_recorded_ends_and_no_new_one_starts() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&dir.path().join("small"), 8) else { return };
    let w = World::with(WorldOptions { recordings: Some(disk.0.clone()), ..Default::default() }).unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let _cleo = w.person("cleo", &["auditor"]).unwrap();

    let work = "echo the first words; while :; do head -c 300000 /dev/urandom | base64 || exit; sleep 0.05; done";
    let s = w.ssh(&ada).unwrap().command(work).spawn().unwrap();
    s.expect("the first words").unwrap();
    let out = s.outcome(Duration::from_secs(60)).unwrap();
    assert!(out.stderr.contains("it could not be recorded any longer"), "{}", out.stderr);
    assert_ne!(out.status, Some(0));
    // What the user saw is at most what the disk held and a second more.
    assert!(out.stdout.len() < 64 << 20, "{} bytes were shown", out.stdout.len());

    let refused = w.ssh(&ada).unwrap().command("echo in").run().unwrap();
    assert!(!refused.text().contains("in\n") && refused.status == Some(255), "{}", refused.said());
    assert!(refused.stderr.contains("cannot be recorded"), "{}", refused.stderr);

    // Room again, and a restart as an operator would do it.
    disk.grow(200);
    w.stop_gateway().unwrap();
    w.start_gateway().unwrap();
    let full = w.audited("session_ended").unwrap().into_iter().find(|e| e["reason"] == "recording_failed").expect("the end is in the log");
    let id = full["session"].as_str().unwrap().to_owned();
    anteroom_tests::harness::soon("the torn recording to be sealed", || {
        Ok(w.sessions()?.iter().any(|s| s["id"] == id.as_str() && s["recording"] == "torn"))
    })
    .unwrap();
    assert!(w.cli.good(&["recording", "play", &id, "--as", "cleo"]).unwrap().contains("the first words"));
    let bundle = w.dir.join("full.bundle");
    w.cli.good(&["recording", "export", &id, "--output", bundle.to_str().unwrap(), "--as", "cleo"]).unwrap();
    let verified = w.cli.run(&["verify", bundle.to_str().unwrap()]).unwrap();
    assert!(verified.code == Some(0) && verified.stdout.contains("cut short"), "{}", verified.said());
    assert_eq!(w.ssh(&ada).unwrap().command("echo again").run().unwrap().good().unwrap(), "again\n");
}

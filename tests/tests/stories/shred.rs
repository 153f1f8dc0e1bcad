//! A hospital has to destroy a recording, and may not while a court needs it. Afterwards it can show that it did, and that nothing else
//! was changed; and what somebody deleted in secret is found out.
use anteroom_tests::harness::{Cli, Finished, World, soon};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

const WORD: &str = "heliotrope";

struct Scene {
    w: World,
    session: String,
}

impl Scene {
    /// A session that is over and searchable, cleo who audits, and olga who keeps the machine.
    fn set() -> Self {
        let w = World::start().unwrap();
        let (ada, _ben) = w.ada_and_ben().unwrap();
        w.add_person("cleo", &["auditor"]).unwrap();
        w.add_person("olga", &["operator"]).unwrap();
        w.ssh(&ada).unwrap().command(&format!("echo {WORD}")).run().unwrap().good().unwrap();
        let session = w.sealed_session().unwrap()["id"].as_str().unwrap().to_owned();
        let s = Self { w, session };
        soon("it to be searchable", || Ok(s.found().contains(WORD))).unwrap();
        s
    }
    fn recording(&self, args: &[&str], by: &str) -> Finished {
        self.w.cli.run(&[&["recording"], args, &["--as", by]].concat()).unwrap()
    }
    fn shred(&self, by: &str) -> Finished {
        self.recording(&["shred", &self.session, "--reason", "asked for by the patient", "--yes"], by)
    }
    fn play(&self) -> Finished {
        self.recording(&["play", &self.session], "cleo")
    }
    fn found(&self) -> String {
        self.recording(&["search", WORD], "cleo").stdout
    }
    /// As somebody elsewhere runs it: no configuration, no database, no key.
    fn verify(&self, name: &str) -> Finished {
        let bundle = self.w.dir.join(name);
        let bundle = bundle.to_str().unwrap();
        assert_eq!(self.recording(&["export", &self.session, "--output", bundle], "cleo").code, Some(0));
        Cli::new(None).unwrap().run(&["verify", bundle]).unwrap()
    }
    fn folder(&self) -> PathBuf {
        find(&self.w.recordings, &self.session).expect("the recording's folder")
    }
    fn envelopes(&self) -> Vec<PathBuf> {
        let all = fs::read_dir(self.folder()).unwrap().flatten().map(|e| e.path());
        let mut all: Vec<_> = all.filter(|p| p.extension().is_some_and(|e| e == "envelope")).collect();
        all.sort();
        all
    }
}

fn find(dir: &Path, name: &str) -> Option<PathBuf> {
    let entries: Vec<_> = fs::read_dir(dir).ok()?.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
    entries.iter().find(|p| p.ends_with(name)).cloned().or_else(|| entries.iter().find_map(|p| find(p, name)))
}

fn refused(f: &Finished, code: i32, why: &str) {
    assert!(f.code == Some(code) && f.stderr.contains(why), "{why}: {}", f.said());
}

#[test]
fn a_recording_is_held_then_shredded_and_the_bundle_says_who_when_and_why() {
    let s = Scene::set();
    let backup: Vec<_> = s.envelopes().into_iter().map(|p| (p.clone(), fs::read(p).unwrap())).collect();
    assert_eq!(backup.len(), 2);
    assert!(s.play().stdout.contains(WORD));

    // Held: nobody shreds it, and whoever shreds cannot lift.
    let hold = |args: &[&str], by: &str| s.recording(&[&["hold", &s.session], args].concat(), by);
    refused(&hold(&["--reason", "case 17"], "ada"), 1, "may not do this");
    assert_eq!(hold(&["--reason", "case 17"], "cleo").code, Some(0));
    refused(&s.shred("olga"), 1, "a legal hold is on this recording (case 17)");
    refused(&hold(&["--lift", "--reason", "over"], "olga"), 1, "may not do this");
    assert_eq!(s.envelopes().len(), 2, "nothing was touched");
    assert!(s.play().stdout.contains(WORD));
    assert!(hold(&[], "olga").stdout.contains("case 17"));
    assert_eq!(hold(&["--lift", "--reason", "case 17 is closed"], "cleo").code, Some(0));

    // Shredded: only by an operator, and not by somebody who was not asked.
    refused(&s.shred("cleo"), 1, "may not do this");
    refused(&s.recording(&["shred", &s.session, "--reason", "old"], "olga"), 2, "there is nobody to ask");
    let shredded = s.shred("olga");
    assert!(shredded.code == Some(0) && shredded.stdout.contains("2 envelopes"), "{}", shredded.said());
    assert!(s.envelopes().is_empty());
    assert_eq!(s.shred("olga").code, Some(0), "again: it is as it should be");
    assert_eq!(s.w.audited("recording_shredded").unwrap().len(), 1);
    refused(&hold(&["--reason", "case 18"], "cleo"), 1, "nothing to keep");

    // It does not play, is not found, and verifies.
    refused(&s.play(), 1, "by olga, because: asked for by the patient");
    assert_eq!(s.found(), "");
    let verified = s.verify("shredded.anteroom");
    assert_eq!(verified.code, Some(0), "{}", verified.said());
    for said in ["recording: complete", "by olga: asked for by the patient (2 envelopes)", "destroyed, as the log says", "everything fits"]
    {
        assert!(verified.stdout.contains(said), "{said}: {}", verified.stdout);
    }
    let listed: Vec<Value> = s.w.sessions().unwrap();
    assert!(listed[0]["shredded_at"].is_string() && listed[0]["held"] == false, "{listed:?}");

    // A backup that comes back is seen, and opens nothing here; the next start removes what a crash would have left.
    for (path, bytes) in &backup {
        fs::write(path, bytes).unwrap();
    }
    let back = s.verify("back.anteroom");
    assert!(back.code == Some(3) && back.stdout.contains("masked.0.envelope is still there"), "{}", back.stdout);
    refused(&s.play(), 1, "was shredded on");
    s.w.stop_gateway().unwrap();
    s.w.start_gateway().unwrap();
    assert_eq!(s.envelopes().len(), 2, "what was said to be done is not looked for again");
    s.w.sql("update shredding set done_at = null").unwrap();
    s.w.kill_gateway().unwrap();
    s.w.start_gateway().unwrap();
    soon("the keys to go", || Ok(s.envelopes().is_empty())).unwrap();
    assert_eq!(s.verify("again.anteroom").code, Some(0));
}

#[test]
fn keys_that_somebody_deleted_in_secret_are_damage() {
    let s = Scene::set();
    assert!(s.verify("whole.anteroom").stdout.contains("everything fits"));
    fs::remove_file(s.folder().join("sealed.0.envelope")).unwrap();
    let found = s.verify("robbed.anteroom");
    assert_eq!(found.code, Some(3), "{}", found.stdout);
    assert!(found.stdout.contains("sealed.0.envelope is missing, and the log does not say that it was destroyed"), "{}", found.stdout);
    // Shredding what is left does not make up for it.
    assert_eq!(s.shred("olga").code, Some(0));
    let found = s.verify("late.anteroom");
    assert!(found.code == Some(3) && found.stdout.contains("sealed.0.envelope is missing, and is not among"), "{}", found.stdout);
}

#[test]
fn recordings_end_when_their_days_are_over_unless_they_are_held() {
    let s = Scene::set();
    let config = s.w.dir.join("anteroom.toml");
    let text = fs::read_to_string(&config).unwrap();
    let again = || {
        s.w.stop_gateway().unwrap();
        s.w.start_gateway().unwrap();
    };
    fs::write(&config, text.replace("[replay]", "keep_days = 30\n[replay]")).unwrap();
    assert_eq!(s.recording(&["hold", &s.session, "--reason", "case 17"], "cleo").code, Some(0));
    s.w.sql("update session set started_at = started_at - interval '31 days', ended_at = ended_at - interval '31 days'").unwrap();
    again();
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(s.envelopes().len(), 2, "held, however old");
    assert_eq!(s.recording(&["hold", &s.session, "--lift", "--reason", "closed"], "cleo").code, Some(0));
    again();
    soon("its keys to go", || Ok(s.envelopes().is_empty())).unwrap();
    let said = s.w.audited("recording_shredded").unwrap();
    assert!(said.len() == 1 && said[0]["why"] == "retention" && said[0]["actor"].is_null(), "{said:?}");
    refused(&s.play(), 1, "by retention, because: kept for 30 days");
}

//! A recording that was changed by one byte or cut is found out, and where.
use anteroom_tests::harness::{Finished, World, soon};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

struct Kept {
    w: World,
    session: String,
    folder: PathBuf,
}

fn a_session_that_is_over() -> Kept {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let _cleo = w.person("cleo", &["auditor"]).unwrap();
    w.ssh(&ada).unwrap().command("seq 1 60000; head -c 200000 /dev/urandom | base64").run().unwrap().good().unwrap();
    let session = w.sealed_session().unwrap()["id"].as_str().unwrap().to_owned();
    let folder = find(&w.recordings, &session).expect("the recording's folder");
    Kept { w, session, folder }
}

fn find(dir: &Path, name: &str) -> Option<PathBuf> {
    let entries: Vec<_> = fs::read_dir(dir).ok()?.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
    entries.iter().find(|p| p.ends_with(name)).cloned().or_else(|| entries.iter().find_map(|p| find(p, name)))
}

impl Kept {
    fn export(&self, name: &str) -> PathBuf {
        let to = self.w.dir.join(name);
        self.w.cli.good(&["recording", "export", &self.session, "--output", to.to_str().unwrap(), "--as", "cleo"]).unwrap();
        to
    }
    /// As somebody elsewhere runs it: no configuration, no database, no key.
    fn verify(&self, bundle: &Path, more: &[&str]) -> Finished {
        let elsewhere = anteroom_tests::harness::Cli::new(None).unwrap();
        elsewhere.run(&[&["verify", bundle.to_str().unwrap()], more].concat()).unwrap()
    }
    fn files(&self) -> Vec<PathBuf> {
        let mut all: Vec<_> = fs::read_dir(&self.folder).unwrap().flatten().map(|e| e.path()).collect();
        all.sort();
        all
    }
}

#[test]
fn every_file_of_a_recording_is_guarded() {
    let k = a_session_that_is_over();
    let good = k.verify(&k.export("good.bundle"), &[]);
    assert_eq!(good.code, Some(0), "{}", good.said());
    assert!(good.stdout.contains("everything fits"), "{}", good.stdout);
    let mut n = 0;
    for file in k.files() {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let whole = fs::read(&file).unwrap();
        assert!(!whole.is_empty(), "{name}");
        // First, middle and last byte flipped; cut by one and to half; something added.
        let flip = |at: usize| {
            let mut b = whole.clone();
            b[at] ^= 1;
            b
        };
        let changes = [
            ("first byte flipped", flip(0)),
            ("middle byte flipped", flip(whole.len() / 2)),
            ("last byte flipped", flip(whole.len() - 1)),
            ("last byte cut", whole[..whole.len() - 1].to_vec()),
            ("cut to half", whole[..whole.len() / 2].to_vec()),
            ("a byte added", [&whole[..], b"\0"].concat()),
        ];
        for (what, changed) in changes {
            fs::write(&file, &changed).unwrap();
            n += 1;
            let bundle = k.export(&format!("{n}.bundle"));
            let found = k.verify(&bundle, &["--json"]);
            assert_eq!(found.code, Some(3), "{name}, {what}: {}", found.said());
            let said: Value = serde_json::from_str(&found.stdout).unwrap();
            let bad: Vec<String> =
                said["findings"].as_array().unwrap().iter().filter(|f| f["ok"] == false).map(|f| f.to_string()).collect();
            // A byte of a name is as good JSON as before: then it is the log that knows better.
            let also = format!("recording {}", name.trim_end_matches(".json"));
            assert!(bad.iter().any(|b| b.contains(&name) || b.contains(&also)), "{name}, {what}: the file is not named in {bad:?}");
            fs::remove_file(bundle).unwrap();
        }
        fs::write(&file, &whole).unwrap();
    }
    // Where in a track: the chunk and the byte.
    let track = k.files().into_iter().find(|f| f.file_name().unwrap().to_str().unwrap().starts_with("masked.")).expect("a masked track");
    let mut bytes = fs::read(&track).unwrap();
    let at = bytes.len() * 3 / 4;
    bytes[at] ^= 0x80;
    fs::write(&track, &bytes).unwrap();
    let found = k.verify(&k.export("where.bundle"), &[]);
    assert!(found.code == Some(3) && found.stdout.contains("chunk ") && found.stdout.contains("byte "), "{}", found.stdout);
    // It is not played as if nothing were wrong.
    let played = k.w.cli.run(&["recording", "play", &k.session, "--as", "cleo"]).unwrap();
    assert_ne!(played.code, Some(0), "a damaged recording played to its end without a word");
    fs::remove_file(&track).unwrap();
    assert_eq!(k.verify(&k.export("missing.bundle"), &[]).code, Some(3), "a missing track");
}

#[test]
fn evidence_that_was_changed_or_a_foreign_log_is_found_out() {
    let k = a_session_that_is_over();
    let bundle = k.export("a.bundle");
    let log_key = k.w.cli.good(&["audit", "verify"]).unwrap();
    let log_key = log_key.lines().find_map(|l| l.strip_prefix("log key ")).unwrap().to_owned();
    assert_eq!(k.verify(&bundle, &["--log-key", &log_key]).code, Some(0));
    let other = World::start().unwrap();
    let foreign = other.cli.good(&["audit", "verify"]).unwrap();
    let foreign = foreign.lines().find_map(|l| l.strip_prefix("log key ")).unwrap().to_owned();
    let f = k.verify(&bundle, &["--log-key", &foreign]);
    assert_eq!(f.code, Some(3), "{}", f.said());

    // The words in the evidence, one at a time, for others of the same length.
    let text = fs::read(&bundle).unwrap();
    for (from, to) in [("\"ada\"", "\"eve\""), ("a test needs it", "a test wants it"), ("ehr-db-1", "ehr-db-2")] {
        let changed = replace(&text, from.as_bytes(), to.as_bytes());
        assert_ne!(changed, text, "{from} is not in the bundle");
        let file = k.w.dir.join("changed.bundle");
        fs::write(&file, changed).unwrap();
        let f = k.verify(&file, &[]);
        assert_eq!(f.code, Some(3), "{from} -> {to}: {}", f.said());
    }
    // No bundle at all.
    for (what, bytes) in [("nothing", &b""[..]), ("noise", &[0x55; 5000]), ("half of one", &text[..text.len() / 2])] {
        let file = k.w.dir.join("none.bundle");
        fs::write(&file, bytes).unwrap();
        let f = k.verify(&file, &[]);
        assert!(matches!(f.code, Some(1 | 3)) && !f.said().is_empty() && !f.said().contains("panicked"), "{what}: {f:?}");
    }
}

#[test]
fn a_log_that_somebody_rewrote_is_found_out() {
    let k = a_session_that_is_over();
    let verify = || k.w.cli.run(&["audit", "verify"]).unwrap();
    soon("every entry to be in the tree", || Ok(verify().stdout.contains(" 0 waiting"))).unwrap();
    let good = verify();
    assert!(good.code == Some(0) && good.stdout.contains("the log is whole"), "{}", good.said());
    k.w.sql("update audit_entry set record = replace(record::text, 'session_started', 'session_starten') where record::text like '%session_started%'").unwrap();
    let bad = verify();
    assert!(bad.code == Some(3) && bad.stdout.contains("DAMAGE at entry"), "{}", bad.said());
}

fn replace(all: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut out = all.to_vec();
    for i in 0..out.len() - from.len() {
        if &all[i..i + from.len()] == from {
            out[i..i + from.len()].copy_from_slice(to);
        }
    }
    out
}

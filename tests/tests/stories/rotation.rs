//! The masked key has to go: its holder left. Everything recorded is rewrapped to a new one while people work, replay goes on throughout,
//! and afterwards the old key opens nothing.
use anteroom_tests::harness::{Cli, World};
use std::{collections::BTreeMap, fs, path::Path};

fn play(w: &World, id: &str) -> (Option<i32>, String) {
    let f = w.cli.run(&["recording", "play", id, "--as", "cleo"]).unwrap();
    (f.code, f.said())
}

/// Every file of the recordings that is no envelope.
fn payload(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
        if entry.is_dir() {
            found.extend(payload(&entry));
        } else if entry.extension().is_none_or(|e| e != "envelope") && !entry.ends_with(".lock") {
            found.insert(entry.display().to_string(), fs::read(&entry).unwrap());
        }
    }
    found
}

fn change(w: &World, from: &str, to: &str) {
    let path = w.dir.join("anteroom.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from));
    fs::write(&path, text.replace(from, to)).unwrap();
}

#[test]
fn the_masked_key_is_changed_and_the_old_one_opens_nothing_any_more() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let cleo = w.person("cleo", &["auditor"]).unwrap();
    w.ssh(&ada).unwrap().command("echo before the rotation").run().unwrap().good().unwrap();
    let first = w.sealed_session().unwrap()["id"].as_str().unwrap().to_owned();
    let before = payload(&w.recordings);
    assert!(play(&w, &first).1.contains("before the rotation"));

    let at = |name: &str| w.dir.join("keys").join(name).display().to_string();
    let (old, new) = (at("custody-masked.key"), at("masked-2027.key"));
    let line = w.cli.good(&["keys", "new", &new]).unwrap();
    assert_eq!(fs::read_to_string(format!("{new}.pub")).unwrap(), line);
    let rotate = |more: &[&str]| {
        let to = format!("{new}.pub");
        w.cli.run(&[&["keys", "rotate", "--track", "masked", "--from", &old, "--to", &to], more].concat()).unwrap()
    };
    let said = rotate(&["--dry-run"]).good().unwrap();
    assert_eq!(said, "1 would be rewrapped, 0 were already, 0 failed\n");
    assert!(w.audited("envelopes_rewrapped").unwrap().is_empty(), "nothing happened yet");

    // Both open it: nobody waits while the configuration is changed.
    assert_eq!(rotate(&["--keep-old"]).good().unwrap(), "1 rewrapped, 0 were already, 0 failed\n");
    assert!(play(&w, &first).1.contains("before the rotation"));
    w.ssh(&ada).unwrap().command("echo in between").run().unwrap().good().unwrap();
    let second = w.sealed_session().unwrap()["id"].as_str().unwrap().to_owned();
    w.stop_gateway().unwrap();
    change(&w, "masked = \"keys/custody-masked.key.pub\"", "masked = \"keys/masked-2027.key.pub\"");
    change(&w, "masked_key_file = \"keys/custody-masked.key\"", "masked_key = \"keys/masked-2027.key\"");
    w.cli.good(&["check-config"]).unwrap();
    w.start_gateway().unwrap();
    let (code, said) = play(&w, &second);
    assert!(code == Some(1) && !said.contains("in between"), "not rewrapped yet: {said}");

    // The old one goes, and what was recorded in between comes along.
    assert_eq!(rotate(&[]).good().unwrap(), "2 rewrapped, 0 were already, 0 failed\n");
    assert_eq!(rotate(&[]).good().unwrap(), "0 rewrapped, 2 were already, 0 failed\n");
    for (id, text) in [(&first, "before the rotation"), (&second, "in between")] {
        assert!(play(&w, id).1.contains(text));
        assert!(cleo.get(&format!("/recordings/{id}/channels/1/cast")).unwrap().body.contains(text), "and in the portal");
    }
    let listed = w.cli.good(&["keys", "list"]).unwrap();
    let masked: Vec<_> = listed.lines().filter(|l| l.starts_with("masked")).collect();
    assert!(masked.len() == 1 && masked[0].contains("  2  new recordings are for it"), "{listed}");
    let after = payload(&w.recordings);
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)), "nothing but envelopes was written");
    let bundle = w.dir.join("first.anteroom").display().to_string();
    w.cli.good(&["recording", "export", &first, "--output", &bundle, "--as", "cleo"]).unwrap();
    let verified = Cli::new(None).unwrap().good(&["verify", &bundle]).unwrap();
    assert!(verified.contains("complete"), "{verified}");

    let entries = w.audited("envelopes_rewrapped").unwrap();
    let counts: Vec<_> = entries.iter().map(|e| e["count"].as_u64().unwrap()).collect();
    assert_eq!(counts, [1, 2, 0], "one entry a run");
    assert!(entries[0]["recipients"].as_array().unwrap().len() == 2 && entries[1]["recipients"].as_array().unwrap().len() == 1);
    assert_eq!(entries[1]["track"], "masked");

    // Whoever still has the old key.
    change(&w, "masked_key = \"keys/masked-2027.key\"", "masked_key = \"keys/custody-masked.key\"");
    let (code, said) = play(&w, &first);
    assert!(code == Some(1) && !said.contains("before the rotation"), "{said}");
    let back = w.cli.run(&["keys", "rotate", "--track", "masked", "--from", &old, "--to", line.trim()]).unwrap();
    assert_eq!((back.code, back.stdout.as_str()), (Some(0), "0 rewrapped, 2 were already, 0 failed\n"));
    let sealed = w.cli.run(&["keys", "rotate", "--track", "sealed", "--from", &old, "--to", line.trim()]).unwrap();
    assert!(sealed.code == Some(1) && sealed.stderr.contains("no envelope of this track is for the key"), "{sealed:?}");
    let same = w.cli.run(&["keys", "rotate", "--track", "masked", "--from", &old, "--to", &format!("{old}.pub")]).unwrap();
    assert!(same.code == Some(2) && same.stderr.contains("are the same key"), "{same:?}");
}

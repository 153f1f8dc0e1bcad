//! The target is an attacker: it changes its identity, or writes for the auditor's terminal instead of the user's (THREATS 9, 11).
use anteroom_tests::harness::{World, soon};

#[test]
fn a_target_with_another_host_key_is_not_connected_to() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let other = w.add_target("pacs-2", "").unwrap();
    // What was pinned for ehr-db-1 is not what answers there now.
    w.cli.good_with(&["target", "pin", &w.target.name], other.host_key.as_bytes()).unwrap();
    let out = w.ssh(&ada).unwrap().command("echo in").run().unwrap();
    assert!(out.status == Some(255) && !out.text().contains("in"), "{}", out.said());
    assert!(out.stderr.contains("host key"), "{}", out.stderr);
    assert!(!w.target.log().contains("Accepted publickey"), "the credential was shown to a stranger");
    soon("the change in the log", || Ok(!w.audited("target_key_changed")?.is_empty())).unwrap();
    // Pinned again, it works again.
    w.cli.good_with(&["target", "pin", &w.target.name], w.target.host_key.as_bytes()).unwrap();
    assert_eq!(w.ssh(&ada).unwrap().command("echo in").run().unwrap().good().unwrap(), "in\n");
}

#[test]
fn nothing_that_a_target_writes_acts_on_the_auditor() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let cleo = w.person("cleo", &["auditor"]).unwrap();
    let attack = concat!(
        r"printf 'before\n';",
        r"printf '\033]0;TITLE-ATTACK\007';",
        r"printf '\033]52;c;Q0xJUEJPQVJE\007';",
        r"printf '\033]8;;https://evil.example/\033\\LINK\033]8;;\033\\\n';",
        r"printf '\033P$qDCS-ATTACK\033\\';",
        r"printf '\033_APC-ATTACK\033\\\033^PM-ATTACK\033\\';",
        r"printf '\033[6n\033[c\033[>c\033[21t\033Z';",
        r"printf '\302\233 31m C1 \302\235 0;C1-TEXT\007\n';",
        r"printf '<script>alert(1)</script> \342\200\256 \n after\n'"
    );
    let raw = w.ssh(&ada).unwrap().option("-tt").command(attack).run().unwrap();
    assert!(raw.text().contains("TITLE-ATTACK"), "the user's own terminal gets everything: {}", raw.said());
    w.ssh(&ada).unwrap().command(attack).run().unwrap();
    soon("both recordings", || Ok(w.sessions()?.iter().filter(|s| s["recording"] == "complete").count() == 2)).unwrap();
    for s in w.sessions().unwrap() {
        let id = s["id"].as_str().unwrap();
        let played = w.cli.good(&["recording", "play", id, "--as", "cleo"]).unwrap();
        let cast = cleo.get(&format!("/recordings/{id}/channels/1/cast")).unwrap();
        assert_eq!(cast.status, 200, "{cast:?}");
        for (where_, text) in [("cast", cast.body.replace("\\u001b", "\x1b")), ("terminal", played)] {
            assert!(text.contains("before") && text.contains("after"), "{where_}: {text:?}");
            for bad in [
                "ATTACK",
                "\x1b]",
                "\x1bP",
                "\x1b_",
                "\x1b^",
                "\x1b[6n",
                "\x1b[c",
                "\x1b[>c",
                "\x1b[21t",
                "\x1bZ",
                "evil.example",
                "\u{9b}",
                "\u{9d}",
                "Q0xJUEJPQVJE",
            ] {
                // The command itself stands in the cast's title, as text.
                let text = text.lines().filter(|l| !l.contains("\"version\"")).collect::<Vec<_>>().join("\n");
                assert!(!text.contains(bad), "{where_} holds {bad:?}: {text:?}");
            }
        }
        let page = cleo.get(&format!("/recordings/{id}")).unwrap().body;
        assert!(!page.contains("<script>alert"), "a script of the target's is in the page");
    }
}

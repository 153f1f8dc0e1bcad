//! An offered key proves nothing; only a signature does (THREATS 1).
use anteroom_tests::harness::{Person, World};
use std::path::Path;

/// A key file of which ssh holds the public half only: it can offer it and cannot sign.
fn public_half_only(of: &Person, dir: &Path) -> String {
    let file = dir.join(format!("{}-public-only.pub", of.handle));
    std::fs::copy(of.ssh_key.with_extension("pub"), &file).unwrap();
    file.display().to_string()
}

#[test]
fn offering_somebodys_key_and_signing_with_ones_own_gains_nothing_of_theirs() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let eve = w.admin("eve").unwrap();
    let adas = public_half_only(&ada, &w.dir);
    // Offered first, then eve signs with her own.
    let both = |login: &str| {
        let ssh = w.ssh(&eve).unwrap().login(login).option("-v");
        ssh.option("-i").option(&adas).option("-i").option(&eve.ssh_key.display().to_string())
    };
    let menu = both("eve").run().unwrap();
    let offers: Vec<_> = menu.stderr.lines().filter(|l| l.contains("Offering public key")).collect();
    assert!(offers.iter().any(|l| l.contains("ada-public-only")), "ssh did not offer ada's key: {offers:?}");
    // Hers is the list, and nothing in it is open.
    assert!(menu.text().contains("Eve Example") && !menu.text().contains("Open now"), "{}", menu.text());

    let out = both(&w.login()).command("echo in").run().unwrap();
    assert_eq!(out.text(), "", "eve came in: {}", out.said());
    assert!(out.stderr.contains("anteroom:") && out.status == Some(255), "{}", out.stderr);
    assert!(!out.stderr.contains("/step-up/"), "ada would have been asked to confirm eve's connection");
    assert!(w.audited("step_up_asked").unwrap().is_empty());
    assert!(w.audited("session_started").unwrap().is_empty());
    // The refusal is written down for eve.
    let refused = w.audited("access_refused").unwrap();
    let people: Vec<serde_json::Value> = serde_json::from_str(&w.cli.good(&["person", "list", "--json"]).unwrap()).unwrap();
    let eves = people.iter().find(|p| p["handle"] == "eve").unwrap()["id"].clone();
    assert!(!refused.is_empty() && refused.iter().all(|r| r["person"] == eves), "{refused:?}");
}

#[test]
fn an_offered_key_alone_opens_nothing() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let eve = Person::new("eve", &w.origin, w.dir.join("ssh/nobody"));
    let adas = public_half_only(&ada, &w.dir);
    for methods in ["publickey,keyboard-interactive", "keyboard-interactive", "password", "none", "hostbased"] {
        let out =
            w.ssh(&eve).unwrap().option("-i").option(&adas).option(&format!("-oPreferredAuthentications={methods}")).command("echo in");
        let out = out.run().unwrap();
        assert!(out.stderr.contains("Permission denied") && out.status == Some(255), "{methods}: {}", out.said());
        assert!(!out.said().contains("/step-up/"), "{methods}: {}", out.said());
    }
}

#[test]
fn a_removed_or_unknown_key_is_nobodys() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let page = ada.get("/keys").unwrap().body;
    let (before, _) = page.split_once("/remove").expect("a key to remove");
    let id = before.rsplit("/keys/ssh/").next().unwrap();
    assert_eq!(ada.post_form(&format!("/keys/ssh/{id}/remove"), &[]).unwrap().status, 303);
    let out = w.ssh(&ada).unwrap().command("echo in").run().unwrap();
    assert!(out.stderr.contains("Permission denied"), "{}", out.said());
}

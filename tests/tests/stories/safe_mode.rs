//! At night the database is gone. A card from the safe opens the one device that cannot wait, once; when the database is back, all of it
//! stands in the log and somebody has to look at it. Real ssh, real passkeys, a Postgres that is stopped.
use anteroom_tests::harness::{Cluster, Person, SshOutput, World, WorldOptions, soon};
use serde_json::json;
use std::{fs, os::unix::fs::PermissionsExt};

/// Two key-holders make a card for this gateway; what is printed on it.
fn card(w: &World, kim: &Person, lee: &Person) -> String {
    soon("the gateway to keep cards", || Ok(kim.get("/cards/new")?.body.contains("<option value=\"test\">"))).unwrap();
    let wish = json!({ "gateway": "test", "target": w.target.name, "account": w.target.account, "minutes": "60", "days": "90" });
    let begun = kim.begin("/cards/begin", &wish).unwrap();
    let made = kim.finish("/cards/finish", &begun).unwrap().good("the first officer").unwrap().json().unwrap();
    let path = format!("/cards/{}", made["card"].as_str().unwrap());
    let paper = kim.post_form(&format!("{path}/print"), &[]).unwrap().body;
    let code = paper.split("id=\"code\">").nth(1).unwrap().split('<').next().unwrap().trim().to_owned();
    let sign = lee.begin(&format!("{path}/sign/begin"), &json!({})).unwrap();
    lee.finish(&format!("{path}/sign/finish"), &sign).unwrap().good("the second officer").unwrap();
    soon("the card to be at its gateway", || Ok(!kim.get(&path)?.body.contains("not yet at its gateway"))).unwrap();
    code
}

/// ssh asks for a card; the person types what stands on it.
fn types(w: &World, who: &Person, code: &str, command: &str) -> SshOutput {
    let answers = w.dir.join(format!("answers-{command}").replace(' ', "-"));
    fs::write(&answers, format!("#!/bin/sh\ncase \"$1\" in *Code*) echo '{code}';; *) echo 'the ward cannot see its monitors';; esac\n"))
        .unwrap();
    fs::set_permissions(&answers, fs::Permissions::from_mode(0o700)).unwrap();
    let ssh = w.ssh(who).unwrap().env("SSH_ASKPASS", answers.to_str().unwrap()).env("SSH_ASKPASS_REQUIRE", "force");
    ssh.option("-o").option("NumberOfPasswordPrompts=1").command(command).run().unwrap()
}

#[test]
fn a_card_from_the_safe_opens_a_device_once_while_the_database_is_gone() {
    let mut cluster = Cluster::start().unwrap();
    let database = format!("url = \"{}\"\nowner_url = \"{}\"", cluster.url("anteroom_app"), cluster.url("anteroom_owner"));
    let w = World::with(WorldOptions { database: Some(database), ..Default::default() }).unwrap();
    let ada = w.admin("ada").unwrap();
    let ben = w.person("ben", &["approver"]).unwrap();
    let (kim, lee) = (w.person("kim", &["key_holder"]).unwrap(), w.person("lee", &["key_holder"]).unwrap());
    let code = card(&w, &kim, &lee);
    let early = types(&w, &ada, &code, "echo early");
    assert!(early.status != Some(0) && !early.text().contains("early\n"), "a card is for when nobody can be asked: {}", early.said());

    // The gateway begins anew in the middle of it, and knows what it knew.
    cluster.take_away().unwrap();
    w.kill_gateway().unwrap();
    w.start_gateway().unwrap();
    let wrong = types(&w, &ada, "0000-0000-0000-0000-0000-0000-0000", "echo guessed");
    assert!(wrong.status != Some(0) && !wrong.text().contains("guessed\n"), "{}", wrong.said());
    let saved = types(&w, &ada, &code, "echo monitors are back");
    assert_eq!(saved.status, Some(0), "{}", saved.said());
    assert!(saved.text().contains("monitors are back"), "{}", saved.said());
    let again = types(&w, &ada, &code, "echo once more");
    assert!(again.status != Some(0) && !again.text().contains("once more\n"), "{}", again.said());
    assert!(again.said().contains("has been used"), "{}", again.said());

    cluster.bring_back().unwrap();
    soon("the session in the database, its recording whole", || {
        Ok(w.sessions()?.iter().any(|s| s["recording"] == "complete" && !s["ended_at"].is_null()))
    })
    .unwrap();
    soon("the log to say when safe mode began, whom it let in, and that it is over", || {
        let kinds: Vec<_> = w.audited("safe_mode")?.iter().map(|e| e["of"].as_str().unwrap_or_default().to_owned()).collect();
        Ok(["entered", "permitted", "left"].iter().all(|k| kinds.iter().any(|have| have == k)))
    })
    .unwrap();
    soon("the review to be asked for", || Ok(ben.get("/break-glass/all")?.body.contains("the ward cannot see its monitors"))).unwrap();
    soon("the log to be in order", || Ok(w.cli.good(&["audit", "verify"])?.contains(" 0 waiting"))).unwrap();
    assert!(w.cli.good(&["card", "list", "--all", "--json"]).unwrap().contains("\"used\""));
}

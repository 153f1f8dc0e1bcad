//! An auditor watches a session while it runs, looks for words in everything that was shown, and the player opens where they stood.
//! Whose data it was they never learn.
use anteroom_tests::harness::{Browser, Cli, World};
use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

/// Nobody in it exists.
const PATIENTS: &str = r"     mrn     |   patient_name   | date_of_birth |     ssn     |  ward  |    diagnosis
-------------+------------------+---------------+-------------+--------+------------------
 MRN-4700037 | Fausto Example   | 1933-11-15    | 913-17-6173 | ward 2 | invented cough
 MRN-4700074 | Mockeline Sample | 1936-07-19    | 926-24-2346 | ward 3 | fictional fracture
(2 rows)

";
const SECRET: [&str; 8] = ["4700037", "4700074", "Fausto", "Mockeline", "1933-11-15", "913-17-6173", "926-24-2346", "1936-07-19"];

fn enrolled(w: &World, handle: &str) -> Browser {
    let browser = Browser::start(handle, &w.origin).unwrap();
    browser.open(&w.add_person(handle, &["auditor"]).unwrap()).unwrap();
    browser.click("Create a passkey").unwrap();
    browser.expect("Hello, ").unwrap();
    browser
}

fn hides_the_patients(browser: &Browser) {
    let page = browser.html().unwrap();
    for secret in SECRET {
        assert!(!page.contains(secret), "{secret} is in the auditor's page");
    }
}

#[test]
fn a_word_is_found_where_it_was_shown_and_a_patients_name_is_not() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let psql = w.target.dir.join("patients");
    fs::write(&psql, format!("#!/bin/sh\ncat <<'END'\n{PATIENTS}END\n")).unwrap();
    fs::set_permissions(&psql, fs::Permissions::from_mode(0o755)).unwrap();
    let cleo = enrolled(&w, "cleo");

    let mut ssh = w.ssh(&ada).unwrap().terminal(120, 30).spawn().unwrap();
    ssh.expect("target$ ").unwrap();
    // Live: she watches while it happens, masked.
    cleo.open("/sessions").unwrap();
    cleo.click("Watch").unwrap();
    cleo.expect("Masked as it is written").unwrap();
    ssh.write("echo heliotrope at the be''ginning\n").unwrap();
    ssh.expect("heliotrope at the beginning").unwrap();
    cleo.expect("heliotrope at the beginning").unwrap();
    ssh.write(&format!("{}\n", psql.display())).unwrap();
    ssh.expect("(2 rows)").unwrap();
    cleo.expect("fictional fracture").unwrap();
    hides_the_patients(&cleo);
    cleo.screenshot("live").unwrap();
    // Some time passes, so that there are moments to tell apart.
    std::thread::sleep(Duration::from_secs(4));
    ssh.write("clear; echo chrysoprase is the end of'' it\n").unwrap();
    ssh.expect("chrysoprase is the end of it").unwrap();
    std::thread::sleep(Duration::from_secs(1));
    ssh.write("exit\n").unwrap();
    assert_eq!(ssh.outcome(Duration::from_secs(20)).unwrap().status, Some(0));
    cleo.expect("the session is over").unwrap();
    let id = w.sealed_session().unwrap()["id"].as_str().unwrap().to_owned();

    // Searching, as soon as it is indexed.
    let search = |words: &str| {
        cleo.open("/recordings/search").unwrap();
        cleo.fill("Words that were shown", words).unwrap();
        cleo.click("Search").unwrap();
        cleo.expect_path_under("/recordings/search/").unwrap();
    };
    let mut found = String::new();
    for _ in 0..40 {
        search("heliotrope");
        found = cleo.text().unwrap();
        if found.contains("at the beginning") {
            break;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    assert!(found.contains("heliotrope at the beginning"), "{found}");
    assert!(!cleo.path().unwrap().contains("heliotrope"));
    cleo.screenshot("search").unwrap();
    let hit = "const a = [...document.querySelectorAll('.hits a')].find(a => a.innerText.includes('heliotrope at the')); \
               return a.getAttribute('href')";
    let href = cleo.script(hit, &[]).unwrap().as_str().unwrap().to_owned();
    assert!(href.starts_with(&format!("/recordings/{id}?channel=")), "{href}");
    cleo.open(&href).unwrap();
    // The player stands at the hit: the beginning is there, the end is not.
    cleo.expect("heliotrope at the beginning").unwrap();
    let screen = "return document.querySelector('#player').innerText";
    assert!(!cleo.script(screen, &[]).unwrap().as_str().unwrap().contains("chrysoprase"));
    cleo.screenshot("player-at-hit").unwrap();
    hides_the_patients(&cleo);
    for secret in SECRET {
        search(secret);
        cleo.expect("Nothing that was shown holds this").unwrap();
    }
    search("\"is the end of it\"");
    cleo.expect("chrysoprase is the end of it").unwrap();

    // The same from a shell.
    let shell = w.cli.good(&["recording", "search", "chrysop", "--as", "cleo", "--json"]).unwrap();
    let hits: serde_json::Value = serde_json::from_str(&shell).unwrap();
    assert_eq!(hits[0]["session"], id.as_str(), "{shell}");
    let refused = w.cli.run(&["recording", "search", "chrysop", "--as", "ada"]).unwrap();
    assert!(refused.code == Some(1) && refused.stderr.contains("may not do this"), "{}", refused.said());
    assert_eq!(w.cli.run(&["recording", "search", "\"\"", "--as", "cleo"]).unwrap().code, Some(2));

    // Taken away, masked, and known to the log.
    let cast = w.dir.join("session.cast");
    let cast = cast.to_str().unwrap();
    w.cli.good(&["recording", "cast", &id, "-o", cast, "--as", "cleo"]).unwrap();
    let text = fs::read_to_string(cast).unwrap();
    assert!(text.starts_with('{') && text.contains("chrysoprase") && !SECRET.iter().any(|s| text.contains(s)), "{text}");
    let piped = Cli::run(&w.cli, &["recording", "cast", &id, "-o", "-", "--as", "cleo"]).unwrap();
    assert_eq!((piped.code, piped.stdout.as_str()), (Some(0), text.as_str()));
    let exports = w.audited("recording_exported").unwrap();
    assert!(exports.len() == 2 && exports.iter().all(|e| e["masked_channel"].is_u64()), "{exports:?}");
    let searches = w.audited("recordings_searched").unwrap();
    assert!(searches.len() > SECRET.len() && !format!("{searches:?}").contains("heliotrope"), "{searches:?}");
    let log = w.gateway_log();
    for word in SECRET.iter().chain(&["heliotrope", "chrysop"]) {
        assert!(!log.contains(word), "{word} is in the gateway's own log");
    }
}

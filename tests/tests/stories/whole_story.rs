//! The whole story, once, as people live it: passkeys, a request, somebody else's approval, ssh, and an auditor who watches what
//! happened without learning whose data it was.
use anteroom_tests::harness::{Browser, Cli, Confirm, Person, World};
use std::{fs, os::unix::fs::PermissionsExt, process::Command, time::Duration};

/// What the target's database shows, as `psql` prints it. Nobody in it exists.
const PATIENTS: &str = r"     mrn     |   patient_name   | date_of_birth |     ssn     |     phone      |           email           |  ward  |      diagnosis
-------------+------------------+---------------+-------------+----------------+---------------------------+--------+----------------------
 MRN-4700037 | Fausto Example   | 1933-11-15    | 913-17-6173 | (202) 555-0117 | fausto@example.invalid    | ward 2 | invented cough
 MRN-4700074 | Mockeline Sample | 1936-07-19    | 926-24-2346 | (202) 555-0134 | mockeline@example.invalid | ward 3 | fictional fracture
 MRN-4700111 | Samplon Notreal  | 1939-03-23    | 939-31-8519 | (202) 555-0151 | samplon@example.invalid   | ward 4 | pretend hypertension
(3 rows)

";
/// Whom it would be about.
const SECRET: [&str; 14] = [
    "4700037",
    "4700074",
    "4700111",
    "Fausto",
    "Mockeline",
    "Samplon",
    "Notreal",
    "1933-11-15",
    "913-17-6173",
    "926-24-2346",
    "939-31-8519",
    "555-0117",
    "555-0151",
    "fausto@",
];
/// What an auditor has to see all the same.
const PLAIN: [&str; 8] =
    ["patient_name", "diagnosis", "ward 2", "ward 4", "invented cough", "pretend hypertension", "(3 rows)", "uptime checked"];

#[test]
fn from_an_enrolment_link_to_a_verified_recording() {
    let w = World::start().unwrap();
    let psql = w.target.dir.join("patients");
    fs::write(&psql, format!("#!/bin/sh\ncat <<'END'\n{PATIENTS}END\n")).unwrap();
    fs::set_permissions(&psql, fs::Permissions::from_mode(0o755)).unwrap();

    // Ada opens the link she was given and makes a passkey.
    let ada = Browser::start("ada", &w.origin).unwrap();
    ada.open(&w.add_person("ada", &["admin"]).unwrap()).unwrap();
    ada.click("Create a passkey").unwrap();
    ada.expect("You are signed in, and your passkey is enrolled").unwrap();
    ada.expect("Hello, Ada Example").unwrap();

    // Signing out and in again, with nothing but the passkey.
    ada.click("Sign out").unwrap();
    ada.expect("You are signed out").unwrap();
    ada.click("Sign in with a passkey").unwrap();
    ada.expect("Hello, Ada Example").unwrap();

    // Her SSH key becomes hers by a touch.
    let key = w.dir.join("ssh/ada");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status().unwrap();
    assert!(made.success());
    ada.open("/keys").unwrap();
    ada.fill("Public key", fs::read_to_string(key.with_extension("pub")).unwrap().trim()).unwrap();
    ada.fill("Name of this key", "work laptop").unwrap();
    ada.click("Add SSH key").unwrap();
    ada.expect("The SSH key is yours now").unwrap();

    // She asks.
    ada.open("/").unwrap();
    ada.click("Ask for access").unwrap();
    ada.fill("Target", &w.target.name).unwrap();
    ada.fill("Account", &w.target.account).unwrap();
    ada.fill("Reason", "check why the nightly export of ward 4 is late, ticket 1234").unwrap();
    ada.click("For 1 hour").unwrap();
    ada.click("Send request").unwrap();
    ada.expect("Your request was sent").unwrap();
    let request = ada.path().unwrap().split('?').next().unwrap().to_owned();

    // Ben answers.
    let ben = Browser::start("ben", &w.origin).unwrap();
    ben.open(&w.add_person("ben", &["approver"]).unwrap()).unwrap();
    ben.click("Create a passkey").unwrap();
    ben.expect("Hello, Ben Example").unwrap();
    ben.open("/approvals").unwrap();
    ben.click("Ada Example wants").unwrap();
    ben.expect("the nightly export of ward 4 is late").unwrap();
    ben.click("Exactly what you sign").unwrap();
    ben.expect("\"requester_handle\":\"ada\"").unwrap();
    ben.screenshot("approval").unwrap();
    ben.click("Approve with passkey").unwrap();
    ben.expect("You approved this request").unwrap();

    // Her page, still open, says so by itself.
    ada.expect_path(&request).unwrap();
    ada.expect("The grant is open").unwrap();
    ada.open("/").unwrap();
    ada.expect(&format!("{} on {}", w.target.account, w.target.name)).unwrap();
    ada.screenshot("home").unwrap();

    // She connects with plain ssh; the terminal waits for the browser.
    let her_key = Person::new("ada", &w.origin, key);
    let mut ssh = w.ssh(&her_key).unwrap().confirm(Confirm::Later).terminal(160, 40).spawn().unwrap();
    let link = ssh.link().unwrap();
    ada.open(&link.url).unwrap();
    ada.expect("Is this you connecting?").unwrap();
    ada.expect(&link.number).unwrap();
    ada.expect("127.0.0.1").unwrap();
    ada.screenshot("step-up").unwrap();
    ada.click("Confirm with passkey").unwrap();
    ada.expect("it goes on by itself").unwrap();
    ssh.expect("target$ ").unwrap();

    ssh.write(&format!("{}\n", psql.display())).unwrap();
    ssh.expect("(3 rows)").unwrap();
    ssh.write("echo 'Fausto Example called about 913-17-6173'; echo uptime checked\n").unwrap();
    ssh.expect("uptime checked\r\n").unwrap();
    for secret in SECRET {
        assert!(ssh.said().contains(secret), "she works with the real data: {secret}");
    }
    ben.open("/sessions").unwrap();
    ben.expect(&format!("ada as {} on {}", w.target.account, w.target.name)).unwrap();
    ben.screenshot("sessions").unwrap();
    ssh.write("exit\n").unwrap();
    let over = ssh.outcome(Duration::from_secs(20)).unwrap();
    assert_eq!(over.status, Some(0), "{}", over.said());
    let session = w.sealed_session().unwrap();
    assert_eq!((session["recording"].as_str(), session["mask_incomplete"].as_bool()), (Some("complete"), Some(false)), "{session}");
    let id = session["id"].as_str().unwrap().to_owned();

    // Cleo watches it, masked.
    let cleo = Browser::start("cleo", &w.origin).unwrap();
    cleo.open(&w.add_person("cleo", &["auditor"]).unwrap()).unwrap();
    cleo.click("Create a passkey").unwrap();
    cleo.expect("Hello, Cleo Example").unwrap();
    cleo.open("/recordings").unwrap();
    cleo.click(&format!("ada as {} on {}", w.target.account, w.target.name)).unwrap();
    cleo.expect("Masked replay").unwrap();
    let cast = cleo.fetch(&format!("/recordings/{id}/channels/1/cast")).unwrap();
    for secret in SECRET {
        assert!(!cast.contains(secret), "{secret} is in the masked recording:\n{cast}");
    }
    for plain in PLAIN {
        assert!(cast.contains(plain), "{plain:?} is not in the masked recording:\n{cast}");
    }
    cleo.script("document.querySelector('#player [tabindex]').focus()", &[]).unwrap();
    cleo.press("]").unwrap();
    cleo.press(" ").unwrap();
    cleo.expect("The recording is over").unwrap();
    let page = cleo.html().unwrap();
    for secret in SECRET {
        assert!(!page.contains(secret), "{secret} is in the auditor's page");
    }
    cleo.screenshot("replay").unwrap();
    cleo.open(&format!("/audit?session={id}")).unwrap();
    cleo.expect("Only session").unwrap();
    for kind in ["session_started", "session_ended", "recording_sealed", "recording_viewed"] {
        assert!(!w.audited(kind).unwrap().is_empty(), "{kind} is not in the log");
    }
    cleo.screenshot("audit").unwrap();

    // Nobody has to believe us.
    let log = w.cli.good(&["audit", "verify"]).unwrap();
    assert!(log.contains("the log is whole"), "{log}");
    let log_key = log.lines().find_map(|l| l.strip_prefix("log key ")).unwrap();
    let bundle = w.dir.join("session.anteroom");
    let bundle = bundle.to_str().unwrap();
    w.cli.good(&["recording", "export", &id, "--output", bundle, "--as", "cleo"]).unwrap();
    let verified = Cli::new(None).unwrap().run(&["verify", bundle, "--log-key", log_key]).unwrap();
    assert!(verified.code == Some(0) && verified.stdout.contains("everything fits"), "{}", verified.said());
    let raw = fs::read(bundle).unwrap();
    for secret in SECRET {
        assert!(!raw.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret} stands readable in the bundle");
    }
    for secret in SECRET {
        assert!(!w.gateway_log().contains(secret), "{secret} is in the gateway's own log");
    }
}

//! A target that shows another certificate than the pinned one is somebody else: no account's name or password goes there.
use super::desktops::{AT_MOST, READING_ROOM, Scene, TOLERANCE};
use anteroom_tests::harness::{rdp::Shadow, soon};

#[test]
fn a_certificate_that_changed_stops_alerts_and_says_how_to_pin_again() {
    let s = Scene::set();
    let (shadow, tap) = s.reading_room();
    let grant = s.grant(READING_ROOM, &shadow.login.account, &[]);
    // Somebody puts another machine there, with the same account and password.
    let impostor = Shadow::nla(&s.dir("impostor")).unwrap();
    tap.lead_to(impostor.login.port);
    let mut client = s.connect(&grant, "to-an-impostor", &[]);
    let (status, said) = client.ended().unwrap();
    assert!(!status.success(), "{said}");
    assert!(tap.connections() >= 1);
    assert!(!impostor.log().contains("AcceptSecurityContext"), "the account was shown to a stranger: {}", impostor.log());
    let offered = impostor.login.certificate.fingerprint().unwrap();
    soon("the alert in the log", || {
        let alerts = s.w.audited("target_certificate_changed")?;
        Ok(alerts.iter().any(|a| a["offered"].as_str().is_some_and(|o| o.replace(':', "").to_lowercase().ends_with(&offered))))
    })
    .unwrap();
    let log = s.w.gateway_log();
    assert!(log.contains(&format!("anteroom target pin {READING_ROOM}")), "nobody is told what to do: {log}");

    // Pinned again, it works again.
    let line = format!("SHA256:{offered}\n");
    s.w.cli.good_with(&["target", "pin", READING_ROOM], line.as_bytes()).unwrap();
    let mut client = s.connect(&grant, "pinned-again", &[]);
    client.shows(&impostor.desk.display, TOLERANCE, AT_MOST).unwrap();
}

//! A desktop through the gateway is the desktop: the same picture, the same keys. And it is recorded, sealed, and can be checked by anybody.
use super::desktops::{AT_MOST, CT, READING_ROOM, Scene, TOLERANCE};
use anteroom_tests::harness::{
    Browser, Cli,
    rdp::{Freerdp, SECRET},
    soon,
};

/// Everything that a session must have left behind.
fn recorded(s: &Scene, password: &str) {
    let session = s.sealed();
    assert_eq!(session["recording"], "complete", "{session:#}");
    let id = session["id"].as_str().unwrap();
    let cleo = s.w.person("cleo", &["auditor"]).unwrap();
    let bundle = s.w.dir.join("session.anteroom");
    let bundle = bundle.to_str().unwrap();
    s.w.cli.good(&["recording", "export", id, "--output", bundle, "--as", &cleo.handle]).unwrap();
    let verified = Cli::new(None).unwrap().run(&["verify", bundle]).unwrap();
    assert!(verified.code == Some(0) && verified.stdout.contains("everything fits"), "{}", verified.said());
    let raw = std::fs::read(bundle).unwrap();
    let log = s.w.gateway_log();
    for secret in SECRET.iter().copied().chain([password]) {
        assert!(!raw.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret} stands readable in the bundle");
        assert!(!log.contains(secret), "{secret} is in the gateway's log");
    }
}

#[test]
fn ada_works_on_a_desktop_that_wants_nla_with_a_ticket_from_the_portal() {
    let s = Scene::set();
    let (shadow, _tap) = s.reading_room();
    // As it is without a gateway.
    let login = &shadow.login;
    let mut direct = Freerdp::to(login.port, &login.account, &login.password).with("/gfx:RFX").start(&s.dir("direct")).unwrap();
    let as_it_is = direct.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();
    direct.close().unwrap();

    // Cora has her passkey in a browser.
    let cora = Browser::start("cora", &s.w.origin).unwrap();
    cora.open(&s.w.add_person("cora", &["admin"]).unwrap()).unwrap();
    cora.click("Create a passkey").unwrap();
    cora.expect("Hello, Cora Example").unwrap();
    cora.open("/requests/new").unwrap();
    cora.fill("Target", READING_ROOM).unwrap();
    cora.fill("Account", &login.account).unwrap();
    cora.fill("Reason", "the viewer hangs in reading room 1, ticket 4711").unwrap();
    cora.click("Paste text into the desktop").unwrap();
    cora.click("For 1 hour").unwrap();
    cora.click("Send request").unwrap();
    cora.expect("Your request was sent").unwrap();
    let request = cora.path().unwrap().split('?').next().unwrap().rsplit('/').next().unwrap().to_owned();
    let grant = s.ben.approve(&request).unwrap();
    cora.open(&format!("/desktop/{grant}")).unwrap();
    let ticket = cora.ticket().unwrap();
    assert!(!ticket.secret.is_empty() && !s.w.gateway_log().contains(&ticket.secret));

    let mut client = s.with_ticket(&ticket, "through", &[]);
    let through = client.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();
    assert!(through.differs(&as_it_is, TOLERANCE) <= AT_MOST, "another picture than without the gateway");
    client.type_line("Hello 3/4 from_Cora").unwrap();
    soon("the typed line", || Ok(shadow.desk.typed() == "Hello 3/4 from_Cora\n")).unwrap();
    client.reads("it heard Hello 3/4").unwrap();
    let said = client.close().unwrap();
    assert!(!said.contains(&login.account) && !said.contains(&login.password), "the target's account was shown: {said}");
    recorded(&s, &login.password);
    for kind in ["ticket_issued", "ticket_redeemed", "session_started", "session_ended", "recording_sealed"] {
        assert!(!s.w.audited(kind).unwrap().is_empty(), "{kind} is not in the log");
    }
}

#[test]
fn a_desktop_without_nla_is_reached_by_nla_all_the_same() {
    let s = Scene::set();
    let (xrdp, _tap) = s.ct();
    let grant = s.grant(CT, &xrdp.login.account, &[]);
    let mut client = s.connect(&grant, "through", &["/size:1024x768"]);
    client.shows(&xrdp.desk.display, TOLERANCE, AT_MOST).unwrap();
    client.type_line("hello ct").unwrap();
    soon("the typed line", || Ok(xrdp.desk.typed() == "hello ct\n")).unwrap();
    client.close().unwrap();
    recorded(&s, &xrdp.login.password);
}

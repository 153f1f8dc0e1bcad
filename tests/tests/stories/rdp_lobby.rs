//! A vendor's desktop waits for a supervisor as a terminal does: nothing reaches it before, it stands still whenever nobody watches, and
//! whoever watches sees it. Real xfreerdp, real Chromium.
use super::{
    desktops::{AT_MOST, READING_ROOM, Scene, TOLERANCE},
    rdp_control::{ends, told},
};
use anteroom_tests::harness::{
    Browser,
    rdp::{Shadow, Tap},
    soon,
};
use std::time::Duration;

const COMPANY: &str = "Made-up Imaging";

/// Ada is a vendor's person by now, and the reading room her company's.
fn vendors(s: &Scene) -> (Shadow, Tap) {
    let (shadow, tap) = s.reading_room();
    s.w.cli.good(&["company", "add", COMPANY, "--until", "2099-12-31"]).unwrap();
    s.w.cli.good(&["person", "set", "ada", "--company", COMPANY]).unwrap();
    s.w.cli.good(&["company", "keeps", COMPANY, READING_ROOM]).unwrap();
    (shadow, tap)
}

/// What the page with the ticket says of it.
fn waiting(s: &Scene, grant: &str) -> String {
    let answer = s.ada.get(&format!("/desktop/{grant}/waiting")).unwrap().json().unwrap();
    answer["state"].as_str().unwrap_or("nothing").to_owned()
}

fn nora(s: &Scene) -> Browser {
    let nora = Browser::start("nora", &s.w.origin).unwrap();
    nora.open(&s.w.add_person("nora", &["approver"]).unwrap()).unwrap();
    nora.click("Create a passkey").unwrap();
    nora.expect("Hello, Nora Example").unwrap();
    nora
}

fn id(s: &Scene) -> String {
    s.live()["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_vendors_desktop_waits_for_a_supervisor_and_stands_still_without_one() {
    let s = Scene::set();
    let (shadow, tap) = vendors(&s);
    let nora = nora(&s);
    let grant = s.grant(READING_ROOM, &shadow.login.account, &[]);
    assert_eq!(waiting(&s, &grant), "nothing");
    let page = s.ada.get(&format!("/desktop/{grant}")).unwrap().body;
    assert!(page.contains("Somebody of the hospital has to watch this"), "{page}");
    let mut client = s.connect(&grant, "lobby", &[]);
    let id = id(&s);
    nora.open("/supervise").unwrap();
    nora.expect("Waits in the lobby").unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!((tap.connections(), tap.bytes()), (0, (0, 0)), "the target was touched");
    assert!(client.has_ended().unwrap().is_none() && client.picture().unwrap().is_none(), "it waits and shows nothing: {}", client.said());
    assert_eq!(waiting(&s, &grant), "lobby");
    assert_eq!(s.sees_nothing(&id), 404, "who does not watch sees nothing of it");

    nora.open(&format!("/supervise/{id}")).unwrap();
    nora.click("Join and watch").unwrap();
    client.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();
    assert_eq!(waiting(&s, &grant), "watched");
    client.type_line("watched work").unwrap();
    soon("what was typed", || Ok(shadow.desk.typed() == "watched work\n")).unwrap();
    // She sees what is done there, cleared of patients.
    soon("the desktop in her browser", || Ok(nora.canvas("#desktop")?.is_some_and(|p| p.drawn() > 0.002))).unwrap();
    nora.screenshot("supervise-desktop").unwrap();

    // She goes away: no key passes, and nothing new is seen.
    nora.open("/").unwrap();
    told(&mut client);
    soon("the page to say it", || Ok(waiting(&s, &grant) == "unwatched")).unwrap();
    client.type_line("unwatched work").unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let before = client.picture().unwrap().unwrap();
    shadow.desk.display.ask("xdotool", &["type", "--delay", "30", "at the desk itself"]).unwrap();
    shadow.desk.display.ask("xdotool", &["key", "Return"]).unwrap();
    soon("what was typed there", || Ok(shadow.desk.typed().ends_with("at the desk itself\n"))).unwrap();
    assert_eq!(shadow.desk.typed(), "watched work\nat the desk itself\n", "a key passed that nobody watched");
    std::thread::sleep(Duration::from_secs(2));
    let after = client.picture().unwrap().unwrap();
    assert!(after.differs(&before, TOLERANCE) <= 0.001, "it was shown what nobody watched");

    nora.open(&format!("/supervise/{id}")).unwrap();
    nora.click("Join and watch").unwrap();
    client.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();
    client.type_line("watched again").unwrap();
    soon("the line after it", || Ok(shadow.desk.typed() == "watched work\nat the desk itself\nwatched again\n")).unwrap();

    s.w.cli.good(&["session", "terminate", &id, "--as", "nora"]).unwrap();
    // mstsc: "your network administrator might have ended the connection".
    ends(client, "ERRINFO_RPC_INITIATED_DISCONNECT");
    assert_eq!(s.why_it_ended(), "terminated");
    nora.expect("The session has ended").unwrap();
    let events = s.w.audited("supervision").unwrap();
    let what: Vec<_> = events.iter().filter_map(|e| e["what"].as_str()).collect();
    for expected in ["joined", "goes_on", "left", "stands_still"] {
        assert!(what.contains(&expected), "{expected} in {what:?}");
    }
    assert_eq!(s.sealed()["recording"], "complete");
}

#[test]
fn a_client_that_gives_up_in_the_lobby_comes_back_with_its_ticket() {
    let s = Scene::with("reconnect_window = \"60s\"", "");
    let (shadow, tap) = vendors(&s);
    let grant = s.grant(READING_ROOM, &shadow.login.account, &[]);
    let ticket = s.ada.ticket(&grant).unwrap();
    let mut first = s.with_ticket(&ticket, "first", &[]);
    let id = id(&s);
    std::thread::sleep(Duration::from_secs(2));
    first.kill().unwrap();

    let mut second = s.with_ticket(&ticket, "second", &[]);
    std::thread::sleep(Duration::from_secs(3));
    assert!(second.has_ended().unwrap().is_none(), "it was not let in again: {}", second.said());
    // And once more, while the gateway still believes that somebody is there.
    let mut third = s.with_ticket(&ticket, "third", &[]);
    let (status, said) = second.ended().unwrap();
    assert!(!status.success(), "{said}");
    assert_eq!((tap.connections(), id.clone()), (0, s.live()["id"].as_str().unwrap().to_owned()), "the same session, and it waits");

    let seat = s.ben.post_json(&format!("/supervise/{id}/join"), &serde_json::json!({})).unwrap().json().unwrap();
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !over.load(std::sync::atomic::Ordering::SeqCst) {
                let _ = s.ben.post_json(&format!("/supervise/{id}/renew"), &serde_json::json!({ "seat": seat["seat"] }));
                std::thread::sleep(Duration::from_millis(700));
            }
        });
        let shown = third.shows(&shadow.desk.display, TOLERANCE, AT_MOST);
        over.store(true, std::sync::atomic::Ordering::SeqCst);
        shown.unwrap();
    });
}

impl Scene {
    /// Ben may watch, and has not joined.
    fn sees_nothing(&self, id: &str) -> u16 {
        self.ben.get(&format!("/recordings/{id}/channels/1/film/live")).unwrap().status
    }
}

//! A vendor's desktop waits for a supervisor as a terminal does: nothing reaches it before, it stands still whenever nobody watches, and
//! whoever watches sees it. Real xfreerdp, real Chromium.
use super::{
    desktops::{AT_MOST, CT, READING_ROOM, Scene, TOLERANCE},
    rdp_control::{ends, told},
};
use anteroom_tests::harness::{
    Browser,
    rdp::{Picture, Rdesktop, Shadow, Tap},
    soon,
};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

const COMPANY: &str = "Made-up Imaging";

fn vendors(s: &Scene) -> (Shadow, Tap) {
    let (shadow, tap) = s.reading_room();
    s.vendors(READING_ROOM);
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

/// White words on the gateway's own blue; a font too small for Tesseract.
fn in_lobby(p: &Picture) -> bool {
    let is = |(x, y): (usize, usize), wanted: [u8; 3]| p.pixel(x, y).iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 8);
    let corners = [(3, 3), (p.width - 5, 3), (3, p.height - 5), (p.width - 5, p.height - 5)];
    let middle = (p.height / 3..p.height * 2 / 3).flat_map(|y| (0..p.width).map(move |x| (x, y)));
    corners.into_iter().all(|at| is(at, [0x18, 0x24, 0x33])) && middle.filter(|at| is(*at, [0xff; 3])).count() > 2000
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
    nora.expect("Waits for a supervisor").unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!((tap.connections(), tap.bytes()), (0, (0, 0)), "the target was touched");
    client.sees("the lobby", |p| Ok(in_lobby(p).then_some(()))).unwrap();
    client.type_line("nobody hears this").unwrap();
    let lobby = client.picture().unwrap().unwrap();
    assert!(in_lobby(&lobby), "typing changes nothing there");
    lobby.keep("rdp-lobby").unwrap();
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

    s.while_ben_watches(&id, || third.shows(&shadow.desk.display, TOLERANCE, AT_MOST).map(drop)).unwrap();

    // Who comes back while nobody watches waits as at first, and the target hears nothing of it.
    soon("nobody to watch", || Ok(waiting(&s, &grant) == "unwatched")).unwrap();
    let connections = tap.connections();
    let mut fourth = s.with_ticket(&ticket, "fourth", &[]);
    fourth.sees("the lobby", |p| Ok(in_lobby(p).then_some(()))).unwrap();
    assert_eq!(tap.connections(), connections, "the target was touched");
    s.while_ben_watches(&id, || fourth.shows(&shadow.desk.display, TOLERANCE, AT_MOST).map(drop)).unwrap();
}

/// xrdp gives out licences, and its clients here have had one from the lobby already. rdesktop brings its ticket without NLA.
#[test]
fn a_target_that_gives_out_licences_is_reached_from_the_lobby() {
    let s = Scene::with("allow_tls_without_nla = true\nreconnect_window = \"5s\"", "");
    let (xrdp, tap) = s.ct();
    s.vendors(CT);
    for which in ["xfreerdp", "rdesktop"] {
        let grant = s.grant(CT, &xrdp.login.account, &[]);
        let t = s.ada.ticket(&grant).unwrap();
        let mut client = match which {
            "rdesktop" => Rdesktop::to(s.w.rdp_port(), &t.name, &t.secret).start(&s.dir(which)).unwrap(),
            _ => s.with_ticket(&t, which, &[]),
        };
        let connections = tap.connections();
        client.sees("the lobby", |p| Ok(in_lobby(p).then_some(()))).unwrap();
        assert_eq!(tap.connections(), connections, "the target was touched");
        let id = id(&s);
        let line = format!("watched by {which}");
        s.while_ben_watches(&id, || {
            client.shows(&xrdp.desk.display, TOLERANCE, AT_MOST)?;
            client.type_line(&line)?;
            soon("what was typed", || Ok(xrdp.desk.typed().ends_with(&format!("{line}\n"))))
        })
        .unwrap();
        client.close().unwrap();
        assert_eq!(s.sealed()["recording"], "complete");
    }
}

impl Scene {
    /// Ada is a vendor's person from now on, and this target her company's.
    fn vendors(&self, target: &str) {
        self.w.cli.good(&["company", "add", COMPANY, "--until", "2099-12-31"]).unwrap();
        self.w.cli.good(&["person", "set", "ada", "--company", COMPANY]).unwrap();
        self.w.cli.good(&["company", "keeps", COMPANY, target]).unwrap();
    }

    /// Ben joins, and his page lives for as long as `what` takes.
    fn while_ben_watches<T: Send>(&self, id: &str, what: impl FnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
        let seat = self.ben.post_json(&format!("/supervise/{id}/join"), &serde_json::json!({}))?.json()?;
        let over = AtomicBool::new(false);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    let _ = self.ben.post_json(&format!("/supervise/{id}/renew"), &serde_json::json!({ "seat": seat["seat"] }));
                    std::thread::sleep(Duration::from_millis(700));
                }
            });
            let done = what();
            over.store(true, Ordering::SeqCst);
            done
        })
    }

    /// Ben may watch, and has not joined.
    fn sees_nothing(&self, id: &str) -> u16 {
        self.ben.get(&format!("/recordings/{id}/channels/1/film/live")).unwrap().status
    }
}

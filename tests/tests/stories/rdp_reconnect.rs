//! A connection that breaks: within two minutes the same ticket, from the same address, opens the same session again, as its next channel.
use super::desktops::{AT_MOST, READING_ROOM, Scene, TOLERANCE};
use anteroom_tests::harness::{rdp::Elsewhere, soon};

#[test]
fn who_comes_back_with_the_same_ticket_is_in_the_same_session() {
    let s = Scene::with("", "");
    let (shadow, tap) = s.reading_room();
    let grant = s.grant(READING_ROOM, &shadow.login.account, &[]);
    let ticket = s.ada.ticket(&grant).unwrap();
    let mut client = s.with_ticket(&ticket, "first", &[]);
    client.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();
    let id = s.live()["id"].clone();
    client.kill().unwrap();
    // The target's connection is not kept: its desktop is.
    let elsewhere = Elsewhere::start(&s.dir("elsewhere"), s.w.rdp_port(), "127.0.0.2").unwrap();
    let stolen = ticket.freerdp_by(&s.w, elsewhere.port).unwrap().start(&s.dir("stolen")).unwrap().ended().unwrap();
    assert!(!stolen.0.success(), "{}", stolen.1);
    assert_eq!(tap.connections(), 1);

    let mut client = s.with_ticket(&ticket, "second", &[]);
    client.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();
    client.type_line("back again").unwrap();
    soon("the typed line", || Ok(shadow.desk.typed() == "back again\n")).unwrap();
    assert_eq!((s.w.sessions().unwrap().len(), &s.live()["id"]), (1, &id), "it is another session");
    assert_eq!(tap.connections(), 2);
    let redeemed = s.w.audited("ticket_redeemed").unwrap();
    assert_eq!(redeemed.iter().map(|r| r["again"].as_bool().unwrap()).collect::<Vec<_>>(), [false, true]);

    // A new connection with it takes the place of the old one.
    let mut third = s.with_ticket(&ticket, "third", &[]);
    third.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();
    let (status, said) = client.ended().unwrap();
    assert!(!status.success(), "{said}");
    s.w.cli.good(&["session", "terminate", id.as_str().unwrap(), "--as", "ben"]).unwrap();
    third.ended().unwrap();
    assert_eq!(s.sealed()["recording"], "complete");
}

#[test]
fn a_session_that_nobody_comes_back_to_ends() {
    let s = Scene::with("reconnect_window = \"3s\"", "");
    let (shadow, tap) = s.reading_room();
    let grant = s.grant(READING_ROOM, &shadow.login.account, &[]);
    let ticket = s.ada.ticket(&grant).unwrap();
    let mut client = s.with_ticket(&ticket, "first", &[]);
    client.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();
    client.kill().unwrap();
    assert_eq!(s.sealed()["recording"], "complete");
    s.refused(&ticket, "late");
    assert_eq!(tap.connections(), 1);
}

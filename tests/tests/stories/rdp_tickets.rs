//! A ticket is for one person, one session, a few minutes and one address. Everything else ends before the target sees a packet.
use super::desktops::{AT_MOST, READING_ROOM, Scene, TOLERANCE};
use anteroom_tests::harness::{
    rdp::{Elsewhere, Ticket},
    soon,
};

#[test]
fn a_wrong_a_reused_an_expired_and_a_stolen_ticket_reach_nobody() {
    let s = Scene::set();
    let (shadow, tap) = s.reading_room();
    let grant = s.grant(READING_ROOM, &shadow.login.account, &[]);
    let untouched = || assert_eq!(tap.connections(), 0, "the target saw a packet");

    // Somebody who guesses.
    let never = Ticket { name: "t-abcdefgh23".into(), secret: "nothing".into() };
    let unknown = s.refused(&never, "unknown");
    let good = s.ada.ticket(&grant).unwrap();
    let wrong = s.refused(&Ticket { secret: "wrong".into(), ..good.clone() }, "wrong");
    assert!(wrong.contains("LOGON_FAILURE") || wrong.contains("AUTHENTICATION_FAILED"), "{wrong}");
    assert_eq!(reasons(&unknown), reasons(&wrong), "a stranger learns whether a ticket exists");
    untouched();

    // From another address than the one that asked for it.
    let elsewhere = Elsewhere::start(&s.dir("elsewhere"), s.w.rdp_port(), "127.0.0.2").unwrap();
    let stolen = good.freerdp_by(&s.w, elsewhere.port).unwrap().start(&s.dir("stolen")).unwrap().ended().unwrap();
    assert!(!stolen.0.success(), "{}", stolen.1);
    untouched();

    // Too late.
    let late = s.ada.ticket(&grant).unwrap();
    s.w.sql(
        "update rdp_ticket set issued_at = issued_at - interval '6 minutes', expires_at = expires_at - interval '6 minutes' \
             where issued_at = (select max(issued_at) from rdp_ticket)",
    )
    .unwrap();
    s.refused(&late, "late");
    untouched();
    let refused = s.w.audited("ticket_refused").unwrap();
    assert!(refused.len() >= 4, "{refused:#?}");

    // None of that has spoilt it. While its session runs, and after that, it opens nothing else.
    let mut client = s.with_ticket(&good, "good", &[]);
    client.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();
    assert_eq!(tap.connections(), 1);
    let session = s.live()["id"].as_str().unwrap().to_owned();
    s.w.cli.good(&["session", "terminate", &session, "--as", "ben"]).unwrap();
    client.ended().unwrap();
    s.sealed();
    s.refused(&good, "again");
    assert_eq!(tap.connections(), 1, "a used ticket reached the target");
    assert!(!s.w.gateway_log().contains(&good.secret));
}

#[test]
fn the_fifth_wrong_secret_voids_a_ticket() {
    let s = Scene::set();
    let (shadow, tap) = s.reading_room();
    let grant = s.grant(READING_ROOM, &shadow.login.account, &[]);
    let ticket = s.ada.ticket(&grant).unwrap();
    for n in 0..5 {
        s.refused(&Ticket { secret: format!("guess-{n}"), ..ticket.clone() }, &format!("guess-{n}"));
    }
    s.refused(&ticket, "too late");
    assert_eq!(tap.connections(), 0);
    soon("each guess in the log", || Ok(s.w.audited("ticket_refused")?.len() == 6)).unwrap();
}

/// What a client says about why, without its clock, its process and its addresses.
fn reasons(said: &str) -> Vec<String> {
    let mut all: Vec<String> =
        said.lines().filter_map(|l| l.split("] - ").nth(1)).filter(|l| l.contains("ERR")).map(str::to_owned).collect();
    all.dedup();
    all
}

//! A supervisor watches, pauses, speaks and ends; a grant ends, or is revoked. What the person at the client sees of it.
use super::desktops::{AT_MOST, READING_ROOM, Scene, TOLERANCE};
use anteroom_tests::harness::{rdp::Client, soon};
use std::time::{Duration, Instant};

/// "Within a second" on a machine that is busy with the other stories.
const AT_ONCE: Duration = Duration::from_secs(4);

/// xfreerdp's own exit status says little: what it prints names the reason (MS-RDPBCGR 2.2.5.1.1).
pub(super) fn ends(mut client: Client, reason: &str) {
    let began = Instant::now();
    let (status, said) = client.ended().unwrap();
    assert!(began.elapsed() < AT_ONCE, "it took {:?}", began.elapsed());
    assert!(!status.success() && said.contains(reason), "{status}: {said}");
}

/// Words of the gateway stand in a dark band over the desktop's white paper. Their letters are too small a font for Tesseract.
pub(super) fn told(client: &mut Client) {
    client.sees("the gateway's words", |p| Ok(p.pixel(6, 6).iter().any(|v| *v < 90).then_some(()))).unwrap();
}

#[test]
fn a_paused_desktop_says_so_takes_no_keys_and_goes_on() {
    let s = Scene::set();
    let (shadow, _tap) = s.reading_room();
    let grant = s.grant(READING_ROOM, &shadow.login.account, &[]);
    let mut client = s.connect(&grant, "client", &[]);
    client.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();
    client.type_line("before").unwrap();
    soon("the first line", || Ok(shadow.desk.typed() == "before\n")).unwrap();
    let id = s.live()["id"].as_str().unwrap().to_owned();

    let order = |what: &str| {
        let done = s.ben.post_form(&format!("/sessions/{id}/{what}"), &[]).unwrap();
        assert_eq!(done.status, 303, "{done:?}");
    };
    order("pause");
    told(&mut client);
    client.type_line("while paused").unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(shadow.desk.typed(), "before\n", "a key passed");
    let page = s.ben.get("/sessions").unwrap().body;
    assert!(page.contains("Paused"), "{page}");
    order("resume");
    client.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();
    client.type_line("after").unwrap();
    soon("the line after it", || Ok(shadow.desk.typed() == "before\nafter\n")).unwrap();

    let sent = s.ben.post_form(&format!("/sessions/{id}/message"), &[("text", "please finish by noon")]).unwrap();
    assert_eq!(sent.status, 303, "{sent:?}");
    told(&mut client);
    s.w.cli.good(&["session", "terminate", &id, "--as", "ben"]).unwrap();
    // ERRINFO_RPC_INITIATED_DISCONNECT: mstsc says "your network administrator might have ended the connection".
    ends(client, "ERRINFO_RPC_INITIATED_DISCONNECT");
    assert_eq!(s.why_it_ended(), "terminated");
    for kind in ["session_paused", "session_resumed"] {
        assert_eq!(s.w.audited(kind).unwrap().len(), 1, "{kind}");
    }
    assert_eq!(s.sealed()["recording"], "complete");
}

#[test]
fn a_revoked_grant_and_one_whose_time_is_over_end_their_desktops() {
    let s = Scene::set();
    let (shadow, _tap) = s.reading_room();
    let grant = s.grant(READING_ROOM, &shadow.login.account, &[]);
    let mut client = s.connect(&grant, "revoked", &[]);
    client.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();
    s.w.cli.good(&["grant", "revoke", &grant]).unwrap();
    ends(client, "ERRINFO_RPC_INITIATED_DISCONNECT");
    assert_eq!(s.why_it_ended(), "grant_revoked");
    s.sealed();

    let until = (time::OffsetDateTime::now_utc() + time::Duration::seconds(25)).replace_nanosecond(0).unwrap();
    let asked = s.ada.request_all_until(READING_ROOM, &shadow.login.account, &["desktop"], until).unwrap();
    let grant = s.ben.approve(&asked).unwrap();
    let mut client = s.connect(&grant, "over", &[]);
    client.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();
    let (status, said) = client.ended().unwrap();
    let late = time::OffsetDateTime::now_utc() - until;
    assert!((time::Duration::ZERO..AT_ONCE.try_into().unwrap()).contains(&late), "ended {late} after the grant");
    assert!(!status.success() && said.contains("ERRINFO_LOGON_TIMEOUT"), "{said}");
    soon("its end in the log", || Ok(s.why_it_ended() == "grant_ended")).unwrap();
}

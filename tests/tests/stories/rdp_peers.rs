//! The other people's RDP that the stories use, directly with each other: what fails here is not Anteroom's.
use anteroom_tests::harness::{
    rdp::{Desk, Display, Freerdp, Kind, Login, RECORD, Rdesktop, SECRET, Shadow, WORDS, Weston, Xrdp},
    soon,
};
use std::path::Path;

/// Lossy codecs, and the pointer on one of the two.
const TOLERANCE: u8 = 24;
const AT_MOST: f64 = 0.01;

fn dir() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("anteroom-rdp-").tempdir().unwrap()
}

fn freerdp(login: &Login) -> Freerdp {
    Freerdp::to(login.port, &login.account, &login.password)
}

#[test]
fn the_made_up_record_can_be_read_on_a_screen() {
    let dir = dir();
    let desk = Desk::record(dir.path(), Kind::Xvfb, 1024, 768).unwrap();
    let text = desk.display.picture().unwrap().read().unwrap();
    for word in SECRET.iter().chain(&WORDS) {
        assert!(RECORD.contains(word) && text.contains(word), "{word} is not in:\n{text}");
    }
}

#[test]
fn freerdp_signs_in_to_a_shadow_with_nla_only_with_its_password() {
    let dir = dir();
    let shadow = Shadow::nla(&dir.path().join("target")).unwrap();
    let mut client =
        freerdp(&shadow.login).trusting(&shadow.login.certificate.fingerprint().unwrap()).start(&dir.path().join("good")).unwrap();
    client.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();
    client.type_line("Hello 3/4 from_A").unwrap();
    soon("the typed line", || Ok(shadow.desk.typed() == "Hello 3/4 from_A\n")).unwrap();
    client.reads("it heard Hello 3/4").unwrap();
    client.close().unwrap();

    let refused = |client: &Freerdp, name: &str| {
        let mut client = client.start(&dir.path().join(name)).unwrap();
        let (status, said) = client.ended().unwrap();
        assert!(!status.success(), "{said}");
        said
    };
    let said = refused(&Freerdp::to(shadow.login.port, &shadow.login.account, "Wrong-1"), "wrong");
    assert!(said.contains("LOGON_FAILURE") || said.contains("AUTHENTICATION_FAILED") || said.contains("ERRCONNECT"), "{said}");
    let other = dir.path().join("other");
    let stranger = anteroom_tests::harness::rdp::Certificate::make(&other, "stranger").unwrap().fingerprint().unwrap();
    let said = refused(&freerdp(&shadow.login).trusting(&stranger), "stranger");
    assert!(said.to_lowercase().contains("certificate"), "{said}");
}

#[test]
fn xrdp_has_a_clipboard_drives_and_any_size() {
    let dir = dir();
    let xrdp = Xrdp::start(&dir.path().join("target")).unwrap();
    let screen = &xrdp.desk.display;
    let drive = drive(dir.path());
    let mut client = freerdp(&xrdp.login)
        .with("/sec:tls")
        .with("/size:1024x768")
        .with("/dynamic-resolution")
        .with("+clipboard")
        .start(&dir.path().join("freerdp"))
        .unwrap();
    let shown = client.shows(screen, TOLERANCE, AT_MOST).unwrap();
    assert_eq!((shown.width, shown.height), (1024, 768));
    client.type_line("hello").unwrap();
    soon("the typed line", || Ok(xrdp.desk.typed() == "hello\n")).unwrap();
    clipboards(&client.display, screen);
    client.resize(900, 700).unwrap();
    soon("the new size", || Ok(screen.size()? == (900, 700))).unwrap();
    client.shows(screen, TOLERANCE, AT_MOST).unwrap();
    client.close().unwrap();

    let mut client =
        Rdesktop::to(xrdp.login.port, "na", "na").with("-r", &format!("disk:share={drive}")).start(&dir.path().join("rdesktop")).unwrap();
    client.sees("anything", |p| Ok((p.drawn() > 0.002).then_some(()))).unwrap();
    soon("the drive on the target", || Ok(xrdp.in_drives(&["cat", "share/note.txt"]).as_deref() == Some("from the client\n"))).unwrap();
}

/// A drive to share, with a note in it.
fn drive(dir: &Path) -> String {
    let drive = dir.join("drive");
    std::fs::create_dir_all(&drive).unwrap();
    std::fs::write(drive.join("note.txt"), "from the client\n").unwrap();
    drive.display().to_string()
}

fn clipboards(client: &Display, target: &Display) {
    for (from, to, text) in [(client, target, "copied at the client"), (target, client, "copied at the target")] {
        // What is copied while the channel is only being opened is lost: a person copies again.
        soon(text, || {
            from.copy(text)?;
            std::thread::sleep(std::time::Duration::from_millis(500));
            Ok(to.paste().as_deref() == Some(text))
        })
        .unwrap();
    }
}

#[test]
fn weston_and_a_shadow_without_nla_show_their_screens() {
    let dir = dir();
    let mut weston = Weston::start(&dir.path().join("weston")).unwrap();
    let mut client = freerdp(&weston.login).with("/sec:tls").with("/size:1024x768").start(&dir.path().join("a")).unwrap();
    client.sees("a window", |_| Ok(Some(()))).unwrap();
    weston.open_windows().unwrap();
    client.reads("Battery full").unwrap();
    client.type_line("hello weston").unwrap();
    soon("the typed line", || Ok(weston.typed() == "hello weston\n")).unwrap();
    client.close().unwrap();
    let shadow = Shadow::tls(&dir.path().join("shadow")).unwrap();
    let mut client = freerdp(&shadow.login).with("/sec:tls").start(&dir.path().join("b")).unwrap();
    client.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();
}

//! What goes along with a desktop: nothing that its grant does not name, and a client that asked for more goes on all the same.
use super::desktops::{AT_MOST, CT, SOON_OVER, Scene, TOLERANCE};
use anteroom_tests::harness::{
    rdp::{Client, Display, Rdesktop, Xrdp},
    soon,
};
use std::time::Duration;

/// Long enough for a text that may pass to have passed.
const WAIT: Duration = Duration::from_secs(4);

struct Copied<'a> {
    client: &'a Display,
    target: &'a Display,
}

impl Copied<'_> {
    /// What is copied while a channel is only being opened is lost: a person copies again.
    fn arrives(&self, way: (&Display, &Display), text: &str) {
        soon(text, || {
            way.0.copy(text)?;
            std::thread::sleep(Duration::from_millis(500));
            Ok(way.1.paste().as_deref() == Some(text))
        })
        .unwrap();
    }

    fn does_not(&self, way: (&Display, &Display), text: &str) {
        for _ in 0..2 {
            way.0.copy(text).unwrap();
            std::thread::sleep(WAIT / 2);
        }
        assert_ne!(way.1.paste().as_deref(), Some(text), "it passed");
    }

    fn check(&self, to_target: bool, from_target: bool) {
        let (up, down) = ((self.client, self.target), (self.target, self.client));
        if to_target {
            self.arrives(up, "copied at the client")
        } else {
            self.does_not(up, "copied at the client")
        }
        if from_target { self.arrives(down, "copied at the target") } else { self.does_not(down, "copied at the target") }
    }
}

fn still_works(client: &mut Client, xrdp: &Xrdp, line: &str) {
    client.type_line(line).unwrap();
    soon("the typed line", || Ok(xrdp.desk.typed().ends_with(&format!("{line}\n")))).unwrap();
    client.shows(&xrdp.desk.display, TOLERANCE, AT_MOST).unwrap();
}

#[test]
fn a_clipboard_goes_the_ways_that_its_grant_names() {
    let s = Scene::set();
    let (xrdp, _tap) = s.ct();
    let cases: [(&str, &[&str], bool, bool); 4] = [
        ("neither", &[], false, false),
        ("to", &["clipboard-to-target"], true, false),
        ("from", &["clipboard-from-target"], false, true),
        ("both", &["clipboard-to-target", "clipboard-from-target"], true, true),
    ];
    for (name, capabilities, to, from) in cases {
        let grant = s.grant(CT, &xrdp.login.account, capabilities);
        let mut client = s.connect(&grant, name, &["+clipboard", "/size:1024x768"]);
        client.shows(&xrdp.desk.display, TOLERANCE, AT_MOST).unwrap();
        Copied { client: &client.display, target: &xrdp.desk.display }.check(to, from);
        still_works(&mut client, &xrdp, name);
        client.close().unwrap();
        s.w.cli.good(&["grant", "revoke", &grant]).unwrap();
        s.sealed();
    }
}

#[test]
fn drives_are_there_only_if_the_grant_names_them() {
    let s = Scene::with(&format!("{SOON_OVER}\nallow_tls_without_nla = true"), "");
    let (xrdp, _tap) = s.ct();
    let drive = s.dir("drive");
    std::fs::create_dir_all(&drive).unwrap();
    std::fs::write(drive.join("note.txt"), "from the client\n").unwrap();
    let disk = format!("disk:share={}", drive.display());
    let note = || xrdp.in_drives(&["cat", "share/note.txt"]);
    for (name, capabilities) in [("denied", &[][..]), ("allowed", &["drives"])] {
        let grant = s.grant(CT, &xrdp.login.account, capabilities);
        let t = s.ada.ticket(&grant).unwrap();
        let mut client = Rdesktop::to(s.w.rdp_port(), &t.name, &t.secret).with("-r", &disk).start(&s.dir(name)).unwrap();
        client.sees("anything", |p| Ok((p.drawn() > 0.002).then_some(()))).unwrap();
        if capabilities.is_empty() {
            std::thread::sleep(WAIT);
            assert_eq!(note(), None, "the drive is there");
        } else {
            soon("the drive on the target", || Ok(note().as_deref() == Some("from the client\n"))).unwrap();
        }
        still_works(&mut client, &xrdp, name);
        client.close().unwrap();
        s.sealed();
    }
}

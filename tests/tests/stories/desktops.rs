//! What the stories about RDP share: a gateway with a door for desktops, ada who may use them and ben who let her.
use anteroom_tests::harness::{
    Person, World,
    rdp::{Client, Login, Shadow, Tap, Ticket, Xrdp},
    wait_for,
};
use serde_json::Value;
use std::{path::PathBuf, time::Duration};

/// A few shades, and the pointer on one of the two: codecs are lossy.
pub(super) const TOLERANCE: u8 = 24;
pub(super) const AT_MOST: f64 = 0.01;
/// A client that is gone is not waited for long: only the stories about coming back are about that.
pub(super) const SOON_OVER: &str = "reconnect_window = \"2s\"";
/// What was recorded is read before a recording is closed, and the machine is busy.
const SEALED: Duration = Duration::from_secs(120);

/// With NLA; it shows patients.
pub(super) const READING_ROOM: &str = "reading-room-1";
/// TLS only; clipboard and drives.
pub(super) const CT: &str = "ct-console-2";

pub(super) struct Scene {
    pub(super) w: World,
    pub(super) ada: Person,
    pub(super) ben: Person,
}

impl Scene {
    pub(super) fn set() -> Self {
        Self::with(SOON_OVER, "")
    }

    /// `rdp`: lines of `[rdp]`; `more`: other sections.
    pub(super) fn with(rdp: &str, more: &str) -> Self {
        let w = World::with_desktops(rdp, more).unwrap();
        let (ada, ben) = (w.person("ada", &["admin"]).unwrap(), w.person("ben", &["approver", "operator"]).unwrap());
        Self { w, ada, ben }
    }

    pub(super) fn dir(&self, name: &str) -> PathBuf {
        self.w.dir.join("desktops").join(name)
    }

    /// Known to the gateway; what reaches it goes through the tap.
    pub(super) fn reading_room(&self) -> (Shadow, Tap) {
        let shadow = Shadow::nla(&self.dir(READING_ROOM)).unwrap();
        let tap = self.known(READING_ROOM, &shadow.login);
        (shadow, tap)
    }

    pub(super) fn ct(&self) -> (Xrdp, Tap) {
        let xrdp = Xrdp::start(&self.dir(CT)).unwrap();
        let tap = self.known(CT, &xrdp.login);
        (xrdp, tap)
    }

    pub(super) fn known(&self, name: &str, login: &Login) -> Tap {
        let tap = Tap::start(login.port).unwrap();
        self.w.register_desktop(name, login, tap.port).unwrap();
        tap
    }

    /// For an hour, with these capabilities besides the desktop itself.
    pub(super) fn grant(&self, target: &str, account: &str, more: &[&str]) -> String {
        self.w.grant_desktop(&self.ada, &self.ben, target, account, &[&["desktop"], more].concat()).unwrap()
    }

    /// On the desktop with a fresh ticket; waits for a window.
    pub(super) fn connect(&self, grant: &str, name: &str, arguments: &[&str]) -> Client {
        self.with_ticket(&self.ada.ticket(grant).unwrap(), name, arguments)
    }

    pub(super) fn with_ticket(&self, ticket: &Ticket, name: &str, arguments: &[&str]) -> Client {
        let client = arguments.iter().fold(ticket.freerdp(&self.w).unwrap(), |c, a| c.with(a));
        client.start(&self.dir(name)).unwrap()
    }

    /// Tries, and is not let in; what the client said.
    pub(super) fn refused(&self, ticket: &Ticket, name: &str) -> String {
        let mut client = self.with_ticket(ticket, name, &[]);
        let (status, said) = client.ended().unwrap();
        assert!(!status.success(), "it was let in: {said}");
        said
    }

    pub(super) fn live(&self) -> Value {
        wait_for("a session that runs", Duration::from_secs(20), || Ok(self.w.sessions()?.into_iter().find(|s| s["ended_at"].is_null())))
            .unwrap()
    }

    /// The newest session, when its recording is closed.
    pub(super) fn sealed(&self) -> Value {
        wait_for("the recording to be closed", SEALED, || {
            let newest = self.w.sessions()?.into_iter().next();
            Ok(newest.filter(|s| !s["ended_at"].is_null() && s["recording"] != "recording"))
        })
        .unwrap()
    }

    /// Why the newest session ended, as the audit log has it.
    pub(super) fn why_it_ended(&self) -> String {
        wait_for("the session's end in the log", Duration::from_secs(60), || {
            Ok(self.w.audited("session_ended")?.last().and_then(|e| e["reason"].as_str().map(str::to_owned)))
        })
        .unwrap()
    }
}

//! An auditor has to know whose data it was: two key-holders agree, the unsealer (a process of its own) releases one interval, and the
//! auditor, nobody else, sees it for a while. And every way in which that does not happen.
use anteroom_tests::harness::{Browser, Cli, Daemon, Person, Reply, World, WorldOptions, soon};
use serde_json::json;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// Nobody of these exists.
const PATIENTS: &str = "     mrn     |   patient_name   |     ssn     \n-------------+------------------+-------------\n \
                        MRN-4700037 | Fausto Example   | 913-17-6173\n MRN-4700074 | Mockeline Sample | 926-24-2346\n(2 rows)\n";
const SECRET: [&str; 5] = ["4700037", "Fausto", "Mockeline", "913-17-6173", "926-24-2346"];

struct Scene {
    w: World,
    /// Whose session it was.
    session: String,
    dir: PathBuf,
}

impl Scene {
    /// A gateway that knows where an unsealer would be, and a session that showed patients.
    fn set() -> Self {
        let dir = tempfile::Builder::new().prefix("anteroom-u-").tempdir().unwrap().keep();
        let more = format!("[unmask]\nsocket = \"{}\"\n", dir.join("socket").display());
        let w = World::with(WorldOptions { more, ..Default::default() }).unwrap();
        let (ada, _ben) = w.ada_and_ben().unwrap();
        let psql = w.target.dir.join("patients");
        fs::write(&psql, format!("#!/bin/sh\ncat <<'END'\n{PATIENTS}END\nsleep 1\n")).unwrap();
        fs::set_permissions(&psql, fs::Permissions::from_mode(0o755)).unwrap();
        let said = w.ssh(&ada).unwrap().command(&psql.display().to_string()).run().unwrap().good().unwrap();
        assert!(SECRET.iter().all(|s| said.contains(s)), "she works with the real data");
        let session = w.sealed_session().unwrap()["id"].as_str().unwrap().to_owned();
        Self { w, session, dir }
    }

    fn unsealer(&self, holders: &[&str]) -> Daemon {
        unsealer(&self.w, &self.dir, holders)
    }

    fn people(&self) -> (Person, Person, Person) {
        let kim = self.w.person("kim", &["key_holder"]).unwrap();
        (self.w.person("cleo", &["auditor"]).unwrap(), kim, self.w.person("lee", &["key_holder"]).unwrap())
    }

    fn ask(&self, who: &Person) -> String {
        let fields = [("from", "0:00:00"), ("until", "0:00:01"), ("reason", "complaint 17"), ("hours", "8")];
        let asked = who.post_form(&format!("/recordings/{}/unmask", self.session), &fields).unwrap();
        assert_eq!(asked.status, 303, "{asked:?}");
        asked.location.unwrap_or_default().split('?').next().unwrap().to_owned()
    }

    fn cast(&self, path: &str, who: &Person) -> Reply {
        who.get(&format!("{path}/channels/1/cast")).unwrap()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- unsealer.log\n{}", fs::read_to_string(self.dir.join("unsealer.log")).unwrap_or_default());
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Its administrator tells it whom to believe and starts it, in this directory.
pub(super) fn unsealer(w: &World, dir: &Path, holders: &[&str]) -> Daemon {
    let at = |name: &str| dir.join(name);
    for holder in holders {
        let trust = at("trust.toml");
        let said = w.cli.good(&["unsealer", "trust", holder, "--yes", "--trust", trust.to_str().unwrap()]).unwrap();
        assert!(said.contains("SHA256"), "{said}");
    }
    fs::create_dir(at("state")).unwrap();
    fs::set_permissions(at("state"), fs::Permissions::from_mode(0o700)).unwrap();
    let keys = ["a", "b"].map(|n| format!("\"{}\"", w.dir.join(format!("keys/custody-sealed-{n}.key")).display()));
    let text = format!(
        "socket = \"socket\"\nrecordings = \"{}\"\nstate = \"state\"\ntrust = \"trust.toml\"\norigin = \"{}\"\nkeys = [{}]\n",
        w.recordings.display(),
        w.origin.origin().ascii_serialization(),
        keys.join(", ")
    );
    fs::write(at("unsealer.toml"), text).unwrap();
    let mut command = Daemon::command(w.cli.program(), "TERM");
    command.args(["unsealer", "serve", "--config"]).arg(at("unsealer.toml"));
    let daemon = Daemon::start(command, &at("unsealer.log")).unwrap();
    soon("the unsealer to listen", || Ok(at("socket").exists())).unwrap();
    daemon
}

/// Begins and, if that was let through, finishes.
fn sign(who: &Person, path: &str, body: &serde_json::Value) -> Reply {
    match who.begin(&format!("{path}/begin"), body) {
        Ok(begun) => who.finish(&format!("{path}/finish"), &begun).unwrap(),
        Err(_) => who.post_json(&format!("{path}/begin"), body).unwrap(),
    }
}
fn answer(who: &Person, path: &str, verdict: &str) -> Reply {
    sign(who, &format!("{path}/review"), &json!({ "verdict": verdict }))
}
fn open(who: &Person, path: &str) -> Reply {
    sign(who, &format!("{path}/open"), &json!({}))
}

#[test]
fn two_key_holders_let_an_auditor_see_an_interval_as_it_was() {
    let s = Scene::set();
    let enrol = |handle: &str, role: &str| {
        let b = Browser::start(handle, &s.w.origin).unwrap();
        b.open(&s.w.add_person(handle, &[role]).unwrap()).unwrap();
        b.click("Create a passkey").unwrap();
        b.expect("Hello,").unwrap();
        b
    };
    let (cleo, kim, lee) = (enrol("cleo", "auditor"), enrol("kim", "key_holder"), enrol("lee", "key_holder"));
    let _unsealer = s.unsealer(&["kim", "lee"]);

    // Masked, and the way to ask.
    let masked = cleo.fetch(&format!("/recordings/{}/channels/1/cast", s.session)).unwrap();
    assert!(masked.contains("patient_name") && !SECRET.iter().any(|x| masked.contains(x)), "{masked}");
    cleo.open(&format!("/recordings/{}", s.session)).unwrap();
    cleo.click("Ask to see an interval unmasked").unwrap();
    cleo.expect("Which interval").unwrap();
    let text = cleo.text().unwrap();
    let length = text.split("The recording is ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    cleo.fill("From", "0:00:00").unwrap();
    cleo.fill("Until", &length).unwrap();
    cleo.fill("Reason", "complaint 17: whose chart was opened?").unwrap();
    cleo.click("Send request").unwrap();
    cleo.expect("Waiting for key-holders").unwrap();
    let path = cleo.path().unwrap().split('?').next().unwrap().to_owned();

    // Kim approves, then Lee; Cleo's page changes by itself.
    for (holder, name, then) in [(&kim, "kim", "A second key-holder has to approve"), (&lee, "lee", "it can be opened now")] {
        holder.open("/key-holder").unwrap();
        holder.click("Cleo Example wants to see").unwrap();
        holder.expect("whose chart was opened?").unwrap();
        holder.click("Exactly what you sign").unwrap();
        holder.expect("\"session_person\":\"ada\"").unwrap();
        holder.screenshot(&format!("unmask-{name}")).unwrap();
        holder.click("Approve with passkey").unwrap();
        holder.expect(then).unwrap();
    }
    cleo.expect("Kim Example approved").unwrap();
    cleo.open(&path).unwrap();
    cleo.click("Show it unmasked").unwrap();
    cleo.expect("approved by Kim Example and Lee Example").unwrap();
    cleo.expect_path(&format!("{path}/watch")).unwrap();
    let cast = cleo.fetch(&format!("{path}/channels/1/cast")).unwrap();
    for secret in SECRET {
        assert!(cast.contains(secret), "{secret} is not in what was released:\n{cast}");
    }
    // The player comes once the interval is there.
    let focused = "const p = document.querySelector('#revealed [tabindex]'); p?.focus(); return !!p;";
    soon("the player", || Ok(cleo.script(focused, &[])?.as_bool().unwrap_or_default())).unwrap();
    cleo.press(" ").unwrap();
    cleo.expect("The interval is over").unwrap();
    cleo.screenshot("unmasked").unwrap();
    for other in [&kim, &lee] {
        assert!(!other.fetch(&format!("{path}/channels/1/cast")).unwrap_or_default().contains("Fausto"));
    }

    // Everything is in the log and in the bundle, and nothing of the patients anywhere else.
    for (kind, n) in [("unmask_requested", 1), ("unmask_approved", 2), ("unmask_opened", 1), ("unmask_released", 1), ("unmask_viewed", 2)] {
        assert_eq!(s.w.audited(kind).unwrap().len(), n, "{kind}");
    }
    let bundle = s.w.dir.join("session.anteroom");
    let bundle = bundle.to_str().unwrap();
    s.w.cli.good(&["recording", "export", &s.session, "--output", bundle, "--as", "cleo"]).unwrap();
    let verified = Cli::new(None).unwrap().run(&["verify", bundle]).unwrap();
    assert_eq!(verified.code, Some(0), "{}", verified.said());
    assert!(verified.stdout.contains("kim approved, lee approved"), "{}", verified.stdout);
    let unsealer_log = fs::read_to_string(s.dir.join("unsealer.log")).unwrap();
    let journal = fs::read_to_string(s.dir.join("state/requests.jsonl")).unwrap();
    for secret in SECRET {
        assert!(![&s.w.gateway_log(), &unsealer_log, &journal].iter().any(|l| l.contains(secret)), "{secret} is in a log");
    }
}

#[test]
fn what_is_not_two_others_and_the_requester_themselves_releases_nothing() {
    let s = Scene::set();
    let (cleo, kim, lee) = s.people();
    let dora = s.w.person("dora", &["auditor", "key_holder"]).unwrap();
    let eve = s.w.person("eve", &["key_holder"]).unwrap();
    let _unsealer = s.unsealer(&["kim", "lee", "dora"]);
    let refused = |r: Reply, status: u16, why: &str| assert!(r.status == status && r.error().contains(why), "{why}: {r:?}");

    // The requester as approver; one holder as two; one approval.
    let own = s.ask(&dora);
    refused(answer(&dora, &own, "approve"), 403, "your own request");
    let path = s.ask(&cleo);
    assert_eq!(answer(&cleo, &path, "approve").status, 404, "who is no key-holder is told nothing");
    assert_eq!(answer(&kim, &path, "approve").status, 200);
    refused(answer(&kim, &path, "approve"), 409, "approved this already");
    refused(open(&cleo, &path), 409, "two key-holders have to approve first");
    assert_eq!(s.cast(&path, &cleo).status, 410);

    // Another person, before and after it is open.
    assert_eq!(answer(&lee, &path, "approve").status, 200);
    for other in [&dora, &kim] {
        assert_eq!(open(other, &path).status, 404);
        assert_eq!(s.cast(&path, other).status, 404);
    }
    // Another interval: the row is changed under the signatures. The unsealer believes the signatures.
    s.w.sql("update unmask set until_us = until_us + 1").unwrap();
    refused(open(&cleo, &path), 403, "the unsealer refused");
    s.w.sql("update unmask set until_us = until_us - 1").unwrap();
    assert_eq!(open(&cleo, &path).status, 200);
    assert!(s.cast(&path, &cleo).body.contains("Fausto"));

    // After its time, also with the keys in the portal's memory.
    s.w.sql("update unmask set created_at = created_at - interval '9 hours', expires_at = expires_at - interval '9 hours'").unwrap();
    assert_eq!(s.cast(&path, &cleo).status, 410);
    refused(open(&cleo, &path), 410, "the time of this request is over");

    // A key-holder whom the portal knows and the unsealer does not.
    let strange = s.ask(&cleo);
    assert_eq!(answer(&kim, &strange, "approve").status, 200);
    assert_eq!(answer(&eve, &strange, "approve").status, 200);
    refused(open(&cleo, &strange), 403, "the unsealer refused");
    // Denied, withdrawn, suspended.
    let denied = s.ask(&cleo);
    assert_eq!(answer(&lee, &denied, "deny").status, 200);
    refused(answer(&kim, &denied, "approve"), 409, "already answered");
    refused(open(&cleo, &denied), 409, "already answered");
    let withdrawn = s.ask(&cleo);
    assert_eq!(cleo.post_form(&format!("{withdrawn}/withdraw"), &[]).unwrap().status, 303);
    refused(answer(&kim, &withdrawn, "approve"), 409, "withdrawn");
    let last = s.ask(&cleo);
    for holder in [&kim, &lee] {
        assert_eq!(answer(holder, &last, "approve").status, 200);
    }
    s.w.cli.good(&["person", "suspend", "lee"]).unwrap();
    refused(open(&cleo, &last), 409, "suspended");
    assert!(s.w.audited("unmask_refused").unwrap().len() >= 10, "each try is in the log");
    let released = s.w.audited("unmask_released").unwrap();
    assert_eq!(released.len(), 1, "nothing else was released: {released:?}");
}

#[test]
fn an_unsealer_that_is_away_releases_nothing_and_says_so() {
    let s = Scene::set();
    let (cleo, kim, lee) = s.people();
    let path = s.ask(&cleo);
    for holder in [&kim, &lee] {
        assert_eq!(answer(holder, &path, "approve").status, 200);
    }
    let away = open(&cleo, &path);
    assert!(away.status == 503 && away.error().contains("does not answer"), "{away:?}");
    let mut unsealer = s.unsealer(&["kim", "lee"]);
    assert_eq!(open(&cleo, &path).status, 200);
    unsealer.stop(Duration::from_secs(10)).unwrap();
    assert!(s.cast(&path, &cleo).body.contains("Fausto"), "what was released is here");
}

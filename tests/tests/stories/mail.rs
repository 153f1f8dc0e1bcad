//! What people are told by mail, through a real mail server with TLS and a login: the right people, once, no reason and no patient, and
//! nothing at all where the server is not who it should be.
use anteroom_tests::harness::{Authority, Cli, Mail, MailServer, Person, Speaks, World, WorldOptions, soon, wait_for};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

/// A patient nobody is, and a second line for a mail.
const REASON: &str = "the viewer of Fausto Example (MRN-4700037) hangs\r\nBcc: eve@evil.example\r\n\r\nforged";
const PRIVATE: [&str; 6] = ["Fausto", "4700037", "hangs", "forged", "evil.example", MailServer::PASSWORD];

struct Scene {
    w: World,
    hospital: Authority,
    port: u16,
    dir: PathBuf,
    // Removed last.
    _own: tempfile::TempDir,
}

impl Scene {
    /// A gateway that writes to a mail server of its hospital; none runs yet.
    fn set() -> Self {
        let own = tempfile::Builder::new().prefix("anteroom-mail-").tempdir().unwrap();
        let dir = own.path().join("world");
        fs::create_dir_all(&dir).unwrap();
        let hospital = Authority::make(&own.path().join("hospital")).unwrap();
        fs::copy(hospital.file(), dir.join("hospital-ca.pem")).unwrap();
        fs::write(dir.join("mail.password"), MailServer::PASSWORD).unwrap();
        fs::set_permissions(dir.join("mail.password"), fs::Permissions::from_mode(0o600)).unwrap();
        let port = MailServer::port();
        let more = format!(
            "[notify.mail]\nhost = \"localhost\"\nport = {port}\nsecurity = \"starttls\"\nfrom = \"anteroom@hospital.example\"\n\
             user = \"{}\"\npassword_file = \"mail.password\"\nca_file = \"hospital-ca.pem\"\n",
            MailServer::USER
        );
        let w = World::with(WorldOptions { dir: Some(dir), more, ..Default::default() }).unwrap();
        let dir = own.path().join("servers");
        Self { w, hospital, port, dir, _own: own }
    }

    /// The hospital's own server.
    fn server(&self, name: &str) -> MailServer {
        let certificate = self.hospital.certificate(name, "DNS:localhost").unwrap();
        MailServer::start(&self.dir.join(name), self.port, Speaks::StartTls, &certificate, MailServer::PASSWORD).unwrap()
    }

    fn written_to(&self, who: &Person) {
        self.w.cli.good(&["notify", "address", &who.handle, &format!("{}@hospital.example", who.handle)]).unwrap();
    }

    /// As the form sends it, with a reason of somebody careless.
    fn asks(&self, ada: &Person) -> String {
        let fields = [
            ("target", self.w.target.name.as_str()),
            ("account", &self.w.target.account),
            ("reason", REASON),
            ("ticket", "CHG-4711"),
            ("window", "1"),
        ];
        let reply = ada.post_form("/requests", &fields).unwrap().good("request").unwrap();
        let there = reply.location.unwrap();
        there.strip_prefix("/requests/").unwrap().split('?').next().unwrap().to_owned()
    }

    /// What could not be delivered yet, and why.
    fn troubled(&self) -> Vec<Value> {
        serde_json::from_str(&self.w.cli.good(&["notify", "list", "--json"]).unwrap()).unwrap()
    }

    fn troubled_by(&self, why: &str) {
        soon(&format!("the list to say {why:?}"), || {
            let all = self.troubled();
            Ok(all.iter().any(|t| t["last_error"].as_str().unwrap_or_default().contains(why)))
        })
        .unwrap_or_else(|e| panic!("{e}: {:?}", self.troubled()));
    }

    /// `anteroom notify test`: what came of it.
    fn test(&self) -> String {
        let run = self.w.cli.run(&["notify", "test", "--to", "ops@hospital.example"]).unwrap();
        assert_ne!(run.code, Some(0), "{}", run.said());
        run.said()
    }
}

/// Mail to this person whose subject begins like that, when it came.
fn came(server: &MailServer, to: &Person, subject: &str) -> Mail {
    let to = format!("{}@hospital.example", to.handle);
    let found = wait_for(&format!("mail to {to}: {subject}"), Duration::from_secs(60), || {
        Ok(server.mails().into_iter().find(|m| m.to == [to.clone()] && m.subject.starts_with(subject)))
    });
    found.unwrap_or_else(|e| panic!("{e}: {:?}", server.mails()))
}

/// The one address in it.
fn link(mail: &Mail, w: &World) -> String {
    let line = mail.text.lines().find(|l| l.starts_with("http")).unwrap_or_else(|| panic!("no link: {}", mail.text)).trim();
    line.strip_prefix(w.origin.as_str().trim_end_matches('/')).unwrap_or_else(|| panic!("a link to elsewhere: {line}")).to_owned()
}

/// Nothing but who, what and where.
fn says_no_more(server: &MailServer) {
    for m in server.mails() {
        for word in PRIVATE {
            assert!(!m.text.contains(word), "{word} is in a mail: {}", m.text);
        }
        let head = m.text.split("\r\n\r\n").next().unwrap();
        assert!(!head.to_lowercase().contains("\nbcc:") && m.to.len() == 1, "a reader nobody meant: {head}");
    }
    for h in server.heard() {
        assert!(h["heard"] == "EHLO" || h["tls"] == true, "in clear: {h}");
    }
}

#[test]
fn approvers_hear_of_a_request_its_asker_of_the_answer_and_everybody_of_an_emergency() {
    let s = Scene::set();
    let server = s.server("good");
    let w = &s.w;
    let (ada, ben) = (w.admin("ada").unwrap(), w.person("ben", &["approver"]).unwrap());
    let (max, otto) = (w.person("max", &["auditor"]).unwrap(), w.person("otto", &["operator"]).unwrap());
    for who in [&ada, &ben, &max, &otto] {
        s.written_to(who);
    }
    let request = s.asks(&ada);
    let mail = came(&server, &ben, "ada asks for access to ehr-db-1");
    assert_eq!(link(&mail, w), format!("/requests/{request}"));
    assert!(ben.get(&link(&mail, w)).unwrap().body.contains("Fausto Example"), "after signing in the page says the rest");
    assert_eq!(server.mails().len(), 1, "nobody else has to answer it: {:?}", server.mails());

    ben.approve(&request).unwrap();
    let mail = came(&server, &ada, "Access to ehr-db-1 was approved");
    assert_eq!(link(&mail, w), format!("/requests/{request}"));
    assert_eq!(ada.get(&link(&mail, w)).unwrap().status, 200);

    // An emergency: everybody who can do something about it, and each is led where they can.
    let wish = json!({ "target": w.target.name, "account": w.target.account, "reason": "Fausto Example sees nothing", "minutes": "30" });
    let begun = ada.begin("/break-glass/begin", &wish).unwrap();
    ada.finish("/break-glass/finish", &begun).unwrap().good("break the glass").unwrap();
    for (who, page) in [(&ben, "/break-glass/all"), (&max, "/break-glass/all"), (&otto, "/sessions")] {
        let mail = came(&server, who, "Break-glass was used by ada on ehr-db-1");
        assert_eq!(link(&mail, w), page, "{}", who.handle);
        assert_eq!(who.get(page).unwrap().status, 200, "{} may not open {page}", who.handle);
    }
    says_no_more(&server);
    assert!(server.heard().iter().any(|h| h["heard"] == "AUTH" && h["good"] == true), "it signed in");
    assert_eq!(server.mails().len(), 5, "each once: {:?}", server.mails());
    assert!(s.troubled().is_empty(), "{:?}", s.troubled());
    assert!(!w.gateway_log().contains(MailServer::PASSWORD));

    // The same server with TLS from the first byte.
    drop(server);
    let certificate = s.hospital.certificate("first-byte", "DNS:localhost").unwrap();
    let sealed = MailServer::start(&s.dir.join("sealed"), s.port, Speaks::Tls, &certificate, MailServer::PASSWORD).unwrap();
    let config = fs::read_to_string(w.dir.join("anteroom.toml")).unwrap().replace("\"starttls\"", "\"tls\"");
    fs::write(w.dir.join("sealed.toml"), config).unwrap();
    let said = Cli::new(Some(&w.dir.join("sealed.toml"))).unwrap().good(&["notify", "test", "--to", "ops@hospital.example"]).unwrap();
    assert!(said.contains("mail to ops@hospital.example: taken"), "{said}");
    assert!(sealed.heard().iter().all(|h| h["tls"] == true) && sealed.mails().len() == 1, "{:?}", sealed.heard());
}

#[test]
fn mail_waits_for_a_server_that_is_away_and_is_not_given_to_one_that_is_another() {
    let s = Scene::set();
    let w = &s.w;
    let (ada, ben) = (w.admin("ada").unwrap(), w.person("ben", &["approver"]).unwrap());
    s.written_to(&ben);
    let request = s.asks(&ada);
    s.troubled_by("the mail server cannot be reached");
    soon("the log to say it", || Ok(w.gateway_log().contains("is not delivered yet"))).unwrap();

    let server = s.server("back");
    let mail = came(&server, &ben, "ada asks for access");
    assert!(mail.text.contains(&request), "{}", mail.text);
    soon("nothing to be waiting", || Ok(s.troubled().is_empty())).unwrap();
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(server.mails().len(), 1, "once: {:?}", server.mails());
    says_no_more(&server);
    drop(server);

    // Somebody else answers at the mail server's address.
    let stranger = Authority::make(&s.dir.join("stranger")).unwrap();
    let forged = stranger.certificate("forged", "DNS:localhost").unwrap();
    let wolf = MailServer::start(&s.dir.join("wolf"), s.port, Speaks::StartTls, &forged, MailServer::PASSWORD).unwrap();
    let second = s.asks(&ada);
    s.troubled_by("the mail server's certificate is not accepted: nobody who is trusted here signed it");
    soon("it to have been asked", || Ok(!wolf.heard().is_empty())).unwrap();
    assert!(wolf.heard().iter().all(|h| h["heard"] == "EHLO" && h["tls"] == false), "it was told something: {:?}", wolf.heard());
    drop(wolf);

    let other = s.hospital.certificate("other", "DNS:print.hospital.example").unwrap();
    let named = MailServer::start(&s.dir.join("named"), s.port, Speaks::StartTls, &other, MailServer::PASSWORD).unwrap();
    let said = s.test();
    assert!(said.contains("certificate is not accepted: it is for another name"), "{said}");
    assert!(named.heard().iter().all(|h| h["heard"] == "EHLO"), "{:?}", named.heard());
    drop(named);

    // No TLS is offered: neither password nor mail goes there.
    let own = s.hospital.certificate("own", "DNS:localhost").unwrap();
    let plain = MailServer::start(&s.dir.join("plain"), s.port, Speaks::Plain, &own, MailServer::PASSWORD).unwrap();
    let said = s.test();
    assert!(said.contains("the mail server offers no TLS, so nothing was sent"), "{said}");
    assert!(!plain.heard().is_empty() && plain.heard().iter().all(|h| h["heard"] == "EHLO"), "{:?}", plain.heard());
    drop(plain);

    let changed = MailServer::start(&s.dir.join("changed"), s.port, Speaks::StartTls, &own, "another password").unwrap();
    let said = s.test();
    assert!(said.contains("the mail server said 535"), "{said}");
    drop(changed);

    let server = s.server("again");
    let mail = came(&server, &ben, "ada asks for access");
    assert!(mail.text.contains(&second) && server.mails().len() == 1, "{:?}", server.mails());
    says_no_more(&server);
}

#[test]
fn no_name_and_no_address_writes_a_line_into_a_mail() {
    let s = Scene::set();
    let w = &s.w;
    let server = s.server("good");
    let (ada, ben) = (w.admin("ada").unwrap(), w.person("ben", &["approver"]).unwrap());
    s.written_to(&ada);
    s.written_to(&ben);
    for bad in [
        "ada@hospital.example\r\nBcc: eve@evil.example",
        "\"ada\r\nBcc: eve@evil.example\r\n\"@hospital.example",
        "ada@hospital.example>\r\nRCPT TO:<eve@evil.example",
        "ada@hospital.example, eve@evil.example",
    ] {
        let run = w.cli.run(&["notify", "address", "ada", bad]).unwrap();
        assert!(run.code == Some(2) && run.stderr.contains("mail address"), "{bad:?}: {:?} {}", run.code, run.said());
    }
    for (handle, name) in [("eve\r\nbcc:x", "Eve Example"), ("eve", "Eve\r\nBcc: eve@evil.example")] {
        let run = w.cli.run(&["person", "add", handle, "--name", name, "--role", "admin"]).unwrap();
        assert_ne!(run.code, Some(0), "{handle:?} {name:?}: {}", run.said());
    }
    let named = w.cli.run(&["target", "add", "ct-2\r\nBcc: eve@evil.example", "--host", "127.0.0.1"]).unwrap();
    assert_ne!(named.code, Some(0), "{}", named.said());
    let request = s.asks(&ada);
    let mail = came(&server, &ben, "ada asks for access to ehr-db-1");
    assert!(mail.text.contains(&request));

    // Even what somebody wrote into the database by hand.
    w.sql(
        "update mail_address set address = E'ada@hospital.example\\r\\nBcc: eve@evil.example' where person = \
         (select id from person where handle = 'ada')",
    )
    .unwrap();
    let begun = ben.begin_review(&request, "deny").unwrap();
    ben.finish_review(&request, &begun).unwrap().good("deny").unwrap();
    s.troubled_by("no mail address, or it is none");
    says_no_more(&server);
    assert!(server.heard().iter().all(|h| !h.to_string().contains("evil")), "{:?}", server.heard());
    assert_eq!(server.mails().len(), 1, "{:?}", server.mails());
}

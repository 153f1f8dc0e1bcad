//! The portal with made-up people and sessions, to look at in a browser: `cargo run -p anteroom-web --example preview [PORT]`.
//! Prints a session cookie for each person, because a preview has no passkeys. Everything is forgotten at the end.
#![allow(clippy::unwrap_used, clippy::print_stdout, unreachable_pub, missing_debug_implementations, dead_code)]

#[path = "preview/cards.rs"]
mod cards;
#[path = "../../approvals/tests/it/cluster.rs"]
mod cluster;
#[path = "preview/companies.rs"]
mod companies;
#[path = "preview/desktop.rs"]
mod desktop;
#[path = "../src/tests/painting.rs"]
mod painting;
#[path = "preview/policies.rs"]
mod policies;
#[path = "preview/ticket.rs"]
mod ticket;

use anteroom_approvals::{Answer, Approvals, AskStepUp, Credential, NewTarget, Options, RequestForm, SealedRecord, UnmaskForm};
use anteroom_domain::{content::Verdict, *};
use anteroom_policy::{Decision, Permit, SecondFactor};
use anteroom_recorder::{
    Event, EventKind, FileMoved, Outcome, PrivateKey, Pty, Recipients, Recorder, RecorderOptions, Replayer, SessionHeader, unmask,
};
use anteroom_test_authenticator::Authenticator;
use anteroom_web::{Clipboard, Portal, PortalConfig, RdpAddress, SshAddress};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use url::Url;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SSH_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti ada@laptop";

struct Control(Mutex<Vec<LiveSession>>);
impl Control {
    fn set_paused(&self, id: SessionId, paused: bool) -> bool {
        let mut live = self.0.lock().unwrap();
        let found = live.iter_mut().find(|s| s.id == id);
        found.is_some_and(|s| {
            s.holds.order = paused.then(|| anteroom_domain::PersonId(Default::default()));
            true
        })
    }
}

impl SessionControl for Control {
    fn list(&self) -> Vec<LiveSession> {
        self.0.lock().unwrap().clone()
    }
    fn terminate(&self, id: SessionId, _: PersonId) -> bool {
        let mut live = self.0.lock().unwrap();
        let before = live.len();
        live.retain(|s| s.id != id);
        live.len() < before
    }
    fn pause(&self, id: SessionId, _: PersonId) -> bool {
        self.set_paused(id, true)
    }
    fn resume(&self, id: SessionId, _: PersonId) -> bool {
        self.set_paused(id, false)
    }
    fn message(&self, id: SessionId, _: &str, _: &str) -> bool {
        self.0.lock().unwrap().iter().any(|s| s.id == id)
    }
}

/// Terminals that echo, with a prompt in colours.
struct Door;
struct Echo(SessionId, std::collections::VecDeque<TerminalOutput>, tokio::sync::Notify);

impl TerminalDoor for Door {
    fn open(&self, _: OpenTerminal) -> terminal::Later<'_, Result<Box<dyn TerminalSession>, String>> {
        let hello = "This session is recorded.\r\n\x1b[1;32mroot@ehr-db-1\x1b[0m:\x1b[38;2;120;170;255m~\x1b[0m# ";
        let echo = Echo(SessionId(uuid::Uuid::now_v7()), [TerminalOutput::Shown(hello.into())].into(), Default::default());
        Box::pin(async move {
            let session: Box<dyn TerminalSession> = Box::new(echo);
            Ok(session)
        })
    }
}

impl TerminalSession for Echo {
    fn id(&self) -> SessionId {
        self.0
    }
    fn send(&mut self, input: TerminalInput) -> terminal::Later<'_, bool> {
        let said = match input {
            TerminalInput::Typed(b) if b == [4] => Some(TerminalOutput::Ended { text: "logout".into(), status: Some(0) }),
            TerminalInput::Typed(b) => {
                Some(TerminalOutput::Shown(b.iter().flat_map(|c| if *c == b'\r' { b"\r\n# ".to_vec() } else { vec![*c] }).collect()))
            }
            TerminalInput::Resize { cols, rows } => Some(TerminalOutput::Shown(format!("[{cols}x{rows}]").into())),
        };
        self.1.extend(said);
        self.2.notify_one();
        Box::pin(async { true })
    }
    fn next(&mut self) -> terminal::Later<'_, Option<TerminalOutput>> {
        Box::pin(async move {
            while self.1.is_empty() {
                self.2.notified().await;
            }
            self.1.pop_front()
        })
    }
}

/// A target with one good address, one that changed its key and one that is away.
struct Looks;
impl TargetProbe for Looks {
    fn probe<'a>(&'a self, target: &'a Target) -> terminal::Later<'a, Vec<Probe>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let key = |k: &str| format!("SHA256:{k}r7Pjs9wFFJMDByLgc3NrtdU344OgUM45wZPcIQ");
            let seen = [
                (format!("{}:{}", target.host, target.port), ProbeOutcome::Trusted { key: key("UCUiL") }, 31),
                ("10.20.0.6:22".into(), ProbeOutcome::Changed { key: key("Bx81Q") }, 44),
                ("10.20.0.7:22".into(), ProbeOutcome::NotReached("no answer within 4 s".into()), 4_001),
            ];
            seen.map(|(address, outcome, ms)| Probe { address, outcome, took: Duration::from_millis(ms) }).into()
        })
    }
}

struct Someone {
    person: Person,
    passkey: Authenticator,
    token: String,
}

async fn somebody(a: &Approvals, origin: &Url, handle: &str, name: &str, roles: &[Role]) -> Someone {
    let roles = Roles::from_iter(roles.iter().copied());
    let person = a.add_person(None, handle.parse().unwrap(), name.parse().unwrap(), roles).await.unwrap();
    let link = a.make_enrol_link(None, person.id, Duration::from_secs(600)).await.unwrap();
    let start = a.begin_enrol(link.expose()).await.unwrap();
    let mut passkey = Authenticator::new(origin.clone());
    let credential = passkey.create(&start.options).unwrap();
    let signed_in = a.finish_enrol(start.ceremony, &credential, "work laptop", HERE).await.unwrap();
    println!("cookie {handle} {}", signed_in.token.expose());
    Someone { person, passkey, token: signed_in.token.expose().clone() }
}

fn form(target: &str, account: &str, reason: &str, hours: i64) -> RequestForm {
    let until = OffsetDateTime::now_utc() + time::Duration::hours(hours);
    RequestForm {
        target: target.parse().unwrap(),
        account: account.parse().unwrap(),
        reason: reason.parse().unwrap(),
        from: None,
        until,
        capabilities: anteroom_domain::Capabilities::interactive(),
        also: Default::default(),
    }
}

async fn permit(a: &Approvals, who: &mut Someone, session: SessionId, target: &str, account: &str) -> Permit {
    let asked = a.ask_step_up(ask(who, target, account, "127.0.0.1")).await.unwrap();
    let start = a.begin_step_up(&who.person, asked.id).await.unwrap();
    let answer = who.passkey.get(&start.options).unwrap();
    a.finish_step_up(&who.person, start.ceremony, &answer).await.unwrap();
    match a.authorize(&who.person, session, target, account, HERE, SecondFactor::Passed(asked.id)).await.unwrap() {
        Decision::Permit(p) => p,
        other => panic!("{other:?}"),
    }
}

fn ask(who: &Someone, target: &str, account: &str, source: &str) -> AskStepUp {
    AskStepUp {
        person: who.person.id,
        ssh_session_id: vec![7; 32],
        fingerprint: "SHA256:UCUiLr7Pjs9wFFJMDByLgc3NrtdU344OgUM45wZPcIQ".into(),
        target: target.parse().unwrap(),
        account: account.parse().unwrap(),
        source: source.parse().unwrap(),
    }
}

fn recorder(dir: &Path) -> (Recorder, Replayer) {
    let key = |n| PrivateKey::from_seed(&[n; 32]);
    let root = dir.join("recordings");
    let options = RecorderOptions {
        root: root.clone(),
        gateway: "preview".into(),
        recipients: Recipients { masked: *key(1).public(), sealed: [*key(2).public(), *key(3).public()] },
        rules: Arc::new(anteroom_masking::RuleSet::builtin()),
        manifest_key: Secret::new([42; 32]),
        max_lag: Duration::from_secs(1),
    };
    let file = dir.join("masked.key");
    let mut f = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&file).unwrap();
    std::io::Write::write_all(&mut f, key(1).to_line().as_bytes()).unwrap();
    (Recorder::open(options).unwrap(), Replayer::open(root, &file).unwrap())
}

/// A shell with a fake patient table, and one command beside it.
fn events() -> Vec<(u64, u32, EventKind)> {
    let pty = Pty { cols: 100, rows: 28, term: "xterm-256color".into() };
    let mut all = vec![(0, 0, EventKind::Open { pty: Some(pty), command: None })];
    let mut out = |ms: u64, text: &str| all.push((ms, 0, EventKind::Output(text.replace('\n', "\r\n").into())));
    out(100, "\x1b[1;32mroot@ehr-db-1\x1b[0m:~# ");
    for (i, c) in "psql -U ehr".chars().enumerate() {
        out(900 + i as u64 * 90, &c.to_string());
    }
    out(2_000, "\npsql (15.8)\nType \"help\" for help.\n\nehr=# ");
    for (i, c) in "select mrn, name, dob, phone from patient limit 4;".chars().enumerate() {
        out(3_000 + i as u64 * 60, &c.to_string());
    }
    out(
        6_400,
        "\n   mrn    |      name       |    dob     |     phone      \n----------+-----------------+------------+----------------\n 84930211 | Fictional Ada   | 1961-02-03 | (555) 010-4477\n 84930212 | Madeup Bertram  | 1975-11-30 | (555) 010-9912\n 84930213 | Invented Chiara | 1988-07-14 | (555) 010-2201\n 84930214 | Example Dmitri  | 1950-01-09 | (555) 010-7765\n(4 rows)\n\nehr=# ",
    );
    out(12_000, "vacuum full visit;\n");
    out(41_000, "VACUUM\nehr=# \\q\n\x1b[1;32mroot@ehr-db-1\x1b[0m:~# exit\nlogout\n");
    all.push((20_000, 1, EventKind::Open { pty: None, command: Some("df -h /var".into()) }));
    all.push((20_100, 1, EventKind::Output("Filesystem  Size  Used Avail Use% Mounted on\n/dev/vda1    98G   61G   33G  66% /\n".into())));
    all.push((20_200, 1, EventKind::Exit { status: 0 }));
    all.push((20_200, 1, EventKind::Close));
    let moved = FileMoved {
        direction: anteroom_domain::capability::Direction::Download,
        path: "/srv/export/ward-4.csv".into(),
        bytes: 81_234,
        sha256: Some([7; 32]),
        outcome: Outcome::Complete,
    };
    all.push((22_000, 2, EventKind::OpenFiles { how: "sftp".into() }));
    all.push((22_500, 2, EventKind::File(moved)));
    all.push((22_600, 2, EventKind::Close));
    all.push((24_000, 3, EventKind::OpenForward { forward: "local-forward".into(), place: "10.20.0.9:5432".into() }));
    all.push((24_100, 3, EventKind::Output("not shown".into())));
    all.push((29_000, 3, EventKind::Close));
    all.push((30_000, 0, EventKind::Message("please finish by noon, the ward calls".into())));
    all.push((32_000, 4, EventKind::Open { pty: None, command: Some("systemctl restart interface-engine".into()) }));
    all.push((32_500, 4, EventKind::Stderr("Failed to restart interface-engine.service: Unit not found.\n".into())));
    all.push((32_600, 4, EventKind::Exit { status: 5 }));
    all.push((32_600, 4, EventKind::Close));
    all.push((42_000, 0, EventKind::Exit { status: 0 }));
    all.push((42_000, 0, EventKind::Close));
    all.sort_by_key(|(ms, ..)| *ms);
    all
}

/// Long enough to be played in several parts.
fn two_hours() -> Vec<(u64, u32, EventKind)> {
    let pty = Pty { cols: 100, rows: 28, term: "xterm-256color".into() };
    let mut all = vec![(0, 0, EventKind::Open { pty: Some(pty), command: None })];
    let mut noise = 1u64;
    for second in (0..7_200u64).step_by(2) {
        let mut said = format!("step {second} of the migration");
        for _ in 0..8 {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            said.push_str(&format!(" {:x}q", noise >> 24));
        }
        all.push((second * 1_000, 0, EventKind::Output(format!("{said}\r\n").into())));
    }
    all.push((7_200_000, 0, EventKind::Close));
    all
}

#[tokio::main]
async fn main() {
    let port: u16 = std::env::args().nth(1).map_or(18_480, |p| p.parse().unwrap());
    let origin = Url::parse(&format!("http://localhost:{port}")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let cluster = cluster::shared();
    let database = cluster.database().await;
    let options = Options {
        rp_id: "localhost".into(),
        origin: origin.clone(),
        vault_key: Secret::new([1; 32]),
        log_key: Secret::new([2; 32]),
        log_name: "anteroom/preview".into(),
        remember_step_up: Duration::ZERO,
        certificate_lifetime: std::time::Duration::from_secs(3600),
        web_idle: Duration::from_secs(36_000),
        web_absolute: Duration::from_secs(36_000),
        spool_dir: dir.path().join("spool"),
        checkpoint_dir: dir.path().join("checkpoints"),
        safe_mode: None,
    };
    let a = Approvals::open(cluster.app(&database).await, options).await.unwrap();
    let stop = CancellationToken::new();
    let background = tokio::spawn({
        let (a, stop) = (a.clone(), stop.clone());
        async move { a.run(stop).await }
    });
    let (recorder, replayer) = recorder(dir.path());
    let control = Arc::new(Control(Mutex::default()));
    Box::pin(seed(&a, &origin, &recorder, &control)).await;
    let config = PortalConfig {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        origin: origin.clone(),
        tls: None,
        ssh: SshAddress { host: "localhost".into(), port: 2222 },
        rdp: Some(RdpAddress { host: "localhost".into(), port: 3389, certificate: Some(CertificateFingerprint::of(b"preview")) }),
        clipboard: Clipboard::Both,
        search: true,
    };
    let portal =
        Portal::bind(config, a, Some(replayer), control, Some(Arc::new(Door)), Some(Arc::new(Looks)), Some(Arc::new(Nobody))).unwrap();
    println!("ready {origin}");
    let serving = tokio::spawn(portal.run(stop.clone()));
    tokio::signal::ctrl_c().await.unwrap();
    stop.cancel();
    serving.await.unwrap().unwrap();
    background.await.unwrap();
}

/// One request that waits for its second key-holder, one that can be opened.
async fn seed_unmask(a: &Approvals, max: &Someone, kim: &mut Someone, lee: &mut Someone, session: SessionId) {
    for (name, second) in [("unmask-open", true), ("unmask", false)] {
        let reason = "Complaint 2026-17: was the wrong chart opened?\nThe ward has to be told which patients are concerned.";
        let form = UnmaskForm { session, from_us: 5_000_000, until_us: 20_000_000, reason: reason.parse().unwrap(), hours: 8 };
        let id = a.ask_unmask(&max.person, form).await.unwrap().id;
        println!("{name} {id}");
        let mut holders = vec![&mut *kim];
        holders.extend(second.then_some(&mut *lee));
        for who in holders {
            let start = Box::pin(a.begin_unmask_review(&who.person, id, Verdict::Approve)).await.unwrap();
            let answer = who.passkey.get(&start.options).unwrap();
            Box::pin(a.finish_unmask_review(&who.person, start.ceremony, &answer)).await.unwrap();
        }
    }
}

/// Where nobody has the sealed keys.
#[derive(Debug)]
struct Nobody;
impl unmask::Unsealer for Nobody {
    fn release(&self, _: unmask::UnmaskProof, _: unmask::Recipient) -> terminal::Later<'_, Result<unmask::Released, unmask::UnsealError>> {
        let refused = unmask::UnsealError::Refused { code: "preview".into(), why: "a preview has no keys".into() };
        Box::pin(async move { Err(refused) })
    }
}

async fn seed(a: &Approvals, origin: &Url, recorder: &Recorder, control: &Control) {
    let mut ada = somebody(a, origin, "ada", "Ada Example", &[Role::Admin]).await;
    let mut ben = somebody(a, origin, "ben", "Dr. Ben Beispiel", &[Role::Approver]).await;
    let max = somebody(a, origin, "max", "Max Muster", &[Role::Auditor]).await;
    let mut kim = somebody(a, origin, "kim", "Kim Keeper", &[Role::KeyHolder]).await;
    let mut lee = somebody(a, origin, "lee", "Lee Lockwood", &[Role::KeyHolder]).await;
    let op = somebody(a, origin, "olga", "Olga Operator", &[Role::Operator]).await;
    let eve = somebody(a, origin, "eve", "Eve Everything", &Role::ALL).await;
    for (name, kind, description) in [
        ("ehr-db-1", TargetKind::Server, "patient database, data centre 2"),
        ("mri-3", TargetKind::MedicalDevice, "MRI, ward 4, not in clinical use today"),
        ("lab-gw", TargetKind::Server, "laboratory gateway"),
    ] {
        let new = NewTarget { description: description.into(), ..NewTarget::ssh(name.parse().unwrap(), kind, "10.20.0.5", 22) };
        let t = a.add_target(Some(op.person.id), new).await.unwrap();
        if name != "lab-gw" {
            a.set_credential(None, t.id, "root".parse().unwrap(), Credential::Password(Secret::new("x".into()))).await.unwrap();
            a.set_credential(None, t.id, "service".parse().unwrap(), Credential::Password(Secret::new("x".into()))).await.unwrap();
            let key = SSH_KEY.rsplit_once(' ').unwrap().0.to_owned();
            a.pin_target(None, t.id, vec![key]).await.unwrap();
        }
    }
    let start = a.begin_ssh_key(&ada.person, SSH_KEY, "work laptop").await.unwrap();
    let answer = ada.passkey.get(&start.options).unwrap();
    a.finish_ssh_key(&ada.person, start.ceremony, &answer).await.unwrap();

    let granted = a.submit_request(&ada.person, form("ehr-db-1", "root", "Vacuum the visit table, ticket 4711", 4), HERE).await.unwrap();
    let start = Box::pin(a.begin_review(&ben.person, granted.id, Answer::Approve)).await.unwrap();
    let answer = ben.passkey.get(&start.options).unwrap();
    let grant = Box::pin(a.finish_review(&ben.person, start.ceremony, &answer)).await.unwrap().into_grant().unwrap();
    let denied = a.submit_request(&ada.person, form("mri-3", "root", "Just looking around", 8), HERE).await.unwrap();
    let start = Box::pin(a.begin_review(&ben.person, denied.id, Answer::Deny { comment: "not while ward 4 is busy".parse().unwrap() }))
        .await
        .unwrap();
    let answer = ben.passkey.get(&start.options).unwrap();
    Box::pin(a.finish_review(&ben.person, start.ceremony, &answer)).await.unwrap();
    let why = "Field service: replace the gradient amplifier firmware (FSN 2026-118).\nWard 4 is informed, no patient until 17:00.";
    let capabilities = ["shell", "exec:fwupdate --check *", "upload:/srv/firmware/*;max=200MiB;keep", "local-forward:*"];
    let wish = RequestForm { capabilities: Capabilities::parse(capabilities).unwrap(), ..form("mri-3", "service", why, 2) };
    let pending = a.submit_request(&ada.person, wish, HERE).await.unwrap();
    a.submit_request(&eve.person, form("ehr-db-1", "service", "Weekly export is stuck", 1), HERE).await.unwrap();
    Box::pin(ticket::seed(a, &mut ada, &mut ben, op.person.id, control)).await;
    println!("request {}", pending.id);
    println!("grant {}", grant.id);

    let mut done = None;
    for what in ["long", "recording", "recorded-desktop", "session", "desktop-session"] {
        let id = SessionId(uuid::Uuid::now_v7());
        let p = permit(a, &mut ada, id, "ehr-db-1", "root").await;
        let started_at = OffsetDateTime::now_utc();
        let header = SessionHeader {
            session: id,
            person: ada.person.id,
            person_handle: "ada".into(),
            target: grant.target,
            target_name: grant.target_name.clone(),
            account: grant.account_name.clone(),
            source: HERE,
            started_at,
            grant: grant.id,
        };
        let recording = recorder.start(header).await.unwrap();
        a.session_started(&p, recording.header_sha256(), "preview").await.unwrap();
        println!("{what} {id}");
        if what.ends_with("session") {
            let (person, target) = (ada.person.id, grant.target);
            control.0.lock().unwrap().push(LiveSession {
                id,
                grant: grant.id,
                person,
                person_handle: "ada".into(),
                target,
                target_name: grant.target_name.clone(),
                account: grant.account_name.clone(),
                source: "192.0.2.41".into(),
                started_at,
                grant_ends_at: grant.not_after,
                channels: 2,
                bytes_out: 1_234_567,
                holds: Default::default(),
            });
            if what == "desktop-session" {
                tokio::spawn(async move {
                    recording.record(Event { at: Duration::ZERO, channel: 0, kind: desktop::opening() }).await.unwrap();
                    for n in 0u64.. {
                        for kind in desktop::second(n) {
                            recording.record(Event { at: Duration::from_millis(50 + n * 1_000), channel: 0, kind }).await.unwrap();
                        }
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                });
                continue;
            }
            let pty = Pty { cols: 100, rows: 28, term: "xterm-256color".into() };
            recording
                .record(Event { at: Duration::ZERO, channel: 0, kind: EventKind::Open { pty: Some(pty), command: None } })
                .await
                .unwrap();
            // It goes on as long as the preview does.
            tokio::spawn(async move {
                for n in 0u64.. {
                    let said = format!("\x1b[1;32mroot@ehr-db-1\x1b[0m:~# export step {n} of ward 4, MRN 849302{:02}\r\n", n % 100);
                    let at = Duration::from_millis(100 + n * 1_000);
                    recording.record(Event { at, channel: 0, kind: EventKind::Output(said.into()) }).await.unwrap();
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            });
            continue;
        }
        if what == "recording" {
            done = Some(id);
        }
        let events = match what {
            "long" => two_hours(),
            "recorded-desktop" => desktop::events(),
            _ => events(),
        };
        for (ms, channel, kind) in events {
            recording.record(Event { at: Duration::from_millis(ms), channel, kind }).await.unwrap();
        }
        let s = recording.finish().await.unwrap();
        a.session_ended(id, &EndReason::ClientClosed).await;
        let manifest = serde_json::to_value(&s.manifest).unwrap();
        a.recording_sealed(SealedRecord {
            session: id,
            state: s.state,
            manifest,
            manifest_sha256: s.manifest_sha256,
            mask_incomplete: s.mask_incomplete,
            mask_counts: s.mask_counts,
            bytes: s.bytes,
        })
        .await;
        if what == "long" {
            a.place_hold(max.person.id, id, Reason::new("Case 17 of the hospital's counsel").unwrap()).await.unwrap();
            println!("held {id}");
        }
    }
    seed_unmask(a, &max, &mut kim, &mut lee, done.unwrap()).await;
    Box::pin(cards::seed(a, &mut kim, &mut lee)).await;
    let asked = a.ask_step_up(ask(&ada, "ehr-db-1", "root", "192.0.2.41")).await.unwrap();
    println!("step-up {}", asked.id);
    let certificate = a.ask_certificate(SSH_KEY, "192.0.2.41".parse().unwrap()).await.unwrap();
    println!("login {}", certificate.id);
    policies::seed(a, &op).await;
    companies::seed(a, origin, op.person.id).await;
    println!("person {}", ada.person.id);
    println!("target {}", grant.target);
    let link = a.make_enrol_link(None, op.person.id, Duration::from_secs(6_000)).await.unwrap();
    println!("enrol {}", link.expose());
    let link = a.make_enrol_link(None, ada.person.id, Duration::from_secs(6_000)).await.unwrap();
    println!("enrol-ada {}", link.expose());
    let _ = &eve.token;
}

//! A terminal in the browser: one passkey, one socket, nothing past the door.
use super::Site;
use crate::{
    Clipboard,
    world::{HERE, Someone, World},
};
use anteroom_approvals::{Approvals, RequestForm};
use anteroom_domain::{
    Capabilities, OpenTerminal, Role, SessionId, TerminalDoor, TerminalInput, TerminalOutput, TerminalSession, content::Verdict,
    terminal::Later,
};
use anteroom_policy::{Decision, SecondFactor};
use axum::{
    Extension,
    extract::ConnectInfo,
    http::{Request, StatusCode},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, handshake::client::generate_key},
};

/// A gateway whose targets echo; it asks the policy as the real one does.
struct Door {
    approvals: Approvals,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    asked: Mutex<Vec<OpenTerminal>>,
    typed: Mutex<Vec<u8>>,
    sizes: Mutex<Vec<(u16, u16)>>,
    /// Pieces of output that a flooding target got rid of.
    flooded: AtomicUsize,
    over: AtomicUsize,
}

struct Echo {
    id: SessionId,
    seen: Arc<Seen>,
    say: mpsc::UnboundedSender<TerminalOutput>,
    hear: mpsc::UnboundedReceiver<TerminalOutput>,
    floods: bool,
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.seen.over.fetch_add(1, Ordering::SeqCst);
    }
}

impl TerminalSession for Echo {
    fn id(&self) -> SessionId {
        self.id
    }
    fn send(&mut self, input: TerminalInput) -> Later<'_, bool> {
        Box::pin(async move {
            match input {
                TerminalInput::Resize { cols, rows } => self.seen.sizes.lock().unwrap().push((cols, rows)),
                TerminalInput::Typed(b) if b == b"exit\r" => {
                    let _ = self.say.send(TerminalOutput::Ended { text: "logout".into(), status: Some(3) });
                    return false;
                }
                TerminalInput::Typed(b) if b == b"flood\r" => self.floods = true,
                TerminalInput::Typed(b) => {
                    self.seen.typed.lock().unwrap().extend(&b);
                    let _ = self.say.send(TerminalOutput::Shown(b));
                }
            }
            true
        })
    }
    fn next(&mut self) -> Later<'_, Option<TerminalOutput>> {
        Box::pin(async move {
            if self.floods {
                self.seen.flooded.fetch_add(1, Ordering::SeqCst);
                return Some(TerminalOutput::Shown(vec![b'x'; 100_000]));
            }
            self.hear.recv().await
        })
    }
}

impl TerminalDoor for Door {
    fn open(&self, ask: OpenTerminal) -> Later<'_, Result<Box<dyn TerminalSession>, String>> {
        Box::pin(async move {
            self.seen.asked.lock().unwrap().push(ask.clone());
            let id = SessionId(uuid::Uuid::now_v7());
            let person = self.approvals.person(ask.person).await.unwrap().unwrap();
            let factor = SecondFactor::Passed(ask.step_up);
            let a = self.approvals.authorize(&person, id, ask.target.as_str(), ask.account.as_str(), ask.source, factor).await;
            let Ok(Decision::Permit(_)) = a else { return Err("refused by the policy".into()) };
            let (say, hear) = mpsc::unbounded_channel();
            let echo: Box<dyn TerminalSession> = Box::new(Echo { id, seen: self.seen.clone(), say, hear, floods: false });
            Ok(echo)
        })
    }
}

type Socket = WebSocketStream<TcpStream>;

struct Stage {
    site: Site,
    seen: Arc<Seen>,
    addr: SocketAddr,
    ada: Someone,
    bob: Someone,
}

const PAGE: &str = "/terminal/root@ehr-db-1";

impl Stage {
    async fn new(clipboard: Clipboard) -> Self {
        let world = Box::pin(World::new()).await;
        let (seen, approvals) = (Arc::<Seen>::default(), world.approvals.clone());
        let site = Site::on(world, None, Some(Arc::new(Door { approvals, seen: seen.clone() })), None, clipboard);
        let (ada, mut bob) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
        Box::pin(site.world.grant(&ada, &mut bob)).await;
        // Over a real socket, because a WebSocket takes over a connection; the address is the one the pages are asked from.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let router = site.router.clone().layer(Extension(ConnectInfo(SocketAddr::new(HERE, 50_000))));
        let stop = site.stop.clone();
        tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await });
        Self { site, seen, addr, ada, bob }
    }

    /// Asks and confirms; where the socket is.
    async fn confirm(&mut self) -> String {
        let start = self.site.json(&format!("{PAGE}/begin"), &json!({}), Some(&self.ada)).await;
        assert_eq!(start.status, StatusCode::OK, "{}", start.text);
        let start = start.json();
        let options = serde_json::from_value(start["options"].clone()).unwrap();
        let credential = self.ada.passkey.get(&options).unwrap();
        let finish = format!("/terminal/{}/finish", start["terminal"].as_str().unwrap());
        let done = self.site.json(&finish, &json!({ "ceremony": start["ceremony"], "credential": credential }), Some(&self.ada)).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text);
        done.json()["socket"].as_str().unwrap().to_owned()
    }

    async fn dial(&self, path: &str, who: &Someone, headers: &[(&str, &str)]) -> Result<Socket, u16> {
        let mut r = Request::get(format!("ws://gate.example{path}"))
            .header("host", "gate.example")
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", generate_key())
            .header("cookie", format!("__Host-anteroom={}", who.token.expose()));
        for (name, value) in headers {
            r = r.header(*name, *value);
        }
        let tcp = TcpStream::connect(self.addr).await.unwrap();
        match client_async(r.body(()).unwrap(), tcp).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(e) => panic!("{e}"),
        }
    }

    async fn open(&mut self) -> Socket {
        let path = self.confirm().await;
        self.dial(&path, &self.ada, OURS).await.unwrap()
    }
}

const OURS: &[(&str, &str)] = &[("origin", "https://gate.example"), ("sec-fetch-site", "same-origin")];

/// So long that only what never comes fails.
async fn heard(socket: &mut Socket) -> Message {
    tokio::time::timeout(Duration::from_secs(30), socket.next()).await.unwrap().unwrap().unwrap()
}

async fn told(socket: &mut Socket) -> Value {
    loop {
        match heard(socket).await {
            Message::Text(t) => return serde_json::from_str(&t).unwrap(),
            Message::Ping(_) | Message::Binary(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn shown(socket: &mut Socket) -> Vec<u8> {
    loop {
        match heard(socket).await {
            Message::Binary(b) => return b.to_vec(),
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn typed(socket: &mut Socket, bytes: &[u8]) {
    socket.send(Message::Binary(bytes.to_vec().into())).await.unwrap();
}

#[tokio::test]
async fn confirmed_with_a_passkey_it_carries_bytes_both_ways() {
    let mut s = Stage::new(Clipboard::Both).await;
    let path = format!("{}?cols=100&rows=9999", s.confirm().await);
    let mut socket = s.dial(&path, &s.ada, OURS).await.unwrap();
    assert_eq!(told(&mut socket).await, json!({ "clipboard": "both" }));
    typed(&mut socket, b"id\r\xff").await;
    assert_eq!(shown(&mut socket).await, b"id\r\xff");
    socket.send(Message::Text(r#"{"cols":70,"rows":20}"#.into())).await.unwrap();
    typed(&mut socket, &[b'y'; 5_000]).await;
    let mut echoed = 0;
    while echoed < 5_000 {
        echoed += shown(&mut socket).await.len();
    }
    typed(&mut socket, b"exit\r").await;
    assert_eq!(told(&mut socket).await, json!({ "ended": "logout", "status": 3 }));
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(_)))));
    assert_eq!(s.seen.sizes.lock().unwrap().as_slice(), [(70, 20)]);
    let asked = s.seen.asked.lock().unwrap().remove(0);
    assert_eq!((asked.person, asked.source, asked.connection.len()), (s.ada.person.id, HERE, 32));
    assert_eq!((asked.cols, asked.rows), (100, 500), "a size is bounded");
    assert!(path.starts_with(&format!("/terminal/{}/", asked.step_up)));
}

#[tokio::test]
async fn another_site_opens_no_socket() {
    let mut s = Stage::new(Clipboard::Both).await;
    let path = s.confirm().await;
    for headers in [
        &[][..],
        &[("origin", "null")],
        &[("origin", "https://evil.example")],
        &[("origin", "http://gate.example")],
        &[("origin", "https://gate.example"), ("sec-fetch-site", "cross-site")],
        &[("origin", "https://gate.example"), ("origin", "https://evil.example")],
    ] {
        assert_eq!(s.dial(&path, &s.ada, headers).await.err(), Some(403), "{headers:?}");
    }
    assert!(s.seen.asked.lock().unwrap().is_empty());
    assert!(s.dial(&path, &s.ada, OURS).await.is_ok(), "and the confirmation was not spent by trying");
}

#[tokio::test]
async fn a_socket_takes_its_own_persons_confirmation_and_takes_it_once() {
    let mut s = Stage::new(Clipboard::Both).await;
    // Asked for and not confirmed.
    let start = s.site.json(&format!("{PAGE}/begin"), &json!({}), Some(&s.ada)).await.json();
    let unconfirmed = format!("/terminal/{}/socket", start["terminal"].as_str().unwrap());
    assert_eq!(s.dial(&unconfirmed, &s.ada, OURS).await.err(), Some(404));
    assert_eq!(s.dial(&format!("/terminal/{}/socket", uuid::Uuid::new_v4()), &s.ada, OURS).await.err(), Some(404));

    let path = s.confirm().await;
    assert_eq!(path, unconfirmed, "a second click goes on with the same one");
    let eve = s.site.world.somebody("eve", Role::Admin).await;
    assert_eq!(s.dial(&path, &eve, OURS).await.err(), Some(404), "somebody else");
    assert_eq!(s.dial(&path, &s.bob, OURS).await.err(), Some(404), "who may not ask for access");
    // The same person in another browser.
    let login = s.site.world.approvals.begin_login().await.unwrap();
    let answer = s.ada.passkey.get(&login.options).unwrap();
    let token = s.site.world.approvals.finish_login(login.ceremony, &answer, HERE).await.unwrap().token;
    let mine = std::mem::replace(&mut s.ada.token, token);
    assert_eq!(s.dial(&path, &s.ada, OURS).await.err(), Some(404), "another web session");
    s.ada.token = mine;

    assert!(s.dial(&path, &s.ada, OURS).await.is_ok());
    assert_eq!(s.dial(&path, &s.ada, OURS).await.err(), Some(404), "used");
    assert_eq!(s.seen.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn another_connections_confirmation_confirms_no_terminal() {
    let mut s = Stage::new(Clipboard::Both).await;
    let start = s.site.json(&format!("{PAGE}/begin"), &json!({}), Some(&s.ada)).await.json();
    let terminal = start["terminal"].as_str().unwrap();
    let ssh = anteroom_approvals::AskStepUp {
        person: s.ada.person.id,
        ssh_session_id: vec![7; 32],
        fingerprint: "SHA256:x".into(),
        target: s.site.world.target.name.clone(),
        account: crate::world::account("root"),
        source: HERE,
    };
    let ssh = s.site.world.approvals.ask_step_up(ssh).await.unwrap();
    let other = s.site.world.approvals.begin_step_up(&s.ada.person, ssh.id).await.unwrap();
    let credential = s.ada.passkey.get(&other.options).unwrap();
    let finish = json!({ "ceremony": other.ceremony, "credential": credential });
    let done = s.site.json(&format!("/terminal/{terminal}/finish"), &finish, Some(&s.ada)).await;
    assert_eq!(done.status, StatusCode::NOT_FOUND, "{}", done.text);
    assert_eq!(s.dial(&format!("/terminal/{terminal}/socket"), &s.ada, OURS).await.err(), Some(404));
}

#[tokio::test]
async fn a_frame_that_is_too_large_ends_it() {
    let mut s = Stage::new(Clipboard::Both).await;
    let mut socket = s.open().await;
    told(&mut socket).await;
    typed(&mut socket, &vec![b'z'; 64 * 1024 + 1]).await;
    let end = told(&mut socket).await;
    assert!(end["ended"].as_str().unwrap().contains("64 KiB"), "{end}");
    assert_eq!((s.seen.typed.lock().unwrap().len(), s.seen.over.load(Ordering::SeqCst)), (0, 1));
}

#[tokio::test]
async fn where_pasting_is_off_a_long_frame_goes_nowhere() {
    let mut s = Stage::new(Clipboard::Copy).await;
    let mut socket = s.open().await;
    assert_eq!(told(&mut socket).await, json!({ "clipboard": "copy" }));
    for pasted in [&[b'p'; 65][..], b"\x1b[200~id\x1b[201~"] {
        typed(&mut socket, pasted).await;
        assert!(told(&mut socket).await["said"].as_str().unwrap().contains("switched off"));
    }
    typed(&mut socket, b"k").await;
    assert_eq!(shown(&mut socket).await, b"k");
    assert_eq!(s.seen.typed.lock().unwrap().as_slice(), b"k");
}

#[tokio::test]
async fn signing_out_ends_it_and_only_in_that_browser() {
    let mut s = Stage::new(Clipboard::Both).await;
    let mut socket = s.open().await;
    told(&mut socket).await;
    let eve = s.site.world.somebody("eve", Role::Admin).await;
    s.site.form("/sign-out", &[], Some(&eve)).await;
    typed(&mut socket, b"k").await;
    assert_eq!(shown(&mut socket).await, b"k");
    s.site.form("/sign-out", &[], Some(&s.ada)).await;
    assert_eq!(told(&mut socket).await["ended"], "You signed out.");
    assert_eq!(s.seen.over.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_stop_of_the_portal_is_said_and_waited_for() {
    let mut s = Stage::new(Clipboard::Both).await;
    let mut socket = s.open().await;
    told(&mut socket).await;
    s.site.stop.cancel();
    assert_eq!(told(&mut socket).await["ended"], "The gateway is stopping.");
    drop(socket);
    s.site.app.open.all_ended().await;
    assert_eq!(s.seen.over.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_closed_browser_ends_the_session() {
    let mut s = Stage::new(Clipboard::Both).await;
    let mut socket = s.open().await;
    told(&mut socket).await;
    drop(socket);
    s.site.app.open.all_ended().await;
    assert_eq!(s.seen.over.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_browser_that_shows_nothing_is_sent_no_more() {
    let mut s = Stage::new(Clipboard::Both).await;
    let mut socket = s.open().await;
    told(&mut socket).await;
    typed(&mut socket, b"flood\r").await;
    // 512 KiB and the piece that goes beyond: six pieces of 100,000 bytes.
    let mut got = 0;
    while got < 600_000 {
        got += shown(&mut socket).await.len();
    }
    typed(&mut socket, b"k").await;
    socket.send(Message::Text(r#"{"seen":200000}"#.into())).await.unwrap();
    while got < 800_000 {
        got += shown(&mut socket).await.len();
    }
    assert_eq!(s.seen.typed.lock().unwrap().as_slice(), b"k", "typing goes on while output waits");
    assert_eq!(s.seen.flooded.load(Ordering::SeqCst), 8);
}

#[tokio::test]
async fn without_a_grant_for_a_shell_there_is_no_terminal() {
    let s = Stage::new(Clipboard::Both).await;
    let mut bob = s.bob;
    let (eve, fay) = (s.site.world.somebody("eve", Role::Admin).await, s.site.world.somebody("fay", Role::Admin).await);
    let form = RequestForm { capabilities: Capabilities::parse(["download"]).unwrap(), ..s.site.world.form(60) };
    let r = s.site.world.approvals.submit_request(&fay.person, form, HERE).await.unwrap();
    s.site.world.review(&mut bob, &r, Verdict::Approve).await.unwrap();
    let unknown = s.site.get("/terminal/root@no-such", Some(&eve)).await;
    for who in [&eve, &fay] {
        let page = s.site.get(PAGE, Some(who)).await;
        assert_eq!((page.status, &page.text), (StatusCode::NOT_FOUND, &unknown.text));
        assert_eq!(s.site.json(&format!("{PAGE}/begin"), &json!({}), Some(who)).await.status, StatusCode::NOT_FOUND);
        assert!(!s.site.get("/", Some(who)).await.text.contains("Open in browser"));
    }
    assert!(s.site.get("/", Some(&s.ada)).await.text.contains(&format!("href=\"{PAGE}\"")));
}

#[tokio::test]
async fn the_page_lets_its_own_styles_in_and_nothing_inline() {
    let s = Stage::new(Clipboard::Both).await;
    let (one, two) = (s.site.get(PAGE, Some(&s.ada)).await, s.site.get(PAGE, Some(&s.ada)).await);
    let csp = one.header("content-security-policy");
    assert!(csp.starts_with("default-src 'none';") && csp.contains("style-src 'self' 'nonce-") && !csp.contains("unsafe"), "{csp}");
    assert_ne!(csp, two.header("content-security-policy"), "a nonce is used once");
    for bad in [" style=", "<style", " onclick=", "javascript:"] {
        assert!(!one.text.contains(bad), "{bad}");
    }
    for words in ["Recorded", "10.0.0.7", "Open with passkey"] {
        assert!(one.text.contains(words), "{words}");
    }
}

//! A telnet target behind the same relay: the relay speaks channel messages, this turns them into RFC 854 and back.
//! Only for targets in quarantine, for nothing on the wire is encrypted.
use super::{
    connection::Connection,
    requests::{Request, cells},
    side::{self, LocalEnd, Reader, Writer},
    upstream::UpstreamError,
};
use crate::{dial::dial, enforcement::Cutter};
use anteroom_approvals::Credential;
use anteroom_domain::{Profile, Secret, Target};
use anteroom_policy::Permit;
use anteroom_telnet::{
    Received, Telnet, Terminal,
    login::{Login, SETTLE, Step},
};
use bytes::Bytes;
use russh::{ChannelMsg, client};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use zeroize::Zeroizing;

/// From the connection to the person's prompt.
const LOGIN_LIMIT: Duration = Duration::from_secs(60);
/// Output during the login that is kept for the person.
const GREETING: usize = 64 << 10;
const READ: usize = 16 << 10;

/// What is needed to connect; each channel has its own connection.
#[derive(Debug)]
pub(super) struct TelnetLink {
    facts: Arc<Facts>,
    tasks: TaskTracker,
    end: CancellationToken,
}

#[derive(Debug)]
struct Facts {
    target: Target,
    account: String,
    password: Secret<String>,
    limit: Duration,
    cutters: Mutex<Vec<Cutter>>,
}

impl TelnetLink {
    pub(super) fn prepare(conn: &Connection, permit: &Permit, credential: Credential) -> Result<Self, UpstreamError> {
        let target = permit.target().clone();
        if target.profile != Profile::Quarantine {
            return Err(UpstreamError::Telnet(target.name.to_string()));
        }
        let Credential::Password(password) = credential else { return Err(UpstreamError::Credential(target.name.to_string())) };
        let facts = Facts {
            account: permit.account().to_string(),
            password,
            limit: conn.shared.config.connect_timeout,
            cutters: Mutex::default(),
            target,
        };
        Ok(Self { facts: Arc::new(facts), tasks: conn.tasks.clone(), end: CancellationToken::new() })
    }

    pub(super) async fn open(&self) -> Result<(Reader, Writer<client::Msg>), russh::Error> {
        let (reads, writes, end) = side::local();
        let (facts, over) = (self.facts.clone(), self.end.clone());
        self.tasks.spawn(async move {
            tokio::select! { () = serve(&facts, end) => {}, () = over.cancelled() => {} }
        });
        Ok((reads, writes))
    }

    pub(super) fn close(&self) {
        self.end.cancel();
        for cutter in self.facts.cutters.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            cutter.cut();
        }
    }
}

async fn serve(facts: &Facts, mut end: LocalEnd) {
    let Some(terminal) = started(&mut end).await else { return };
    let text = match run(facts, &mut end, terminal).await {
        Ok(()) => None,
        Err(why) => Some(format!("\r\nanteroom: target {:?}: {why}\r\n", facts.target.name.as_str())),
    };
    let status: u32 = if text.is_some() { 255 } else { 0 };
    if let Some(text) = text {
        let _ = end.to_relay.send(ChannelMsg::ExtendedData { data: text.into(), ext: 1 }).await;
    }
    let exit =
        ChannelMsg::Request { name: "exit-status".into(), want_reply: false, payload: Bytes::copy_from_slice(&status.to_be_bytes()) };
    for last in [exit, ChannelMsg::Eof, ChannelMsg::Close] {
        if end.to_relay.send(last).await.is_err() {
            return;
        }
    }
}

/// Waits for the shell to be asked for; telnet knows nothing else.
async fn started(end: &mut LocalEnd) -> Option<Terminal> {
    let mut terminal = Terminal { term: "vt100".into(), cols: 80, rows: 24 };
    while let Some(m) = end.from_relay.recv().await {
        let ChannelMsg::Request { name, want_reply, payload } = m else {
            if matches!(m, ChannelMsg::Close) {
                return None;
            }
            continue;
        };
        let (ok, begins) = match Request::parse(&name, &payload) {
            Ok(Request::Pty { term, cols, rows }) => {
                terminal = Terminal { term, cols: cells(cols, 80), rows: cells(rows, 24) };
                (true, false)
            }
            Ok(Request::WindowChange { cols, rows }) => {
                (terminal.cols, terminal.rows) = (cells(cols, 80), cells(rows, 24));
                (true, false)
            }
            Ok(Request::Shell) => (true, true),
            _ => (false, false),
        };
        if want_reply {
            end.to_relay.send(ChannelMsg::Reply { ok }).await.ok()?;
        }
        if begins {
            return Some(terminal);
        }
    }
    None
}

/// The error is for the person to read.
async fn run(facts: &Facts, end: &mut LocalEnd, terminal: Terminal) -> Result<(), String> {
    let stream = dial(&facts.target, facts.limit).await?;
    let (mut stream, cutter) = Cutter::of(stream).map_err(|e| e.to_string())?;
    facts.cutters.lock().unwrap_or_else(PoisonError::into_inner).push(cutter);
    let mut telnet = Telnet::new(terminal);
    let greeting = timeout(LOGIN_LIMIT, log_in(facts, &mut stream, &mut telnet)).await;
    let greeting = greeting.map_err(|_| "it did not finish the login in time".to_owned())??;
    if end.to_relay.send(ChannelMsg::Data { data: greeting.into() }).await.is_err() {
        return Ok(());
    }
    relay(end, stream, telnet).await
}

fn lost(e: std::io::Error) -> String {
    format!("connection lost: {e}")
}

/// Answers the prompts. Returns what the person sees first; nothing of the dialogue before it is shown, so that a device
/// that echoes passwords shows none.
async fn log_in(facts: &Facts, stream: &mut TcpStream, telnet: &mut Telnet) -> Result<Vec<u8>, String> {
    let password = Zeroizing::new(facts.password.expose().clone());
    let mut login = Login::new(&facts.account, password).map_err(|e| e.to_string())?;
    let (mut received, mut greeting, mut buffer) = (Received::default(), Vec::new(), vec![0; READ]);
    stream.write_all(&telnet.start()).await.map_err(lost)?;
    loop {
        match timeout(SETTLE, stream.read(&mut buffer)).await {
            Ok(Ok(0)) => return Err("it closed the connection during the login".to_owned()),
            Ok(Ok(n)) => {
                telnet.receive(&buffer[..n], &mut received);
                stream.write_all(&received.reply).await.map_err(lost)?;
                login.receive(&received.output);
                let room = GREETING.saturating_sub(greeting.len());
                greeting.extend(received.output.iter().take(room));
                received.clear();
            }
            Ok(Err(e)) => return Err(lost(e)),
            Err(_quiet) => match login.quiet() {
                Step::StillWaiting => {}
                Step::Answer(answer) => {
                    greeting.clear();
                    stream.write_all(&telnet.send_secret(answer.bytes())).await.map_err(lost)?;
                }
                Step::Passed => return Ok(without(&greeting, facts.password.expose().as_bytes())),
                Step::Failed(why) => return Err(why.to_string()),
            },
        }
    }
}

/// The text without any occurrence of `secret`.
fn without(text: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.first() {
        match rest.strip_prefix(secret) {
            Some(after) if !secret.is_empty() => rest = after,
            _ => {
                out.push(*first);
                rest = &rest[1..];
            }
        }
    }
    out
}

async fn relay(end: &mut LocalEnd, mut stream: TcpStream, mut telnet: Telnet) -> Result<(), String> {
    let (mut reader, mut writer) = stream.split();
    let (mut received, mut buffer) = (Received::default(), vec![0; READ]);
    // Bytes for the target wait here, so that a device that doesn't read holds up what it shows no longer than this.
    let stalled = Duration::from_secs(30);
    let mut write = async |bytes: &[u8]| match timeout(stalled, writer.write_all(bytes)).await {
        Ok(done) => done.map_err(lost),
        Err(_) => Err("it took no input for 30 s".to_owned()),
    };
    loop {
        tokio::select! {
            m = end.from_relay.recv() => match m {
                None | Some(ChannelMsg::Close) => return Ok(()),
                Some(ChannelMsg::Data { data }) => {
                    write(&telnet.send(&data)).await?;
                    let echo = telnet.local_echo(&data);
                    if !echo.is_empty() && end.to_relay.send(ChannelMsg::Data { data: echo.into() }).await.is_err() {
                        return Ok(());
                    }
                }
                Some(ChannelMsg::Request { name, want_reply, payload }) => {
                    let (bytes, ok) = match Request::parse(&name, &payload) {
                        Ok(Request::WindowChange { cols, rows }) => (telnet.resize(cells(cols, 80), cells(rows, 24)), true),
                        Ok(Request::Signal { name }) if name == "INT" => (telnet.interrupt(), true),
                        Ok(Request::Break) => (telnet.break_signal(), true),
                        _ => (Vec::new(), false),
                    };
                    write(&bytes).await?;
                    if want_reply && end.to_relay.send(ChannelMsg::Reply { ok }).await.is_err() {
                        return Ok(());
                    }
                }
                Some(_) => {}
            },
            read = reader.read(&mut buffer) => match read.map_err(lost)? {
                0 => return Ok(()),
                n => {
                    telnet.receive(&buffer[..n], &mut received);
                    write(&received.reply).await?;
                    let data = Bytes::from(std::mem::take(&mut received.output));
                    received.clear();
                    if !data.is_empty() && end.to_relay.send(ChannelMsg::Data { data }).await.is_err() {
                        return Ok(());
                    }
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_a_device_echoes_is_not_shown() {
        assert_eq!(without(b"Password: s3cret\r\nWelcome s3crets", b"s3cret"), b"Password: \r\nWelcome s");
        assert_eq!(without(b"text", b""), b"text");
    }
}

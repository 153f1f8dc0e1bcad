//! Forwards: port and socket forwards, the agent and X11. Recorded byte by byte in the sealed track, judged by where they
//! lead, and never a way to another target's protocol past the recording.
use super::{
    connection::Connection,
    relay::{Credit, hold},
    session::Session,
    side::{Reader, Writer},
};
use anteroom_approvals::StoreError;
use anteroom_domain::{AuditEvent, EndReason};
use anteroom_recorder::EventKind;
use bytes::Bytes;
use russh::{Channel, ChannelMsg, ChannelOpenFailure, client, server, server::ChannelOpenHandle};
use std::{net::IpAddr, sync::Arc, time::Duration};
use tokio::time::timeout;

/// How a forward is called in the recording, the audit log and a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forward {
    Local,
    Remote,
    LocalSocket,
    RemoteSocket,
    Agent,
    X11,
}

impl Forward {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local-forward",
            Self::Remote => "remote-forward",
            Self::LocalSocket => "local-socket",
            Self::RemoteSocket => "remote-socket",
            Self::Agent => "agent-forwarding",
            Self::X11 => "x11-forwarding",
        }
    }
}

pub(super) type ClientSide = (Reader, Writer<server::Msg>);
pub(super) type TargetSide = (Reader, Writer<client::Msg>);

/// `ssh -L`, `-D` or `-W`: the client opens toward a place as the target sees it.
pub(super) async fn local(conn: Arc<Connection>, channel: Channel<server::Msg>, host: String, port: u32, reply: ChannelOpenHandle) {
    let Some(permitted) = conn.permitted() else { return reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await };
    let place = place(&host, port);
    if !permitted.permit.capabilities().local_forward(&host, port) {
        return refuse(&conn, reply, Forward::Local, format!("a forward to {place} is not allowed by your grant")).await;
    }
    let closed = match leads_to_a_target(&conn, &host, port).await {
        Ok(false) => None,
        Ok(true) => Some(format!("{place} is a target of its own: connect to it by name, so that it is recorded")),
        Err(e) => Some(format!("whether {place} is a target of its own cannot be told now: {e}")),
    };
    if let Some(why) = closed {
        return refuse(&conn, reply, Forward::Local, why).await;
    }
    open(conn, channel, reply, Forward::Local, place, async |session| match session.link.ssh() {
        Some(ssh) => ssh.handle.channel_open_direct_tcpip(host, port, "127.0.0.1", 0).await,
        None => Err(russh::Error::ChannelOpenFailure(ChannelOpenFailure::UnknownChannelType)),
    })
    .await;
}

/// `ssh -L` to a socket on the target (OpenSSH PROTOCOL section 2.4).
pub(super) async fn local_socket(conn: Arc<Connection>, channel: Channel<server::Msg>, path: String, reply: ChannelOpenHandle) {
    let Some(permitted) = conn.permitted() else { return reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await };
    if !permitted.permit.capabilities().local_socket(&path) {
        return refuse(&conn, reply, Forward::LocalSocket, "a forward to this socket is not allowed by your grant".into()).await;
    }
    open(conn, channel, reply, Forward::LocalSocket, path.clone(), async |session| match session.link.ssh() {
        Some(ssh) => ssh.handle.channel_open_direct_streamlocal(path).await,
        None => Err(russh::Error::ChannelOpenFailure(ChannelOpenFailure::UnknownChannelType)),
    })
    .await;
}

pub(super) async fn refuse(conn: &Connection, reply: ChannelOpenHandle, forward: Forward, why: String) {
    let why = conn.explained(&why);
    conn.note_refusal(forward.as_str(), &why);
    reply.reject(ChannelOpenFailure::Other { code: 1, reason: format!("anteroom: {why}") }).await;
}

async fn open(
    conn: Arc<Connection>,
    channel: Channel<server::Msg>,
    reply: ChannelOpenHandle,
    forward: Forward,
    place: String,
    dial: impl AsyncFnOnce(Arc<Session>) -> Result<Channel<client::Msg>, russh::Error>,
) {
    let session = match conn.session().await {
        Ok(s) => s,
        Err(why) => return reply.reject(ChannelOpenFailure::Other { code: 2, reason: format!("anteroom: {why}") }).await,
    };
    if let Some(why) = hold::refusal(session.entry.standing()) {
        return refuse(&conn, reply, forward, why).await;
    }
    if !session.entry.open_channel(conn.shared.config.max_channels) {
        return refuse(&conn, reply, forward, "too many channels".into()).await;
    }
    match tokio::select! { t = dial(session.clone()) => t, _ = conn.end.ended() => Err(russh::Error::Disconnect) } {
        Err(russh::Error::ChannelOpenFailure(why)) => reply.reject(super::relay::plain(why)).await,
        Err(_) => reply.reject(ChannelOpenFailure::ConnectFailed).await,
        Ok(target) => {
            reply.accept().await;
            pipe(&conn, &session, forward, place, sides(channel), sides(target)).await;
        }
    }
    session.entry.close_channel();
}

/// Both halves of an SSH channel.
pub(super) fn sides<S: From<(russh::ChannelId, ChannelMsg)> + Send + Sync + 'static>(channel: Channel<S>) -> (Reader, Writer<S>) {
    let (reads, writes) = channel.split();
    (Reader::Ssh(reads), Writer::Ssh(writes))
}

enum Over {
    Closed,
    NotRecorded,
    Forbidden(&'static str),
}

/// Carries the bytes of a forward until either side closes it.
pub(super) async fn pipe(
    conn: &Arc<Connection>,
    session: &Arc<Session>,
    forward: Forward,
    place: String,
    (client_reads, client): ClientSide,
    (target_reads, target): TargetSide,
) {
    let number = session.number_channel();
    let opened = EventKind::OpenForward { forward: forward.as_str().into(), place: place.clone() };
    let sniffs = !matches!(forward, Forward::Agent | Forward::X11);
    let over = match session.record(number, opened).await {
        Err(_) => Over::NotRecorded,
        Ok(()) => {
            conn.note(AuditEvent::ForwardOpened { session: conn.session, forward: forward.as_str().into(), place });
            tokio::select! {
                over = one_way(session, number, client_reads, &client, &target, EventKind::Input, sniffs) => over,
                over = one_way(session, number, target_reads, &target, &client, EventKind::Output, sniffs) => over,
                _ = conn.end.ended() => Over::Closed,
            }
        }
    };
    match over {
        Over::Closed => {}
        Over::NotRecorded => {
            conn.end.end(EndReason::RecordingFailed);
        }
        Over::Forbidden(protocol) => {
            let why = format!("{protocol} inside a forward would not be recorded as such: connect to that target by name");
            let _ = session.record(number, EventKind::Note(why.clone())).await;
            conn.note_refusal(forward.as_str(), &why);
        }
    }
    let _ = timeout(Duration::from_millis(300), async { tokio::join!(client.close(), target.close()) }).await;
    let _ = session.record(number, EventKind::Close).await;
}

async fn one_way<A, B>(
    session: &Session,
    number: u32,
    mut from: Reader,
    source: &Writer<A>,
    to: &Writer<B>,
    kind: fn(Bytes) -> EventKind,
    sniffs: bool,
) -> Over
where
    A: From<(russh::ChannelId, ChannelMsg)> + Send + Sync + 'static,
    B: From<(russh::ChannelId, ChannelMsg)> + Send + Sync + 'static,
{
    let (mut credit, mut start) = (Credit::default(), Start::default());
    while let Some(m) = from.next().await {
        match m {
            ChannelMsg::Data { data } => {
                hold::goes_on(session.entry.holds()).await;
                if sniffs && let Some(protocol) = start.forbidden(&data) {
                    return Over::Forbidden(protocol);
                }
                let n = data.len();
                if session.record(number, kind(data.clone())).await.is_err() {
                    return Over::NotRecorded;
                }
                if to.data(data).await.is_err() || credit.took(n, source).await.is_err() {
                    return Over::Closed;
                }
            }
            ChannelMsg::Eof => {
                hold::goes_on(session.entry.holds()).await;
                if to.eof().await.is_err() {
                    return Over::Closed;
                }
            }
            ChannelMsg::Close => return Over::Closed,
            _ => {}
        }
    }
    Over::Closed
}

/// The first bytes of a stream, as far as they are needed to know a protocol that has a gate of its own here.
#[derive(Default)]
struct Start {
    bytes: [u8; 8],
    len: usize,
}

impl Start {
    fn forbidden(&mut self, data: &[u8]) -> Option<&'static str> {
        let room = self.bytes.len() - self.len;
        if room == 0 {
            return None;
        }
        let n = room.min(data.len());
        self.bytes[self.len..self.len + n].copy_from_slice(&data[..n]);
        self.len += n;
        match &self.bytes[..self.len] {
            // RFC 4253 section 4.2.
            [b'S', b'S', b'H', b'-', ..] => Some("SSH"),
            // TPKT and an X.224 connection request or confirm (MS-RDPBCGR 2.2.1.1).
            [3, 0, _, _, _, 0xe0 | 0xd0, ..] => Some("RDP"),
            _ => None,
        }
    }
}

pub(super) fn place(host: &str, port: u32) -> String {
    let host: String = host.chars().filter(|c| !c.is_control()).take(255).collect();
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Whether this is a place that people reach as a target.
async fn leads_to_a_target(conn: &Connection, host: &str, port: u32) -> Result<bool, StoreError> {
    let all = conn.shared.approvals.all_addresses().await?;
    let same_host = |a: &str, b: &str| {
        let ip = |s: &str| s.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().map(|i| i.to_canonical());
        match (ip(a), ip(b)) {
            (Ok(a), Ok(b)) => a == b,
            _ => a.trim_end_matches('.').eq_ignore_ascii_case(b.trim_end_matches('.')),
        }
    };
    // "localhost" is the target itself, under all its names.
    let here = host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|i| i.to_canonical().is_loopback());
    let own = conn.permitted().is_some_and(|p| here && u32::from(p.permit.target().port) == port);
    Ok(own || all.iter().any(|(h, p)| u32::from(*p) == port && same_host(h, host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssh_and_rdp_are_known_by_their_first_bytes_however_they_are_cut() {
        for (stream, known) in [
            (&b"SSH-2.0-OpenSSH"[..], Some("SSH")),
            (b"\x03\x00\x00\x13\x0e\xe0\0\0\0", Some("RDP")),
            (b"GET / HTTP/1.1", None),
            (b"\x16\x03\x01\x02\0\x01\0", None),
            (b"\x03\x00", None),
        ] {
            for cut in 0..=stream.len() {
                let mut s = Start::default();
                let found = s.forbidden(&stream[..cut]).or_else(|| s.forbidden(&stream[cut..]));
                assert_eq!(found, known, "{stream:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn a_name_later_in_a_stream_is_only_text() {
        let mut s = Start::default();
        assert_eq!(s.forbidden(b"hello, here comes "), None);
        assert_eq!(s.forbidden(b"SSH-2.0"), None);
    }
}

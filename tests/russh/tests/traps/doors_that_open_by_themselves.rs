//! A client accepts every channel that its server opens, unless each callback is written. Nothing in the crate cures that; ours are all
//! written (`gateway/src/ssh/upstream.rs`), and this says which there are.
use anteroom_russh_traps::{
    Switches,
    ends::{Trusting, doors, meet},
    wire::{CHANNEL_OPEN, OPEN_CONFIRMATION, OPEN_FAILURE, Way, Wire, number, string, u32},
};
use russh::{
    Channel, ChannelOpenFailure,
    client::{ChannelOpenHandle, Handler, Msg, Session},
    keys::PublicKeyOrCertificate,
};

/// Every callback there is.
struct Closed;

type Done = Result<(), russh::Error>;

async fn no(reply: ChannelOpenHandle) -> Done {
    reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
    Ok(())
}

#[rustfmt::skip]
impl Handler for Closed {
    type Error = russh::Error;
    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, russh::Error> { Ok(true) }
    async fn server_channel_open_session(&mut self, _: Channel<Msg>, r: ChannelOpenHandle, _: &mut Session) -> Done { no(r).await }
    async fn server_channel_open_agent_forward(&mut self, _: Channel<Msg>, r: ChannelOpenHandle, _: &mut Session) -> Done { no(r).await }
    async fn server_channel_open_x11(&mut self, _: Channel<Msg>, _: &str, _: u32, r: ChannelOpenHandle, _: &mut Session) -> Done { no(r).await }
    async fn server_channel_open_direct_streamlocal(&mut self, _: Channel<Msg>, _: &str, r: ChannelOpenHandle, _: &mut Session) -> Done { no(r).await }
    async fn server_channel_open_forwarded_streamlocal(&mut self, _: Channel<Msg>, _: &str, r: ChannelOpenHandle, _: &mut Session) -> Done { no(r).await }
    async fn server_channel_open_direct_tcpip(&mut self, _: Channel<Msg>, _: &str, _: u32, _: &str, _: u32, r: ChannelOpenHandle, _: &mut Session) -> Done { no(r).await }
    async fn server_channel_open_forwarded_tcpip(&mut self, _: Channel<Msg>, _: &str, _: u32, _: &str, _: u32, r: ChannelOpenHandle, _: &mut Session) -> Done { no(r).await }
}

/// Kinds of channel (RFC 4254, OpenSSH PROTOCOL) and what follows their windows.
fn kinds() -> Vec<(&'static str, Vec<u8>)> {
    let place = || [string("10.0.0.1"), u32(22).to_vec(), string("10.0.0.2"), u32(1).to_vec()].concat();
    vec![
        ("session", vec![]),
        ("direct-tcpip", place()),
        ("forwarded-tcpip", place()),
        ("x11", [string("10.0.0.2"), u32(1).to_vec()].concat()),
        ("auth-agent@openssh.com", vec![]),
        ("direct-streamlocal@openssh.com", [string("/run/x"), string(""), u32(0).to_vec()].concat()),
        ("forwarded-streamlocal@openssh.com", [string("/run/x"), string("")].concat()),
        ("tomorrow@example.org", vec![]),
    ]
}

/// The kinds that the client let a server open.
async fn opened_at<C: Handler<Error = russh::Error> + 'static>(client: C) -> Result<Vec<&'static str>, String> {
    let s = Switches::ours();
    let (wire, a, b) = Wire::with(Box::new(|way, p| {
        // The server's russh knows nothing of these.
        let answer = matches!(p.first(), Some(&(OPEN_CONFIRMATION | OPEN_FAILURE)));
        vec![if way == Way::Up && answer { [vec![200], p].concat() } else { p }]
    }));
    let (doors, _inside) = doors();
    let (mut client, _target) = meet((a, b), (s, client), (s, doors)).await;
    assert!(client.authenticate_none("ada").await.unwrap().success());
    let mut opened = Vec::new();
    for (n, (kind, rest)) in kinds().into_iter().enumerate() {
        let n = 1000 + n as u32;
        let open = [&[CHANNEL_OPEN][..], &string(kind), &n.to_be_bytes(), &u32(1 << 20), &u32(1 << 15), &rest].concat();
        wire.inject(Way::Down, open);
        let answered = |p: &[u8]| p.strip_prefix(&[200]).filter(|p| number(p, 1) == n).map(|p| p[0] == OPEN_CONFIRMATION);
        if wire.until(Way::Up, s.patience, answered).await.ok_or(format!("{kind} is not answered"))? {
            opened.push(kind);
        }
    }
    Ok(opened)
}

#[test]
fn closed_by_writing_every_callback() {
    crate::block(async {
        assert_eq!(opened_at(Closed).await?, [""; 0]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn open_where_none_is_written() {
    crate::block(async {
        let opened = opened_at(Trusting).await?;
        assert!(opened.contains(&"session") && opened.contains(&"direct-tcpip") && opened.len() == 7, "{opened:?}");
        Ok(())
    })
    .unwrap();
}

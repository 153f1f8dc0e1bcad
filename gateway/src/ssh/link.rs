//! The connection to a target, whatever the target speaks. Needs a permit (invariant 1).
use super::{
    connection::Connection,
    side::{Reader, Writer},
    telnet::TelnetLink,
    upstream::{self, SshLink, UpstreamError},
};
use anteroom_approvals::Credential;
use anteroom_domain::Protocol;
use anteroom_policy::Permit;
use russh::client;

#[derive(Debug)]
pub(super) enum Link {
    Ssh(SshLink),
    Telnet(TelnetLink),
}

pub(super) async fn connect(conn: &Connection, permit: &Permit, credential: Credential) -> Result<Link, UpstreamError> {
    match permit.target().protocol {
        Protocol::Ssh => upstream::connect(conn, permit, credential).await.map(Link::Ssh),
        Protocol::Telnet => TelnetLink::prepare(conn, permit, credential).map(Link::Telnet),
        Protocol::Rdp => Err(UpstreamError::Desktop(permit.target().name.to_string())),
    }
}

impl Link {
    /// A session channel on the target.
    pub(super) async fn open_channel(&self) -> Result<(Reader, Writer<client::Msg>), russh::Error> {
        match self {
            Self::Ssh(l) => {
                let (reads, writes) = l.handle.channel_open_session().await?.split();
                Ok((Reader::Ssh(reads), Writer::Ssh(writes)))
            }
            Self::Telnet(l) => l.open().await,
        }
    }

    /// The SSH side of it, for what only SSH knows.
    pub(super) fn ssh(&self) -> Option<&SshLink> {
        match self {
            Self::Ssh(l) => Some(l),
            Self::Telnet(_) => None,
        }
    }

    /// The client was allowed X11 or agent forwarding: the target may open channels of that kind toward it.
    pub(super) fn allow_opens(&self, x11: bool) {
        if let Self::Ssh(l) = self {
            l.back.allow(x11);
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Ssh(l) => l.close().await,
            Self::Telnet(l) => l.close(),
        }
    }
}

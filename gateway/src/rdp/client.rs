//! A person's client, from the first byte to the point where it waits for its desktop.
use super::wire::Wire;
use crate::enforcement::Cutter;
use anteroom_rdp::{
    EndReason, Limits, Policy, Relay, RelayConfig, Side, Start,
    client_info::Info,
    connect::{self, Initial, Response},
    mcs::{self, Numbers, Provider, Step},
    negotiate::{self, Request, Security},
};
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// From the target's readiness to Client Info, and what a client gets to read the last words.
const SETTLE: Duration = Duration::from_secs(20);
const FAREWELL: Duration = Duration::from_secs(1);
/// Longest message while channels are joined: Client Info with its headers.
const MAX_MCS: usize = anteroom_rdp::client_info::MAX_INFO + 64;

/// Why a client does not get further, for the log and the audit.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    #[error("its connection broke: {0}")]
    Broken(#[from] io::Error),
    #[error("it did not get further in time")]
    Late,
    #[error(transparent)]
    NotNegotiated(#[from] negotiate::NegotiateError),
    #[error("{0}")]
    Refused(#[from] negotiate::Refusal),
    #[error("{0}")]
    Connect(#[from] connect::ConnectError),
    #[error("{0}")]
    Info(#[from] anteroom_rdp::client_info::InfoError),
}

/// A client inside TLS that has proven nothing yet.
pub(super) struct Stranger {
    pub(super) wire: Wire<TlsStream<TcpStream>>,
    pub(super) security: Security,
    cutter: Cutter,
    peer: SocketAddr,
    request: Request,
}

/// A client that may come in.
pub(super) struct Client {
    pub(super) wire: Wire<TlsStream<TcpStream>>,
    pub(super) cutter: Cutter,
    pub(super) peer: SocketAddr,
    pub(super) initial: Initial,
    request: Request,
    /// Its channels were joined and its Client Info was read already: it brought its ticket there.
    settled: Option<Settled>,
}

/// The numbers it was told, and what it says of itself.
pub(super) struct Settled {
    pub(super) numbers: Numbers,
    pub(super) info: Info,
}

impl Stranger {
    /// X.224 and TLS. A client with which there is nothing to agree on is told so.
    pub(super) async fn greet(stream: TcpStream, peer: SocketAddr, tls: &TlsAcceptor, tls_alone: bool) -> Result<Self, ClientError> {
        let (mut stream, cutter) = Cutter::of(stream)?;
        let frame = super::wire::first_frame(&mut stream, negotiate::MAX_FRAME).await?;
        let request = Request::read(&frame)?;
        let security = match request.choose(tls_alone) {
            Ok(s) => s,
            Err(refusal) => {
                stream.write_all(&refusal.frame()).await?;
                // It has to be read before the connection is cut.
                let _ = timeout(FAREWELL, stream.shutdown()).await;
                return Err(refusal.into());
            }
        };
        stream.write_all(&negotiate::confirm(security)).await?;
        let stream = tls.accept(stream).await?;
        Ok(Self { wire: Wire::new(stream, Side::Client), security, cutter, peer, request })
    }

    /// After NLA: its settings are read, and answered when the target is known.
    pub(super) async fn settings(mut self) -> Result<Client, ClientError> {
        let initial = Initial::read(&self.wire.reader.expect(connect::MAX_FRAME).await?)?;
        let Self { wire, cutter, peer, request, .. } = self;
        Ok(Client { wire, cutter, peer, initial, request, settled: None })
    }

    /// Without NLA: goes through with everything up to Client Info, where the ticket is. The target knows nothing of it.
    pub(super) async fn settings_and_info(self) -> Result<Client, ClientError> {
        let mut client = self.settings().await?;
        client.settle_alone().await?;
        Ok(client)
    }
}

impl Client {
    /// What it says of itself, if it has said so already.
    pub(super) fn info(&self) -> Option<&Info> {
        self.settled.as_ref().map(|s| &s.info)
    }

    /// Tells it channels of our own, before there is a target, and hears its Client Info.
    pub(super) async fn settle_alone(&mut self) -> Result<&Settled, ClientError> {
        let settled = match self.settled.take() {
            Some(settled) => settled,
            None => self.answer(None).await?,
        };
        Ok(self.settled.insert(settled))
    }

    /// Tells it its channels, as the target has them, and hears its Client Info.
    pub(super) async fn settle(&mut self, target: (&Response, &Numbers)) -> Result<Settled, ClientError> {
        match self.settled.take() {
            Some(settled) => Ok(settled),
            None => self.answer(Some(target)).await,
        }
    }

    async fn answer(&mut self, target: Option<(&Response, &Numbers)>) -> Result<Settled, ClientError> {
        let deadline = Instant::now() + SETTLE;
        let (frame, numbers) = connect::answer(&self.initial, self.request.protocols, target)?;
        let joining = async {
            self.wire.send(&frame).await?;
            let mut provider = Provider::new(numbers.clone());
            loop {
                match provider.step(&self.wire.reader.expect(MAX_MCS).await?)? {
                    Step::Nothing => {}
                    Step::Answer(frame) => self.wire.send(&frame).await?,
                    Step::Info(data) => return Ok::<_, ClientError>(Info::read(&zeroize::Zeroizing::new(data))?),
                }
            }
        };
        let info = timeout_at(deadline, Box::pin(joining)).await.map_err(|_| ClientError::Late)??;
        Ok(Settled { numbers, info })
    }

    /// Tells it, in the way RDP has for that, that there is no desktop for it.
    pub(super) async fn refuse(mut self, reason: EndReason, text: &str) {
        let saying = async {
            let numbers = self.settle_alone().await?.numbers.clone();
            let mut relay = relay(Start::Licensing, &self.initial, (&numbers, &numbers), Policy::default());
            relay.end(reason, text, Duration::ZERO);
            while let Some(action) = relay.next_action() {
                if let anteroom_rdp::Action::ToClient(frame) = action {
                    self.wire.send(&frame).await?;
                }
            }
            self.wire.writer.shutdown().await?;
            Ok::<_, ClientError>(())
        };
        if let Ok(Err(e)) = timeout(SETTLE, Box::pin(saying)).await {
            tracing::debug!(peer = %self.peer, error = %e, "rdp: a client left before it heard why");
        }
        self.linger().await;
    }

    /// What it has sent meanwhile would make the system take our last words back (RFC 9293 section 3.10.7.4).
    pub(super) async fn linger(&mut self) {
        let _ = timeout(FAREWELL, self.wire.reader.frame()).await;
    }
}

/// A relay between these two sides, whose numbers are the client's and the target's.
pub(super) fn relay(start: Start, initial: &Initial, (client, target): (&Numbers, &Numbers), policy: Policy) -> Relay {
    let paired = mcs::pair(initial.channels(), client, target);
    let (width, height) = initial.desktop();
    Relay::new(RelayConfig {
        start,
        io: paired.io,
        user: Some(paired.user),
        message: paired.message,
        channels: paired.channels,
        policy,
        width,
        height,
        limits: Limits::default(),
    })
}

//! The way to a target: one of its addresses, its pinned certificate, the vaulted login, and its channels joined. Needs a permit
//! (invariant 1).
use super::{
    licence,
    nla_client::{self, SignInError},
    pin::{self, TlsError},
    wire::{Wire, first_frame},
};
use crate::{dial, enforcement::Cutter};
use anteroom_approvals::Approvals;
use anteroom_domain::{AuditEvent, CertificateFingerprint, PersonId, Target};
use anteroom_policy::Permit;
use anteroom_rdp::{
    Side, Start,
    client_info::{Audio, Info, Login},
    connect::{self, ConnectError, ForTarget, Initial, Response},
    mcs::{self, Numbers},
    negotiate::{self, Confirmed, Security, TargetRefused},
};
use bytes::Bytes;
use std::{io, time::Duration};
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::client::TlsStream;

/// Messages of connecting are short; anything longer is something else.
const MAX_MCS: usize = 1024;

#[derive(Debug, thiserror::Error)]
pub(super) enum TargetError {
    #[error("target {target:?}: {why}")]
    Unreachable { target: String, why: String },
    #[error("target {0:?} has no pinned certificate; an operator has to pin it: anteroom target pin {0}")]
    NotPinned(String),
    #[error(
        "target {target:?}: its certificate changed: offered {offered}; the connection was stopped. If the change is right: anteroom target pin {target}"
    )]
    Certificate { target: String, offered: String },
    #[error("target {target:?}: {why}; tell its operator")]
    Credential { target: String, why: String },
    #[error("target {target:?}: {why}")]
    Protocol { target: String, why: String },
}

/// Where a server redirection leads, within the same target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Redirected {
    /// None: the same addresses as before.
    pub(super) host: Option<String>,
    pub(super) token: Option<Vec<u8>>,
    pub(super) session: Option<u32>,
}

/// Where the client is while its target connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    /// It connects too: what the target says reaches it.
    Outside,
    /// It has a desktop of ours, and connecting is behind it.
    InLobby,
}

impl Stands {
    /// Where the relay between both takes over.
    pub(super) fn start(self) -> Start {
        match self {
            Self::Outside => Start::Licensing,
            Self::InLobby => Start::Lobby,
        }
    }
}

/// A target that has let us in, as far as NLA goes.
pub(super) struct Reached {
    pub(super) wire: Wire<TlsStream<TcpStream>>,
    pub(super) cutter: Cutter,
    confirmed: Confirmed,
    name: String,
    limit: Duration,
}

/// The same with its channels joined.
pub(super) struct Joined {
    pub(super) reached: Reached,
    pub(super) response: Response,
    pub(super) numbers: Numbers,
}

/// How to get there.
pub(super) struct Road<'a> {
    pub(super) approvals: &'a Approvals,
    pub(super) permit: &'a Permit,
    /// For each step.
    pub(super) limit: Duration,
}

impl Road<'_> {
    /// X.224, TLS with the pinned certificate, NLA where the target has it.
    pub(super) async fn reach(&self, login: &Login, redirected: &Redirected) -> Result<Reached, TargetError> {
        let target = self.permit.target();
        let name = target.name.to_string();
        if target.pinned_certificates.is_empty() {
            return Err(TargetError::NotPinned(name));
        }
        let unreachable = |why: String| TargetError::Unreachable { target: name.clone(), why };
        if target.via.is_some() {
            return Err(unreachable("a desktop is reached directly only, not through a relay".to_owned()));
        }
        let dialled = match &redirected.host {
            Some(host) => dial::one(host, target.port, self.limit).await,
            None => dial::dial(target, self.limit).await,
        };
        let (mut stream, cutter) = Cutter::of(dialled.map_err(unreachable)?).map_err(|e| unreachable(e.to_string()))?;
        let confirmed = negotiate(&mut stream, redirected.token.as_deref(), self.limit).await.map_err(unreachable)?;
        let (stream, key) = match pin::connect(stream, &target.pinned_certificates, self.limit).await {
            Ok(done) => done,
            Err(TlsError::Other(offered)) => return Err(self.another_certificate(target, offered).await),
            Err(e) => return Err(unreachable(with_advice(&e))),
        };
        let mut wire = Wire::new(stream, Side::Target);
        if confirmed.security.has_nla() {
            let signing = nla_client::sign_in(&mut wire, login, confirmed.security == Security::NlaEx, &key);
            match timeout(self.limit, Box::pin(signing)).await {
                Ok(Ok(())) => {}
                Ok(Err(e @ (SignInError::Refused(_) | SignInError::NotAllowed | SignInError::Name))) => {
                    return Err(TargetError::Credential { target: name, why: e.to_string() });
                }
                Ok(Err(e)) => return Err(unreachable(e.to_string())),
                Err(_) => return Err(unreachable("it did not finish signing us in".to_owned())),
            }
        }
        Ok(Reached { wire, cutter, confirmed, name, limit: self.limit })
    }

    async fn another_certificate(&self, target: &Target, offered: CertificateFingerprint) -> TargetError {
        tracing::error!(target = %target.name, %offered, "certificate changed");
        let offered = offered.to_string();
        let event = AuditEvent::TargetCertificateChanged { target: target.id, offered: offered.clone() };
        self.approvals.note(event, Some(self.permit.person())).await;
        TargetError::Certificate { target: target.name.to_string(), offered }
    }
}

/// What a target and we agree to, in clear; TLS comes after it.
pub(super) async fn negotiate(stream: &mut TcpStream, token: Option<&[u8]>, limit: Duration) -> Result<Confirmed, String> {
    let request = negotiate::request(token).map_err(|e| e.to_string())?;
    let asking = async {
        stream.write_all(&request).await?;
        first_frame(stream, negotiate::MAX_FRAME).await
    };
    match timeout(limit, asking).await {
        Ok(Ok(frame)) => Confirmed::read(&frame).map_err(|e: TargetRefused| e.to_string()),
        Ok(Err(e)) => Err(format!("it does not answer as RDP: {e}")),
        Err(_) => Err(format!("no RDP answer within {} s", limit.as_secs())),
    }
}

/// TLS before 1.2 and ciphers without forward secrecy do not exist in our TLS, in no profile.
pub(super) fn with_advice(e: &TlsError) -> String {
    match e {
        TlsError::Failed(io) if io.kind() == io::ErrorKind::InvalidData || io.kind() == io::ErrorKind::UnexpectedEof => {
            format!("{e} (this gateway speaks TLS 1.2 with ECDHE and AES-GCM, and 1.3; older TLS is spoken in no profile)")
        }
        _ => e.to_string(),
    }
}

impl Reached {
    /// Basic settings, and every channel that is kept. `keep` has one for each static channel of the client.
    pub(super) async fn join(
        mut self,
        initial: &Initial,
        keep: &[bool],
        redirected: &Redirected,
        stands: Stands,
    ) -> Result<Joined, TargetError> {
        let deadline = Instant::now() + self.limit;
        let name = self.name.clone();
        let session = redirected.session;
        let ask = ForTarget { confirmed: self.confirmed, keep, session, messages: stands == Stands::Outside };
        let joining = self.join_within(initial, &ask);
        let joined = timeout_at(deadline, Box::pin(joining)).await;
        let why = match joined {
            Ok(Ok((response, numbers))) => return Ok(Joined { reached: self, response, numbers }),
            Ok(Err(why)) => why,
            Err(_) => "it did not finish connecting in time".to_owned(),
        };
        Err(TargetError::Protocol { target: name, why })
    }

    async fn join_within(&mut self, initial: &Initial, ask: &ForTarget<'_>) -> Result<(Response, Numbers), String> {
        let keep = ask.keep;
        let says = |e: ConnectError| e.to_string();
        let broke = |e: io::Error| format!("the connection broke while connecting: {e}");
        self.wire.send(&initial.for_target(ask).map_err(says)?).await.map_err(broke)?;
        let frame = self.wire.reader.expect(connect::MAX_FRAME).await.map_err(broke)?;
        let response = Response::read(&frame, keep.iter().filter(|k| **k).count()).map_err(says)?;
        self.wire.send(&mcs::erect_domain().map_err(says)?).await.map_err(broke)?;
        self.wire.send(&mcs::attach_user().map_err(says)?).await.map_err(broke)?;
        let user = mcs::attached(&self.wire.reader.expect(MAX_MCS).await.map_err(broke)?).map_err(says)?;
        let numbers = response.numbers(keep, user);
        for channel in [user].into_iter().chain(numbers.all()) {
            self.wire.send(&mcs::join(user, channel).map_err(says)?).await.map_err(broke)?;
            mcs::joined(&self.wire.reader.expect(MAX_MCS).await.map_err(broke)?, channel).map_err(says)?;
        }
        Ok((response, numbers))
    }
}

impl Joined {
    /// Client Info with the login of the vault.
    pub(super) async fn introduce(&mut self, info: &Info, login: &Login, audio: Audio) -> Result<(), TargetError> {
        let protocol = |why: String| TargetError::Protocol { target: self.reached.name.clone(), why };
        let data = info.for_target(login, audio).map_err(|e| protocol(e.to_string()))?;
        let frame: Bytes = mcs::send(self.numbers.user, self.numbers.io, &data).map_err(|e| protocol(e.to_string()))?;
        let sent = timeout(self.reached.limit, self.reached.wire.send(&frame)).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => Err(protocol(format!("the connection broke while connecting: {e}"))),
            Err(_) => Err(protocol("it did not finish connecting in time".to_owned())),
        }
    }

    /// The licence a client in the lobby cannot ask for itself.
    pub(super) async fn license(&mut self, login: &Login, holder: PersonId) -> Result<(), TargetError> {
        let obtaining = licence::obtain(&mut self.reached.wire, self.numbers.io, login.user(), holder);
        let why = match timeout(self.reached.limit, Box::pin(obtaining)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(e)) => e.to_string(),
            Err(_) => "it did not give a licence in time".to_owned(),
        };
        Err(TargetError::Protocol { target: self.reached.name.clone(), why })
    }
}

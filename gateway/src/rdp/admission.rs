//! Who is this, and may they? From a client's first byte to a permit, or a refusal that is written down.
use super::{
    client::{Client, ClientError, Stranger},
    listener::Shared,
    nla_server::{self, Claim, NlaError},
    session::Admitted,
};
use anteroom_approvals::{RedeemError, Redeemed, Ticket};
use anteroom_domain::AuditEvent;
use anteroom_rdp::{EndReason, negotiate::Security};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};

/// What clients that were refused by policy get to read why.
const FAREWELL: Duration = Duration::from_secs(25);

/// Why a client that could be heard does not come in. For audit and log; the client is told with what RDP has for it.
#[derive(Debug, thiserror::Error)]
enum Refused {
    /// Written down already, where tickets are.
    #[error("its ticket was refused")]
    Ticket,
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Nla(#[from] NlaError),
    #[error("new sessions are refused: {0}")]
    Unavailable(String),
}

/// Leads a client to its session, within the time that it has.
pub(super) async fn admit(shared: &Arc<Shared>, stream: TcpStream, peer: SocketAddr) -> Option<Admitted> {
    let deadline = Instant::now() + shared.config.login_grace;
    let admitting = timeout_at(deadline, Box::pin(hear(shared, stream, peer))).await;
    let why = match admitting.unwrap_or_else(|_| Err(ClientError::Late.into())) {
        Ok(Heard::In(admitted)) => return Some(*admitted),
        Ok(Heard::Refused(client, text)) => {
            let _ = timeout_at(Instant::now() + FAREWELL, Box::pin(client.refuse(EndReason::Refused, &text))).await;
            return None;
        }
        Ok(Heard::Nobody) => return None,
        Err(why) => why,
    };
    tracing::debug!(%peer, %why, "rdp: client refused");
    note(shared, peer, &why).await;
    None
}

enum Heard {
    In(Box<Admitted>),
    /// The policy says no, or the gateway cannot: the client hears it in words.
    Refused(Box<Client>, String),
    /// It has been told.
    Nobody,
}

async fn hear(shared: &Arc<Shared>, stream: TcpStream, peer: SocketAddr) -> Result<Heard, Refused> {
    let config = &shared.config;
    let mut stranger = Stranger::greet(stream, peer, &config.identity.acceptor(), config.tls_without_nla).await?;
    let early = stranger.security == Security::NlaEx;
    if !stranger.security.has_nla() {
        return without_nla(shared, stranger, peer).await;
    }
    let claim = Claim::hear(&mut stranger.wire, config.identity.public_key()).await?;
    let ticket = lookup(shared, claim.user(), peer).await?;
    if let Err(e) = claim.prove(&mut stranger.wire, ticket.secret()).await {
        if matches!(e, NlaError::WrongSecret) {
            failed(shared, &ticket, peer).await;
            return Err(Refused::Ticket);
        }
        return Err(e.into());
    }
    // From here on the secret has been proven; what it is worth is decided once.
    let (changes, judged_at) = (shared.common.approvals.endings(), Instant::now());
    match redeem(shared, &ticket, peer).await {
        Ok(redeemed) => {
            if early {
                nla_server::tell(&mut stranger.wire, true).await.map_err(ClientError::from)?;
            }
            let client = stranger.settings().await?;
            Ok(Heard::In(Box::new(Admitted { redeemed, client, changes, judged_at })))
        }
        Err(_) if early => {
            nla_server::tell(&mut stranger.wire, false).await.map_err(ClientError::from)?;
            Ok(Heard::Nobody)
        }
        Err(text) => Ok(Heard::Refused(Box::new(stranger.settings().await?), text)),
    }
}

/// The ticket is in Client Info. Until it was checked nothing but this gateway has answered.
async fn without_nla(shared: &Arc<Shared>, stranger: Stranger, peer: SocketAddr) -> Result<Heard, Refused> {
    let client = stranger.settings_and_info().await?;
    let Some(info) = client.info() else { return Ok(Heard::Nobody) };
    let ticket = lookup(shared, info.user(), peer).await?;
    if !ticket.opens(&info.password()) {
        failed(shared, &ticket, peer).await;
        return Ok(Heard::Refused(Box::new(client), "the ticket was refused".to_owned()));
    }
    let (changes, judged_at) = (shared.common.approvals.endings(), Instant::now());
    match redeem(shared, &ticket, peer).await {
        Ok(redeemed) => Ok(Heard::In(Box::new(Admitted { redeemed, client, changes, judged_at }))),
        Err(text) => Ok(Heard::Refused(Box::new(client), text)),
    }
}

async fn lookup(shared: &Shared, user: &str, peer: SocketAddr) -> Result<Ticket, Refused> {
    let found = shared.common.approvals.ticket(user, peer.ip().to_canonical()).await;
    found.map_err(|e| Refused::Unavailable(e.to_string()))
}

async fn failed(shared: &Shared, ticket: &Ticket, peer: SocketAddr) {
    shared.common.failures.count(peer.ip(), None, std::time::Instant::now());
    if let Err(e) = shared.common.approvals.ticket_failed(ticket, peer.ip().to_canonical()).await {
        tracing::warn!(error = %e, "a wrong secret could not be counted");
    }
}

/// A session that still has a client lets it go first: whoever has proven the secret comes from the same address, and a broken
/// connection is often noticed by the client alone.
async fn redeem(shared: &Shared, ticket: &Ticket, peer: SocketAddr) -> Result<Redeemed, String> {
    if let Some(session) = ticket.session() {
        shared.sessions.release(session).await;
    }
    match shared.common.approvals.redeem_ticket(ticket, peer.ip().to_canonical()).await {
        Ok(r) if r.again && !shared.sessions.runs(r.permit.session()) => {
            // It waits on another gateway, or its wait has just ended.
            Err("the session of this ticket is not on this gateway; get a new ticket at the portal".to_owned())
        }
        Ok(r) => Ok(r),
        Err(e) => {
            if matches!(e, RedeemError::Refused(_)) {
                shared.common.failures.count(peer.ip(), None, std::time::Instant::now());
            }
            Err(e.to_string())
        }
    }
}

/// The audit has those that had something to refuse; the rest is noise.
async fn note(shared: &Shared, peer: SocketAddr, why: &Refused) {
    let worth_a_line = match why {
        Refused::Ticket => false,
        Refused::Client(e) => matches!(e, ClientError::Refused(_)),
        Refused::Nla(e) => !matches!(e, NlaError::Broken(_)),
        Refused::Unavailable(_) => true,
    };
    // Whoever only looks whether the port is open, as load balancers do, has not failed at anything.
    if matches!(why, Refused::Nla(_)) {
        shared.common.failures.count(peer.ip(), None, std::time::Instant::now());
    }
    if worth_a_line {
        let event = AuditEvent::AccessRefused {
            person: None,
            target: "(rdp)".to_owned(),
            source: peer.ip().to_canonical().to_string(),
            why: why.to_string(),
        };
        shared.common.approvals.note(event, None).await;
    }
}

//! One client connection: what it was permitted, the session it became, and how it ends.
use super::{SshConfig, session::Session};
use crate::enforcement::{EndSignal, Guard, PreAuthLimits, Registry, Slot, guard};
use anteroom_approvals::{Approvals, Change};
use anteroom_domain::{AuditEvent, PersonId, SessionId};
use anteroom_policy::Permit;
use anteroom_recorder::Recorder;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};
use tokio::{
    sync::{OnceCell, broadcast, watch},
    time::Instant,
};
use tokio_util::task::TaskTracker;

/// What all connections of a gateway share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) approvals: Approvals,
    pub(super) recorder: Recorder,
    pub(super) config: SshConfig,
    pub(super) registry: Registry,
    pub(super) limits: PreAuthLimits,
    pub(super) server: Arc<russh::server::Config>,
}

/// A permit and the monotonic moment it ends.
#[derive(Debug)]
pub(super) struct Permitted {
    pub(super) permit: Permit,
    pub(super) deadline: Instant,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) shared: Arc<Shared>,
    pub(super) peer: SocketAddr,
    /// The id the session will have, chosen before anybody is known so that every decision can name it.
    pub(super) session: SessionId,
    pub(super) end: EndSignal,
    /// Tasks of channels; all are awaited before the connection is over.
    pub(super) tasks: TaskTracker,
    signed_in: watch::Sender<bool>,
    slot: Mutex<Option<Slot>>,
    /// Subscribed before anything is decided; the guard takes it.
    changes: Mutex<Option<broadcast::Receiver<Change>>>,
    permitted: OnceLock<Permitted>,
    live: OnceCell<Result<Arc<Session>, String>>,
}

impl Connection {
    pub(super) fn new(shared: Arc<Shared>, peer: SocketAddr, slot: Slot) -> Self {
        let changes = shared.approvals.changes();
        Self {
            shared,
            peer,
            session: SessionId(uuid::Uuid::now_v7()),
            end: EndSignal::default(),
            tasks: TaskTracker::new(),
            signed_in: watch::Sender::new(false),
            slot: Mutex::new(Some(slot)),
            changes: Mutex::new(Some(changes)),
            permitted: OnceLock::new(),
            live: OnceCell::new(),
        }
    }

    /// Called once when authentication succeeded.
    pub(super) fn signed_in(&self) {
        self.signed_in.send_replace(true);
        drop(self.slot.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Resolves when authentication has succeeded.
    pub(super) async fn until_signed_in(&self) {
        // The sender lives as long as `self`.
        let _ = self.signed_in.subscribe().wait_for(|s| *s).await;
    }

    /// Keeps the permit and starts the guard that may end it.
    pub(super) fn permit(&self, permitted: Permitted) {
        let g = Guard {
            session: self.session,
            person: permitted.permit.person(),
            grant: permitted.permit.grant(),
            deadline: permitted.deadline,
        };
        if self.permitted.set(permitted).is_ok()
            && let Some(changes) = self.changes.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            self.tasks.spawn(guard(g, self.shared.approvals.clone(), changes, self.end.clone()));
        }
    }

    pub(super) fn permitted(&self) -> Option<&Permitted> {
        self.permitted.get()
    }

    /// The session behind this connection; the first channel that asks starts it. An error is for the user to read.
    pub(super) async fn session(&self) -> Result<Arc<Session>, String> {
        self.live
            .get_or_init(|| async {
                let Some(p) = self.permitted() else { return Err("there is no permit for this connection".to_owned()) };
                if let Some(reason) = self.end.reason() {
                    return Err(format!("the session is over: {reason}"));
                }
                Session::open(self, p).await.map(Arc::new)
            })
            .await
            .clone()
    }

    /// The session if one was started.
    pub(super) fn started(&self) -> Option<&Arc<Session>> {
        self.live.get().and_then(|r| r.as_ref().ok())
    }

    /// Writes down that a channel or request was refused.
    pub(super) fn note_refusal(&self, channel: &str, why: &str) {
        let event = AuditEvent::ChannelRefused { session: self.session, channel: channel.to_owned(), why: why.to_owned() };
        let actor: Option<PersonId> = self.permitted().map(|p| p.permit.person());
        let approvals = self.shared.approvals.clone();
        self.tasks.spawn(async move { approvals.note(event, actor).await });
    }
}

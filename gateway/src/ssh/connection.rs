//! One client connection: what it was permitted, the session it became, and how it ends.
use super::{SshConfig, host_certificate::Known, session::Session};
use crate::enforcement::{Common, EndSignal, Failures, Guard, PreAuthLimits, Registry, Slot, guard};
use anteroom_approvals::{Approvals, Change};
use anteroom_domain::{AuditEvent, PersonId, SessionId, TargetName};
use anteroom_policy::{CommandRules, Permit};
use anteroom_recorder::Recorder;
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
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
    pub(super) failures: Arc<Failures>,
    /// What is offered to clients that know AES-GCM, and to all others.
    pub(super) fast: Arc<russh::server::Config>,
    pub(super) server: Arc<russh::server::Config>,
    pub(super) host_certificates: Known,
}

impl Shared {
    pub(super) fn common(&self) -> Common {
        Common {
            approvals: self.approvals.clone(),
            recorder: self.recorder.clone(),
            registry: self.registry.clone(),
            limits: self.limits.clone(),
            failures: self.failures.clone(),
            gateway: self.config.gateway.clone(),
            patience: self.config.supervisor_wait,
            patients: self.config.patients,
        }
    }
}

/// A permit and the monotonic moment it ends.
#[derive(Debug)]
pub(super) struct Permitted {
    pub(super) permit: Permit,
    pub(super) deadline: Instant,
}

#[derive(Debug)]
pub(super) struct Connection {
    me: Weak<Connection>,
    pub(super) shared: Arc<Shared>,
    /// For a connection inside a jump: the target it was made to. The user name is the account alone then.
    pub(super) inside: Option<TargetName>,
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
    client: OnceLock<russh::server::Handle>,
    inner: Arc<AtomicUsize>,
    /// Refusals of what SSH answers without a reason (RFC 4254 section 4), until there is a channel to tell them on.
    untold: Mutex<Vec<String>>,
}

/// Refusals that wait to be told, at most.
const MAX_UNTOLD: usize = 8;

/// A place among the inner connections of one outer one; given back on drop.
#[derive(Debug)]
pub(super) struct InnerPlace(Arc<AtomicUsize>);

impl Drop for InnerPlace {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Connection {
    /// `slot` is its place among those who have not signed in yet, where one is needed.
    pub(super) fn new(shared: Arc<Shared>, peer: SocketAddr, slot: Option<Slot>, inside: Option<TargetName>) -> Arc<Self> {
        let changes = shared.approvals.endings();
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            inside,
            client: OnceLock::new(),
            inner: Arc::default(),
            untold: Mutex::default(),
            shared,
            peer,
            session: SessionId(uuid::Uuid::now_v7()),
            end: EndSignal::default(),
            tasks: TaskTracker::new(),
            signed_in: watch::Sender::new(false),
            slot: Mutex::new(slot),
            changes: Mutex::new(Some(changes)),
            permitted: OnceLock::new(),
            live: OnceCell::new(),
        })
    }

    /// For tasks that must not keep the connection.
    pub(super) fn weak(&self) -> Weak<Self> {
        self.me.clone()
    }

    /// The handle toward the client; there is none behind a browser's terminal.
    pub(super) fn client_handle(&self) -> Option<&russh::server::Handle> {
        self.client.get()
    }

    pub(super) fn set_client_handle(&self, handle: russh::server::Handle) {
        // Set once, when the connection starts to run.
        let _ = self.client.set(handle);
    }

    /// None if `max` inner connections are open.
    pub(super) fn inner_place(&self, max: usize) -> Option<InnerPlace> {
        let taken = self.inner.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < max).then_some(n + 1));
        taken.ok().map(|_| InnerPlace(self.inner.clone()))
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
        let g = Guard::new(&permitted.permit, permitted.deadline, self.shared.registry.clone());
        if self.permitted.set(permitted).is_ok()
            && let Some(changes) = self.changes.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            self.tasks.spawn(guard(g, self.shared.approvals.clone(), changes, self.end.clone()));
        }
    }

    pub(super) fn permitted(&self) -> Option<&Permitted> {
        self.permitted.get()
    }

    /// Patient data is masked in what the person sees; so it is where nobody can say.
    pub(super) fn masks_live(&self) -> bool {
        self.permitted().is_none_or(|p| p.permit.masks_live())
    }

    /// The rules about commands that count on its target.
    pub(super) fn commands(&self) -> CommandRules {
        let permitted = self.permitted().filter(|_| !self.shared.config.commands.is_empty());
        permitted.map(|p| self.shared.config.commands.of(p.permit.target())).unwrap_or_default()
    }

    /// A refusal, with what masking has to do with it.
    pub(super) fn explained(&self, why: &str) -> String {
        let masked = self.permitted().is_some_and(|p| p.permit.masks_live());
        let because = "; while patient data is masked, only a terminal and commands are possible (a grant with unmask lifts that)";
        format!("{why}{}", if masked { because } else { "" })
    }

    /// The session behind this connection; the first channel that asks starts it. An error is for the user to read.
    pub(super) async fn session(&self) -> Result<Arc<Session>, String> {
        self.live
            .get_or_init(|| async {
                let Some(p) = self.permitted() else { return Err("there is no permit for this connection".to_owned()) };
                if let Some(reason) = self.end.reason() {
                    return Err(format!("the session is over: {reason}"));
                }
                // Boxed: it is over soon, and whoever asks lives long.
                Box::pin(Session::open(self, p)).await.map(Arc::new)
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
        self.note(AuditEvent::ChannelRefused { session: self.session, channel: channel.to_owned(), why: why.to_owned() });
    }

    /// The same for a request whose answer carries no words: the next channel that starts something tells them.
    pub(super) fn note_and_tell(&self, channel: &str, why: &str) {
        self.note_refusal(channel, why);
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        if untold.len() < MAX_UNTOLD {
            untold.push(why.to_owned());
        }
    }

    /// What [`note_and_tell`](Self::note_and_tell) left, once.
    pub(super) fn untold(&self) -> Vec<String> {
        std::mem::take(&mut self.untold.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn note(&self, event: AuditEvent) {
        let actor: Option<PersonId> = self.permitted().map(|p| p.permit.person());
        let approvals = self.shared.approvals.clone();
        self.tasks.spawn(async move { approvals.note(event, actor).await });
    }
}

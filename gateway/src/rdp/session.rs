//! A session: one permit and one recording, each client connection one channel of it. It outlives a client's broken connection for a while;
//! the target connection does not.
use super::{
    client::{self, Client, ClientError},
    driver::{Driver, Outcome, Released},
    listener::Shared,
    lobby::Hall,
    policy,
    target::{Joined, Redirected, Road, Stands, TargetError},
};
use crate::enforcement::{EndSignal, Entry, Guard, Notices, Opened, guard};
use anteroom_approvals::{Change, Credential, Redeemed};
use anteroom_domain::{AuditEvent, EndReason, PersonId, SessionId};
use anteroom_policy::Permit;
use anteroom_rdp::{
    Policy,
    client_info::{Info, Login},
    connect::Initial,
};
use anteroom_recorder::{Desktop, EventKind, RecordingFailed};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{broadcast, mpsc, oneshot},
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long whoever comes back waits for the session to let its old client go.
const RELEASE: Duration = Duration::from_secs(3);
/// Server redirections followed in one connection.
const MAX_REDIRECTIONS: usize = 3;

/// A client that has proven its ticket, and what it is worth.
pub(super) struct Admitted {
    pub(super) redeemed: Redeemed,
    pub(super) client: Client,
    /// Subscribed to before the permit was asked for.
    pub(super) changes: broadcast::Receiver<Change>,
    /// Before the permit was made: the monotonic deadline is never later than the judged one.
    pub(super) judged_at: Instant,
}

/// The sessions that run here, for clients that come back.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<SessionId, Handle>>);

#[derive(Debug, Clone)]
struct Handle {
    back: mpsc::Sender<Box<Back>>,
    release: mpsc::Sender<Released>,
}

/// A client that came back, with the permit that was made for it.
struct Back {
    client: Client,
    permit: Permit,
}

impl std::fmt::Debug for Back {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Back")
    }
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Handle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn runs(&self, id: SessionId) -> bool {
        self.lock().contains_key(&id)
    }

    /// Lets the session's client go, if it has one, so that it waits for the next. Returns when it does.
    pub(super) async fn release(&self, id: SessionId) {
        let Some(handle) = self.lock().get(&id).cloned() else { return };
        let (done, waits) = oneshot::channel();
        let releasing = async {
            if handle.release.send(done).await.is_ok() {
                let _ = waits.await;
            }
        };
        let _ = timeout(RELEASE, releasing).await;
    }

    async fn back(&self, id: SessionId, back: Box<Back>) -> Result<(), Box<Back>> {
        let Some(handle) = self.lock().get(&id).cloned() else { return Err(back) };
        handle.back.send(back).await.map_err(|e| e.0)
    }
}

/// Runs a session to its end, or gives the client to the session it comes back to.
pub(super) async fn run(shared: Arc<Shared>, admitted: Admitted, stop: CancellationToken) {
    let Admitted { redeemed: Redeemed { permit, again }, client, changes, judged_at } = admitted;
    // Pixels cannot be masked in time: no desktop is better than one that shows what must not be seen.
    if permit.masks_live() {
        shared.common.approvals.note(masked(&permit), Some(permit.person())).await;
        return client.refuse(anteroom_rdp::EndReason::Refused, MASKED).await;
    }
    if again {
        let id = permit.session();
        if let Err(lost) = shared.sessions.back(id, Box::new(Back { client, permit })).await {
            lost.client.refuse(anteroom_rdp::EndReason::Refused, "the session is over; get a new ticket at the portal").await;
        }
        return;
    }
    let deadline = judged_at + permit.remaining();
    let opened = match Opened::begin(&shared.common, &permit).await {
        Ok(o) => o,
        Err(why) => return client.refuse(anteroom_rdp::EndReason::Refused, &why).await,
    };
    let (end, tasks) = (EndSignal::default(), TaskTracker::new());
    let g = Guard::new(&permit, deadline, shared.common.registry.clone());
    tasks.spawn(guard(g, shared.common.approvals.clone(), changes, end.clone()));
    {
        let (end, stop) = (end.clone(), stop.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => { end.end(EndReason::GatewayStopped); }
                _ = end.ended() => {}
            }
        });
    }
    let (entry, notices) = opened.enter(&shared.common, &permit, &end, &tasks);
    let id = opened.id();
    let (policy, person) = (policy::of(permit.capabilities()), permit.person());
    let mut session = Session { shared, opened, entry, notices, end, person, policy, next_channel: 1 };
    let reason = Box::pin(session.live(client, permit)).await;
    session.end.end(reason);
    let reason = session.end.ended().await;
    session.shared.sessions.lock().remove(&id);
    tasks.close();
    let Session { opened, entry, .. } = session;
    drop(entry);
    opened.seal(&reason).await;
    tasks.wait().await;
    tracing::info!(session = %id, reason = reason.as_str(), "session ended");
}

/// What a client reads whose desktop would have to be masked.
const MASKED: &str =
    "policy masks patient data on this target, and a desktop cannot be masked live; ask for a grant with the capability unmask";

fn masked(permit: &Permit) -> AuditEvent {
    AuditEvent::AccessRefused {
        person: Some(permit.person()),
        target: permit.target().name.to_string(),
        source: permit.source().to_string(),
        why: MASKED.to_owned(),
    }
}

/// What a target is reached by.
#[derive(Clone, Copy)]
struct Way<'a> {
    permit: &'a Permit,
    stands: Stands,
}

/// What came first while a target was being reached.
enum Came {
    Connected(Box<Result<(Login, Joined), (EndReason, String)>>),
    /// The same person is here by another connection.
    Released(Released),
}

fn left(session: SessionId, error: &ClientError) -> Outcome {
    tracing::debug!(%session, %error, "rdp: the client left while connecting");
    Outcome::ClientGone
}

/// A session that runs.
pub(super) struct Session {
    shared: Arc<Shared>,
    pub(super) opened: Opened,
    pub(super) entry: Entry,
    pub(super) notices: Notices,
    pub(super) end: EndSignal,
    person: PersonId,
    policy: Policy,
    next_channel: u32,
}

impl Session {
    pub(super) async fn note(&self, event: AuditEvent) {
        self.shared.common.approvals.note(event, Some(self.person)).await;
    }

    /// One client connection after the other, until something ends it.
    async fn live(&mut self, client: Client, permit: Permit) -> EndReason {
        let (back, mut comes_back) = mpsc::channel(1);
        let (release, mut releases) = mpsc::channel(1);
        self.shared.sessions.lock().insert(self.opened.id(), Handle { back, release });
        let mut next = Box::new(Back { client, permit });
        loop {
            let Back { client, permit } = *next;
            match Box::pin(self.connection(client, &permit, &mut releases)).await {
                Outcome::Ended(reason) => return reason,
                Outcome::ClientGone => self.waits().await,
                Outcome::Released(done) => {
                    self.waits().await;
                    // Whoever asked may have given up.
                    let _ = done.send(());
                }
                Outcome::Redirected(_) => return EndReason::TargetClosed,
            }
            next = match self.next_client(&mut comes_back, &mut releases).await {
                Ok(back) => back,
                Err(reason) => return reason,
            };
        }
    }

    /// From now on its ticket opens it again.
    async fn waits(&self) {
        if let Err(e) = self.shared.common.approvals.ticket_waits(self.opened.id()).await {
            tracing::warn!(session = %self.opened.id(), error = %e, "a session that lost its client cannot be opened again");
        }
    }

    async fn next_client(
        &self,
        comes_back: &mut mpsc::Receiver<Box<Back>>,
        releases: &mut mpsc::Receiver<Released>,
    ) -> Result<Box<Back>, EndReason> {
        let window = sleep(self.shared.config.reconnect_window);
        tokio::pin!(window);
        loop {
            tokio::select! {
                back = comes_back.recv() => return back.ok_or(EndReason::ClientClosed),
                Some(done) = releases.recv() => {
                    // Nobody to let go. Whoever came back last may have got lost on the way here, its ticket spent.
                    self.waits().await;
                    let _ = done.send(());
                }
                () = &mut window => return Err(EndReason::ClientClosed),
                reason = self.end.ended() => return Err(reason),
            }
        }
    }

    /// One client and a target connection of its own.
    async fn connection(&mut self, mut client: Client, permit: &Permit, releases: &mut mpsc::Receiver<Released>) -> Outcome {
        // While the session stands still with nothing to be seen, the target is not touched: the client has a desktop of ours.
        let stands = if self.entry.standing().shows() { Stands::Outside } else { Stands::InLobby };
        let mut hall = match stands {
            Stands::InLobby => match Hall::open(&mut client, permit, self.entry.holds(), self.notices.listen()).await {
                Ok(hall) => Some(hall),
                Err(e) => return left(self.opened.id(), &e),
            },
            Stands::Outside => None,
        };
        let way = Way { permit, stands };
        let first = Redirected::default();
        let came = {
            let (initial, wire) = (&client.initial, &mut client.wire);
            let connecting = Box::pin(async {
                tokio::select! {
                    connected = self.connect(initial, way, &first) => Came::Connected(Box::new(connected)),
                    reason = self.end.ended() => Came::Connected(Box::new(Err((reason.clone(), reason.to_string())))),
                    Some(done) = releases.recv() => Came::Released(done),
                }
            });
            match &mut hall {
                Some(hall) => Box::pin(hall.until(wire, connecting)).await,
                None => tokio::select! {
                    came = connecting => Some(came),
                    () = wire.reader.left() => None,
                },
            }
        };
        let (login, mut joined) = match came {
            // Whoever waits for long gives up some time, or loses their connection; the session goes on waiting, for them too.
            None => return Outcome::ClientGone,
            Some(Came::Released(done)) => return Outcome::Released(done),
            Some(Came::Connected(connected)) => match *connected {
                Ok(connected) => connected,
                Err((reason, why)) => return self.turned_away(client, hall, permit, (reason, why)).await,
            },
        };
        let settled = match client.settle((&joined.response, &joined.numbers)).await {
            Ok(s) => s,
            Err(e) => return left(self.opened.id(), &e),
        };
        let channel = self.next_channel;
        self.next_channel += 1;
        let mut opened_channel = false;
        for _ in 0..=MAX_REDIRECTIONS {
            if let Err(e) = self.introduce(&mut joined, way, &settled.info, &login).await {
                return self.turned_away(client, hall, permit, (EndReason::TargetUnreachable, e.to_string())).await;
            }
            let relay = client::relay(stands.start(), &client.initial, (&settled.numbers, &joined.numbers), self.policy.clone());
            if !opened_channel && self.open_channel(channel, &client, &settled.numbers).await.is_err() {
                return Outcome::Ended(EndReason::RecordingFailed);
            }
            opened_channel = true;
            let driver = Driver::new(self, channel, relay, permit.target());
            let outcome = driver.run(&mut client, &mut joined.reached, releases).await;
            let Outcome::Redirected(to) = outcome else {
                self.entry.close_channel();
                let _ = self.opened.record(channel, EventKind::Close).await;
                return outcome;
            };
            joined.reached.cutter.cut();
            joined = match self.connect(&client.initial, way, &to).await {
                Ok((_, joined)) => joined,
                Err((reason, why)) => {
                    tracing::warn!(session = %self.opened.id(), why, "redirection not followed");
                    self.entry.close_channel();
                    return Outcome::Ended(reason);
                }
            };
        }
        self.entry.close_channel();
        Outcome::Ended(EndReason::TargetClosed)
    }

    /// There is no desktop for this client: it is told why, in the way that fits how far it is.
    async fn turned_away(&self, client: Client, hall: Option<Hall>, permit: &Permit, (reason, why): (EndReason, String)) -> Outcome {
        tracing::warn!(session = %self.opened.id(), target = %permit.target().name, why, "target not reached");
        match hall {
            Some(hall) => hall.refuse(client, &reason, &why).await,
            None => client.refuse(anteroom_rdp::EndReason::TargetLost, &why).await,
        }
        Outcome::Ended(reason)
    }

    /// The target hears who comes; who waits in the lobby has its licence asked for.
    async fn introduce(&self, joined: &mut Joined, way: Way<'_>, info: &Info, login: &Login) -> Result<(), TargetError> {
        joined.introduce(info, login, policy::audio(&self.policy)).await?;
        match way.stands {
            Stands::InLobby => joined.license(login, self.person).await,
            Stands::Outside => Ok(()),
        }
    }

    /// With the permit, the credential and the target; the error is for the person to read.
    async fn connect(&self, initial: &Initial, way: Way<'_>, to: &Redirected) -> Result<(Login, Joined), (EndReason, String)> {
        let (common, permit) = (&self.shared.common, way.permit);
        let unreachable = |why: String| (EndReason::TargetUnreachable, why);
        if self.entry.holds().wait_for(|h| h.shows()).await.is_err() {
            return Err((EndReason::GatewayStopped, EndReason::GatewayStopped.to_string()));
        }
        let password = match common.approvals.open_credential(permit).await.map_err(|e| unreachable(e.to_string()))? {
            Credential::Password(p) => p,
            _ => return Err(unreachable("the stored credential is no password, which RDP needs; tell the target's operator".to_owned())),
        };
        let login = Login::new(permit.account().as_str(), password);
        let road = Road { approvals: &common.approvals, permit, limit: self.shared.config.connect_timeout };
        let reached = road.reach(&login, to).await.map_err(|e| unreachable(e.to_string()))?;
        let keep: Vec<bool> = initial.channels().iter().map(|n| self.policy.static_channel(n)).collect();
        let joined = reached.join(initial, &keep, to, way.stands).await.map_err(|e| unreachable(e.to_string()))?;
        Ok((login, joined))
    }

    async fn open_channel(&self, channel: u32, client: &Client, numbers: &anteroom_rdp::mcs::Numbers) -> Result<(), RecordingFailed> {
        let (width, height) = client.initial.desktop();
        let named = client.initial.channels().iter().zip(&numbers.statics);
        let desktop = Desktop {
            width,
            height,
            io_channel: numbers.io,
            channels: named.filter_map(|(name, id)| id.map(|id| (id, name.clone()))).collect(),
            zones: Vec::new(),
        };
        self.opened.record(channel, EventKind::OpenDesktop(desktop)).await?;
        self.entry.open_channel(usize::MAX);
        Ok(())
    }
}

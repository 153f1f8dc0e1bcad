//! The watch over a session that may run only while somebody watches it: asks the database every second, tells the pure machine, and holds the
//! session whenever that says so. What cannot be asked is nobody.
use super::{EndSignal, Notices, Registry};
use anteroom_approvals::{Approvals, Change};
use anteroom_domain::{AuditEvent, EndReason, Hold, SessionId, audit::SupervisionEvent};
use anteroom_policy::supervision::{Input, LEASE, State, Supervision};
use anteroom_recorder::{Event, EventKind, Recording};
use std::time::Duration;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// Between two questions to the database.
const ASK: Duration = Duration::from_secs(1);
/// A database that answers later than this has not answered.
const ANSWER: Duration = Duration::from_secs(2);

pub(super) struct Supervisor {
    pub(super) session: SessionId,
    pub(super) approvals: Approvals,
    pub(super) registry: Registry,
    pub(super) recording: Recording,
    pub(super) notices: Notices,
    pub(super) end: EndSignal,
    /// When the session began; what is recorded counts from here.
    pub(super) started: Instant,
    /// How long it waits for somebody.
    pub(super) patience: Duration,
}

impl Supervisor {
    /// Until the session has ended. It has `Hold::Lobby` from the beginning.
    pub(super) fn watch_from_the_lobby(self) -> impl Future<Output = ()> + Send {
        // Heard from before anybody can join.
        let changes = self.approvals.changes();
        let machine = Supervision::new(self.now(), self.patience);
        self.watch(machine, changes, true)
    }

    /// The same of a session that nobody had to watch when it began, once `asked` says so. It has `Hold::Unwatched` by then.
    pub(super) async fn watch_from_now_on(self, asked: CancellationToken) {
        tokio::select! {
            () = asked.cancelled() => {}
            _ = self.end.ended() => return,
        }
        let changes = self.approvals.changes();
        tracing::info!(session = %self.session, "stands still: policy asks that somebody watches from now on");
        self.note("policy asks that somebody watches from now on: the session stands still".to_owned()).await;
        let machine = Supervision::from_now_on(self.now(), self.patience);
        Box::pin(self.watch(machine, changes, false)).await;
    }

    /// `known`: the database knows that it has to be watched, so that supervisors can find it.
    async fn watch(self, mut machine: Supervision, mut changes: Receiver<Change>, mut known: bool) {
        let mut ask_at = Instant::now();
        let mut who = Vec::new();
        loop {
            let due = machine.due().map(|d| self.started + d);
            let mut came_or_went = false;
            let input = tokio::select! {
                _ = self.end.ended() => break,
                () = until(due) => Input::Nothing,
                () = sleep_until(ask_at) => { ask_at = Instant::now() + ASK; self.ask(&machine, &mut known).await }
                change = changes.recv() => match change {
                    Ok(Change::Supervision(s)) if s == self.session => {
                        came_or_went = true;
                        self.ask(&machine, &mut known).await
                    }
                    // A supervisor who was suspended watches no more.
                    Ok(Change::PersonSuspended(_) | Change::Person(_) | Change::Resync) | Err(RecvError::Lagged(_)) => self.ask(&machine, &mut known).await,
                    Ok(_) => continue,
                    Err(RecvError::Closed) => Input::Nobody,
                },
            };
            let next = machine.step(input, self.now());
            self.turned(machine.state(), next.state(), &mut who).await;
            if came_or_went && matches!((machine.state(), next.state()), (State::Watched { .. }, State::Watched { .. })) {
                self.handed_over(&mut who).await;
            }
            machine = next;
            if machine.state() == State::Ended {
                self.end.end(EndReason::Unwatched);
                break;
            }
        }
        self.end.ended().await;
        // Best effort: whoever asks sees by the session's own end that nobody watches any more.
        let _ = timeout(ANSWER, self.approvals.end_supervisions(self.session, true)).await;
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// The lease counts from before the question, so that a slow answer makes it shorter and never longer.
    async fn ask(&self, machine: &Supervision, known: &mut bool) -> Input {
        let asked = self.now();
        let answer = async {
            if !*known {
                // A session that began in safe mode is not in the database before that is back.
                *known = self.approvals.require_supervision(self.session).await?;
            }
            let watched = self.approvals.watched(self.session).await?;
            self.take_notes().await;
            if !matches!(machine.state(), State::Watched { .. }) || watched.is_none_or(|age| age >= LEASE) {
                self.approvals.end_supervisions(self.session, false).await?;
            }
            Ok::<_, anteroom_approvals::StoreError>(watched)
        };
        // While it is asked nothing is known; the lease runs on and is looked at by whoever is first.
        let limit = machine.due().map_or(ANSWER, |due| due.saturating_sub(asked).clamp(Duration::from_millis(20), ANSWER));
        match timeout(limit, answer).await {
            Ok(Ok(Some(age))) => Input::Lease { until: (asked + LEASE).saturating_sub(age) },
            Ok(Ok(None)) => Input::Nobody,
            Ok(Err(_)) | Err(_) => Input::Nothing,
        }
    }

    /// Holds before anything is written down, and writes down before it lets go.
    async fn turned(&self, from: State, to: State, who: &mut Vec<String>) {
        match (from, to) {
            (State::Watched { .. }, State::StandingStill { .. } | State::Ended) => {
                self.registry.hold(self.session, Hold::Unwatched);
                tracing::info!(session = %self.session, "stands still: nobody watches it");
                self.note("nobody watches: the session stands still".to_owned()).await;
                self.approvals.note(AuditEvent::Supervision(SupervisionEvent::StandsStill { session: self.session }), None).await;
            }
            (State::Lobby { .. } | State::StandingStill { .. }, State::Watched { .. }) => {
                *who = self.watchers().await;
                self.note(watched_by(who)).await;
                self.approvals.note(AuditEvent::Supervision(SupervisionEvent::GoesOn { session: self.session }), None).await;
                self.notices.say("a supervisor watches this session");
                self.registry.release(self.session, Hold::Lobby);
                self.registry.release(self.session, Hold::Unwatched);
            }
            _ => {}
        }
    }

    /// Somebody came or went while somebody watches: the recording says who it is from now on.
    async fn handed_over(&self, who: &mut Vec<String>) {
        let now = self.watchers().await;
        if !now.is_empty() && now != *who {
            self.note(watched_by(&now)).await;
            *who = now;
        }
    }

    /// Display names. A database that does not say now is asked again by who reads the log; nothing waits for a name.
    async fn watchers(&self) -> Vec<String> {
        timeout(ANSWER, self.approvals.watchers(self.session)).await.ok().and_then(Result::ok).unwrap_or_default()
    }

    async fn take_notes(&self) {
        match self.approvals.take_supervision_notes(self.session).await {
            Ok(notes) => {
                for (by, text) in notes {
                    // Not "note of": that is how clinical texts name a patient, and the name would be masked as one.
                    self.note(format!("noted by {by}: {text}")).await;
                }
            }
            Err(e) => tracing::debug!(session = %self.session, error = %e, "a supervisor's notes could not be taken yet"),
        }
    }

    /// On no channel: it is about the session. A recording that fails ends the session by itself.
    async fn note(&self, text: String) {
        let _ = self.recording.record(Event { at: self.now(), channel: 0, kind: EventKind::Note(text) }).await;
    }
}

/// As the recording has it.
fn watched_by(who: &[String]) -> String {
    match who {
        [] => "a supervisor watches".into(),
        [one] => format!("a supervisor watches: {one}"),
        several => format!("supervisors watch: {}", several.join(", ")),
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recording_says_who_watches_by_name() {
        let names = |n: &[&str]| n.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(watched_by(&names(&["Nora Example"])), "a supervisor watches: Nora Example");
        assert_eq!(watched_by(&names(&["Nora Example", "Ben Example"])), "supervisors watch: Nora Example, Ben Example");
        assert_eq!(watched_by(&[]), "a supervisor watches");
    }
}

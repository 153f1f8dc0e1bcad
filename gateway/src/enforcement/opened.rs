//! What a session is, whatever it speaks: a permit, a recording and a row, opened in that order and closed in the reverse.
use super::{EndSignal, Entry, Failures, Notices, PreAuthLimits, Registry, patients, supervision::Supervisor};
use anteroom_approvals::{Approvals, SealedRecord};
use anteroom_domain::{AuditEvent, EndReason, Holds, LiveSession, Moment, PatientsSeen, PersonId, Protocol, RecordingState, SessionId};
use anteroom_policy::{PatientLimits, Permit};
use anteroom_recorder::{Event, EventKind, Recorder, Recording, RecordingFailed, Sealed, SessionHeader};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// What all services of one gateway share.
#[derive(Debug, Clone)]
pub struct Common {
    pub approvals: Approvals,
    pub recorder: Recorder,
    pub registry: Registry,
    /// Of those who have not signed in, whatever they speak.
    pub limits: PreAuthLimits,
    pub failures: Arc<Failures>,
    /// Name of this gateway in the audit log.
    pub gateway: String,
    /// How long a session waits for somebody to watch it.
    pub patience: Duration,
    /// How many patients are too many for one session.
    pub patients: PatientLimits,
}

/// A session that is recorded and written down; nothing of its target was touched yet.
#[derive(Debug)]
pub struct Opened {
    id: SessionId,
    common: Common,
    person: PersonId,
    recording: Recording,
    started: Instant,
    started_at: Moment,
}

impl Opened {
    /// The error is for the user to read.
    pub async fn begin(common: &Common, permit: &Permit) -> Result<Self, String> {
        let target = permit.target();
        let (started_at, started) = (Moment::now_utc(), Instant::now());
        let header = SessionHeader {
            session: permit.session(),
            grant: permit.grant(),
            person: permit.person(),
            person_handle: permit.person_handle().to_string(),
            target: target.id,
            target_name: target.name.clone(),
            account: permit.account().clone(),
            source: permit.source(),
            started_at,
        };
        let recording = match common.recorder.start(header).await {
            // What is noted while somebody waits in the lobby comes before the first desktop.
            Ok(r) if target.protocol == Protocol::Rdp => r.expect_desktops().map(|()| r).map_err(|e| e.to_string()),
            other => other.map_err(|e| e.to_string()),
        };
        let recording = match recording {
            Ok(r) => r,
            Err(e) => {
                tracing::error!(session = %permit.session(), error = %e, "no recording could be started");
                let why = format!("it cannot be recorded, so it cannot start: {e}");
                let event = AuditEvent::ChannelRefused { session: permit.session(), channel: "session".into(), why: why.clone() };
                common.approvals.note(event, Some(permit.person())).await;
                return Err(why);
            }
        };
        if let Err(e) = common.approvals.session_started(permit, recording.header_sha256(), &common.gateway).await {
            // Nobody was let in; the recording says so by being empty.
            if let Ok(sealed) = recording.finish().await {
                tracing::info!(session = %sealed.session, "session was not started");
            }
            return Err(e.to_string());
        }
        Ok(Self { id: permit.session(), common: common.clone(), person: permit.person(), recording, started, started_at })
    }

    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Its place in the registry, and the watch over its recording, as tasks that end with it.
    pub fn enter(&self, common: &Common, permit: &Permit, end: &EndSignal, tasks: &TaskTracker) -> (Entry, Notices) {
        let target = permit.target();
        let facts = LiveSession {
            id: self.id,
            grant: permit.grant(),
            person: permit.person(),
            person_handle: permit.person_handle().to_string(),
            target: target.id,
            target_name: target.name.clone(),
            account: permit.account().clone(),
            source: permit.source().to_string(),
            started_at: self.started_at,
            grant_ends_at: permit.not_after(),
            channels: 0,
            bytes_out: 0,
            // Nobody watches yet, whoever will.
            holds: Holds { lobby: permit.obligations().supervise, ..Holds::default() },
        };
        let (entry, notices) = common.registry.enter(facts, end.clone());
        let supervisor = Supervisor {
            session: self.id,
            approvals: self.common.approvals.clone(),
            registry: common.registry.clone(),
            recording: self.recording.clone(),
            notices: notices.clone(),
            end: end.clone(),
            started: self.started,
            patience: common.patience,
        };
        if permit.obligations().supervise {
            tasks.spawn(supervisor.watch_from_the_lobby());
        } else {
            tasks.spawn(supervisor.watch_from_now_on(entry.to_be_watched()));
        }
        let counted = patients::count(common.clone(), self.recording.clone(), self.id, self.person, end.clone(), notices.clone());
        tasks.spawn(counted);
        let (watched, end) = (self.recording.clone(), end.clone());
        // Invariant 2: what can't be recorded ends.
        tasks.spawn(async move {
            tokio::select! {
                _ = watched.failed() => { end.end(EndReason::RecordingFailed); }
                _ = end.ended() => {}
            }
        });
        (entry, notices)
    }

    /// Waits until the recorder has taken the event: its full queue holds the relay back (invariant 2).
    pub async fn record(&self, channel: u32, kind: EventKind) -> Result<(), RecordingFailed> {
        self.recording.record(Event { at: self.started.elapsed(), channel, kind }).await
    }

    /// What was found between the last look and the end, and what a desktop's words told.
    async fn seen_in_all(&self, seen: &PatientsSeen) {
        if seen.is_empty() {
            return;
        }
        let Common { approvals, patients, .. } = &self.common;
        if let Err(e) = approvals.patients_seen(self.id, self.person, seen, patients).await {
            tracing::warn!(session = %self.id, error = %e, "patients seen could not be counted; the recording's manifest has them");
        }
    }

    /// Writes both ends down: the row's and the recording's.
    pub async fn seal(&self, reason: &EndReason) {
        self.common.approvals.session_ended(self.id, reason).await;
        match self.recording.finish().await {
            Ok(sealed) => {
                let seen = PatientsSeen::new(sealed.mask_counts.clone());
                self.common.approvals.recording_sealed(record_of(sealed)).await;
                self.seen_in_all(&seen).await;
            }
            // What was acknowledged is on disk; recovery at the next start writes its manifest as torn.
            Err(e) => tracing::error!(session = %self.id, error = %e, "the recording was not closed in good order"),
        }
    }
}

/// As it goes into the database and the audit tree.
pub fn record_of(s: Sealed) -> SealedRecord {
    SealedRecord {
        session: s.session,
        state: if s.state == RecordingState::Complete { RecordingState::Complete } else { RecordingState::Torn },
        manifest: serde_json::to_value(&s.manifest).unwrap_or_default(),
        manifest_sha256: s.manifest_sha256,
        mask_incomplete: s.mask_incomplete,
        mask_counts: s.mask_counts,
        bytes: s.bytes,
    }
}

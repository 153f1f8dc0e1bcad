//! A session: permit, recording and target connection, opened in that order and closed in the reverse.
use super::{
    connection::{Connection, Permitted, Shared},
    link::{self, Link},
};
use crate::enforcement::{EndSignal, Entry, Listener, Notices};
use anteroom_approvals::SealedRecord;
use anteroom_domain::{Capabilities, EndReason, LiveSession, RecordingState, SessionId};
use anteroom_recorder::{Event, EventKind, Recording, RecordingFailed, Sealed, SessionHeader};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Session {
    id: SessionId,
    shared: Arc<Shared>,
    started: Instant,
    pub(super) capabilities: Capabilities,
    pub(super) link: Link,
    pub(super) entry: Entry,
    recording: Recording,
    next_channel: AtomicU32,
    notices: Notices,
}

/// How long before its end a grant says so.
const WARNINGS: [Duration; 3] = [Duration::from_secs(15 * 60), Duration::from_secs(5 * 60), Duration::from_secs(60)];

async fn warn_before_end(end: EndSignal, notices: Notices, deadline: Instant) {
    for before in WARNINGS {
        let Some(at) = deadline.checked_sub(before).filter(|at| *at > Instant::now()) else { continue };
        tokio::select! {
            () = tokio::time::sleep_until(at) => {
                let minutes = before.as_secs() / 60;
                notices.say(&format!("your grant ends in {minutes} minute{}; the session ends with it", if minutes == 1 { "" } else { "s" }));
            }
            _ = end.ended() => return,
        }
    }
}

impl Session {
    /// The error is for the user to read.
    pub(super) async fn open(conn: &Connection, p: &Permitted) -> Result<Self, String> {
        let (shared, permit) = (&conn.shared, &p.permit);
        let target = permit.target();
        let header = SessionHeader {
            session: permit.session(),
            grant: permit.grant(),
            person: permit.person(),
            person_handle: permit.person_handle().to_string(),
            target: target.id,
            target_name: target.name.clone(),
            account: permit.account().clone(),
            source: permit.source(),
            started_at: anteroom_domain::Moment::now_utc(),
        };
        let started_at = header.started_at;
        let started = Instant::now();
        let recording = shared.recorder.start(header).await.map_err(|e| {
            tracing::error!(session = %permit.session(), error = %e, "no recording could be started");
            let why = format!("it cannot be recorded, so it cannot start: {e}");
            conn.note_refusal("session", &why);
            why
        })?;
        if let Err(e) = shared.approvals.session_started(permit, recording.header_sha256(), &shared.config.gateway).await {
            // Nobody was let in; the recording says so by being empty.
            if let Ok(sealed) = recording.finish().await {
                tracing::info!(session = %sealed.session, "session was not started");
            }
            return Err(e.to_string());
        }
        let link = match shared.approvals.open_credential(permit).await {
            Err(e) => Err(e.to_string()),
            Ok(credential) => tokio::select! {
                l = link::connect(conn, permit, credential) => l.map_err(|e| e.to_string()),
                reason = conn.end.ended() => Err(reason.to_string()),
            },
        };
        let link = match link {
            Ok(l) => l,
            Err(why) => {
                tracing::warn!(session = %permit.session(), target = %target.name, why, "target not reached");
                seal(shared, permit.session(), recording, &EndReason::TargetUnreachable).await;
                return Err(why);
            }
        };
        let facts = LiveSession {
            id: permit.session(),
            grant: permit.grant(),
            person: permit.person(),
            person_handle: permit.person_handle().to_string(),
            target: target.id,
            target_name: target.name.clone(),
            account: permit.account().clone(),
            source: permit.source().to_string(),
            started_at,
            grant_ends_at: permit.not_after(),
            channels: 0,
            bytes_out: 0,
            paused: None,
        };
        let (entry, notices) = shared.registry.enter(facts, conn.end.clone());
        conn.tasks.spawn(warn_before_end(conn.end.clone(), notices.clone(), p.deadline));
        let (watched, end) = (recording.clone(), conn.end.clone());
        // Invariant 2: what can't be recorded ends.
        conn.tasks.spawn(async move {
            tokio::select! {
                _ = watched.failed() => { end.end(EndReason::RecordingFailed); }
                _ = end.ended() => {}
            }
        });
        Ok(Self {
            id: permit.session(),
            shared: conn.shared.clone(),
            started,
            capabilities: permit.capabilities().clone(),
            link,
            entry,
            recording,
            next_channel: AtomicU32::new(1),
            notices,
        })
    }

    /// What has to be shown on the terminals of this session from now on.
    pub(super) fn notices(&self) -> Listener {
        self.notices.listen()
    }

    /// The number a channel has in the recording, from 1.
    pub(super) fn number_channel(&self) -> u32 {
        self.next_channel.fetch_add(1, Ordering::Relaxed)
    }

    /// Waits until the recorder has taken the event: its full queue holds the relay back (invariant 2).
    pub(super) async fn record(&self, channel: u32, kind: EventKind) -> Result<(), RecordingFailed> {
        self.recording.record(Event { at: self.started.elapsed(), channel, kind }).await
    }

    /// Closes target and recording and writes both ends down.
    pub(super) async fn close(self: Arc<Self>, reason: &EndReason) {
        self.link.close().await;
        seal(&self.shared, self.id, self.recording.clone(), reason).await;
    }
}

async fn seal(shared: &Shared, session: SessionId, recording: Recording, reason: &EndReason) {
    shared.approvals.session_ended(session, reason).await;
    match recording.finish().await {
        Ok(sealed) => shared.approvals.recording_sealed(record_of(sealed)).await,
        // What was acknowledged is on disk; recovery at the next start writes its manifest as torn.
        Err(e) => tracing::error!(%session, error = %e, "the recording was not closed in good order"),
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

//! What a file transfer's watcher lets through, and what it saw.
use super::{OWN_EXIT, Over, Pair};
use crate::ssh::transfer::Passed;
use anteroom_domain::{AuditEvent, capability::Direction, hex};
use anteroom_files::Event;
use anteroom_recorder::{EventKind, FileMoved, Outcome};
use bytes::Bytes;
use sha2::{Digest, Sha256};

impl Pair {
    /// Sends what the watcher has queued, each lane in its order.
    pub(super) async fn pump(&self) -> Over {
        let to_target = async {
            loop {
                let data = self.transfer.to_target.next().await;
                self.may_move().await;
                let n = data.len();
                if self.target.data(data).await.is_err() {
                    return Over::Target;
                }
                self.transfer.to_target.sent(n);
            }
        };
        let to_client = async {
            loop {
                let data = self.transfer.to_client.next().await;
                self.may_move().await;
                let n = data.len();
                self.session.entry.sent(n);
                if self.show(data).await.is_err() {
                    return Over::Client;
                }
                self.transfer.to_client.sent(n);
            }
        };
        tokio::select! { over = to_target => over, over = to_client => over }
    }

    /// Asks the target where a transfer's own path leads, if a rule goes by that. The error is for the person to read.
    pub(super) async fn may_start(&self) -> Result<(), String> {
        let Some(path) = self.transfer.question() else { return Ok(()) };
        let real = self.asker.real(&self.session.link, &path).await.map_err(|e| e.to_string())?;
        match self.transfer.tell(real).and_then(|passed| passed.end) {
            Some(why) => Err(why),
            None => Ok(()),
        }
    }

    /// Records what the watcher saw, and asks what it has to know; what it queued goes its own way.
    pub(super) async fn passed(&self, mut passed: Passed, way: Direction) -> Result<(), Over> {
        let end = loop {
            for event in passed.events {
                self.moved(event).await?;
            }
            let Some(path) = passed.question else { break passed.end };
            // A target that can't tell any more is one whose paths are not known.
            let real = self.asker.real(&self.session.link, &path).await.unwrap_or_default();
            let Some(told) = self.transfer.tell(real) else { break None };
            passed = told;
        };
        let Some(why) = end else {
            match way {
                Direction::Upload => self.transfer.to_target.room().await,
                Direction::Download => self.transfer.to_client.room().await,
            }
            return Ok(());
        };
        self.conn.note_refusal("files", &why);
        self.transfer.to_client.drained().await;
        let _ = self.client.stderr(format!("anteroom: {why}\r\n")).await;
        let _ = self.client.exit_status(OWN_EXIT).await;
        let _ = self.client.eof().await;
        Err(Over::Refused)
    }

    pub(super) async fn moved(&self, event: Event) -> Result<(), Over> {
        match event {
            Event::Moved { direction, path, bytes, sha256, outcome } => {
                let outcome = match outcome {
                    anteroom_files::Outcome::Complete => Outcome::Complete,
                    anteroom_files::Outcome::Partial => Outcome::Partial,
                    anteroom_files::Outcome::Refused => Outcome::Refused,
                };
                let line = AuditEvent::FileMoved {
                    session: self.conn.session,
                    direction,
                    path_sha256: hex(&Sha256::digest(&path)),
                    bytes,
                    sha256: sha256.map(|h| hex(&h)),
                    outcome: outcome.as_str().to_owned(),
                };
                self.record(EventKind::File(FileMoved { direction, path, bytes, sha256, outcome })).await?;
                self.conn.note(line);
                Ok(())
            }
            Event::Refused { what, .. } => {
                self.conn.note_refusal("files", &what);
                Ok(())
            }
            Event::Other { operation, path, to, ok } => {
                let lossy = |p: &Bytes| String::from_utf8_lossy(p).into_owned();
                let to = to.as_ref().map(|t| format!(" -> {}", lossy(t))).unwrap_or_default();
                let text = format!("{operation} {}{to}{}", lossy(&path), if ok { "" } else { " (failed)" });
                self.record(EventKind::Note(text)).await
            }
            Event::Content { direction: Direction::Upload, bytes, .. } => self.record(EventKind::Input(bytes)).await,
            Event::Content { direction: Direction::Download, bytes, .. } => self.record(EventKind::Output(bytes)).await,
        }
    }
}

//! A session over SSH: what every session is, and the connection to its target.
use super::{
    connection::{Connection, Permitted},
    link::{self, Link},
};
use crate::enforcement::{Entry, Listener, Notices, Opened};
use anteroom_domain::{Capabilities, EndReason};
use anteroom_recorder::{EventKind, RecordingFailed};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

#[derive(Debug)]
pub(super) struct Session {
    opened: Opened,
    pub(super) capabilities: Capabilities,
    pub(super) link: Link,
    pub(super) entry: Entry,
    next_channel: AtomicU32,
    notices: Notices,
}

impl Session {
    /// The error is for the user to read.
    pub(super) async fn open(conn: &Connection, p: &Permitted) -> Result<Self, String> {
        let (common, permit) = (conn.shared.common(), &p.permit);
        let opened = Opened::begin(&common, permit).await?;
        let (entry, notices) = opened.enter(&common, permit, &conn.end, &conn.tasks);
        // Somebody has to watch before the target is touched.
        let mut holds = entry.holds();
        let lobby = tokio::select! {
            left = holds.wait_for(|h| !h.lobby) => left.map(drop).map_err(|_| EndReason::GatewayStopped),
            reason = conn.end.ended() => Err(reason),
        };
        if let Err(reason) = lobby {
            opened.seal(&reason).await;
            return Err(reason.to_string());
        }
        let link = match common.approvals.open_credential(permit).await {
            Err(e) => Err(e.to_string()),
            Ok(credential) => tokio::select! {
                l = link::connect(conn, permit, credential) => l.map_err(|e| e.to_string()),
                reason = conn.end.ended() => Err(reason.to_string()),
            },
        };
        let link = match link {
            Ok(l) => l,
            Err(why) => {
                tracing::warn!(session = %permit.session(), target = %permit.target().name, why, "target not reached");
                opened.seal(&EndReason::TargetUnreachable).await;
                return Err(why);
            }
        };
        let capabilities = permit.capabilities().clone();
        Ok(Self { opened, capabilities, link, entry, next_channel: AtomicU32::new(1), notices })
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
        self.opened.record(channel, kind).await
    }

    /// Closes target and recording and writes both ends down.
    pub(super) async fn close(self: Arc<Self>, reason: &EndReason) {
        self.link.close().await;
        self.opened.seal(reason).await;
    }
}

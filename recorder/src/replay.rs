//! Shows the masked track: needs the masked private key, which a gateway does not have.
use crate::{
    cast::Cast,
    custody::{self, CustodyError},
    masked_track::MaskedTrack,
    safe::SafeText,
};
use anteroom_domain::{RecordingState, SessionId};
use anteroom_format::{ChannelEntry, PrivateKey, SessionHeader};
use bytes::Bytes;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::sync::mpsc;

#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("there is no recording of session {0}")]
    NotFound(SessionId),
    #[error("the recording has no channel {0}")]
    NoChannel(u32),
    #[error("the recording cannot be opened with this key")]
    WrongKey,
    #[error("the recording's keys were destroyed")]
    Shredded,
    #[error("the recording is damaged: {0}")]
    Damaged(String),
    #[error("the recording cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Key(#[from] CustodyError),
}

/// One channel of a recording, masked.
#[derive(Debug, Clone, Serialize)]
pub struct ChannelInfo {
    pub id: u32,
    /// Its terminal's first size; none for a command without terminal.
    pub cols: Option<u16>,
    pub rows: Option<u16>,
    pub term: Option<String>,
    /// The masked command, or "shell".
    pub title: String,
    /// When it was opened, since the session's start.
    pub opened_at: Duration,
    pub duration: Duration,
    pub exit_status: Option<u32>,
}

#[derive(Debug, Clone, Serialize)]
pub struct RecordingInfo {
    pub header: SessionHeader,
    pub gateway: String,
    /// `Recording` also when a gateway died and did not come back yet.
    pub state: RecordingState,
    pub duration: Duration,
    pub channels: Vec<ChannelInfo>,
    pub mask_counts: BTreeMap<String, u64>,
    pub mask_incomplete: bool,
}

/// Opens masked tracks under one root. Blocking I/O: call it from `spawn_blocking`, except `stream`.
#[derive(Debug, Clone)]
pub struct Replayer {
    root: PathBuf,
    key: Arc<PrivateKey>,
}

impl Replayer {
    /// `key_file` is the masked private key, mode 0600.
    pub fn open(root: impl Into<PathBuf>, key_file: &Path) -> Result<Self, ReplayError> {
        Ok(Self { root: root.into(), key: Arc::new(custody::read_private(key_file)?) })
    }

    pub fn info(&self, session: SessionId) -> Result<RecordingInfo, ReplayError> {
        let track = self.track(session)?;
        let channels = track.channels()?;
        let last_us = channels.iter().map(|c| c.ended_us).max().unwrap_or_default();
        Ok(RecordingInfo {
            state: track.state(),
            duration: Duration::from_micros(track.manifest.as_ref().map_or(last_us, |m| m.duration_us)),
            channels: channels.iter().map(channel_info).collect(),
            mask_counts: track.manifest.as_ref().map(|m| m.mask_counts.clone()).unwrap_or_default(),
            mask_incomplete: track.manifest.as_ref().is_some_and(|m| m.mask_incomplete()),
            header: track.header.session,
            gateway: track.header.gateway,
        })
    }

    /// One channel as asciicast v2, line by line (each ends with a line feed). Times count from the channel's opening. With `from`,
    /// the first events give the size and paint the screen as it was then, and the rest follows; no more than a chunk is in memory.
    pub fn cast(&self, session: SessionId, channel: u32, from: Duration) -> Result<Cast, ReplayError> {
        let track = self.track(session)?;
        let entry = track.channels()?.into_iter().find(|c| c.channel == channel).ok_or(ReplayError::NoChannel(channel))?;
        let title = title(&entry);
        Cast::open(track, entry, &title, u64::try_from(from.as_micros()).unwrap_or(u64::MAX))
    }

    /// The same for async callers: lines in pieces of about 64 KiB, read on a blocking thread, bounded. An error in the middle is the
    /// last piece. Dropping the receiver ends it.
    pub async fn stream(
        &self,
        session: SessionId,
        channel: u32,
        from: Duration,
    ) -> Result<mpsc::Receiver<Result<Bytes, ReplayError>>, ReplayError> {
        let this = self.clone();
        let gone = |_| ReplayError::Io(io::Error::other("the reading thread is gone"));
        let cast = tokio::task::spawn_blocking(move || this.cast(session, channel, from)).await.map_err(gone)??;
        let (send, receive) = mpsc::channel(4);
        // Owned by its receiver: it ends when that is dropped.
        drop(tokio::task::spawn_blocking(move || feed(cast, &send)));
        Ok(receive)
    }

    fn track(&self, session: SessionId) -> Result<MaskedTrack, ReplayError> {
        MaskedTrack::open(&self.root, session, self.key.clone())
    }
}

fn feed(cast: Cast, send: &mpsc::Sender<Result<Bytes, ReplayError>>) {
    const PIECE: usize = 64 << 10;
    let mut piece = String::new();
    for line in cast {
        match line {
            Ok(line) => piece.push_str(&line),
            Err(e) => {
                let _ = send.blocking_send(Ok(std::mem::take(&mut piece).into()));
                let _ = send.blocking_send(Err(e));
                return;
            }
        }
        if piece.len() >= PIECE && send.blocking_send(Ok(std::mem::take(&mut piece).into())).is_err() {
            return;
        }
    }
    if !piece.is_empty() {
        let _ = send.blocking_send(Ok(piece.into()));
    }
}

fn channel_info(c: &ChannelEntry) -> ChannelInfo {
    let (cols, rows, term) = match &c.pty {
        Some((cols, rows, term)) => (Some(*cols), Some(*rows), Some(term.clone())),
        None => (None, None, None),
    };
    ChannelInfo {
        id: c.channel,
        cols,
        rows,
        term,
        title: title(c),
        opened_at: Duration::from_micros(c.opened_us),
        duration: Duration::from_micros(c.ended_us.saturating_sub(c.opened_us)),
        exit_status: c.exit,
    }
}

fn title(c: &ChannelEntry) -> String {
    let Some(command) = &c.command else { return "shell".into() };
    let mut out = String::new();
    SafeText::default().filter(&String::from_utf8_lossy(command), &mut out);
    out.retain(|c| !c.is_control());
    out
}

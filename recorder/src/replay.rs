//! Shows the masked track: needs the masked private key, which a gateway does not have.
use crate::{
    Storage,
    cast::Cast,
    custody::{self, CustodyError, Opener},
    lines::clean,
    masked_track::MaskedTrack,
    revealed::Revealed,
    unmask::Released,
};
use anteroom_domain::{RecordingState, SessionId, capability::Direction};
use anteroom_format::{Body, Carries, ChannelEntry, Outcome, SessionHeader, hex};
use bytes::Bytes;
use serde::Serialize;
use std::{collections::BTreeMap, io, path::Path, sync::Arc, time::Duration};
use tokio::sync::mpsc;

#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("there is no recording of session {0}")]
    NotFound(SessionId),
    #[error("the recording has no channel {0}")]
    NoChannel(u32),
    /// It has pictures and no text: `film` shows it.
    #[error("channel {0} is a desktop and no terminal; export it as a video")]
    NoTerminal(u32),
    #[error("channel {0} is no desktop")]
    NoDesktop(u32),
    #[error("the recording cannot be opened with this key")]
    WrongKey,
    #[error("the recording's keys were destroyed")]
    Shredded,
    #[error("the recording is damaged: {0}")]
    Damaged(String),
    /// It lies in an archive that cannot be reached now.
    #[error("the recording cannot be read: {0}")]
    Away(String),
    #[error("the key that opens recordings cannot be used at the moment: {0}")]
    KeyAway(String),
    #[error("the recording cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("the released keys have expired; they were for a limited time")]
    Expired,
    #[error("the released keys are of another recording")]
    OtherRelease,
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
    pub kind: ChannelKind,
    /// The masked command, "shell", or what it carries.
    pub title: String,
    /// When it was opened, since the session's start.
    pub opened_at: Duration,
    pub duration: Duration,
    pub exit_status: Option<u32>,
    /// Of a forward or a transfer that ended: bytes in the sealed track, from the client and to the client.
    pub traffic: Option<(u64, u64)>,
}

/// What a channel is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChannelKind {
    Shell,
    Command,
    /// `local-forward`, `agent-forwarding`, ..., and the masked place.
    Forward {
        forward: String,
        place: String,
    },
    /// `sftp`, `scp`, `subsystem:NAME`.
    Files {
        how: String,
    },
    /// Its first picture's size, in pixels.
    Desktop {
        width: u16,
        height: u16,
    },
}

/// A file that was moved in a session, as the masked track has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileInfo {
    pub channel: u32,
    /// Since the session's start.
    pub at: Duration,
    pub direction: Direction,
    /// Masked.
    pub path: String,
    /// How many were moved.
    pub bytes: u64,
    /// Of what was moved; lower-case hex.
    pub sha256: Option<String>,
    pub outcome: Outcome,
}

/// Files listed of one recording at most; the events of all of them are in the recording.
pub const MAX_FILES: usize = 100_000;

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

/// Opens the masked tracks of one storage. Blocking I/O: call it from `spawn_blocking`, except `stream`.
#[derive(Debug, Clone)]
pub struct Replayer {
    storage: Storage,
    key: Arc<dyn Opener>,
}

impl Replayer {
    /// `key_file` is the masked private key, mode 0600.
    pub fn open(storage: impl Into<Storage>, key_file: &Path) -> Result<Self, ReplayError> {
        Ok(Self::with_key(storage, Arc::new(custody::read_private(key_file)?)))
    }

    /// With the masked private key, wherever it is kept.
    pub fn with_key(storage: impl Into<Storage>, key: Arc<dyn Opener>) -> Self {
        Self { storage: storage.into(), key }
    }

    pub fn info(&self, session: SessionId) -> Result<RecordingInfo, ReplayError> {
        let track = self.track(session)?;
        let channels = track.channels()?;
        let last_us = channels.iter().map(|c| c.ended_us).max().unwrap_or_default();
        Ok(RecordingInfo {
            state: track.state(),
            duration: Duration::from_micros(track.manifest.as_ref().map_or(last_us, |m| m.duration_us)),
            channels: channels.iter().filter(|c| !is_of_session(c)).map(channel_info).collect(),
            mask_counts: track.manifest.as_ref().map(|m| m.mask_counts.clone()).unwrap_or_default(),
            mask_incomplete: track.manifest.as_ref().is_some_and(|m| m.mask_incomplete()),
            header: track.header.session,
            gateway: track.header.gateway,
        })
    }

    /// The files that were moved, in order; the first [`MAX_FILES`] of them. Reads the whole masked track.
    pub fn files(&self, session: SessionId) -> Result<Vec<FileInfo>, ReplayError> {
        let mut files = Vec::new();
        self.track(session)?.for_each(|event| {
            if let Body::File(file) = event.body
                && files.len() < MAX_FILES
            {
                files.push(FileInfo {
                    channel: event.channel,
                    at: Duration::from_micros(event.at_us),
                    direction: file.direction,
                    path: clean(&String::from_utf8_lossy(file.path)),
                    bytes: file.bytes,
                    sha256: file.sha256.map(|h| hex(&h)),
                    outcome: file.outcome,
                });
            }
        })?;
        Ok(files)
    }

    /// One channel as asciicast v2, line by line (each ends with a line feed). Times count from the channel's opening. With `from`,
    /// the first events give the size and paint the screen as it was then, and the rest follows; no more than a chunk is in memory.
    pub fn cast(&self, session: SessionId, channel: u32, from: Duration) -> Result<Cast, ReplayError> {
        self.part(session, channel, from, Duration::MAX)
    }

    /// The same up to `until`, which is not told any more.
    pub fn part(&self, session: SessionId, channel: u32, from: Duration, until: Duration) -> Result<Cast, ReplayError> {
        let (track, entry) = self.terminal(session, channel)?;
        let title = title(&entry);
        let us = |d: Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
        Cast::open(track, entry, &title, us(from), us(until))
    }

    /// The same for async callers: lines in pieces of about 64 KiB, read on a blocking thread, bounded. An error in the middle is the
    /// last piece. Dropping the receiver ends it.
    pub async fn stream(
        &self,
        session: SessionId,
        channel: u32,
        from: Duration,
    ) -> Result<mpsc::Receiver<Result<Bytes, ReplayError>>, ReplayError> {
        self.stream_part(session, channel, from, Duration::MAX).await
    }

    /// [`part`](Self::part), streamed like [`stream`](Self::stream).
    pub async fn stream_part(
        &self,
        session: SessionId,
        channel: u32,
        from: Duration,
        until: Duration,
    ) -> Result<mpsc::Receiver<Result<Bytes, ReplayError>>, ReplayError> {
        let this = self.clone();
        let gone = |_| ReplayError::Io(io::Error::other("the reading thread is gone"));
        let cast = tokio::task::spawn_blocking(move || this.part(session, channel, from, until)).await.map_err(gone)??;
        let (send, receive) = mpsc::channel(4);
        // Owned by its receiver: it ends when that is dropped.
        drop(tokio::task::spawn_blocking(move || feed(cast, &send)));
        Ok(receive)
    }

    /// The released interval of one channel as it was, the same way: asciicast v2 whose times count from the channel's opening. It starts by
    /// painting the screen as the masked track has it at that moment. Output (`o`) is rendered anew like masked output is, with what the
    /// masked recording hides in clear and marked: black on bright yellow. What was typed comes as `i`, readable (`ls<Enter>`, `^C`), and
    /// what happened beside the terminal as `m`. Ends with the interval, or with [`ReplayError::Expired`] when the keys' time is over.
    pub async fn stream_revealed(
        &self,
        session: SessionId,
        channel: u32,
        released: Arc<Released>,
    ) -> Result<mpsc::Receiver<Result<Bytes, ReplayError>>, ReplayError> {
        if released.session() != session {
            return Err(ReplayError::OtherRelease);
        }
        if released.is_expired() {
            return Err(ReplayError::Expired);
        }
        let this = self.clone();
        let gone = |_| ReplayError::Io(io::Error::other("the reading thread is gone"));
        let cast = tokio::task::spawn_blocking(move || this.revealed(session, channel, released)).await.map_err(gone)??;
        let (send, receive) = mpsc::channel(4);
        // Owned by its receiver: it ends when that is dropped.
        drop(tokio::task::spawn_blocking(move || feed(cast, &send)));
        Ok(receive)
    }

    fn revealed(&self, session: SessionId, channel: u32, released: Arc<Released>) -> Result<Revealed, ReplayError> {
        let (track, entry) = self.terminal(session, channel)?;
        let beside = self.track(session)?;
        Revealed::open(track, beside, entry, released)
    }

    pub(crate) fn channel(&self, session: SessionId, channel: u32) -> Result<(MaskedTrack, ChannelEntry), ReplayError> {
        let track = self.track(session)?;
        let entry = track.channels()?.into_iter().find(|c| c.channel == channel).ok_or(ReplayError::NoChannel(channel))?;
        Ok((track, entry))
    }

    /// The same, of a channel that has text.
    pub(crate) fn terminal(&self, session: SessionId, channel: u32) -> Result<(MaskedTrack, ChannelEntry), ReplayError> {
        let (track, entry) = self.channel(session, channel)?;
        if entry.desktop.is_some() { Err(ReplayError::NoTerminal(channel)) } else { Ok((track, entry)) }
    }

    pub(crate) fn track(&self, session: SessionId) -> Result<MaskedTrack, ReplayError> {
        MaskedTrack::open(&self.storage, session, self.key.clone())
    }
}

fn feed(cast: impl Iterator<Item = Result<String, ReplayError>>, send: &mpsc::Sender<Result<Bytes, ReplayError>>) {
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
        kind: kind(c),
        title: title(c),
        opened_at: Duration::from_micros(c.opened_us),
        duration: Duration::from_micros(c.ended_us.saturating_sub(c.opened_us)),
        exit_status: c.exit,
        traffic: c.traffic,
    }
}

/// Notes on no channel, of who watches the session: gateways number what is opened from 1.
fn is_of_session(c: &ChannelEntry) -> bool {
    let opened = c.pty.is_some() || c.command.is_some() || c.carries.is_some() || c.desktop.is_some();
    c.channel == 0 && !opened && !c.closed && c.exit.is_none()
}

fn kind(c: &ChannelEntry) -> ChannelKind {
    if let Some((width, height)) = c.desktop {
        return ChannelKind::Desktop { width, height };
    }
    match &c.carries {
        Some(Carries::Forward { forward, place }) => ChannelKind::Forward { forward: clean(forward), place: clean(place) },
        Some(Carries::Files { how }) => ChannelKind::Files { how: clean(how) },
        None if c.command.is_some() => ChannelKind::Command,
        None => ChannelKind::Shell,
    }
}

pub(crate) fn title(c: &ChannelEntry) -> String {
    if let Some((width, height)) = c.desktop {
        return format!("desktop {width}x{height}");
    }
    match (&c.carries, &c.command) {
        (Some(Carries::Forward { forward, place }), _) => clean(&format!("{forward} {place}")),
        (Some(Carries::Files { how }), _) => clean(how),
        (None, Some(command)) => clean(&String::from_utf8_lossy(command)),
        (None, None) => "shell".into(),
    }
}

//! What happens in a session, as the gateway tells it.
use bytes::Bytes;
use std::time::Duration;

/// A terminal asked for with `pty-req` (RFC 4254 section 6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pty {
    pub cols: u16,
    pub rows: u16,
    pub term: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Since the session's start, by a monotonic clock.
    pub at: Duration,
    pub channel: u32,
    pub kind: EventKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// A shell (no command) or an exec. First event of its channel.
    Open {
        pty: Option<Pty>,
        command: Option<Bytes>,
    },
    /// Typed. Goes to the sealed track and nowhere else (invariant 4).
    Input(Bytes),
    Output(Bytes),
    Stderr(Bytes),
    Resize {
        cols: u16,
        rows: u16,
    },
    Exit {
        status: u32,
    },
    Signalled {
        signal: String,
    },
    Eof,
    /// Last event of its channel.
    Close,
    /// Something the gateway did that a viewer should know. Masked like everything else.
    Note(String),
}

impl EventKind {
    /// Payload bytes that the event keeps in memory while it waits.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Input(b) | Self::Output(b) | Self::Stderr(b) => b.len(),
            Self::Open { command, .. } => command.as_ref().map_or(0, Bytes::len),
            Self::Note(s) | Self::Signalled { signal: s } => s.len(),
            Self::Resize { .. } | Self::Exit { .. } | Self::Eof | Self::Close => 0,
        }
    }
}

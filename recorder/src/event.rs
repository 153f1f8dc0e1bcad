//! What happens in a session, as the gateway tells it.
use anteroom_domain::capability::Direction;
use anteroom_format::{Desktop, Outcome};
use bytes::Bytes;
use std::time::Duration;

/// A file that a channel moved, or that policy did not let it move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMoved {
    pub direction: Direction,
    /// As the target has it. The first 4,096 bytes are recorded.
    pub path: Bytes,
    /// How many were moved.
    pub bytes: u64,
    /// Of what was moved; none when it was not read from its beginning to its end.
    pub sha256: Option<[u8; 32]>,
    pub outcome: Outcome,
}

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
    /// A forward (`local-forward`, `agent-forwarding`, ...) to or from a place. First event of its channel, whose input and output go to the
    /// sealed track and nowhere else.
    OpenForward {
        forward: String,
        place: String,
    },
    /// A transfer of files (`sftp`, `scp`, `subsystem:NAME`). First event of its channel, whose input and output go to the sealed track and
    /// nowhere else; standard error is text.
    OpenFiles {
        how: String,
    },
    File(FileMoved),
    /// A supervisor's words to the person. Masked like everything else.
    Message(String),
    /// A desktop. First event of its channel, whose input and output are whole PDU frames (TPKT or fast-path), decrypted. Input goes to the
    /// sealed track; output is decoded besides, and what cannot be decoded fails the recording. A session has desktops or terminals.
    OpenDesktop(Desktop),
    /// Where the person's pointer is, in pixels; at most 20 a second.
    Pointer {
        x: u16,
        y: u16,
    },
    /// Text that went through the clipboard; `Download`: from the target. Masked like everything else.
    Clipboard {
        way: Direction,
        text: String,
    },
}

impl EventKind {
    /// Payload bytes that the event keeps in memory while it waits.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Input(b) | Self::Output(b) | Self::Stderr(b) => b.len(),
            Self::Open { command, .. } => command.as_ref().map_or(0, Bytes::len),
            Self::Note(s) | Self::Message(s) | Self::Signalled { signal: s } | Self::OpenFiles { how: s } => s.len(),
            Self::OpenForward { forward, place } => forward.len() + place.len(),
            Self::File(file) => file.path.len(),
            Self::Clipboard { text, .. } => text.len(),
            Self::OpenDesktop(_) | Self::Pointer { .. } | Self::Resize { .. } | Self::Exit { .. } | Self::Eof | Self::Close => 0,
        }
    }
}

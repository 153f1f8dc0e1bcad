//! File transfers, watched and held to a grant's rules: SFTP version 3 and the scp protocol. No sockets, no clock.
//!
//! A watcher sits on one channel between an SSH client and a target. Bytes of either side go in; what may go on comes
//! out in order, together with what happened. Whoever feeds it moves the bytes.
//!
//! ```
//! use anteroom_domain::Capabilities;
//! use anteroom_files::{Out, Sftp};
//! use bytes::Bytes;
//!
//! let granted = Capabilities::parse(["download:/var/log/**"]).unwrap();
//! let (mut watcher, mut out) = (Sftp::new(&granted), Out::default());
//! watcher.client(&Bytes::from_static(&[0, 0, 0, 5, 1, 0, 0, 0, 3]), &mut out).unwrap();
//! assert_eq!(out.to_target.concat(), [0, 0, 0, 5, 1, 0, 0, 0, 3]);
//! ```
//!
//! # What path rules hold, and what they can't
//!
//! Over SFTP a rule with a path is held against what the target says the path resolves to (its REALPATH), and the
//! request goes on with that path. Two gaps are left. Somebody who can write on the target at the same moment may put a
//! symbolic link where a directory was, between the question and the request. And a server whose REALPATH only tidies the
//! text, without following links (OpenSSH's follows them), makes the rule a rule about text.
//!
//! The scp protocol has no such question. Where a rule with a path could speak, [`Scp`] has its feeder ask it over an sftp channel of its
//! own ([`Lookup`]), for the command's path before anything starts and for every file and directory before its line goes on. The
//! same gap is left, and a little wider: the request itself names the path, not what it resolved to.
#![forbid(unsafe_code)]

mod fuzz;
mod lane;
mod lookup;
mod policy;
mod scp;
mod sftp;
mod track;
mod violation;
mod wire;

pub use anteroom_domain::capability::Direction;
#[doc(hidden)]
pub use fuzz::fuzz;
pub use lookup::{Kind, Lookup, Next, Real};
pub use scp::{Scp, ScpCommand, scp_command};
pub use sftp::{MAX_HANDLES, MAX_OUTSTANDING, MAX_PACKET, MAX_WAITING, Sftp};
pub use track::{MAX_WINDOW, MAX_WINDOWS};
pub use violation::{Side, Violation};

use bytes::Bytes;

/// Longest path, in bytes.
pub const MAX_PATH: usize = 4096;

/// What a watcher lets through and what it saw. Each list is in its own order; take what is in it after each call.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Out {
    pub to_target: Vec<Bytes>,
    pub to_client: Vec<Bytes>,
    pub events: Vec<Event>,
    /// Of an [`Scp`]: what this path is has to be told by [`Scp::answer`]; nothing of the source goes on before.
    pub question: Option<Bytes>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A file was closed, or its transfer refused.
    Moved {
        direction: Direction,
        /// As the target resolved it; as the client wrote it where no rule needs more, and with scp.
        path: Bytes,
        /// Content bytes that went through.
        bytes: u64,
        /// Of these bytes, if they were the file from its first byte on and moved nearly in order.
        sha256: Option<[u8; 32]>,
        outcome: Outcome,
    },
    /// For the audit log: what was refused, in words without a path, and SHA-256 of the path if there was one.
    Refused { what: String, path_sha256: Option<[u8; 32]> },
    /// Something else that changes the target: remove, rename, posix-rename, mkdir, rmdir, setstat, fsetstat, lsetstat,
    /// symlink (`path` is what the link says, `to` the link), hardlink, copy-data.
    Other { operation: String, path: Bytes, to: Option<Bytes>, ok: bool },
    /// Content of a file whose rule says `keep`.
    Content {
        direction: Direction,
        /// Which open file of this channel, counted from one.
        handle: u64,
        path: Bytes,
        /// Of the first byte, in the file.
        offset: u64,
        bytes: Bytes,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Download: the client got all of the file. Upload: the target took all that was sent, and the client closed the
    /// file; neither protocol lets SFTP clients say how much they meant to send.
    Complete,
    /// It ended early, or a part failed or was refused.
    Partial,
    /// The grant does not allow it; nothing moved.
    Refused,
}

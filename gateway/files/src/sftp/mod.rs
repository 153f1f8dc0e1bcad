//! SFTP version 3: draft-ietf-secsh-filexfer-02, and the extensions of OpenSSH's PROTOCOL file, section 4.
//!
//! Every request of the client is known until the target has answered it. READ, WRITE and DATA stream through by their
//! headers; requests with a path are read whole, judged, and where a rule needs it rewritten to the resolved path.
mod answers;
mod files;
mod frames;
mod judge;
mod requests;
mod resolve;

use crate::{
    Event, Out, Side, Violation,
    lane::Walk,
    policy::Policy,
    wire::{Packet, status},
};
use anteroom_domain::{Capabilities, capability::Direction};
use bytes::Bytes;
use files::{Files, Opening};
use frames::{Body, Frames};
use resolve::Waiting;
pub(crate) use resolve::{entry, join};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};

/// Longest packet: OpenSSH's 256 KiB, and its header. Bytes after the length field.
pub const MAX_PACKET: u32 = (256 << 10) + 1024;
/// Files and directories of one channel that may be open.
pub const MAX_HANDLES: usize = 1024;
/// Requests that may be without an answer. A client that asks for a whole file ahead (paramiko does) has as many under
/// way as fit into the channel's window; see [`Sftp::full`].
pub const MAX_OUTSTANDING: usize = 65_536;
/// Requests that may wait for a path to be resolved.
pub const MAX_WAITING: usize = 256;
/// Where a feeder should stop reading from the client; past it only READ, WRITE and CLOSE are taken.
const FULL: usize = 4096;
/// Longest packet that is read whole: two longest paths and attributes.
pub(crate) const MAX_WHOLE: usize = 64 << 10;
/// Refusals of one channel; each is an audit entry.
const MAX_REFUSALS: u32 = 10_000;

pub(crate) const INIT: u8 = 1;
pub(crate) const VERSION: u8 = 2;
const OPEN: u8 = 3;
const CLOSE: u8 = 4;
const READ: u8 = 5;
const WRITE: u8 = 6;
pub(crate) const LSTAT: u8 = 7;
const FSTAT: u8 = 8;
const SETSTAT: u8 = 9;
const FSETSTAT: u8 = 10;
const OPENDIR: u8 = 11;
const READDIR: u8 = 12;
const REMOVE: u8 = 13;
const MKDIR: u8 = 14;
const RMDIR: u8 = 15;
pub(crate) const REALPATH: u8 = 16;
const STAT: u8 = 17;
const RENAME: u8 = 18;
const READLINK: u8 = 19;
const SYMLINK: u8 = 20;
pub(crate) const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const DATA: u8 = 103;
pub(crate) const NAME: u8 = 104;
pub(crate) const ATTRS: u8 = 105;
const EXTENDED: u8 = 200;
const EXTENDED_REPLY: u8 = 201;

const OK: u32 = 0;
const EOF: u32 = 1;
pub(crate) const NO_SUCH_FILE: u32 = 2;
const PERMISSION_DENIED: u32 = 3;
const FAILURE: u32 = 4;
const OP_UNSUPPORTED: u32 = 8;

/// Watches one channel that runs the `sftp` subsystem. After an error it lets nothing more through.
#[derive(Debug)]
pub struct Sftp {
    policy: Policy,
    from_client: Frames,
    from_target: Frames,
    client_began: bool,
    target_began: bool,
    /// By request id: the client's, and those the watcher asks under ids of its own.
    pending: HashMap<u32, Pending>,
    next_own_id: u32,
    /// In the client's order; the first one is being resolved.
    waiting: VecDeque<Waiting>,
    files: Files,
    refusals: u32,
    ended: Option<Violation>,
}

/// What an answer will be to.
#[derive(Debug)]
enum Pending {
    Read {
        file: u32,
        offset: u64,
        length: u32,
    },
    Write {
        file: u32,
    },
    Open(Box<Opening>),
    OpenDir(Bytes),
    Close {
        file: u32,
    },
    /// Goes on unread; the kind of answer that belongs to it, or a status.
    Plain(u8),
    /// A change that the recording names.
    Told(Box<Told>),
    /// A path that the client may learn if it may be listed.
    Path(Bytes),
    /// The client's, not sent on yet, or answered and held.
    Held,
    /// The watcher's own question about the first of `waiting`.
    Resolve,
    /// The watcher's own FSTAT of a file that the client does not know to be open yet.
    Fstat(Box<OwnFstat>),
    /// The watcher's own CLOSE.
    OwnClose,
}

#[derive(Debug)]
struct OwnFstat {
    /// Of the client's OPEN.
    id: u32,
    handle: Bytes,
    opening: Opening,
}

#[derive(Debug)]
struct Told {
    operation: &'static str,
    path: Bytes,
    to: Option<Bytes>,
}

impl Told {
    fn event(self, ok: bool) -> Event {
        Event::Other { operation: self.operation.to_owned(), path: self.path, to: self.to, ok }
    }
}

impl Sftp {
    pub fn new(granted: &Capabilities) -> Self {
        Self {
            policy: Policy::new(granted),
            from_client: Frames::default(),
            from_target: Frames::default(),
            client_began: false,
            target_began: false,
            pending: HashMap::new(),
            // Far from where clients count; what is taken is skipped.
            next_own_id: 0xa000_0000,
            waiting: VecDeque::new(),
            files: Files::default(),
            refusals: 0,
            ended: None,
        }
    }

    /// Leaves SHA-256 out, for measurements.
    #[doc(hidden)]
    pub fn without_hashing(mut self) -> Self {
        self.files.hashing = false;
        self
    }

    /// Bytes that the client sent.
    ///
    /// # Errors
    /// The channel has to end; what is in `out` by then may still be delivered.
    pub fn client(&mut self, data: &Bytes, out: &mut Out) -> Result<(), Violation> {
        self.feed(Side::Client, data, out)
    }

    /// Bytes that the target sent.
    ///
    /// # Errors
    /// As for [`client`](Self::client).
    pub fn target(&mut self, data: &Bytes, out: &mut Out) -> Result<(), Violation> {
        self.feed(Side::Target, data, out)
    }

    /// So many requests wait for the target that no more should be read from the client until it has answered some.
    pub fn full(&self) -> bool {
        self.pending.len() >= FULL
    }

    /// The channel is at its end: files that are open become partial, what was asked for and not answered failed.
    pub fn finish(&mut self, out: &mut Out) {
        let mut pending: Vec<_> = self.pending.drain().collect();
        pending.sort_unstable_by_key(|(id, _)| *id);
        for (_, p) in pending {
            match p {
                Pending::Told(t) => out.events.push(t.event(false)),
                Pending::Open(o) => o.partial(&mut out.events),
                Pending::Fstat(o) => o.opening.partial(&mut out.events),
                _ => {}
            }
        }
        self.waiting.clear();
        self.files.finish(&mut out.events);
        self.ended.get_or_insert(Violation::Sftp { side: Side::Client, what: "the channel is at its end" });
    }

    fn feed(&mut self, side: Side, data: &Bytes, out: &mut Out) -> Result<(), Violation> {
        if let Some(ended) = &self.ended {
            return Err(ended.clone());
        }
        let mut walk = Walk::new(side, data, out);
        let fed = self.walk(side, data, &mut walk);
        walk.finish();
        if let Err(violation) = &fed {
            self.ended = Some(violation.clone());
        }
        fed
    }

    fn walk(&mut self, side: Side, data: &Bytes, walk: &mut Walk<'_>) -> Result<(), Violation> {
        let mut at = 0;
        while at < data.len() {
            let frames = self.frames(side);
            if let Some(piece) = frames.body(data, &mut at) {
                self.body(piece, data, walk);
                continue;
            }
            // Taken out so that the plan may look at what is pending.
            let mut frames = std::mem::take(self.frames(side));
            let head = frames.head(data, &mut at, |bytes| match side {
                Side::Client => requests::head_length(bytes),
                Side::Target => self.answer_head_length(bytes),
            });
            *self.frames(side) = frames;
            let Some(head) = head? else { return Ok(()) };
            let (fate, left) = match side {
                Side::Client => self.request(&head, walk)?,
                Side::Target => self.answer(&head, walk)?,
            };
            if fate.passes() {
                match head.range {
                    Some(range) => walk.pass(range),
                    None => walk.onward(head.bytes),
                }
            }
            self.frames(side).expect(fate, left);
            if left == 0 {
                self.body_done(fate, walk);
            }
        }
        Ok(())
    }

    fn frames(&mut self, side: Side) -> &mut Frames {
        match side {
            Side::Client => &mut self.from_client,
            Side::Target => &mut self.from_target,
        }
    }

    fn body(&mut self, piece: frames::Piece, data: &Bytes, walk: &mut Walk<'_>) {
        if let Body::Content { file, way, offset } = piece.fate {
            self.files.content(file, way, offset, data.slice(piece.range.clone()), walk.events());
        }
        if piece.fate.passes() {
            walk.pass(piece.range);
        }
        if piece.last {
            self.body_done(piece.fate, walk);
        }
    }

    fn body_done(&mut self, fate: Body, walk: &mut Walk<'_>) {
        if let Body::Content { file, way: Direction::Download, .. } | Body::Refused { file } = fate {
            self.files.answered(file, walk.events());
        }
    }

    /// Asks the target under an id that the client does not use at the moment.
    fn ask(&mut self, what: Pending, walk: &mut Walk<'_>, packet: impl FnOnce(u32) -> Packet) {
        // Ends: far fewer than all ids are pending.
        while self.pending.contains_key(&self.next_own_id) {
            self.next_own_id = self.next_own_id.wrapping_add(1);
        }
        let id = self.next_own_id;
        self.next_own_id = id.wrapping_add(1);
        self.pending.insert(id, what);
        walk.send_target(packet(id).build());
    }

    /// Answers the client in the target's place.
    fn deny(&mut self, id: u32, code: u32, text: &str, walk: &mut Walk<'_>) {
        walk.send_client(status(id, code, &format!("anteroom: {text}")));
    }

    /// The grant does not allow it: the client is told, and the audit log.
    fn refuse(&mut self, id: u32, what: &'static str, path: &[u8], walk: &mut Walk<'_>) -> Result<(), Violation> {
        self.deny(id, PERMISSION_DENIED, what, walk);
        self.refused(what, path, walk)
    }

    fn refused(&mut self, what: &'static str, path: &[u8], walk: &mut Walk<'_>) -> Result<(), Violation> {
        self.refusals += 1;
        walk.event(Event::Refused { what: what.to_owned(), path_sha256: Some(Sha256::digest(path).into()) });
        if self.refusals >= MAX_REFUSALS { Err(Violation::Refusals(self.refusals)) } else { Ok(()) }
    }
}

fn client_broke(what: &'static str) -> Violation {
    Violation::Sftp { side: Side::Client, what }
}

fn target_broke(what: &'static str) -> Violation {
    Violation::Sftp { side: Side::Target, what }
}

//! What a path is on the target, asked over an sftp channel of our own: for the scp protocol, which cannot be asked.
//!
//! One question at a time: REALPATH, which follows symbolic links, then LSTAT of what it answered. That must not be a link itself (a server
//! that only tidies text would leave it one). For what does not exist the directory is resolved and the name appended.
use crate::{
    MAX_PATH, Side, Violation,
    sftp::{ATTRS, INIT, LSTAT, MAX_WHOLE, NAME, NO_SUCH_FILE, REALPATH, STATUS, VERSION, entry, join},
    wire::{Fields, Packet, u32_at},
};
use bytes::{Bytes, BytesMut};

/// What the target says of a path: where it leads, and what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Real {
    pub path: Bytes,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Directory,
    Other,
    Absent,
}

/// What to do after bytes of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Wait for more of them.
    Wait,
    /// It speaks sftp; ask.
    Ready,
    Send(Bytes),
    /// None: the target can't say, or says what cannot be.
    Found(Option<Real>),
}

#[derive(Debug)]
enum State {
    Hello,
    Ready,
    /// REALPATH of the path.
    Whole(Bytes),
    /// REALPATH of its directory.
    Parent {
        name: Bytes,
    },
    /// LSTAT of what was resolved; `new` if only its directory was.
    What {
        path: Bytes,
        new: bool,
    },
}

/// The client's side of that channel, without the channel.
#[derive(Debug)]
pub struct Lookup {
    state: State,
    input: BytesMut,
    id: u32,
}

fn broke(what: &'static str) -> Violation {
    Violation::Sftp { side: Side::Target, what }
}

impl Default for Lookup {
    fn default() -> Self {
        Self { state: State::Hello, input: BytesMut::new(), id: 0 }
    }
}

impl Lookup {
    /// The first bytes to send.
    pub fn hello() -> Bytes {
        Packet::new(INIT).u32(3).build()
    }

    /// What to send to learn what this path is. Only when [`Next::Ready`] or [`Next::Found`] was the last word.
    pub fn ask(&mut self, path: &[u8]) -> Bytes {
        self.state = State::Whole(Bytes::copy_from_slice(path));
        self.packet(REALPATH, path)
    }

    fn packet(&mut self, kind: u8, path: &[u8]) -> Bytes {
        self.id = self.id.wrapping_add(1);
        Packet::new(kind).u32(self.id).string(path).build()
    }

    /// # Errors
    /// The target does not keep to the protocol; nothing more it says counts.
    pub fn receive(&mut self, data: &[u8]) -> Result<Next, Violation> {
        self.input.extend_from_slice(data);
        let Some(length) = u32_at(&self.input, 0) else { return Ok(Next::Wait) };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if !(5..=MAX_WHOLE).contains(&length) {
            return Err(broke("an answer about a path has a strange length"));
        }
        if self.input.len() < length + 4 {
            return Ok(Next::Wait);
        }
        let packet = self.input.split_to(length + 4).freeze();
        if !self.input.is_empty() {
            return Err(broke("it answers what nobody asked"));
        }
        let (kind, mut fields) = (packet[4], Fields::new(packet.slice(5..)));
        let state = std::mem::replace(&mut self.state, State::Ready);
        if matches!(state, State::Hello) {
            return if kind == VERSION { Ok(Next::Ready) } else { Err(broke("it does not begin with its version")) };
        }
        if fields.u32() != Some(self.id) {
            return Err(broke("an answer belongs to no request"));
        }
        match (state, kind) {
            (State::Hello | State::Ready, _) => Err(broke("it answers what nobody asked")),
            (State::Whole(_), NAME) => Ok(self.what(one_name(fields)?, false)),
            (State::Parent { name }, NAME) => {
                let path = join(&one_name(fields)?, &name);
                Ok(self.what(path, true))
            }
            (State::Whole(path), STATUS) => Ok(match entry(&path) {
                Some((parent, name)) => {
                    let question = self.packet(REALPATH, &parent);
                    self.state = State::Parent { name };
                    Next::Send(question)
                }
                None => Next::Found(None),
            }),
            (State::Parent { .. }, STATUS) => Ok(Next::Found(None)),
            (State::What { path, new }, ATTRS) => {
                let attrs = fields.attrs().ok_or(broke("attributes are cut short"))?;
                // It was said not to exist, and is a link that leads nowhere yet.
                let kind = if new { None } else { attrs.mode.and_then(kind_of) };
                Ok(Next::Found(kind.map(|kind| Real { path, kind })))
            }
            (State::What { path, .. }, STATUS) => {
                let missing = fields.u32() == Some(NO_SUCH_FILE);
                Ok(Next::Found(missing.then_some(Real { path, kind: Kind::Absent })))
            }
            _ => Err(broke("an answer is of another kind than its request")),
        }
    }

    fn what(&mut self, path: Bytes, new: bool) -> Next {
        if !path.starts_with(b"/") || path.len() > MAX_PATH || path.contains(&0) {
            return Next::Found(None);
        }
        let question = self.packet(LSTAT, &path);
        self.state = State::What { path, new };
        Next::Send(question)
    }
}

/// None for a symbolic link, and for what says nothing of its kind.
fn kind_of(mode: u32) -> Option<Kind> {
    match mode & 0o170_000 {
        0o040_000 => Some(Kind::Directory),
        0 | 0o120_000 => None,
        _ => Some(Kind::Other),
    }
}

fn one_name(mut fields: Fields) -> Result<Bytes, Violation> {
    match (fields.u32(), fields.string()) {
        (Some(1), Some(path)) => Ok(Bytes::copy_from_slice(&path)),
        _ => Err(broke("a path was not answered with one name")),
    }
}

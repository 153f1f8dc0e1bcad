//! A target with a small tree, and a client's packets written by hand.
#![allow(dead_code, clippy::unwrap_used)] // each test file needs a part of it
pub(crate) mod target;

use anteroom_domain::Capabilities;
use anteroom_files::{Event, Out, Sftp, Violation};
use bytes::Bytes;
pub(crate) use target::Target;

pub(crate) fn granted(texts: &[&str]) -> Capabilities {
    Capabilities::parse(texts).unwrap()
}

/// Section 3: length, kind, and the rest.
pub(crate) fn packet(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&(body.len() as u32 + 1).to_be_bytes()[..], &[kind], &body].concat()
}

pub(crate) fn s(text: impl AsRef<[u8]>) -> Vec<u8> {
    [&(text.as_ref().len() as u32).to_be_bytes()[..], text.as_ref()].concat()
}

pub(crate) fn n(v: u32) -> [u8; 4] {
    v.to_be_bytes()
}

pub(crate) fn init() -> Vec<u8> {
    packet(1, &[&n(3)])
}

pub(crate) const READ: u32 = 1;
/// WRITE, CREAT and TRUNC.
pub(crate) const WRITE: u32 = 2 | 8 | 16;

pub(crate) fn open(id: u32, path: &str, flags: u32) -> Vec<u8> {
    packet(3, &[&n(id), &s(path), &n(flags), &n(0)])
}

pub(crate) fn close(id: u32, handle: &[u8]) -> Vec<u8> {
    packet(4, &[&n(id), &s(handle)])
}

pub(crate) fn read(id: u32, handle: &[u8], offset: u64, length: u32) -> Vec<u8> {
    packet(5, &[&n(id), &s(handle), &offset.to_be_bytes(), &n(length)])
}

pub(crate) fn write(id: u32, handle: &[u8], offset: u64, data: &[u8]) -> Vec<u8> {
    packet(6, &[&n(id), &s(handle), &offset.to_be_bytes(), &s(data)])
}

/// A request that has one path and nothing else.
pub(crate) fn path(kind: u8, id: u32, path: &str) -> Vec<u8> {
    packet(kind, &[&n(id), &s(path)])
}

pub(crate) fn extended(id: u32, name: &str, parts: &[&[u8]]) -> Vec<u8> {
    packet(200, &[&n(id)[..], &s(name), &parts.concat()])
}

/// An answer as the client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) kind: u8,
    pub(crate) id: u32,
    pub(crate) rest: Vec<u8>,
}

impl Answer {
    pub(crate) fn status(&self) -> Option<u32> {
        (self.kind == 101).then(|| u32::from_be_bytes(self.rest[..4].try_into().unwrap()))
    }
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.rest).into_owned()
    }
    pub(crate) fn string(&self) -> Vec<u8> {
        let n = u32::from_be_bytes(self.rest[..4].try_into().unwrap()) as usize;
        self.rest[4..4 + n].to_vec()
    }
}

pub(crate) fn packets(mut bytes: &[u8]) -> Vec<Answer> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let n = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
        let p = &bytes[4..4 + n];
        all.push(Answer { kind: p[0], id: u32::from_be_bytes(p[1..5].try_into().unwrap()), rest: p[5..].to_vec() });
        bytes = &bytes[4 + n..];
    }
    all
}

/// A client, a watcher and a target, wired together.
pub(crate) struct Wire {
    pub(crate) watcher: Sftp,
    pub(crate) target: Target,
    pub(crate) events: Vec<Event>,
}

impl Wire {
    pub(crate) fn new(texts: &[&str]) -> Self {
        let mut wire = Self { watcher: Sftp::new(&granted(texts)), target: Target::new(), events: Vec::new() };
        let version = wire.send(&init());
        assert_eq!(version[0].kind, 2);
        wire
    }

    /// What the client gets for these packets.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Vec<Answer> {
        self.try_send(bytes).unwrap()
    }

    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> Result<Vec<Answer>, Violation> {
        let (mut out, mut seen) = (Out::default(), Vec::new());
        self.watcher.client(&Bytes::copy_from_slice(bytes), &mut out)?;
        loop {
            seen.extend(out.to_client.drain(..).flatten());
            let requests: Vec<u8> = out.to_target.drain(..).flatten().collect();
            if requests.is_empty() {
                break;
            }
            let answers = Bytes::from(self.target.serve(&requests));
            self.watcher.target(&answers, &mut out)?;
        }
        self.events.append(&mut out.events);
        Ok(packets(&seen))
    }

    pub(crate) fn one(&mut self, bytes: &[u8]) -> Answer {
        let mut all = self.send(bytes);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    pub(crate) fn finish(&mut self) {
        let mut out = Out::default();
        self.watcher.finish(&mut out);
        self.events.append(&mut out.events);
    }

    pub(crate) fn took(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }
}

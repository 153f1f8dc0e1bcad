//! Dynamic channels (MS-RDPEDYC): the target asks for each by name, and the client hears only of those that may be.

use super::{
    Said, Turn,
    graphics::{Drawn, Graphics, plain},
};
use crate::{
    config::{GRAPHICS, Limits, Policy},
    violation::{Broken, Side},
    wire::{Put as _, Reader},
};
use std::collections::BTreeMap;

mod command {
    pub(super) const CREATE: u8 = 1;
    pub(super) const DATA_FIRST: u8 = 2;
    pub(super) const DATA: u8 = 3;
    pub(super) const CLOSE: u8 = 4;
    pub(super) const CAPABILITIES: u8 = 5;
}

/// Compression and soft-sync came with version 3: at 2 nobody may use them.
const VERSION: u16 = 2;
/// What Windows says when nobody listens at a name.
const NOT_FOUND: u32 = 0xc000_0001;
const MAX_CHANNELS: usize = 256;
/// One PDU of ours with its header (MS-RDPEDYC 3.1.5.1.4).
const MAX_PDU: usize = 1600;
/// A message of the client on the graphics channel: an offer of its cache is below 70 KB.
const MAX_CLIENT_MESSAGE: usize = 128 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Graphics,
    /// Changes the size of the desktop; is no input.
    Display,
    /// What the client sends is input or a sound: it rests during a pause.
    Other,
}

#[derive(Debug)]
struct Channel {
    kind: Kind,
    /// The client has said yes.
    open: bool,
    client: Fragments,
    target: Fragments,
    /// The client's message in progress is dropped: it began during a pause.
    dropped: bool,
}

/// A message in progress.
#[derive(Debug, Default)]
struct Fragments {
    length: usize,
    seen: usize,
    message: Vec<u8>,
}

impl Fragments {
    /// Whether the message is whole now. Its bytes are kept if `keep`.
    fn take(&mut self, first: Option<usize>, data: &[u8], keep: bool, limit: usize) -> Result<bool, Broken> {
        match first {
            // an unfinished message is dropped, as every client does
            Some(length) => *self = Self { length, seen: 0, message: Vec::new() },
            None if self.length == 0 => self.length = data.len(),
            None => {}
        }
        self.seen += data.len();
        if self.seen > self.length {
            return Err(Broken("dynamic channel message longer than it said"));
        }
        if keep {
            if self.length > limit {
                return Err(Broken("dynamic channel message is too long"));
            }
            self.message.extend_from_slice(data);
        }
        Ok(self.seen == self.length)
    }

    fn finish(&mut self) -> Vec<u8> {
        std::mem::take(self).message
    }
}

#[derive(Debug)]
pub(crate) struct Dynamic {
    policy: Policy,
    limit: usize,
    channels: BTreeMap<u32, Channel>,
    pub(crate) graphics: Option<(u32, Graphics)>,
    /// From our first notice on, the graphics channel goes to the client uncompressed.
    rewriting: bool,
    capable: bool,
}

impl Dynamic {
    pub(crate) fn new(policy: &Policy, limits: &Limits) -> Self {
        Self {
            policy: policy.clone(),
            limit: limits.graphics_message,
            channels: BTreeMap::new(),
            graphics: None,
            rewriting: false,
            capable: false,
        }
    }

    /// One PDU. Returns what the target drew.
    pub(crate) fn take(&mut self, from: Side, pdu: Vec<u8>, paused: bool, out: &mut Turn) -> Result<Drawn, Broken> {
        let mut r = Reader::new(&pdu, "dynamic channel PDU");
        let header = r.u8()?;
        let (kind, special, width) = (header >> 4, header >> 2 & 3, header & 3);
        match (kind, from) {
            (command::CAPABILITIES, _) => {
                r.u8()?;
                let version = r.u16()?;
                out.push(Said::To(from.other(), self.capabilities(from, version, &pdu)?));
            }
            (command::CREATE, Side::Target) => {
                let id = sized(&mut r, width)?;
                self.asked(id, r.rest(), header, pdu.clone(), out)?;
            }
            (command::CREATE, Side::Client) => {
                let (id, status) = (sized(&mut r, width)?, r.u32()?);
                let Some(channel) = self.channels.get_mut(&id) else { return Err(Broken("dynamic channel nobody asked for")) };
                if status & 0x8000_0000 == 0 {
                    channel.open = true;
                } else {
                    self.close(id);
                }
                out.push(Said::To(Side::Target, pdu));
            }
            (command::CLOSE, _) => {
                let id = sized(&mut r, width)?;
                // both may close at once; what was never told is not told now
                if self.close(id) {
                    out.push(Said::To(from.other(), pdu));
                }
            }
            (command::DATA_FIRST, _) => {
                let id = sized(&mut r, width)?;
                let length = usize::try_from(sized(&mut r, special)?).map_err(|_| r.broken())?;
                return self.data(from, id, Some(length), r.rest(), pdu.clone(), paused, out);
            }
            (command::DATA, _) => {
                let id = sized(&mut r, width)?;
                return self.data(from, id, None, r.rest(), pdu.clone(), paused, out);
            }
            (6 | 7, _) => return Err(Broken("compressed dynamic channel data")),
            (8 | 9, _) => return Err(Broken("dynamic channels over another transport")),
            _ => return Err(Broken("unknown dynamic channel PDU")),
        }
        Ok(Drawn::default())
    }

    /// MS-RDPEDYC 2.2.1: version 3 is spoken down to 2.
    fn capabilities(&mut self, from: Side, version: u16, pdu: &[u8]) -> Result<Vec<u8>, Broken> {
        let mut pdu = pdu.to_vec();
        match from {
            Side::Target => {
                // the channel begins anew
                self.channels.clear();
                self.graphics = None;
                self.rewriting = false;
                self.capable = true;
                pdu.set16(2, version.min(VERSION));
            }
            Side::Client if version > VERSION || !self.capable => return Err(Broken("dynamic channel version")),
            Side::Client => {}
        }
        Ok(pdu)
    }

    fn asked(&mut self, id: u32, name: &[u8], header: u8, pdu: Vec<u8>, out: &mut Turn) -> Result<(), Broken> {
        let name = name.split(|b| *b == 0).next().unwrap_or_default();
        let name = std::str::from_utf8(name).ok().filter(|n| n.len() <= 256 && n.chars().all(|c| c.is_ascii_graphic()));
        let Some(name) = name else { return Err(Broken("name of a dynamic channel")) };
        // a second graphics channel would not be recorded
        let twice = name == GRAPHICS && self.graphics.is_some();
        if self.channels.contains_key(&id) {
            return Err(Broken("dynamic channel that is there already"));
        }
        if !self.policy.dynamic_channel(name) || twice || self.channels.len() >= MAX_CHANNELS {
            out.push(Said::Denied(format!("dynamic channel {name}")));
            let mut answer = vec![command::CREATE << 4 | header & 3];
            put_sized(&mut answer, header & 3, id);
            answer.put32(NOT_FOUND);
            out.push(Said::To(Side::Target, answer));
            return Ok(());
        }
        let kind = match name {
            GRAPHICS => Kind::Graphics,
            "Microsoft::Windows::RDS::DisplayControl" => Kind::Display,
            _ => Kind::Other,
        };
        if kind == Kind::Graphics {
            self.graphics = Some((id, Graphics::new(self.limit)));
            self.rewriting = false;
        }
        let channel = Channel { kind, open: false, client: Fragments::default(), target: Fragments::default(), dropped: false };
        self.channels.insert(id, channel);
        out.push(Said::To(Side::Client, pdu));
        Ok(())
    }

    fn close(&mut self, id: u32) -> bool {
        if self.graphics.as_ref().is_some_and(|(g, _)| *g == id) {
            self.graphics = None;
        }
        self.channels.remove(&id).is_some()
    }

    #[allow(clippy::too_many_arguments)]
    fn data(
        &mut self,
        from: Side,
        id: u32,
        first: Option<usize>,
        data: &[u8],
        pdu: Vec<u8>,
        paused: bool,
        out: &mut Turn,
    ) -> Result<Drawn, Broken> {
        // denied, or closed a moment ago: dropped
        let Some(channel) = self.channels.get_mut(&id).filter(|c| c.open) else { return Ok(Drawn::default()) };
        let graphics = self.graphics.as_mut().filter(|(g, _)| *g == id).map(|(_, g)| g);
        match (from, graphics) {
            (Side::Client, Some(graphics)) => {
                if channel.client.take(first, data, true, MAX_CLIENT_MESSAGE)? {
                    let left = graphics.client_says(&channel.client.finish())?;
                    if !left.is_empty() {
                        out.extend(data_pdus(id, &left).into_iter().map(|p| Said::To(Side::Target, p)));
                    }
                }
            }
            (Side::Target, Some(graphics)) => {
                let whole = channel.target.take(first, data, true, self.limit)?;
                // every piece goes on at once but for the last, which waits until the whole was judged
                if !whole {
                    if !self.rewriting {
                        out.push(Said::To(Side::Client, pdu));
                    }
                    return Ok(Drawn::default());
                }
                let (message, drawn) = graphics.target_says(&channel.target.finish())?;
                if self.rewriting {
                    out.extend(data_pdus(id, &plain(&message)).into_iter().map(|p| Said::To(Side::Client, p)));
                } else {
                    out.push(Said::To(Side::Client, pdu));
                }
                return Ok(drawn);
            }
            (Side::Client, None) => {
                let begins = channel.client.seen == 0 || first.is_some();
                if begins {
                    channel.dropped = paused && channel.kind != Kind::Display;
                }
                if channel.client.take(first, data, false, 0)? {
                    channel.client.finish();
                }
                if !channel.dropped {
                    out.push(Said::To(Side::Target, pdu));
                }
            }
            (Side::Target, None) => {
                if channel.target.take(first, data, false, 0)? {
                    channel.target.finish();
                }
                out.push(Said::To(Side::Client, pdu));
            }
        }
        Ok(Drawn::default())
    }

    /// Whether something can be shown through the graphics channel now: it is negotiated, and no message of the target is half sent.
    pub(crate) fn can_draw(&self) -> bool {
        let Some((id, graphics)) = &self.graphics else { return false };
        let between = self.rewriting || self.channels.get(id).is_some_and(|c| c.target.seen == 0);
        graphics.confirmed && !graphics.in_frame && between
    }

    /// Graphics commands of ours. Only when [`Dynamic::can_draw`].
    pub(crate) fn draw(&mut self, commands: &[u8]) -> Vec<Vec<u8>> {
        let Some((id, _)) = &self.graphics else { return Vec::new() };
        self.rewriting = true;
        data_pdus(*id, &plain(commands))
    }
}

/// A number of one, two or four bytes (cbId, Len).
fn sized(r: &mut Reader<'_>, width: u8) -> Result<u32, Broken> {
    match width {
        0 => r.u8().map(u32::from),
        1 => r.u16().map(u32::from),
        2 => r.u32(),
        _ => Err(r.broken()),
    }
}

fn put_sized(out: &mut Vec<u8>, width: u8, n: u32) {
    let bytes = n.to_le_bytes();
    out.extend_from_slice(&bytes[..1 << width.min(2)]);
}

/// A message as data PDUs, each of which fits a chunk.
fn data_pdus(id: u32, message: &[u8]) -> Vec<Vec<u8>> {
    let width = match id {
        0..=0xff => 0,
        0x100..=0xffff => 1,
        _ => 2,
    };
    let head = |kind: u8, special: u8| {
        let mut out = Vec::with_capacity(MAX_PDU);
        out.push(kind << 4 | special << 2 | width);
        put_sized(&mut out, width, id);
        out
    };
    let mut out = Vec::new();
    let mut rest = message;
    if head(command::DATA, 0).len() + rest.len() > MAX_PDU {
        let mut first = head(command::DATA_FIRST, 2);
        first.put32(u32::try_from(rest.len()).unwrap_or(u32::MAX));
        let (part, next) = rest.split_at(MAX_PDU - first.len());
        first.extend_from_slice(part);
        out.push(first);
        rest = next;
    }
    while !rest.is_empty() {
        let mut pdu = head(command::DATA, 0);
        let (part, next) = rest.split_at(rest.len().min(MAX_PDU - pdu.len()));
        pdu.extend_from_slice(part);
        out.push(pdu);
        rest = next;
    }
    out
}

#[cfg(test)]
mod tests;

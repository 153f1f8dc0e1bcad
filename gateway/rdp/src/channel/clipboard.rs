//! The clipboard (MS-RDPECLIP): text only, per direction, within a size. Files never.
//!
//! A direction that is denied breaks nobody: the first list of that side reaches the other empty, because the channel's opening waits for it; later
//! ones are answered here. What is asked for all the same gets "failed".

use super::{Said, Turn};
use crate::{
    action::{Seen, Way},
    config::{Limits, Policy, TextRule},
    violation::{Broken, Side},
    wire::{Put as _, Reader, svc::Message},
};
use std::collections::{BTreeSet, VecDeque};

mod kind {
    pub(super) const MONITOR_READY: u16 = 1;
    pub(super) const FORMAT_LIST: u16 = 2;
    pub(super) const FORMAT_LIST_RESPONSE: u16 = 3;
    pub(super) const DATA_REQUEST: u16 = 4;
    pub(super) const DATA_RESPONSE: u16 = 5;
    pub(super) const TEMP_DIRECTORY: u16 = 6;
    pub(super) const CAPABILITIES: u16 = 7;
    pub(super) const FILE_REQUEST: u16 = 8;
    pub(super) const FILE_RESPONSE: u16 = 9;
    pub(super) const LOCK: u16 = 10;
    pub(super) const UNLOCK: u16 = 11;
}

const OK: u16 = 1;
const FAIL: u16 = 2;
const USE_LONG_FORMAT_NAMES: u32 = 2;

/// CF_TEXT, CF_OEMTEXT, CF_UNICODETEXT, and CF_LOCALE, which goes with the first two.
const TEXT: [u32; 4] = [1, 7, UNICODE, LOCALE];
const UNICODE: u32 = 13;
const LOCALE: u32 = 16;

const HEADER: usize = 8;
/// A list of formats: what Windows programs announce is far below.
const MAX_LIST: usize = 64 << 10;
const MAX_FORMATS: usize = 1024;
/// Requests that wait for their answer; the protocol has one at a time.
const MAX_WAITING: usize = 8;

/// What one side has on its clipboard, and what it was asked.
#[derive(Debug, Default)]
struct Owner {
    /// Most bytes of a text from here; none: nothing passes.
    max: Option<usize>,
    announced: BTreeSet<u32>,
    /// Its first list reached the other side.
    began: bool,
    long_names: bool,
    /// Formats the other side asked for.
    waiting: VecDeque<u32>,
    /// Lists of the other side that it has to answer.
    lists: u8,
}

#[derive(Debug)]
pub(crate) struct Clipboard {
    client: Owner,
    target: Owner,
}

impl Clipboard {
    pub(crate) fn new(policy: &Policy, limits: &Limits) -> Self {
        let most = |rule: Option<TextRule>| {
            let bytes = rule?.max_bytes.unwrap_or(limits.clipboard_bytes).min(limits.clipboard_bytes);
            usize::try_from(bytes).ok()
        };
        Self {
            client: Owner { max: most(policy.clipboard_to_target), ..Owner::default() },
            target: Owner { max: most(policy.clipboard_from_target), ..Owner::default() },
        }
    }

    /// Longest message of a side that is put together whole.
    pub(crate) fn limit(&self, from: Side) -> usize {
        HEADER + self.owner(from).max.unwrap_or(0).max(MAX_LIST)
    }

    fn owner(&self, side: Side) -> &Owner {
        match side {
            Side::Client => &self.client,
            Side::Target => &self.target,
        }
    }

    fn owner_mut(&mut self, side: Side) -> &mut Owner {
        match side {
            Side::Client => &mut self.client,
            Side::Target => &mut self.target,
        }
    }

    /// One message of a side. `paused`: the person changes nothing on the target now.
    pub(crate) fn take(&mut self, from: Side, message: Message, paused: bool, out: &mut Turn) -> Result<(), Broken> {
        let (bytes, too_long) = match &message {
            Message::Whole(bytes) => (bytes, None),
            Message::TooLong { head, length } => (head, Some(*length)),
        };
        let mut r = Reader::new(bytes, "clipboard message");
        let (kind, flags, length) = (r.u16()?, r.u16()?, r.length32()?);
        if let Some(length) = too_long {
            return self.too_long(from, kind, length, out);
        }
        // some clients pad the end (FreeRDP by four bytes), none sends less than it says
        let body = r.take(length)?;
        let to = from.other();
        match (kind, from) {
            (kind::MONITOR_READY, Side::Target) => {
                // the channel begins, maybe again
                for side in [Side::Client, Side::Target] {
                    let max = self.owner(side).max;
                    let long_names = self.owner(side).long_names && side == Side::Target;
                    *self.owner_mut(side) = Owner { max, long_names, ..Owner::default() };
                }
                out.push(Said::To(to, message_of(kind, 0, &[])));
            }
            (kind::CAPABILITIES, _) => {
                let flags = general_flags(body)? & USE_LONG_FORMAT_NAMES;
                self.owner_mut(from).long_names = flags != 0;
                out.push(Said::To(to, capabilities(flags)));
            }
            // the client's directory is for files
            (kind::TEMP_DIRECTORY, Side::Client) | (kind::LOCK | kind::UNLOCK | kind::FILE_RESPONSE, _) => {}
            (kind::FORMAT_LIST, _) => self.list(from, body, paused, out)?,
            (kind::FORMAT_LIST_RESPONSE, _) => {
                let owner = self.owner_mut(from);
                if owner.lists > 0 {
                    owner.lists -= 1;
                    out.push(Said::To(to, message_of(kind, flags & (OK | FAIL), &[])));
                }
            }
            (kind::DATA_REQUEST, _) => self.asked(from, body, paused, out)?,
            (kind::DATA_RESPONSE, _) => self.answered(from, flags, body, paused, out),
            (kind::FILE_REQUEST, _) => {
                out.push(Said::Denied("clipboard: files".to_owned()));
                out.push(Said::To(from, message_of(kind::FILE_RESPONSE, FAIL, body.get(..4).ok_or(r.broken())?)));
            }
            _ => return Err(Broken("unknown clipboard message")),
        }
        Ok(())
    }

    fn too_long(&mut self, from: Side, kind: u16, length: usize, out: &mut Turn) -> Result<(), Broken> {
        match kind {
            kind::DATA_RESPONSE => {
                if self.owner_mut(from).waiting.pop_front().is_some() {
                    out.push(Said::Denied(too_much(from, length - HEADER)));
                    out.push(Said::To(from.other(), message_of(kind, FAIL, &[])));
                }
                Ok(())
            }
            kind::FILE_RESPONSE => Ok(()),
            _ => Err(Broken("clipboard message is too long")),
        }
    }

    /// `from` has something new on its clipboard.
    fn list(&mut self, from: Side, body: &[u8], paused: bool, out: &mut Turn) -> Result<(), Broken> {
        let long = self.client.long_names && self.target.long_names;
        let all = formats(body, long)?;
        let allowed = self.owner(from).max.is_some() && !(paused && from == Side::Client);
        let owner = self.owner_mut(from);
        owner.announced = all.iter().copied().filter(|f| allowed && TEXT.contains(f)).collect();
        // CF_LOCALE says how to read a text; alone it says nothing
        if owner.announced.iter().all(|f| *f == LOCALE) {
            owner.announced.clear();
        }
        if !allowed {
            if !all.is_empty() {
                out.push(Said::Denied(format!("clipboard: {}", way_name(from))));
            }
            if owner.began {
                out.push(Said::To(from, message_of(kind::FORMAT_LIST_RESPONSE, OK, &[])));
                return Ok(());
            }
        }
        owner.began = true;
        let mut list = Vec::with_capacity(owner.announced.len() * 36);
        for format in &owner.announced {
            list.put32(*format);
            list.resize(list.len() + if long { 2 } else { 32 }, 0);
        }
        let to = self.owner_mut(from.other());
        to.lists = to.lists.saturating_add(1);
        out.push(Said::To(from.other(), message_of(kind::FORMAT_LIST, 0, &list)));
        Ok(())
    }

    /// `from` wants what the other side has.
    fn asked(&mut self, from: Side, body: &[u8], paused: bool, out: &mut Turn) -> Result<(), Broken> {
        let format = Reader::new(body, "clipboard request").u32()?;
        let owner = self.owner_mut(from.other());
        let paused = paused && from == Side::Target;
        if paused || owner.max.is_none() || !owner.announced.contains(&format) || owner.waiting.len() >= MAX_WAITING {
            out.push(Said::To(from, message_of(kind::DATA_RESPONSE, FAIL, &[])));
            return Ok(());
        }
        owner.waiting.push_back(format);
        out.push(Said::To(from.other(), message_of(kind::DATA_REQUEST, 0, &format.to_le_bytes())));
        Ok(())
    }

    /// `from` gives what it has.
    fn answered(&mut self, from: Side, flags: u16, body: &[u8], paused: bool, out: &mut Turn) {
        let owner = self.owner_mut(from);
        let (Some(format), Some(max)) = (owner.waiting.pop_front(), owner.max) else { return };
        let fail = || Said::To(from.other(), message_of(kind::DATA_RESPONSE, FAIL, &[]));
        if flags & FAIL != 0 || paused && from == Side::Client {
            out.push(fail());
            return;
        }
        if body.len() > max {
            out.push(Said::Denied(too_much(from, body.len())));
            out.push(fail());
            return;
        }
        match format {
            LOCALE if body.len() == 4 => {}
            LOCALE => {
                out.push(fail());
                return;
            }
            _ => {
                let way = match from {
                    Side::Client => Way::ToTarget,
                    Side::Target => Way::FromTarget,
                };
                out.push(Said::Saw(Seen::Clipboard { way, text: text(format, body) }));
            }
        }
        out.push(Said::To(from.other(), message_of(kind::DATA_RESPONSE, OK, body)));
    }
}

fn way_name(from: Side) -> &'static str {
    match from {
        Side::Client => "to the target",
        Side::Target => "from the target",
    }
}

fn too_much(from: Side, bytes: usize) -> String {
    format!("clipboard: {}: {bytes} bytes are too many", way_name(from))
}

fn message_of(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER + body.len());
    out.put16(kind);
    out.put16(flags);
    out.put32(u32::try_from(body.len()).unwrap_or(u32::MAX));
    out.extend_from_slice(body);
    out
}

/// MS-RDPECLIP 2.2.2.1.1.
fn general_flags(body: &[u8]) -> Result<u32, Broken> {
    let mut r = Reader::new(body, "clipboard capabilities");
    let count = r.u16()?;
    r.u16()?;
    let mut flags = 0;
    for _ in 0..count {
        let (kind, length) = (r.u16()?, usize::from(r.u16()?));
        let mut set = Reader::new(r.take(length.checked_sub(4).ok_or(r.broken())?)?, "clipboard capabilities");
        if kind == 1 {
            set.u32()?;
            flags = set.u32()?;
        }
    }
    Ok(flags)
}

fn capabilities(flags: u32) -> Vec<u8> {
    let mut body = Vec::with_capacity(16);
    [1, 0, 1, 12].into_iter().for_each(|n| body.put16(n));
    body.put32(2); // CB_CAPS_VERSION_2
    body.put32(flags);
    message_of(kind::CAPABILITIES, 0, &body)
}

/// MS-RDPECLIP 2.2.3.1: the ids of a list. Names are not kept: what has a name only is not text.
fn formats(body: &[u8], long: bool) -> Result<Vec<u32>, Broken> {
    let mut r = Reader::new(body, "clipboard formats");
    let mut out = Vec::new();
    while !r.is_empty() {
        if out.len() >= MAX_FORMATS {
            return Err(Broken("number of clipboard formats"));
        }
        out.push(r.u32()?);
        if long {
            while r.u16()? != 0 {}
        } else {
            r.take(32)?;
        }
    }
    Ok(out)
}

/// The text, without what follows its end. CF_TEXT is UTF-8 or else taken for Latin-1.
fn text(format: u32, body: &[u8]) -> String {
    if format == UNICODE {
        let units = body.chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).take_while(|u| *u != 0);
        return char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    }
    let body = body.split(|b| *b == 0).next().unwrap_or_default();
    std::str::from_utf8(body).map_or_else(|_| body.iter().copied().map(char::from).collect(), str::to_owned)
}

#[cfg(test)]
mod tests;

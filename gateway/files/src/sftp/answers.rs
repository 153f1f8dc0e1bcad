//! What the target answers (section 7), and the client may see of it.
use super::{
    ATTRS, DATA, EOF, FAILURE, HANDLE, MAX_PACKET, MAX_WHOLE, NAME, OK, OwnFstat, Pending, STATUS, Sftp, VERSION,
    files::Opening,
    frames::{Body, Head},
    resolve::one_name,
    target_broke,
};
use crate::{
    Side, Violation,
    lane::Walk,
    wire::{Attrs, Packet, u32_at},
};
use anteroom_domain::capability::Direction;
use bytes::Bytes;

const TOO_SHORT: &str = "an answer is shorter than its fields";
const WRONG_KIND: &str = "an answer is of another kind than its request";
/// What may be told to the client that the target can do.
const EXTENSIONS: [&[u8]; 11] = [
    b"posix-rename@openssh.com",
    b"statvfs@openssh.com",
    b"fstatvfs@openssh.com",
    b"hardlink@openssh.com",
    b"fsync@openssh.com",
    b"lsetstat@openssh.com",
    b"limits@openssh.com",
    b"expand-path@openssh.com",
    b"copy-data",
    b"home-directory",
    b"users-groups-by-id@openssh.com",
];

impl Sftp {
    /// How much of a packet decides about it: of DATA all before the content, of what is not read its id.
    pub(super) fn answer_head_length(&self, bytes: &[u8]) -> Result<usize, Violation> {
        let (Some(length), Some(kind)) = (u32_at(bytes, 0), bytes.get(4)) else { return Ok(5) };
        if length > MAX_PACKET {
            return Err(Violation::TooLong { side: Side::Target, length });
        }
        if length < 5 {
            return Err(target_broke(TOO_SHORT));
        }
        let Some(id) = u32_at(bytes, 5) else { return Ok(9) };
        let whole = length as usize + 4;
        match (self.pending.get(&id), *kind) {
            (Some(Pending::Read { .. }), DATA) if whole >= 13 => Ok(13),
            (Some(Pending::Plain(expected)), kind) if kind == *expected && kind != STATUS => Ok(9),
            _ if whole > MAX_WHOLE => Err(target_broke("an answer that carries no content is longer than 64 KiB")),
            _ => Ok(whole),
        }
    }

    /// What becomes of the packet, and how much of it is still to come.
    pub(super) fn answer(&mut self, head: &Head, walk: &mut Walk<'_>) -> Result<(Body, usize), Violation> {
        let (kind, id, left) = (head.kind(), head.id(), head.left());
        if !self.target_began || kind == VERSION {
            return self.version(head, walk).map(|()| (Body::Swallow, left));
        }
        let pending = self.pending.remove(&id).ok_or(target_broke("an answer belongs to no request"))?;
        let code = match kind {
            STATUS => Some(head.fields().u32().ok_or(target_broke(TOO_SHORT))?),
            _ => None,
        };
        let fate = match (pending, code) {
            (Pending::Read { file, offset, length }, None) if kind == DATA => return self.data(head, (file, offset, length), walk),
            (Pending::Read { file, offset, .. }, Some(code)) => {
                if let Some(track) = self.files.get(file).and_then(|f| f.download.as_mut()) {
                    if code == EOF { track.no_more(offset) } else { track.set_broken() }
                }
                self.files.answered(file, walk.events());
                Body::Pass
            }
            (Pending::Write { file }, Some(code)) => {
                if code != OK
                    && let Some(track) = self.files.get(file).and_then(|f| f.upload.as_mut())
                {
                    track.set_broken();
                }
                self.files.answered(file, walk.events());
                Body::Pass
            }
            (Pending::Close { file }, Some(code)) => {
                self.files.closed(file, code == OK, walk.events());
                Body::Pass
            }
            (Pending::Open(opening), None) if kind == HANDLE => self.opened(id, head, *opening, walk)?,
            (Pending::OpenDir(path), None) if kind == HANDLE => {
                self.files.opening -= 1;
                self.files.add_directory(&handle(head)?, path)?;
                Body::Pass
            }
            (Pending::Open(_) | Pending::OpenDir(_), Some(_)) => {
                self.files.opening -= 1;
                Body::Pass
            }
            (Pending::Plain(_), Some(_)) => Body::Pass,
            (Pending::Plain(expected), None) if kind == expected => Body::Pass,
            (Pending::Told(told), Some(code)) => {
                walk.event(told.event(code == OK));
                Body::Pass
            }
            (Pending::Path(asked), code) if kind == NAME || code.is_some() => {
                let path = if kind == NAME { one_name(head)? } else { asked };
                if self.policy.may_list(&path) {
                    Body::Pass
                } else {
                    self.refuse(id, "your grant does not reach this path", &path, walk)?;
                    Body::Swallow
                }
            }
            (Pending::Resolve, _) => {
                self.resolved(head, walk)?;
                Body::Swallow
            }
            (Pending::Fstat(asked), code) if kind == ATTRS || code.is_some() => {
                self.told_about(*asked, head, walk)?;
                Body::Swallow
            }
            (Pending::OwnClose, Some(_)) => Body::Swallow,
            (Pending::Held, _) => return Err(target_broke("an answer belongs to no request")),
            _ => return Err(target_broke(WRONG_KIND)),
        };
        Ok((fate, left))
    }

    /// Section 4, and only the extensions that pass here.
    fn version(&mut self, head: &Head, walk: &mut Walk<'_>) -> Result<(), Violation> {
        if self.target_began || !self.client_began || head.kind() != VERSION {
            return Err(target_broke("it begins with one VERSION, after INIT"));
        }
        if head.id() != 3 {
            return Err(target_broke("it does not speak version 3"));
        }
        self.target_began = true;
        let mut packet = Packet::new(VERSION).u32(3);
        let mut f = head.fields();
        while !f.is_empty() {
            let (Some(name), Some(value)) = (f.string(), f.string()) else { return Err(target_broke(TOO_SHORT)) };
            let links = &name[..] == b"hardlink@openssh.com" || &name[..] == b"copy-data";
            if EXTENSIONS.contains(&&name[..]) && (!links || self.policy.upload_anywhere()) {
                packet = packet.string(&name).string(&value);
            }
        }
        walk.send_client(packet.build());
        Ok(())
    }

    fn data(&mut self, head: &Head, (file, offset, asked): (u32, u64, u32), walk: &mut Walk<'_>) -> Result<(Body, usize), Violation> {
        let (n, left) = (u32_at(&head.bytes, 9).ok_or(target_broke(TOO_SHORT))?, head.left());
        if n as usize != left {
            return Err(target_broke("DATA says another length than it has"));
        }
        if n > asked {
            return Err(target_broke("DATA is more than was asked for"));
        }
        let end = offset.checked_add(n.into()).ok_or(target_broke("DATA goes beyond any file"))?;
        let Some(open) = self.files.get(file) else { return Err(target_broke("DATA belongs to no open file")) };
        let Some(track) = open.download.as_mut().filter(|t| !t.fits(end)) else {
            return Ok((Body::Content { file, way: Direction::Download, offset }, left));
        };
        // It grew since it was asked about.
        track.set_broken();
        let (path, told) = (open.path.clone(), std::mem::replace(&mut open.told, true));
        let what = "the file is larger than your grant allows to download";
        self.deny(head.id(), FAILURE, what, walk);
        if !told {
            self.refused(what, &path, walk)?;
        }
        Ok((Body::Refused { file }, left))
    }

    fn opened(&mut self, id: u32, head: &Head, opening: Opening, walk: &mut Walk<'_>) -> Result<Body, Violation> {
        let handle = handle(head)?;
        if !opening.is_asked_about() {
            self.files.opening -= 1;
            self.files.add_file(&handle, &opening, None)?;
            return Ok(Body::Pass);
        }
        // Of the open file, not of the path: nobody can put another one in its place.
        self.pending.insert(id, Pending::Held);
        let question = handle.clone();
        let asked = OwnFstat { id, handle, opening };
        self.ask(Pending::Fstat(Box::new(asked)), walk, |own| Packet::new(super::FSTAT).u32(own).string(&question));
        Ok(Body::Swallow)
    }

    /// The target has said what the file is that was opened.
    fn told_about(&mut self, asked: OwnFstat, head: &Head, walk: &mut Walk<'_>) -> Result<(), Violation> {
        let OwnFstat { id, handle, opening } = asked;
        self.files.opening -= 1;
        self.pending.remove(&id);
        let attrs = match head.kind() {
            ATTRS => head.fields().attrs().ok_or(target_broke(TOO_SHORT))?,
            _ => Attrs::default(),
        };
        let fits = |max: Option<u64>| max.is_none_or(|max| attrs.size.is_some_and(|size| size <= max));
        let what = if opening.download.is_some() && !attrs.is_regular_file() {
            "only regular files may be downloaded"
        } else if opening.download.is_some_and(|t| !fits(t.max)) {
            "the file is larger than your grant allows to download"
        } else if opening.append && attrs.size.is_none() {
            "the target does not say where appending would begin"
        } else {
            self.files.add_file(&handle, &opening, Some(attrs))?;
            walk.send_client(Packet::new(HANDLE).u32(id).string(&handle).build());
            return Ok(());
        };
        opening.refused(walk.events());
        self.ask(Pending::OwnClose, walk, |own| Packet::new(super::CLOSE).u32(own).string(&handle));
        self.refuse(id, what, &opening.path, walk)
    }
}

/// A copy: it is kept for long.
fn handle(head: &Head) -> Result<Bytes, Violation> {
    head.fields().string().map(|h| Bytes::copy_from_slice(&h)).ok_or(target_broke(TOO_SHORT))
}

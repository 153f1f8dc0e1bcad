//! What the client asks for (sections 4 and 6). By handle: judged here. By path: parsed here, judged in `judge`.
use super::{
    CLOSE, EXTENDED, EXTENDED_REPLY, FAILURE, FSETSTAT, FSTAT, INIT, LSTAT, MAX_OUTSTANDING, MAX_PACKET, MAX_WHOLE, MKDIR, NAME,
    OP_UNSUPPORTED, OPEN, OPENDIR, PERMISSION_DENIED, Pending, READ, READDIR, READLINK, REALPATH, REMOVE, RENAME, RMDIR, SETSTAT, STAT,
    SYMLINK, Sftp, Told, WRITE, client_broke,
    frames::{Body, Head},
    judge::{Asked, Op},
};
use crate::{
    MAX_PATH, Side, Violation,
    lane::Walk,
    wire::{Fields, Packet, u32_at},
};
use anteroom_domain::capability::Direction;
use bytes::Bytes;

/// Longest flags and attributes of a request with a path, bytes; without extended ones they are 40.
const MAX_ATTRIBUTES: usize = 1024;
const TOO_SHORT: &str = "a request is shorter than its fields";

/// How much of a packet decides about it: of WRITE all before the content, of the others everything.
pub(super) fn head_length(bytes: &[u8]) -> Result<usize, Violation> {
    let (Some(length), Some(kind)) = (u32_at(bytes, 0), bytes.get(4)) else { return Ok(5) };
    if length > MAX_PACKET {
        return Err(Violation::TooLong { side: Side::Client, length });
    }
    if length < 5 {
        return Err(client_broke(TOO_SHORT));
    }
    let whole = length as usize + 4;
    if *kind == WRITE {
        let Some(handle) = u32_at(bytes, 9) else { return Ok(13) };
        if handle > 256 {
            return Err(client_broke("a handle is longer than 256 bytes"));
        }
        // Length, kind, id, handle, offset, length of the content.
        let head = 13 + handle as usize + 12;
        return if head <= whole { Ok(head) } else { Err(client_broke(TOO_SHORT)) };
    }
    if whole > MAX_WHOLE { Err(client_broke("a request that carries no content is longer than 64 KiB")) } else { Ok(whole) }
}

impl Sftp {
    /// What becomes of the packet, and how much of it is still to come.
    pub(super) fn request(&mut self, head: &Head, walk: &mut Walk<'_>) -> Result<(Body, usize), Violation> {
        let (left, id) = (head.left(), head.id());
        if !self.client_began || head.kind() == INIT {
            return self.begin(head, walk).map(|()| (Body::Swallow, left));
        }
        match self.pending.get(&id) {
            None if self.pending.len() >= MAX_OUTSTANDING => return Err(client_broke("too many requests are without an answer")),
            // These keep paths in memory until they are answered.
            None if self.full() && !matches!(head.kind(), READ | WRITE | CLOSE) => {
                self.deny(id, FAILURE, "too many requests are without an answer", walk);
                return Ok((Body::Swallow, left));
            }
            None => {}
            Some(Pending::Resolve | Pending::Fstat(_) | Pending::OwnClose) => {
                self.deny(id, FAILURE, "this request id is taken for a moment; ask again", walk);
                return Ok((Body::Swallow, left));
            }
            Some(_) => return Err(client_broke("a request id is used twice at the same time")),
        }
        let broken = || client_broke(TOO_SHORT);
        let mut f = head.fields();
        let fate = match head.kind() {
            READ => self.read(id, f, walk)?,
            WRITE => return self.write(id, f, left, walk).map(|fate| (fate, left)),
            CLOSE => {
                let handle = f.string().ok_or_else(broken)?;
                match self.files.closing(&handle) {
                    Some(file) => self.go(id, Pending::Close { file }),
                    None => self.no_handle(id, walk),
                }
            }
            FSTAT => self.plain_by_handle(id, f, super::ATTRS, walk)?,
            READDIR => self.plain_by_handle(id, f, NAME, walk)?,
            FSETSTAT => self.fsetstat(id, f, walk)?,
            EXTENDED => self.extended(id, f, walk)?,
            kind => match parse(kind, &mut f)? {
                Some(asked) => self.by_path(id, asked, walk)?,
                None => self.unsupported(id, walk),
            },
        };
        Ok((fate, left))
    }

    fn go(&mut self, id: u32, pending: Pending) -> Body {
        self.pending.insert(id, pending);
        Body::Pass
    }

    fn no_handle(&mut self, id: u32, walk: &mut Walk<'_>) -> Body {
        self.deny(id, FAILURE, "there is no such open file", walk);
        Body::Swallow
    }

    fn unsupported(&mut self, id: u32, walk: &mut Walk<'_>) -> Body {
        self.deny(id, OP_UNSUPPORTED, "this request does not pass here", walk);
        Body::Swallow
    }

    /// Section 4. Whatever the client can speak, what is spoken is version 3.
    fn begin(&mut self, head: &Head, walk: &mut Walk<'_>) -> Result<(), Violation> {
        if self.client_began || head.kind() != INIT {
            return Err(client_broke("it begins with one INIT"));
        }
        // INIT has its version where others have their id.
        if head.id() < 3 {
            return Err(client_broke("it speaks a version before 3"));
        }
        self.client_began = true;
        walk.send_target(Packet::new(INIT).u32(3).build());
        Ok(())
    }

    /// Section 6.4.
    fn read(&mut self, id: u32, mut f: Fields, walk: &mut Walk<'_>) -> Result<Body, Violation> {
        let fields = (f.string(), f.u64(), f.u32());
        let ((Some(handle), Some(offset), Some(length)), true) = (fields, f.is_empty()) else { return Err(client_broke(TOO_SHORT)) };
        match self.files.by_handle(&handle) {
            Some((file, open)) if open.download.is_some() => {
                self.files.asked(file);
                Ok(self.go(id, Pending::Read { file, offset, length }))
            }
            Some(_) => {
                self.deny(id, PERMISSION_DENIED, "the file is not open for reading", walk);
                Ok(Body::Swallow)
            }
            None => Ok(self.no_handle(id, walk)),
        }
    }

    /// Section 6.4. The content is still to come.
    fn write(&mut self, id: u32, mut f: Fields, left: usize, walk: &mut Walk<'_>) -> Result<Body, Violation> {
        let (Some(handle), Some(offset), Some(length)) = (f.string(), f.u64(), f.u32()) else { return Err(client_broke(TOO_SHORT)) };
        if length as usize != left {
            return Err(client_broke("WRITE says another length than it has"));
        }
        let Some((file, open)) = self.files.by_handle(&handle) else { return Ok(self.no_handle(id, walk)) };
        let at = open.would_write_at(offset);
        let end = at.checked_add(length.into()).ok_or(client_broke("WRITE goes beyond any file"))?;
        let Some(track) = &mut open.upload else {
            self.deny(id, PERMISSION_DENIED, "the file is not open for writing", walk);
            return Ok(Body::Swallow);
        };
        if !track.fits(end) {
            track.set_broken();
            let (path, told) = (open.path.clone(), std::mem::replace(&mut open.told, true));
            let what = "the file is larger than your grant allows to upload";
            self.deny(id, PERMISSION_DENIED, what, walk);
            if !told {
                self.refused(what, &path, walk)?;
            }
            return Ok(Body::Swallow);
        }
        let offset = open.write_at(offset, length.into());
        self.files.asked(file);
        self.pending.insert(id, Pending::Write { file });
        Ok(Body::Content { file, way: Direction::Upload, offset })
    }

    /// FSTAT, READDIR, fstatvfs and fsync: what is open may be asked about.
    fn plain_by_handle(&mut self, id: u32, mut f: Fields, answer: u8, walk: &mut Walk<'_>) -> Result<Body, Violation> {
        let handle = f.string().ok_or(client_broke(TOO_SHORT))?;
        f.end().ok_or(client_broke("a request is longer than its fields"))?;
        Ok(match self.files.by_handle(&handle) {
            Some((_, open)) if answer != NAME || open.directory => self.go(id, Pending::Plain(answer)),
            Some(_) | None => self.no_handle(id, walk),
        })
    }

    /// Section 6.9.
    fn fsetstat(&mut self, id: u32, mut f: Fields, walk: &mut Walk<'_>) -> Result<Body, Violation> {
        let (Some(handle), Some(attrs), Some(())) = (f.string(), f.attrs(), f.end()) else { return Err(client_broke(TOO_SHORT)) };
        let Some((file, open)) = self.files.by_handle(&handle) else { return Ok(self.no_handle(id, walk)) };
        let path = open.path.clone();
        let terms = match &open.upload {
            Some(track) => Some(track.terms),
            None => self.policy.terms(Direction::Upload, &path),
        };
        let told = Told { operation: "fsetstat", path, to: None };
        let fits = |max: Option<u64>| attrs.size.is_none_or(|size| max.is_none_or(|max| size <= max));
        if terms.is_none_or(|t| !fits(t.max)) {
            return self.refuse_change(id, told, walk);
        }
        if let Some(size) = attrs.size {
            self.files.resized(file, size);
        }
        Ok(self.go(id, Pending::Told(Box::new(told))))
    }

    /// OpenSSH PROTOCOL section 4.
    fn extended(&mut self, id: u32, mut f: Fields, walk: &mut Walk<'_>) -> Result<Body, Violation> {
        let name = f.string().ok_or(client_broke(TOO_SHORT))?;
        let asked = |op, paths, f: &mut Fields| Asked::parse(EXTENDED, op, paths, f);
        let asked = match &name[..] {
            b"posix-rename@openssh.com" => asked(Op::PosixRename, 2, &mut f),
            b"hardlink@openssh.com" => asked(Op::HardLink, 2, &mut f),
            b"statvfs@openssh.com" => asked(Op::StatVfs, 1, &mut f),
            b"lsetstat@openssh.com" => asked(Op::LSetStat, 1, &mut f),
            b"expand-path@openssh.com" => asked(Op::ExpandPath, 1, &mut f),
            b"fstatvfs@openssh.com" => return self.plain_by_handle(id, f, EXTENDED_REPLY, walk),
            // Answered by a status.
            b"fsync@openssh.com" => return self.plain_by_handle(id, f, super::STATUS, walk),
            b"limits@openssh.com" | b"users-groups-by-id@openssh.com" => return Ok(self.go(id, Pending::Plain(EXTENDED_REPLY))),
            b"home-directory" => return Ok(self.go(id, Pending::Plain(NAME))),
            b"copy-data" => return self.copy_data(id, f, walk),
            _ => return Ok(self.unsupported(id, walk)),
        };
        self.by_path(id, asked?, walk)
    }

    /// OpenSSH PROTOCOL section 4.10: inside of the target, so no size can be known.
    fn copy_data(&mut self, id: u32, mut f: Fields, walk: &mut Walk<'_>) -> Result<Body, Violation> {
        let fields = (f.string(), f.u64(), f.u64(), f.string(), f.u64());
        let ((Some(from), Some(_), Some(_), Some(to), Some(_)), true) = (fields, f.is_empty()) else { return Err(client_broke(TOO_SHORT)) };
        let Some((_, source)) = self.files.by_handle(&from) else { return Ok(self.no_handle(id, walk)) };
        let (path, readable) = (source.path.clone(), source.download.is_some());
        let Some((file, open)) = self.files.by_handle(&to) else { return Ok(self.no_handle(id, walk)) };
        let unbounded = open.upload.as_ref().is_some_and(|t| t.terms.max.is_none());
        let told = Told { operation: "copy-data", path, to: Some(open.path.clone()) };
        if !(readable && unbounded && self.policy.upload_anywhere()) {
            return self.refuse_change(id, told, walk);
        }
        self.files.altered(file);
        Ok(self.go(id, Pending::Told(Box::new(told))))
    }
}

/// A request with paths; `None` if there is no such request.
fn parse(kind: u8, f: &mut Fields) -> Result<Option<Asked>, Violation> {
    let (op, paths) = match kind {
        OPEN => (Op::Open, 1),
        OPENDIR => (Op::OpenDir, 1),
        STAT => (Op::Stat, 1),
        LSTAT => (Op::LStat, 1),
        READLINK => (Op::ReadLink, 1),
        REALPATH => (Op::RealPath, 1),
        REMOVE => (Op::Remove, 1),
        RMDIR => (Op::RmDir, 1),
        MKDIR => (Op::MkDir, 1),
        SETSTAT => (Op::SetStat, 1),
        RENAME => (Op::Rename, 2),
        SYMLINK => (Op::SymLink, 2),
        _ => return Ok(None),
    };
    Asked::parse(kind, op, paths, f).map(Some)
}

impl Asked {
    fn parse(kind: u8, op: Op, paths: usize, f: &mut Fields) -> Result<Self, Violation> {
        let broken = || client_broke(TOO_SHORT);
        let path = checked(f.string().ok_or_else(broken)?)?;
        let to = if paths == 2 { Some(checked(f.string().ok_or_else(broken)?)?) } else { None };
        let tail = f.clone().rest();
        let mut asked = Self { kind, op, path, to, tail, flags: 0, size: None };
        if op == Op::Open {
            asked.flags = f.u32().ok_or_else(broken)?;
        }
        if matches!(op, Op::Open | Op::MkDir | Op::SetStat | Op::LSetStat) {
            asked.size = f.attrs().ok_or_else(broken)?.size;
        }
        if asked.tail.len() > MAX_ATTRIBUTES {
            return Err(client_broke("attributes are longer than 1024 bytes"));
        }
        f.clone().end().ok_or(client_broke("a request is longer than its fields"))?;
        Ok(asked)
    }
}

fn checked(path: Bytes) -> Result<Bytes, Violation> {
    if path.len() > MAX_PATH {
        return Err(client_broke("a path is longer than 4096 bytes"));
    }
    if path.contains(&0) {
        return Err(client_broke("a path has a zero byte in it"));
    }
    Ok(path)
}

//! Which requests with a path may go on.
use super::{
    ATTRS, EXTENDED, EXTENDED_REPLY, FAILURE, NAME, OP_UNSUPPORTED, Pending, Sftp, Told, files::Opening, frames::Body, resolve::Waiting,
};
use crate::{Violation, lane::Walk, policy::Terms, wire::Packet};
use anteroom_domain::capability::Direction;
use bytes::Bytes;

// Section 6.3.
const READ: u32 = 1;
const WRITE: u32 = 2;
const APPEND: u32 = 4;
const CREATE: u32 = 8;
const TRUNCATE: u32 = 16;
const EXCLUSIVE: u32 = 32;

const NO_DOWNLOAD: &str = "your grant does not allow downloading this file";
const NO_UPLOAD: &str = "your grant does not allow uploading to this path";
const NO_LIST: &str = "your grant does not reach this path";
const NO_CHANGE: &str = "your grant does not allow changing this path";

/// A request with one path or two.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) kind: u8,
    pub(super) op: Op,
    pub(super) path: Bytes,
    pub(super) to: Option<Bytes>,
    /// The packet after the paths.
    pub(super) tail: Bytes,
    /// Of OPEN.
    pub(super) flags: u32,
    /// That the attributes would set.
    pub(super) size: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Open,
    OpenDir,
    Stat,
    LStat,
    ReadLink,
    StatVfs,
    RealPath,
    ExpandPath,
    Remove,
    RmDir,
    MkDir,
    SetStat,
    LSetStat,
    Rename,
    PosixRename,
    SymLink,
    HardLink,
}

impl Op {
    /// As the recording names it; `None` for what changes nothing.
    fn change(self) -> Option<&'static str> {
        Some(match self {
            Self::Remove => "remove",
            Self::RmDir => "rmdir",
            Self::MkDir => "mkdir",
            Self::SetStat => "setstat",
            Self::LSetStat => "lsetstat",
            Self::Rename => "rename",
            Self::PosixRename => "posix-rename",
            Self::SymLink => "symlink",
            Self::HardLink => "hardlink",
            _ => return None,
        })
    }

    /// Meant is the name in its directory, also when it is a symbolic link.
    pub(super) fn names_an_entry(self) -> bool {
        use Op::{LSetStat, LStat, MkDir, PosixRename, ReadLink, Remove, Rename, RmDir};
        matches!(self, LStat | ReadLink | Remove | RmDir | MkDir | LSetStat | Rename | PosixRename)
    }

    fn extension(self) -> Option<&'static str> {
        Some(match self {
            Self::PosixRename => "posix-rename@openssh.com",
            Self::HardLink => "hardlink@openssh.com",
            Self::StatVfs => "statvfs@openssh.com",
            Self::LSetStat => "lsetstat@openssh.com",
            Self::ExpandPath => "expand-path@openssh.com",
            _ => return None,
        })
    }
}

impl Asked {
    pub(super) fn reads(&self) -> bool {
        self.op == Op::Open && (self.flags & READ != 0 || !self.writes())
    }

    pub(super) fn writes(&self) -> bool {
        self.op == Op::Open && self.flags & (WRITE | APPEND | CREATE | TRUNCATE) != 0
    }

    pub(super) fn creates(&self) -> bool {
        self.op == Op::Open && self.flags & CREATE != 0
    }

    /// The same request with the paths as they are now.
    pub(super) fn packet(&self, id: u32) -> Bytes {
        let mut p = Packet::new(self.kind).u32(id);
        if self.kind == EXTENDED {
            p = p.string(self.op.extension().unwrap_or_default().as_bytes());
        }
        p = p.string(&self.path);
        if let Some(to) = &self.to {
            p = p.string(to);
        }
        p.raw(&self.tail).build()
    }

    pub(super) fn told(&self) -> Option<Told> {
        // Copies: what is kept for long must not keep the client's bytes around it.
        let copy = |b: &Bytes| Bytes::copy_from_slice(b);
        self.op.change().map(|operation| Told { operation, path: copy(&self.path), to: self.to.as_ref().map(copy) })
    }

    fn opening(&self, download: Option<Terms>, upload: Option<Terms>) -> Opening {
        Opening { path: Bytes::copy_from_slice(&self.path), download, upload, append: self.flags & APPEND != 0 }
    }
}

impl Sftp {
    /// A request with a path: goes on, waits for its path to be resolved, or is answered here.
    pub(super) fn by_path(&mut self, id: u32, asked: Asked, walk: &mut Walk<'_>) -> Result<Body, Violation> {
        if !self.may_ever(&asked) {
            self.refuse_asked(id, &asked, walk)?;
            return Ok(Body::Swallow);
        }
        // Behind others that wait, so that none overtakes one that the client sent before.
        if !self.waiting.is_empty() || self.needs_resolving(&asked) {
            self.wait(id, Waiting::new(id, asked), walk)?;
            return Ok(Body::Swallow);
        }
        Ok(match self.judge(id, &asked, walk)? {
            Some(pending) => {
                self.pending.insert(id, pending);
                Body::Pass
            }
            None => Body::Swallow,
        })
    }

    /// Whether any path could be allowed.
    fn may_ever(&self, asked: &Asked) -> bool {
        let up = self.policy.allows(Direction::Upload);
        match asked.op {
            Op::Open => (!asked.reads() || self.policy.allows(Direction::Download)) && (!asked.writes() || up),
            Op::SymLink | Op::HardLink => self.policy.upload_anywhere(),
            op => op.change().is_none() || up,
        }
    }

    pub(super) fn needs_resolving(&self, asked: &Asked) -> bool {
        let by_path = |way| self.policy.by_path(way);
        match asked.op {
            Op::Open => (asked.reads() && by_path(Direction::Download)) || (asked.writes() && by_path(Direction::Upload)),
            // The answer is judged.
            Op::RealPath | Op::ExpandPath => false,
            // Only where every path is allowed.
            Op::SymLink | Op::HardLink => false,
            op if op.change().is_some() => by_path(Direction::Upload),
            _ => !self.policy.list_anywhere(),
        }
    }

    /// What the answer will be to, if the request may go on with these paths; else the client has its answer.
    pub(super) fn judge(&mut self, id: u32, asked: &Asked, walk: &mut Walk<'_>) -> Result<Option<Pending>, Violation> {
        let path = &asked.path;
        match asked.op {
            Op::Open => return self.judge_open(id, asked, walk),
            Op::OpenDir if self.files.are_too_many() => {
                self.deny(id, FAILURE, "too many files are open", walk);
                return Ok(None);
            }
            Op::OpenDir if self.policy.may_list(path) => {
                self.files.opening += 1;
                return Ok(Some(Pending::OpenDir(Bytes::copy_from_slice(path))));
            }
            Op::Stat | Op::LStat if self.policy.may_list(path) => return Ok(Some(Pending::Plain(ATTRS))),
            Op::ReadLink if self.policy.may_list(path) => return Ok(Some(Pending::Plain(NAME))),
            Op::StatVfs if self.policy.may_list(path) => return Ok(Some(Pending::Plain(EXTENDED_REPLY))),
            // Where the client is: each begins with this question.
            Op::RealPath if self.policy.list_anywhere() || path.is_empty() || &path[..] == b"." => return Ok(Some(Pending::Plain(NAME))),
            Op::ExpandPath if self.policy.list_anywhere() || &path[..] == b"~" => return Ok(Some(Pending::Plain(NAME))),
            Op::RealPath | Op::ExpandPath => return Ok(Some(Pending::Path(Bytes::copy_from_slice(path)))),
            Op::SymLink | Op::HardLink if !self.policy.upload_anywhere() => {}
            _ => {
                if let Some(told) = asked.told()
                    && self.may_change(path, asked.size)
                    && asked.to.as_ref().is_none_or(|to| self.may_change(to, None))
                {
                    return Ok(Some(Pending::Told(Box::new(told))));
                }
            }
        }
        self.refuse_asked(id, asked, walk)?;
        Ok(None)
    }

    fn may_change(&self, path: &[u8], size: Option<u64>) -> bool {
        let terms = self.policy.terms(Direction::Upload, path);
        terms.is_some_and(|t| size.is_none_or(|s| t.max.is_none_or(|max| s <= max)))
    }

    fn judge_open(&mut self, id: u32, asked: &Asked, walk: &mut Walk<'_>) -> Result<Option<Pending>, Violation> {
        if asked.flags & !(READ | WRITE | APPEND | CREATE | TRUNCATE | EXCLUSIVE) != 0 {
            self.deny(id, OP_UNSUPPORTED, "OPEN has flags that version 3 does not know", walk);
            return Ok(None);
        }
        if self.files.are_too_many() {
            self.deny(id, FAILURE, "too many files are open", walk);
            return Ok(None);
        }
        let terms = |asks: bool, way| if asks { self.policy.terms(way, &asked.path).map(Some) } else { Some(None) };
        let (download, upload) = (terms(asked.reads(), Direction::Download), terms(asked.writes(), Direction::Upload));
        let fits = |t: &Option<Terms>| asked.size.is_none_or(|s| t.and_then(|t| t.max).is_none_or(|max| s <= max));
        match (download, upload.filter(fits)) {
            (Some(download), Some(upload)) => {
                self.files.opening += 1;
                Ok(Some(Pending::Open(Box::new(asked.opening(download, upload)))))
            }
            _ => {
                self.refuse_asked(id, asked, walk)?;
                Ok(None)
            }
        }
    }

    /// Tells the client, the audit log and the recording.
    pub(super) fn refuse_asked(&mut self, id: u32, asked: &Asked, walk: &mut Walk<'_>) -> Result<(), Violation> {
        let any = Terms { max: None, keep: false };
        if let Some(told) = asked.told() {
            return self.refuse_change(id, told, walk).map(drop);
        }
        if asked.op != Op::Open {
            return self.refuse(id, NO_LIST, &asked.path, walk);
        }
        asked.opening(asked.reads().then_some(any), asked.writes().then_some(any)).refused(walk.events());
        let what = if asked.writes() { NO_UPLOAD } else { NO_DOWNLOAD };
        self.refuse(id, what, &asked.path, walk)
    }

    pub(super) fn refuse_change(&mut self, id: u32, told: Told, walk: &mut Walk<'_>) -> Result<Body, Violation> {
        let path = told.path.clone();
        walk.event(told.event(false));
        self.refuse(id, NO_CHANGE, &path, walk)?;
        Ok(Body::Swallow)
    }
}

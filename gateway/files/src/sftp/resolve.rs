//! A rule with a path is held against the path that the target resolves, which then is the one that goes on.
use super::{
    ATTRS, FAILURE, LSTAT, MAX_WAITING, NAME, NO_SUCH_FILE, Pending, REALPATH, STATUS, Sftp, frames::Head, judge::Asked, judge::Op,
};
use crate::{MAX_PATH, Violation, lane::Walk, wire::Packet};
use bytes::Bytes;

/// A request of the client until its paths are known.
#[derive(Debug)]
pub(super) struct Waiting {
    id: u32,
    asked: Asked,
    /// Of its paths.
    resolved: Vec<Bytes>,
    step: Step,
}

/// What the target is being asked.
#[derive(Debug)]
enum Step {
    /// What the path resolves to.
    Whole,
    /// What its directory resolves to.
    Parent { name: Bytes },
    /// The same, for a file that is said not to exist.
    NewParent { name: Bytes },
    /// Whether there is something of this name after all: a link that leads nowhere yet would be followed.
    Absent { path: Bytes },
}

impl Waiting {
    pub(super) fn new(id: u32, mut asked: Asked) -> Self {
        // Copies: what waits must not keep the client's bytes around it.
        for b in [&mut asked.path, &mut asked.tail].into_iter().chain(asked.to.as_mut()) {
            *b = Bytes::copy_from_slice(b);
        }
        Self { id, asked, resolved: Vec::new(), step: Step::Whole }
    }

    fn path(&self) -> Option<&Bytes> {
        [Some(&self.asked.path), self.asked.to.as_ref()].into_iter().flatten().nth(self.resolved.len())
    }
}

impl Sftp {
    pub(super) fn wait(&mut self, id: u32, waiting: Waiting, walk: &mut Walk<'_>) -> Result<(), Violation> {
        if self.waiting.len() >= MAX_WAITING {
            self.deny(id, FAILURE, "too many requests wait for the target", walk);
            return Ok(());
        }
        self.pending.insert(id, Pending::Held);
        self.waiting.push_back(waiting);
        if self.waiting.len() == 1 { self.next_waiting(walk) } else { Ok(()) }
    }

    /// Goes on with those that wait until the target has to be asked.
    fn next_waiting(&mut self, walk: &mut Walk<'_>) -> Result<(), Violation> {
        while let Some(mut w) = self.waiting.pop_front() {
            if self.needs_resolving(&w.asked)
                && let Some(path) = w.path().cloned()
            {
                let (question, step) = first_question(&w.asked, path);
                w.step = step;
                self.waiting.push_front(w);
                self.ask_path(REALPATH, &question, walk);
                return Ok(());
            }
            let mut resolved = w.resolved.into_iter();
            if let Some(path) = resolved.next() {
                w.asked.path = path;
                w.asked.to = resolved.next();
            }
            self.pending.remove(&w.id);
            if let Some(pending) = self.judge(w.id, &w.asked, walk)? {
                self.pending.insert(w.id, pending);
                walk.send_target(w.asked.packet(w.id));
            }
        }
        Ok(())
    }

    fn ask_path(&mut self, kind: u8, path: &[u8], walk: &mut Walk<'_>) {
        self.ask(Pending::Resolve, walk, |id| Packet::new(kind).u32(id).string(path));
    }

    /// The target's answer about the first that waits.
    pub(super) fn resolved(&mut self, head: &Head, walk: &mut Walk<'_>) -> Result<(), Violation> {
        let Some(mut w) = self.waiting.pop_front() else { return Ok(()) };
        let answer = match head.kind() {
            NAME => Ok(one_name(head)?),
            ATTRS => Err(super::OK),
            STATUS => Err(head.fields().u32().ok_or(super::target_broke("a status is too short"))?),
            _ => return Err(super::target_broke("an answer is of another kind than its request")),
        };
        let path = match (std::mem::replace(&mut w.step, Step::Whole), answer) {
            (Step::Whole, Ok(path)) => Ok(path),
            (Step::Parent { name }, Ok(directory)) => Ok(join(&directory, &name)),
            (Step::NewParent { name }, Ok(directory)) => {
                let path = join(&directory, &name);
                self.ask_path(LSTAT, &path, walk);
                w.step = Step::Absent { path };
                self.waiting.push_front(w);
                return Ok(());
            }
            (Step::Absent { path }, Err(NO_SUCH_FILE)) => Ok(path),
            (Step::Absent { .. }, _) => Err(super::PERMISSION_DENIED),
            (Step::Whole, Err(_)) if w.asked.creates() && entry(&w.asked.path).is_some() => {
                let (parent, name) = entry(&w.asked.path).unwrap_or_default();
                self.ask_path(REALPATH, &parent, walk);
                w.step = Step::NewParent { name };
                self.waiting.push_front(w);
                return Ok(());
            }
            (_, Err(code)) => Err(code),
        };
        match path {
            Ok(path) if path.len() <= MAX_PATH && !path.contains(&0) => {
                w.resolved.push(path);
                self.waiting.push_front(w);
            }
            Ok(_) => self.unresolved(&w, super::PERMISSION_DENIED, walk)?,
            Err(code) => self.unresolved(&w, code, walk)?,
        }
        self.next_waiting(walk)
    }

    /// The client may know that a path does not exist only where it may look.
    fn unresolved(&mut self, w: &Waiting, code: u32, walk: &mut Walk<'_>) -> Result<(), Violation> {
        self.pending.remove(&w.id);
        let missing = code != super::OK && code != super::PERMISSION_DENIED;
        if missing && w.path().is_some_and(|p| self.policy.may_list(p)) {
            self.deny(w.id, code, "the target can't resolve the path", walk);
            return Ok(());
        }
        self.refuse_asked(w.id, &w.asked, walk)
    }
}

fn first_question(asked: &Asked, path: Bytes) -> (Bytes, Step) {
    // "link/" is what the link leads to, but removing or making "name/" is about the name.
    let looks = matches!(asked.op, Op::LStat | Op::ReadLink);
    if asked.op.names_an_entry()
        && !(looks && path.ends_with(b"/"))
        && let Some((parent, name)) = entry(&path)
    {
        return (parent, Step::Parent { name });
    }
    (path, Step::Whole)
}

/// Directory and name, if the path ends with a name.
pub(crate) fn entry(path: &Bytes) -> Option<(Bytes, Bytes)> {
    let end = path.iter().rposition(|b| *b != b'/')? + 1;
    let path = path.slice(..end);
    let (parent, name) = match path.iter().rposition(|b| *b == b'/') {
        None => (Bytes::from_static(b"."), path),
        Some(0) => (Bytes::from_static(b"/"), path.slice(1..)),
        Some(at) => (path.slice(..at), path.slice(at + 1..)),
    };
    (&name[..] != b"." && &name[..] != b"..").then_some((parent, name))
}

pub(crate) fn join(directory: &[u8], name: &[u8]) -> Bytes {
    let slash: &[u8] = if directory.ends_with(b"/") { b"" } else { b"/" };
    [directory, slash, name].concat().into()
}

/// Section 7: REALPATH is answered with exactly one name.
pub(super) fn one_name(head: &Head) -> Result<Bytes, Violation> {
    let mut f = head.fields();
    match (f.u32(), f.string()) {
        (Some(1), Some(path)) => Ok(Bytes::copy_from_slice(&path)),
        _ => Err(super::target_broke("a path was not answered with one name")),
    }
}

//! Where in the target's tree an scp is, and what the grant says about it.
use super::ScpCommand;
use crate::{
    Event, Kind, MAX_PATH, Real,
    policy::{Policy, Terms},
};
use anteroom_domain::capability::Direction;
use bytes::Bytes;
use sha2::{Digest, Sha256};

pub(super) const NO_UPLOAD: &str = "your grant does not allow uploading to this path";
pub(super) const NO_DOWNLOAD: &str = "your grant does not allow downloading this file";

pub(super) const UNKNOWN: &str = "the target can't tell what this path is, and your grant goes by paths";

pub(super) fn refused(what: &'static str, path: &[u8]) -> Event {
    Event::Refused { what: what.to_owned(), path_sha256: Some(Sha256::digest(path).into()) }
}

/// The directories that were entered. Whether the command's own path is a directory only the target knows, so until it was
/// asked a place may be either of two, and what is done there has to be allowed in both.
#[derive(Debug)]
pub(super) struct Place {
    stack: Vec<Vec<Bytes>>,
    path: Bytes,
    /// Of what was asked for.
    name: Bytes,
    /// The target has told what the path is.
    known: bool,
    upload: bool,
    preserve: bool,
    /// `-d`, or the path ends like a directory's.
    is_directory: bool,
    /// `-d`: the target's scp ends if it is not.
    must_be_directory: bool,
}

/// A path and why it is refused.
type Refusal = (Bytes, &'static str);

impl Place {
    pub(super) fn new(command: &ScpCommand) -> Self {
        let path = &command.path;
        let end = path.iter().rposition(|b| *b != b'/').map_or(path.len().min(1), |e| e + 1);
        Self {
            stack: Vec::new(),
            is_directory: command.directory || path.ends_with(b"/") || path.ends_with(b"/.") || &path[..] == b".",
            must_be_directory: command.directory,
            path: path.slice(..end),
            name: Bytes::copy_from_slice(path[..end].rsplit(|b| *b == b'/').next().unwrap_or_default()),
            known: false,
            upload: command.upload,
            preserve: command.preserve,
        }
    }

    /// The target has told what the command's path is.
    pub(super) fn tell(&mut self, real: &Real) {
        self.path = real.path.clone();
        self.known = true;
        self.is_directory = real.kind == Kind::Directory;
        self.must_be_directory = self.is_directory;
    }

    pub(super) fn depth(&self) -> usize {
        self.stack.len()
    }

    pub(super) fn up(&mut self) {
        self.stack.pop();
    }

    /// Where a file of this name would be. The error ends the channel.
    pub(super) fn of_file(&self, name: &[u8]) -> Result<Vec<Bytes>, &'static str> {
        self.paths(name, self.is_directory)
    }

    pub(super) fn of_directory(&self, name: &[u8]) -> Result<Vec<Bytes>, &'static str> {
        // A directory that is not there yet is made under the path itself, also when that ends with a slash.
        self.paths(name, self.must_be_directory)
    }

    /// The path for the recording and what the grant allows there.
    pub(super) fn file(&self, paths: &[Bytes], name: &[u8], policy: &Policy, way: Direction, size: u64) -> Result<(Bytes, Terms), Refusal> {
        let shown = self.shown(paths, name);
        let mut terms: Option<Terms> = None;
        for path in paths {
            let Some(t) = policy.terms(way, path) else { return Err((shown, self.no())) };
            // The stricter of both.
            let before = terms.unwrap_or(t);
            let max = [before.max, t.max].into_iter().flatten().min();
            terms = Some(Terms { max, keep: before.keep || t.keep });
        }
        let Some(terms) = terms else { return Err((shown, self.no())) };
        if terms.max.is_some_and(|max| size > max) {
            let what = match way {
                Direction::Upload => "the file is larger than your grant allows to upload",
                Direction::Download => "the file is larger than your grant allows to download",
            };
            return Err((shown, what));
        }
        Ok((shown, terms))
    }

    /// Enters a directory.
    pub(super) fn directory(&mut self, paths: Vec<Bytes>, name: &[u8], policy: &Policy, way: Direction) -> Result<(), Refusal> {
        // With -p a directory that is there gets another mode: that needs a rule for itself.
        let allowed = |p: &Bytes| {
            let leads = policy.leads(way, p) && !(self.upload && self.preserve);
            leads || policy.terms(way, p).is_some()
        };
        if !paths.iter().all(allowed) {
            return Err((self.shown(&paths, name), self.no()));
        }
        self.stack.push(paths);
        Ok(())
    }

    pub(super) fn no(&self) -> &'static str {
        if self.upload { NO_UPLOAD } else { NO_DOWNLOAD }
    }

    fn paths(&self, name: &[u8], directory: bool) -> Result<Vec<Bytes>, &'static str> {
        let paths = match self.stack.last() {
            Some(above) => above.iter().map(|d| join(d, name)).collect(),
            None if !self.upload => {
                // CVE-2019-6111: what comes is what was asked for.
                if !matches!(&self.name[..], b"" | b"." | b".." | b"~") && self.name != name {
                    return Err("a file comes that was not asked for");
                }
                vec![self.path.clone()]
            }
            None if directory => vec![join(&self.path, name)],
            None if self.known => vec![self.path.clone()],
            None => vec![self.path.clone(), join(&self.path, name)],
        };
        if paths.iter().any(|p| p.len() > MAX_PATH) { Err("a path is longer than 4096 bytes") } else { Ok(paths) }
    }

    /// "to.txt" is sent to "to.txt" more often than to "to.txt/to.txt"; other names leave both possible.
    fn shown(&self, paths: &[Bytes], name: &[u8]) -> Bytes {
        let whole =
            self.path.ends_with(name) && (self.path.len() == name.len() || self.path[..self.path.len() - name.len()].ends_with(b"/"));
        if self.stack.is_empty() && whole { paths.first() } else { paths.last() }.cloned().unwrap_or_default()
    }
}

fn join(directory: &[u8], name: &[u8]) -> Bytes {
    match directory {
        b"" | b"." => Bytes::copy_from_slice(name),
        d if d.ends_with(b"/") => [d, name].concat().into(),
        d => [d, b"/", name].concat().into(),
    }
}

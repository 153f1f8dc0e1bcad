//! What is open on a channel, from HANDLE to the answer of CLOSE.
use super::MAX_HANDLES;
use crate::{Event, Outcome, Violation, policy::Terms, track::Track, wire::Attrs};
use anteroom_domain::capability::Direction;
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};

/// A file whose OPEN is on its way.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) path: Bytes,
    pub(super) download: Option<Terms>,
    pub(super) upload: Option<Terms>,
    pub(super) append: bool,
}

impl Opening {
    /// Whether the target has to say what it is before the client may use it.
    pub(super) fn is_asked_about(&self) -> bool {
        self.download.is_some() || self.append
    }

    fn directions(&self) -> impl Iterator<Item = Direction> {
        let both = [(self.download, Direction::Download), (self.upload, Direction::Upload)];
        both.into_iter().filter_map(|(terms, way)| terms.map(|_| way))
    }

    fn moved(&self, way: Direction, outcome: Outcome) -> Event {
        Event::Moved { direction: way, path: self.path.clone(), bytes: 0, sha256: None, outcome }
    }

    pub(super) fn partial(&self, events: &mut Vec<Event>) {
        events.extend(self.directions().map(|way| self.moved(way, Outcome::Partial)));
    }

    pub(super) fn refused(&self, events: &mut Vec<Event>) {
        events.extend(self.directions().map(|way| self.moved(way, Outcome::Refused)));
    }
}

#[derive(Debug)]
pub(super) struct File {
    pub(super) path: Bytes,
    pub(super) download: Option<Track>,
    pub(super) upload: Option<Track>,
    /// Where the next byte of an append goes.
    append_at: Option<u64>,
    pub(super) directory: bool,
    /// The first refused WRITE or READ was told to the audit log.
    pub(super) told: bool,
    /// READ and WRITE without an answer.
    unanswered: u32,
    closed: Option<bool>,
}

#[derive(Debug)]
pub(super) struct Files {
    handles: HashMap<Bytes, u32>,
    /// In the order of their opening.
    open: BTreeMap<u32, File>,
    opened: u32,
    /// OPEN and OPENDIR without an answer.
    pub(super) opening: usize,
    windows: usize,
    pub(super) hashing: bool,
}

impl Default for Files {
    fn default() -> Self {
        Self { handles: HashMap::new(), open: BTreeMap::new(), opened: 0, opening: 0, windows: 0, hashing: true }
    }
}

impl Files {
    pub(super) fn are_too_many(&self) -> bool {
        self.open.len() + self.opening >= MAX_HANDLES
    }

    /// The number and state of what this handle stands for.
    pub(super) fn by_handle(&mut self, handle: &[u8]) -> Option<(u32, &mut File)> {
        let n = *self.handles.get(handle)?;
        self.open.get_mut(&n).map(|f| (n, f))
    }

    pub(super) fn get(&mut self, n: u32) -> Option<&mut File> {
        self.open.get_mut(&n)
    }

    pub(super) fn add_directory(&mut self, handle: &Bytes, path: Bytes) -> Result<(), Violation> {
        let file = File { path, download: None, upload: None, append_at: None, directory: true, told: false, unanswered: 0, closed: None };
        self.add(handle, file)
    }

    /// `attrs` is what the target said about it, if it was asked.
    pub(super) fn add_file(&mut self, handle: &Bytes, opening: &Opening, attrs: Option<Attrs>) -> Result<(), Violation> {
        let size = attrs.and_then(|a| a.size);
        let append_at = if opening.append { size } else { None };
        let track = |way, terms: Option<Terms>, hashing| {
            terms.map(|terms| {
                let mut track = Track::new(way, terms, hashing);
                track.set_size(size);
                track
            })
        };
        let file = File {
            path: Bytes::copy_from_slice(&opening.path),
            download: track(Direction::Download, opening.download, self.hashing),
            // Appended to something: what is hashed would be its end only.
            upload: track(Direction::Upload, opening.upload, self.hashing && append_at.is_none_or(|at| at == 0)),
            append_at,
            directory: false,
            told: false,
            unanswered: 0,
            closed: None,
        };
        self.add(handle, file)
    }

    fn add(&mut self, handle: &Bytes, file: File) -> Result<(), Violation> {
        // A handle is at most 256 bytes (section 6.2).
        if handle.len() > 256 {
            return Err(super::target_broke("a handle is longer than 256 bytes"));
        }
        self.opened = self.opened.checked_add(1).ok_or(super::target_broke("too many files were opened"))?;
        if self.handles.insert(Bytes::copy_from_slice(handle), self.opened).is_some() {
            return Err(super::target_broke("a handle was given twice"));
        }
        self.open.insert(self.opened, file);
        Ok(())
    }

    /// The client sent CLOSE: the handle is no longer its to use.
    pub(super) fn closing(&mut self, handle: &[u8]) -> Option<u32> {
        self.handles.remove(handle)
    }

    pub(super) fn closed(&mut self, n: u32, ok: bool, events: &mut Vec<Event>) {
        if let Some(f) = self.open.get_mut(&n) {
            f.closed = Some(ok);
        }
        self.settle(n, events);
    }

    pub(super) fn asked(&mut self, n: u32) {
        if let Some(f) = self.open.get_mut(&n) {
            f.unanswered += 1;
        }
    }

    /// A READ or WRITE has its answer.
    pub(super) fn answered(&mut self, n: u32, events: &mut Vec<Event>) {
        if let Some(f) = self.open.get_mut(&n) {
            f.unanswered = f.unanswered.saturating_sub(1);
        }
        self.settle(n, events);
    }

    pub(super) fn content(&mut self, n: u32, way: Direction, offset: u64, data: Bytes, events: &mut Vec<Event>) {
        let Some(f) = self.open.get_mut(&n) else { return };
        let track = match way {
            Direction::Download => &mut f.download,
            Direction::Upload => &mut f.upload,
        };
        let Some(track) = track else { return };
        track.moved(offset, &data, &mut self.windows);
        if track.terms.keep && !data.is_empty() {
            events.push(Event::Content { direction: way, handle: n.into(), path: f.path.clone(), offset, bytes: data });
        }
    }

    /// The file was given a size.
    pub(super) fn resized(&mut self, n: u32, size: u64) {
        if let Some(track) = self.open.get_mut(&n).and_then(|f| f.upload.as_mut()) {
            track.resized(size, &mut self.windows);
        }
    }

    /// The file's content is changed by other means than WRITE.
    pub(super) fn altered(&mut self, n: u32) {
        if let Some(track) = self.open.get_mut(&n).and_then(|f| f.upload.as_mut()) {
            track.forget(&mut self.windows);
        }
    }

    pub(super) fn finish(&mut self, events: &mut Vec<Event>) {
        self.handles.clear();
        for (_, f) in std::mem::take(&mut self.open) {
            f.moved(false, &mut self.windows, events);
        }
    }

    fn settle(&mut self, n: u32, events: &mut Vec<Event>) {
        let over = self.open.get(&n).and_then(|f| f.closed.filter(|_| f.unanswered == 0));
        if let Some(ok) = over
            && let Some(f) = self.open.remove(&n)
        {
            f.moved(ok, &mut self.windows, events);
        }
    }
}

impl File {
    /// Where content written "at" this offset really goes; section 6.3 for appending.
    pub(super) fn write_at(&mut self, offset: u64, length: u64) -> u64 {
        match &mut self.append_at {
            Some(at) => std::mem::replace(at, at.saturating_add(length)),
            None => offset,
        }
    }

    /// Where the content would go, without moving on.
    pub(super) fn would_write_at(&self, offset: u64) -> u64 {
        self.append_at.unwrap_or(offset)
    }

    fn moved(self, ok: bool, windows: &mut usize, events: &mut Vec<Event>) {
        // Of a file open for both, only what was used.
        let both = self.download.is_some() && self.upload.is_some();
        let used = |t: &Track| !both || t.bytes() > 0;
        let nothing = both && [&self.download, &self.upload].into_iter().flatten().all(|t| t.bytes() == 0);
        let tracks = [(self.download, false), (self.upload, nothing)];
        for (track, always) in tracks.into_iter().filter_map(|(t, always)| t.map(|t| (t, always))) {
            if always || used(&track) {
                events.push(track.close(&self.path, ok, windows));
            }
        }
    }
}

//! The sealed side of one recording: every event as it came.
use crate::{
    Event, EventKind, RecordingFailed,
    desk::{Decoded, Picturing},
    disk::DiskThreads,
    shared::{LaneDone, Shared},
    table,
    track::{Dirty, Scratch, TrackFile},
};
use anteroom_format::{Body, ChannelCount, Event as Coded, FileLine, Picture, Track};
use std::sync::{Arc, atomic::AtomicBool};

pub(crate) struct SealedLane {
    shared: Arc<Shared>,
    /// None once it is broken.
    file: Option<TrackFile>,
    dirty: Arc<Dirty>,
    counts: Vec<ChannelCount>,
    last_us: u64,
    /// When the newest processed event was accepted.
    newest: u64,
    /// When the oldest event that is not written was accepted; 0: none.
    pub(crate) waiting_since: u64,
}

impl SealedLane {
    pub(crate) fn new(shared: Arc<Shared>, file: TrackFile) -> Self {
        let dirty = dirty(&shared, &file, Track::Sealed);
        Self { shared, file: Some(file), dirty, counts: Vec::new(), last_us: 0, newest: 0, waiting_since: 0 }
    }

    /// Takes an event that was accepted at `accepted` (see `Lag`).
    pub(crate) fn event(&mut self, event: &Event, accepted: u64, scratch: &mut Scratch, disk: &DiskThreads) {
        self.shared.lag_of(Track::Sealed).processed();
        let Some(file) = &mut self.file else { return };
        self.newest = accepted;
        let at_us = micros(event.at);
        self.last_us = self.last_us.max(at_us);
        count(&mut self.counts, event);
        let mut written = Ok(false);
        for_each_body(event, |body| {
            if written.is_err() {
                return;
            }
            let coded = Coded { at_us, channel: event.channel, body };
            if !matches!(body, Body::Input(_) | Body::Output(_) | Body::Stderr(_)) {
                table::update(&mut file.channels, &coded);
            }
            match file.event(&coded, scratch) {
                Ok(w) => written = written.clone().map(|before| before || w),
                Err(e) => written = Err(e),
            }
        });
        if self.waiting_since == 0 {
            self.waiting_since = accepted;
        }
        self.settle(written, disk);
        if self.file.as_ref().is_some_and(TrackFile::wants_new_segment) {
            self.new_segment(scratch);
        }
    }

    /// Takes what decoding made of frames that are in the track already.
    pub(crate) fn decoded(&mut self, decoded: &Decoded, scratch: &mut Scratch, disk: &DiskThreads) {
        let lag = self.shared.lag_of(Track::Sealed);
        lag.processed();
        let Some(file) = &mut self.file else { return };
        self.newest = lag.now();
        if self.waiting_since == 0 {
            self.waiting_since = self.newest;
        }
        let (at_us, channel) = (micros(decoded.at), decoded.channel);
        let written = match &decoded.what {
            Picturing::Size { width, height } => {
                file.event(&Coded { at_us, channel, body: Body::Resize { cols: *width, rows: *height } }, scratch)
            }
            Picturing::Tiles(batch) => file.event(&Coded { at_us, channel, body: Body::Tiles(batch) }, scratch),
            Picturing::Whole { width, height, tiles } => {
                file.picture(&Picture { at_us, channel, width: *width, height: *height, tiles }, scratch)
            }
        };
        self.settle(written, disk);
        if self.file.as_ref().is_some_and(TrackFile::wants_new_segment) {
            self.new_segment(scratch);
        }
    }

    pub(crate) fn flush(&mut self, scratch: &mut Scratch, disk: &DiskThreads) {
        if let Some(file) = &mut self.file {
            let written = file.flush(scratch);
            file.rest();
            self.settle(written, disk);
        }
    }

    /// Closes the track; true when the other lane is done too.
    pub(crate) fn finish(mut self, scratch: &mut Scratch, disk: &DiskThreads) -> bool {
        let track = match self.file.take().map(|f| f.finish(scratch)) {
            Some(Ok(track)) => {
                // Clearing a desktop may take minutes yet: this track is made durable now, and waits for nothing.
                if self.shared.desk.get().is_some() {
                    self.shared.lag_of(Track::Sealed).closed();
                    disk.sync_soon(&self.dirty);
                }
                Some(track)
            }
            Some(Err(e)) => {
                self.shared.fail(e);
                None
            }
            None => None,
        };
        self.shared.lane_done(LaneDone { track, last_us: self.last_us, channels: self.counts, ..LaneDone::default() })
    }

    fn settle(&mut self, written: Result<bool, RecordingFailed>, disk: &DiskThreads) {
        match written {
            Ok(false) => {}
            Ok(true) => {
                // The chunk may be followed by the beginning of another one, which is as young as the newest event.
                let pending = self.file.as_ref().is_some_and(TrackFile::has_pending);
                self.waiting_since = if pending { self.newest } else { 0 };
                self.shared.lag_of(Track::Sealed).written(self.newest, pending);
                disk.sync_soon(&self.dirty);
            }
            Err(e) => self.fail(e),
        }
    }

    fn new_segment(&mut self, scratch: &mut Scratch) {
        let Some(file) = self.file.take() else { return };
        match file.next_segment(scratch) {
            Ok(next) => {
                self.dirty = dirty(&self.shared, &next, Track::Sealed);
                self.file = Some(next);
            }
            Err(e) => self.fail(e),
        }
    }

    fn fail(&mut self, why: RecordingFailed) {
        self.file = None;
        self.waiting_since = 0;
        self.shared.fail(why);
    }
}

pub(crate) fn dirty(shared: &Arc<Shared>, file: &TrackFile, track: Track) -> Arc<Dirty> {
    Arc::new(Dirty { file: file.file(), shared: shared.clone(), track, queued: AtomicBool::new(false) })
}

pub(crate) fn micros(at: std::time::Duration) -> u64 {
    u64::try_from(at.as_micros()).unwrap_or(u64::MAX)
}

/// An event as the container writes it: an open with a command is two.
fn for_each_body(event: &Event, mut put: impl FnMut(Body<'_>)) {
    match &event.kind {
        EventKind::Open { pty, command } => {
            put(match pty {
                Some(p) => Body::OpenPty { cols: p.cols, rows: p.rows, term: &p.term },
                None => Body::Open,
            });
            if let Some(command) = command {
                put(Body::Command(command));
            }
        }
        EventKind::Input(b) => put(Body::Input(b)),
        EventKind::Output(b) => put(Body::Output(b)),
        EventKind::Stderr(b) => put(Body::Stderr(b)),
        EventKind::Resize { cols, rows } => put(Body::Resize { cols: *cols, rows: *rows }),
        EventKind::Exit { status } => put(Body::Exit { status: *status }),
        EventKind::Signalled { signal } => put(Body::Signalled { signal }),
        EventKind::Eof => put(Body::Eof),
        EventKind::Close => put(Body::Close),
        EventKind::Note(text) => put(Body::Note(text)),
        EventKind::OpenForward { forward, place } => put(Body::OpenForward { forward, place }),
        EventKind::OpenFiles { how } => put(Body::OpenFiles { how }),
        EventKind::File(f) => {
            put(Body::File(FileLine { direction: f.direction, outcome: f.outcome, bytes: f.bytes, sha256: f.sha256, path: &f.path }))
        }
        EventKind::Message(text) => put(Body::Message(text)),
        EventKind::OpenDesktop(desktop) => put(Body::OpenDesktop(&desktop.encode())),
        EventKind::Pointer { x, y } => put(Body::Pointer { x: *x, y: *y }),
        EventKind::Clipboard { way, text } => put(Body::Clipboard { way: *way, more: false, text }),
    }
}

fn count(counts: &mut Vec<ChannelCount>, event: &Event) {
    let at = counts.iter().rposition(|c| c.channel == event.channel).unwrap_or_else(|| {
        counts.push(ChannelCount { channel: event.channel, ..ChannelCount::default() });
        counts.len() - 1
    });
    let c = &mut counts[at];
    c.events += 1;
    match &event.kind {
        EventKind::Input(b) => c.input_bytes += b.len() as u64,
        EventKind::Output(b) | EventKind::Stderr(b) => c.output_bytes += b.len() as u64,
        _ => {}
    }
}

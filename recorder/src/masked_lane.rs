//! The masked side of one recording: what masking made of the output, and nothing else (invariant 4).
mod pictures;

use crate::{
    Event, EventKind, RecordingFailed,
    desk::Mosaic,
    disk::DiskThreads,
    lines,
    masked_channel::{Carrying, MaskedChannel, Piece},
    recording::{LiveEvent, LiveKind},
    sealed_lane::{dirty, micros},
    shared::{Carried, LaneDone, Shared},
    table,
    track::{Dirty, Scratch, TrackFile},
};
use anteroom_format::{Body, Carries, Event as Coded, Picture, Screen, Track};
use anteroom_masking::{Masker, RuleSet};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
    time::Duration,
};

/// A replay that seeks has to play at most about this much before the moment it wants.
const KEYFRAME_EVERY: Duration = Duration::from_secs(10);
/// And at most about so many bytes of output, however fast they came.
const KEYFRAME_AFTER: usize = 2 << 20;
/// How often what masking found is told while output comes.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// An event's time is read this much before the event is accepted, at most.
const ON_THE_WAY: Duration = Duration::from_millis(20);

pub(crate) struct MaskedLane {
    shared: Arc<Shared>,
    rules: Arc<RuleSet>,
    file: Option<TrackFile>,
    dirty: Arc<Dirty>,
    /// Boxed: a map has room for eleven at once, and most sessions have one.
    channels: BTreeMap<u32, Box<MaskedChannel>>,
    /// What open desktops show, and whether it changed since the last keyframe.
    pictures: BTreeMap<u32, (Mosaic, bool)>,
    counts: BTreeMap<String, u64>,
    incomplete: bool,
    last_us: u64,
    keyframes_at: Duration,
    /// Output written since.
    since_keyframes: usize,
    /// When the newest event happened and when it was accepted: the session's clock against ours.
    newest: (Duration, u64),
    /// When what was seen was told last, of the session's time.
    told_at: Duration,
    /// Masking may hold back output that has not settled.
    holds: bool,
    /// When the oldest event that is not written was accepted; 0: none.
    pub(crate) waiting_since: u64,
}

impl MaskedLane {
    pub(crate) fn new(shared: Arc<Shared>, file: TrackFile, rules: Arc<RuleSet>) -> Self {
        let dirty = dirty(&shared, &file, Track::Masked);
        Self {
            shared,
            rules,
            file: Some(file),
            dirty,
            channels: BTreeMap::new(),
            pictures: BTreeMap::new(),
            counts: BTreeMap::new(),
            incomplete: false,
            last_us: 0,
            keyframes_at: Duration::ZERO,
            since_keyframes: 0,
            newest: (Duration::ZERO, 0),
            told_at: Duration::ZERO,
            holds: false,
            waiting_since: 0,
        }
    }

    pub(crate) fn event(&mut self, event: Event, accepted: u64, scratch: &mut Scratch, disk: &DiskThreads) {
        self.shared.lag_of(Track::Masked).processed();
        if self.file.is_none() {
            return;
        }
        self.last_us = self.last_us.max(micros(event.at));
        let event_at = event.at;
        self.newest = (event_at, accepted);
        self.holds = true;
        if self.waiting_since == 0 {
            self.waiting_since = accepted;
        }
        let written = self.keyframes(event.at, scratch).and_then(|before| Ok(self.mask(event, scratch)? || before));
        self.settle(written, disk);
        if event_at.saturating_sub(self.told_at) >= TELL_EVERY {
            self.told_at = event_at;
            self.tell_seen();
        }
        if self.file.as_ref().is_some_and(TrackFile::wants_new_segment) {
            self.new_segment(scratch);
        }
    }

    pub(crate) fn flush(&mut self, scratch: &mut Scratch, disk: &DiskThreads) {
        let settled = self.settle_channels(scratch);
        if let Some(file) = &mut self.file {
            let written = settled.and_then(|before| Ok(file.flush(scratch)? || before));
            file.rest();
            self.settle(written, disk);
        }
    }

    /// Something is not written, or not even masked yet.
    pub(crate) fn waits(&self) -> bool {
        self.file.is_some() && (self.waiting_since != 0 || self.holds)
    }

    /// Without this, what stands on a quiet screen would reach the disk with the next output only, and a crash would lose it.
    fn settle_channels(&mut self, scratch: &mut Scratch) -> Result<bool, RecordingFailed> {
        let lag = self.shared.lag_of(Track::Masked);
        let quiet = Duration::from_micros(lag.now().saturating_sub(self.newest.1)).saturating_sub(ON_THE_WAY);
        if !self.holds || lag.has_unprocessed() || quiet < Masker::HOLD {
            return Ok(false);
        }
        let (now, mut written) = (self.newest.0 + quiet, false);
        let ids: Vec<u32> = self.channels.keys().copied().collect();
        for id in ids {
            let mut pieces = Vec::new();
            if let Some(channel) = self.channels.get_mut(&id) {
                channel.settle(now, &mut pieces);
            }
            written |= self.write_all(id, &pieces, scratch)?;
        }
        self.holds = false;
        self.tell_seen();
        Ok(written)
    }

    /// For who counts while it runs.
    fn tell_seen(&self) {
        let mut seen = self.counts.clone();
        for (kind, n) in self.channels.values().flat_map(|channel| channel.counts()) {
            *seen.entry(kind.to_owned()).or_default() += n;
        }
        *self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
    }

    /// Ends the channels that are still open and closes the track; true when the other lane is done too.
    pub(crate) fn finish(mut self, scratch: &mut Scratch) -> bool {
        let at = Duration::from_micros(self.last_us);
        let mut ended = Ok(false);
        while let (Ok(_), Some(channel)) = (&ended, self.channels.keys().next().copied()) {
            ended = self.end_channel(channel, at, scratch);
        }
        let track = match self.file.take().map(|f| ended.and_then(|_| f.finish(scratch))) {
            Some(Ok(track)) => Some(track),
            Some(Err(e)) => {
                self.shared.fail(e);
                None
            }
            None => None,
        };
        let (mask_counts, mask_incomplete) = (self.counts, self.incomplete);
        self.shared.lane_done(LaneDone { track, last_us: self.last_us, mask_counts, mask_incomplete, ..LaneDone::default() })
    }

    fn mask(&mut self, event: Event, scratch: &mut Scratch) -> Result<bool, RecordingFailed> {
        let (at, id) = (event.at, event.channel);
        let mut pieces = Vec::new();
        match event.kind {
            EventKind::Open { pty, command } => {
                let mut channel = MaskedChannel::open(&self.rules, pty.as_ref());
                channel.opened(at, pty.as_ref(), command.as_deref(), &mut pieces);
                self.channels.insert(id, Box::new(channel));
            }
            kind @ (EventKind::OpenForward { .. } | EventKind::OpenFiles { .. } | EventKind::OpenDesktop(_)) => {
                let what = match kind {
                    EventKind::OpenFiles { .. } => Carrying::Files,
                    EventKind::OpenDesktop(_) => Carrying::Desktop,
                    _ => Carrying::Forward,
                };
                let mut channel = MaskedChannel::open_carrying(&self.rules, what);
                channel.take(at, kind, &mut pieces);
                self.channels.insert(id, Box::new(channel));
            }
            // Typed: never here. The handle does not send it, and if it did it would end here.
            EventKind::Input(_) => return Ok(false),
            EventKind::Close => {
                let ended = self.end_channel(id, at, scratch)?;
                return Ok(self.write(id, &Piece::bare(at, Body::Close), scratch)? || ended);
            }
            kind => {
                if !self.channels.contains_key(&id) {
                    let unopened = match self.carried(id) {
                        Some(what) => MaskedChannel::open_carrying(&self.rules, what),
                        None => MaskedChannel::open(&self.rules, None),
                    };
                    self.channels.insert(id, Box::new(unopened));
                }
                if let Some(channel) = self.channels.get_mut(&id) {
                    channel.take(at, kind, &mut pieces);
                }
            }
        }
        self.write_all(id, &pieces, scratch)
    }

    /// What a channel carried that is closed: what comes after its close is not text either.
    fn carried(&self, id: u32) -> Option<Carrying> {
        let known = self.file.as_ref()?.channels.iter().rfind(|c| c.channel == id)?;
        if known.desktop.is_some() {
            return Some(Carrying::Desktop);
        }
        known.carries.as_ref().map(|c| if matches!(c, Carries::Files { .. }) { Carrying::Files } else { Carrying::Forward })
    }

    fn end_channel(&mut self, id: u32, at: Duration, scratch: &mut Scratch) -> Result<bool, RecordingFailed> {
        let Some(mut channel) = self.channels.remove(&id) else { return Ok(false) };
        let mut pieces = Vec::new();
        for summary in channel.finish(at, &mut pieces) {
            self.incomplete |= summary.incomplete;
            for (kind, n) in summary.counts {
                *self.counts.entry(kind).or_default() += n;
            }
        }
        if let Some(Carried { input, output }) = self.shared.take_carried(id) {
            pieces.push(Piece::bare(at, Body::Traffic { input, output }));
        }
        self.write_all(id, &pieces, scratch)
    }

    fn write_all(&mut self, id: u32, pieces: &[Piece], scratch: &mut Scratch) -> Result<bool, RecordingFailed> {
        let mut written = false;
        for piece in pieces {
            written |= self.write(id, piece, scratch)?;
        }
        Ok(written)
    }

    fn write(&mut self, id: u32, piece: &Piece, scratch: &mut Scratch) -> Result<bool, RecordingFailed> {
        let Some(file) = &mut self.file else { return Ok(false) };
        let coded = Coded { at_us: micros(piece.at), channel: id, body: piece.body() };
        match coded.body {
            Body::Output(text) | Body::Stderr(text) | Body::Tiles(text) => {
                self.since_keyframes = self.since_keyframes.saturating_add(text.len())
            }
            _ => table::update(&mut file.channels, &coded),
        }
        if let Some(live) = self.shared.watchers() {
            let kind = match coded.body {
                Body::Open => Some(LiveKind::Open { cols: 80, rows: 24 }),
                Body::OpenPty { cols, rows, .. } => Some(LiveKind::Open { cols, rows }),
                Body::Output(b) | Body::Stderr(b) => std::str::from_utf8(b).ok().map(|t| LiveKind::Output(t.into())),
                Body::Resize { cols, rows } => Some(LiveKind::Resize { cols, rows }),
                Body::Close => Some(LiveKind::Close),
                body => lines::line(&body).map(|line| LiveKind::Line(line.into())),
            };
            // Fails when the last watcher just left.
            let _ = kind.map(|kind| live.send(LiveEvent { at: piece.at, channel: id, kind }));
        }
        file.event(&coded, scratch)
    }

    /// Every ten seconds of session time, and after much output, the screens that changed since.
    fn keyframes(&mut self, now: Duration, scratch: &mut Scratch) -> Result<bool, RecordingFailed> {
        if now.saturating_sub(self.keyframes_at) < KEYFRAME_EVERY && self.since_keyframes < KEYFRAME_AFTER {
            return Ok(false);
        }
        (self.keyframes_at, self.since_keyframes) = (now, 0);
        self.paint(now, false, scratch)
    }

    fn paint(&mut self, now: Duration, all: bool, scratch: &mut Scratch) -> Result<bool, RecordingFailed> {
        let Some(file) = &mut self.file else { return Ok(false) };
        let mut written = false;
        for (id, channel) in &mut self.channels {
            if let Some((cols, rows, text)) = channel.keyframe(all) {
                let screen = Screen { at_us: micros(now), channel: *id, cols, rows, text: &text };
                written |= file.keyframe(&screen, scratch)?;
            }
        }
        for (id, (mosaic, changed)) in &mut self.pictures {
            if std::mem::take(changed) || all {
                let tiles = mosaic.batches();
                let picture = Picture { at_us: micros(now), channel: *id, width: mosaic.width, height: mosaic.height, tiles: &tiles };
                written |= file.picture(&picture, scratch)?;
            }
        }
        Ok(written)
    }

    fn settle(&mut self, written: Result<bool, RecordingFailed>, disk: &DiskThreads) {
        match written {
            Ok(false) => {}
            Ok(true) => {
                self.shared.lag_of(Track::Masked).dirty(self.waiting_since);
                // What waits now came with the event that filled the chunk.
                let pending = self.file.as_ref().is_some_and(TrackFile::has_pending);
                self.waiting_since = if pending { self.shared.lag_of(Track::Masked).now() } else { 0 };
                disk.sync_soon(&self.dirty);
            }
            Err(e) => self.fail(e),
        }
    }

    /// A new segment starts with the screens, so that it can be read without the one before it.
    fn new_segment(&mut self, scratch: &mut Scratch) {
        let Some(file) = self.file.take() else { return };
        let opened = file.next_segment(scratch).and_then(|next| {
            self.dirty = dirty(&self.shared, &next, Track::Masked);
            self.file = Some(next);
            self.paint(Duration::from_micros(self.last_us), true, scratch)
        });
        if let Err(e) = opened {
            self.fail(e);
        }
    }

    fn fail(&mut self, why: RecordingFailed) {
        self.file = None;
        self.waiting_since = 0;
        self.channels.clear();
        self.shared.fail(why);
    }
}

//! The masked track of a desktop as shots.
use crate::{
    desk::{Mosaic, pieces, shot},
    film::{Shot, ShotKind},
    lines::clean,
    masked_track::{MaskedTrack, damaged_segment, keyframe_parts},
    replay::ReplayError,
};
use anteroom_format::{Body, ChannelEntry, Content, Event, SegmentReader, Track};
use std::{collections::VecDeque, fs::File, io::BufReader, time::Duration};

pub(super) type Reader = SegmentReader<BufReader<File>>;

/// A text that came in pieces is told when it is whole, up to so many bytes.
const MAX_CLIPBOARD: usize = 128 << 10;

pub(super) struct MaskedFilm {
    pub(super) track: MaskedTrack,
    pub(super) channel: ChannelEntry,
    pub(super) segment: u32,
    reader: Option<Reader>,
    pub(super) shots: VecDeque<Shot>,
    /// Until this time (since the session's start) nothing is told; the picture is followed and then shown.
    quiet: Option<u64>,
    pub(super) scene: Scene,
    until_us: u64,
    done: bool,
}

/// What stands on the screen.
pub(super) struct Scene {
    pub(super) mosaic: Mosaic,
    pub(super) pointer: Option<(u16, u16)>,
    clipboard: String,
}

impl std::fmt::Debug for MaskedFilm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MaskedFilm").field("channel", &self.channel.channel).finish_non_exhaustive()
    }
}

impl MaskedFilm {
    /// Times count from the session's start.
    pub(super) fn open(
        track: MaskedTrack,
        channel: ChannelEntry,
        size: (u16, u16),
        from_us: u64,
        until_us: u64,
    ) -> Result<Self, ReplayError> {
        let keyframe = if from_us > channel.opened_us { track.keyframe(channel.channel, from_us)? } else { None };
        let mut film = Self::new(track, channel, size, from_us, until_us);
        if let Some((segment, at)) = keyframe {
            film.start_at(segment, at.offset, at.sequence)?;
        }
        Ok(film)
    }

    /// As near to the end as a keyframe lies; nothing is told until [`begin`](Self::begin).
    pub(super) fn at_the_end(track: MaskedTrack, channel: ChannelEntry, size: (u16, u16)) -> Result<Self, ReplayError> {
        let keyframe = track.keyframe(channel.channel, u64::MAX)?;
        let mut film = Self::new(track, channel, size, u64::MAX, u64::MAX);
        match keyframe {
            Some((segment, at)) => film.start_at(segment, at.offset, at.sequence)?,
            // A segment begins with a keyframe of every open channel: one that has none was opened in the last segment.
            None => film.segment = if film.channel.closed { 0 } else { film.track.segments.saturating_sub(1) },
        }
        Ok(film)
    }

    fn new(track: MaskedTrack, channel: ChannelEntry, (width, height): (u16, u16), from_us: u64, until_us: u64) -> Self {
        let scene = Scene { mosaic: Mosaic::new(width, height), pointer: None, clipboard: String::new() };
        Self { track, channel, segment: 0, reader: None, shots: VecDeque::new(), quiet: Some(from_us), scene, until_us, done: false }
    }

    fn start_at(&mut self, segment: u32, offset: u64, sequence: u64) -> Result<(), ReplayError> {
        let mut reader = self.track.segment(segment)?;
        let name = Track::Masked.file_name(segment);
        reader.seek(offset, sequence).map_err(|e| damaged_segment(&name, e))?;
        self.scene.mosaic = read_picture(&mut reader, &name)?;
        (self.segment, self.reader) = (segment, Some(reader));
        Ok(())
    }

    /// The reader where it stands; at the beginning of the current segment if it has none.
    pub(super) fn take_reader(&mut self) -> Result<Reader, ReplayError> {
        if let Some(reader) = self.reader.take() {
            return Ok(reader);
        }
        let mut reader = self.track.segment(self.segment)?;
        // Passes over what was before the channel.
        loop {
            match reader.skip_chunk() {
                Ok(Some(f)) if f.header.last_us < self.channel.opened_us => {}
                Ok(Some(f)) => {
                    reader.seek(f.offset, f.header.sequence).map_err(|e| damaged_segment(&Track::Masked.file_name(self.segment), e))?;
                    return Ok(reader);
                }
                Ok(None) => return Ok(reader),
                Err(e) => {
                    self.track.at_chunk(self.segment, e)?;
                    return Ok(reader);
                }
            }
        }
    }

    /// Reads one chunk and queues what it has for this channel.
    fn advance(&mut self) -> Result<(), ReplayError> {
        if self.reader.is_none() && self.segment >= self.track.segments {
            self.end();
            return Ok(());
        }
        let mut reader = self.take_reader()?;
        match reader.next_chunk() {
            Ok(None) => {
                self.segment += 1;
                return Ok(());
            }
            Ok(Some((chunk, _))) if chunk.first_us >= self.until_us => {
                self.end();
                return Ok(());
            }
            Ok(Some((_, Content::Events(events)))) => {
                for event in events {
                    let event = event.map_err(|p| self.damaged(&p))?;
                    if event.channel == self.channel.channel && !self.done {
                        self.hear(&event)?;
                    }
                }
            }
            Ok(Some(_)) => {}
            Err(e) => {
                self.track.at_chunk(self.segment, e)?;
                self.segment = self.track.segments;
                return Ok(());
            }
        }
        self.reader = Some(reader);
        Ok(())
    }

    fn damaged(&self, what: &dyn std::fmt::Display) -> ReplayError {
        ReplayError::Damaged(format!("{}: {what}", Track::Masked.file_name(self.segment)))
    }

    pub(super) fn hear(&mut self, event: &Event<'_>) -> Result<(), ReplayError> {
        if event.at_us >= self.until_us {
            self.end();
            return Ok(());
        }
        if let Some(until_us) = self.quiet.filter(|until| event.at_us > *until) {
            self.begin(until_us);
        }
        if matches!(event.body, Body::Close) {
            self.end();
            return Ok(());
        }
        let at = self.at(event.at_us);
        let shots = self.scene.see(at, &event.body, self.channel.opened_us).map_err(|e| self.damaged(&e))?;
        if self.quiet.is_none() {
            self.shots.extend(shots);
        }
        Ok(())
    }

    /// Shows what stands there at that time. From here on everything is told.
    pub(super) fn begin(&mut self, at_us: u64) {
        self.quiet = None;
        let at = self.at(at_us);
        self.shots.extend(self.scene.shots(at));
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.quiet.is_some()
    }

    fn end(&mut self) {
        if let Some(until_us) = self.quiet {
            self.begin(until_us.min(self.channel.ended_us));
        }
        self.done = true;
    }

    fn at(&self, at_us: u64) -> Duration {
        Duration::from_micros(at_us.saturating_sub(self.channel.opened_us))
    }
}

pub(super) fn micros(at: Duration) -> u64 {
    u64::try_from(at.as_micros()).unwrap_or(u64::MAX)
}

impl Scene {
    pub(super) fn new(mosaic: Mosaic, pointer: Option<(u16, u16)>) -> Self {
        Self { mosaic, pointer, clipboard: String::new() }
    }

    /// Takes an event, and says what a viewer has to be told of it.
    pub(super) fn see(&mut self, at: Duration, body: &Body<'_>, opened_us: u64) -> Result<Vec<Shot>, &'static str> {
        let wrong = "tiles that no writer makes";
        let mut told = Vec::new();
        let mut tell = |kind| told.push(Shot { at, kind });
        match *body {
            Body::Tiles(batch) => {
                let (width, height, _) = pieces(batch).map_err(|_| wrong)?;
                if self.mosaic.apply(batch).map_err(|_| wrong)? {
                    tell(ShotKind::Size { width, height });
                }
                tell(ShotKind::Tiles(shot(batch)));
            }
            Body::Resize { cols: width, rows: height } if anteroom_format::is_size(width, height) => {
                self.mosaic = Mosaic::new(width, height);
                tell(ShotKind::Size { width, height });
            }
            Body::Pointer { x, y } => {
                self.pointer = Some((x, y));
                tell(ShotKind::Pointer { x, y });
            }
            Body::Note(text) => tell(ShotKind::Note(clean(text))),
            Body::Message(text) => tell(ShotKind::Message(clean(text))),
            Body::Clipboard { way, more, text } => {
                if let Some(text) = self.clipboard(more, text) {
                    tell(ShotKind::Clipboard { way, text });
                }
            }
            Body::Cleared { until_us } => tell(ShotKind::Cleared { until: Duration::from_micros(until_us.saturating_sub(opened_us)) }),
            _ => {}
        }
        Ok(told)
    }

    /// The whole text, with its last piece.
    fn clipboard(&mut self, more: bool, text: &str) -> Option<String> {
        let room = MAX_CLIPBOARD.saturating_sub(self.clipboard.len());
        self.clipboard.push_str(&text[..text.floor_char_boundary(room)]);
        (!more).then(|| std::mem::take(&mut self.clipboard))
    }

    /// What somebody has to be told who begins here.
    pub(super) fn shots(&self, at: Duration) -> Vec<Shot> {
        let mut kinds = vec![ShotKind::Size { width: self.mosaic.width, height: self.mosaic.height }];
        kinds.extend(self.mosaic.batches().iter().map(|b| ShotKind::Tiles(shot(b))));
        kinds.extend(self.pointer.map(|(x, y)| ShotKind::Pointer { x, y }));
        kinds.into_iter().map(|kind| Shot { at, kind }).collect()
    }
}

impl Iterator for MaskedFilm {
    type Item = Result<Shot, ReplayError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(shot) = self.shots.pop_front() {
                return Some(Ok(shot));
            }
            if self.done {
                return None;
            }
            if let Err(e) = self.advance() {
                self.done = true;
                return Some(Err(e));
            }
        }
    }
}

/// The picture that starts at the reader's place.
fn read_picture(reader: &mut Reader, name: &str) -> Result<Mosaic, ReplayError> {
    let mut mosaic: Option<Mosaic> = None;
    keyframe_parts(reader, name, |k| {
        let tiles = k.tiles?;
        let mosaic = mosaic.get_or_insert_with(|| Mosaic::new(k.cols, k.rows));
        if tiles.is_empty() { Some(()) } else { mosaic.apply(tiles).ok().map(|_| ()) }
    })?;
    mosaic.ok_or_else(|| ReplayError::Damaged(format!("{name}: empty picture")))
}

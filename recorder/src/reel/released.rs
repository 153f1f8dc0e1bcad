//! A released interval of a desktop: the sealed track's tiles over the picture that the masked track has at its beginning.
use super::{
    hidden::Hidden,
    keys::Keys,
    masked::{MaskedFilm, Scene, micros},
};
use crate::{
    desk::Mosaic,
    film::{Shot, ShotKind},
    masked_track::{MaskedTrack, damaged_segment},
    replay::ReplayError,
    revealed::released_segment,
    unmask::Released,
};
use anteroom_format::{Body, ChannelEntry, Content, ReleasedReader, Track, hex};
use std::{collections::VecDeque, fs::File, io::BufReader, sync::Arc, time::Duration};

pub(super) struct ReleasedFilm {
    track: MaskedTrack,
    channel: ChannelEntry,
    released: Arc<Released>,
    next: usize,
    reader: Option<(u32, ReleasedReader<BufReader<File>>)>,
    masked: MaskedFilm,
    ahead: Option<Shot>,
    hidden: Hidden,
    /// What stood there, as far as the interval says it.
    scene: Scene,
    keys: Keys,
    shots: VecDeque<Shot>,
    done: bool,
}

impl std::fmt::Debug for ReleasedFilm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReleasedFilm").field("released", &self.released).finish_non_exhaustive()
    }
}

impl ReleasedFilm {
    pub(super) fn open(
        track: MaskedTrack,
        beside: MaskedTrack,
        channel: ChannelEntry,
        size: (u16, u16),
        released: Arc<Released>,
    ) -> Result<Self, ReplayError> {
        if released.session() != track.header.session.session || released.header_sha256() != hex(&track.recording) {
            return Err(ReplayError::OtherRelease);
        }
        let from_us = micros(released.from()).max(channel.opened_us);
        let masked = MaskedFilm::open(beside, channel.clone(), size, from_us, u64::MAX)?;
        let base = Mosaic::new(size.0, size.1);
        let mut this = Self {
            hidden: Hidden::new(base.clone()),
            scene: Scene::new(base, None),
            track,
            channel,
            released,
            next: 0,
            reader: None,
            masked,
            ahead: None,
            keys: Keys::default(),
            shots: VecDeque::new(),
            done: false,
        };
        this.begin(from_us)?;
        Ok(this)
    }

    /// The picture as the masked track has it when the interval begins.
    fn begin(&mut self, from_us: u64) -> Result<(), ReplayError> {
        while let Some(shot) = self.masked_until(from_us)? {
            match &shot.kind {
                ShotKind::Size { width, height } => self.hidden.masked = Mosaic::new(*width, *height),
                ShotKind::Tiles(batch) => drop(self.hidden.masked.apply_shot(batch)),
                ShotKind::Pointer { x, y } => self.scene.pointer = Some((*x, *y)),
                _ => {}
            }
        }
        self.scene.mosaic = self.hidden.masked.clone();
        let at = self.at(from_us);
        self.shots.extend(self.scene.shots(at));
        Ok(())
    }

    /// The next shot of the masked track, if it is not after `until_us`.
    fn masked_until(&mut self, until_us: u64) -> Result<Option<Shot>, ReplayError> {
        if self.ahead.is_none() {
            self.ahead = self.masked.next().transpose()?;
        }
        let opened_us = self.channel.opened_us;
        Ok(self.ahead.take_if(|shot| opened_us.saturating_add(micros(shot.at)) <= until_us))
    }

    /// Follows what the masked recording shows until then.
    fn follow(&mut self, until_us: u64) -> Result<(), ReplayError> {
        while let Some(shot) = self.masked_until(until_us)? {
            match shot.kind {
                ShotKind::Size { width, height } => {
                    self.hidden.masked = Mosaic::new(width, height);
                    self.hidden.forget();
                }
                ShotKind::Tiles(batch) => {
                    if let Ok(whole) = self.hidden.masked.apply_shot(&batch) {
                        self.hidden.changed(&whole);
                    }
                }
                // A picture was cleared: only now both show the same moment.
                ShotKind::Cleared { .. } => self.compare(shot.at),
                _ => {}
            }
        }
        Ok(())
    }

    fn compare(&mut self, at: Duration) {
        if let Some(areas) = self.hidden.compare(&self.scene.mosaic) {
            self.shots.push_back(Shot { at, kind: ShotKind::Hidden(areas) });
        }
    }

    /// Opens one chunk and queues what it has for this channel.
    fn advance(&mut self) -> Result<(), ReplayError> {
        if self.released.is_expired() {
            return Err(ReplayError::Expired);
        }
        let released = self.released.clone();
        let Some(chunk) = released.chunks().get(self.next) else { return self.end() };
        self.next += 1;
        let name = Track::Sealed.file_name(chunk.segment);
        let mut reader = match self.reader.take().filter(|(segment, _)| *segment == chunk.segment) {
            Some((_, reader)) => reader,
            None => released_segment(&self.track, chunk.segment)?,
        };
        let interval = micros(released.from())..=micros(released.until());
        let (header, content) = reader.chunk(chunk).map_err(|e| damaged_segment(&name, e))?;
        match content {
            Content::Events(events) => {
                for event in events {
                    let event = event.map_err(|p| ReplayError::Damaged(format!("{name}: {p}")))?;
                    // A chunk is opened as a whole; what is shown of it is the interval.
                    if event.channel == self.channel.channel && interval.contains(&event.at_us) && !self.done {
                        self.take(event.at_us, &event.body)?;
                    }
                }
            }
            Content::Keyframe(k) if k.channel == self.channel.channel && interval.contains(&header.first_us) => {
                if let Some(tiles) = k.tiles.filter(|t| !t.is_empty()) {
                    self.take(header.first_us, &Body::Tiles(tiles))?;
                }
            }
            _ => {}
        }
        self.reader = Some((chunk.segment, reader));
        Ok(())
    }

    fn take(&mut self, at_us: u64, body: &Body<'_>) -> Result<(), ReplayError> {
        self.follow(at_us.saturating_sub(1))?;
        let at = self.at(at_us);
        match *body {
            Body::Input(frame) => {
                let typed = self.keys.read(frame);
                if !typed.is_empty() {
                    self.shots.push_back(Shot { at, kind: ShotKind::Typed(typed) });
                }
            }
            Body::Close => self.end()?,
            ref body => {
                if let Body::Tiles(batch) = *body {
                    self.hidden.changed(batch);
                }
                if matches!(body, Body::Resize { .. }) {
                    self.hidden.forget();
                }
                let shots = self.scene.see(at, body, self.channel.opened_us);
                let wrong = |e| ReplayError::Damaged(format!("{}: {e}", Track::Sealed.as_str()));
                self.shots.extend(shots.map_err(wrong)?);
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), ReplayError> {
        let until_us = micros(self.released.until());
        self.follow(until_us)?;
        self.compare(self.at(until_us.min(self.channel.ended_us.max(self.channel.opened_us))));
        self.done = true;
        Ok(())
    }

    fn at(&self, at_us: u64) -> Duration {
        Duration::from_micros(at_us.saturating_sub(self.channel.opened_us))
    }
}

impl Iterator for ReleasedFilm {
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

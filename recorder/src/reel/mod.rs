//! A desktop's channel as readers get it: shots of a film (`crate::film`), out of a masked track, a growing one, or a released interval.
mod follow;
mod hidden;
mod keys;
mod masked;
mod released;

pub use follow::FilmFollower;

use crate::{
    film::Shot,
    masked_track::MaskedTrack,
    replay::{ReplayError, Replayer},
    unmask::Released,
};
use anteroom_domain::SessionId;
use anteroom_format::ChannelEntry;
use masked::MaskedFilm;
use released::ReleasedFilm;
use std::{sync::Arc, time::Duration};

/// Bytes of the track from one part to the next, at least; more in recordings that would have too many.
const APART: u64 = 1 << 20;
const MAX_PARTS: u64 = 1_000;

/// How a film is divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilmParts {
    /// Of the first picture, in pixels.
    pub width: u16,
    pub height: u16,
    pub duration: Duration,
    /// Since the channel's opening; the first is zero, each later than the one before it and before the end.
    pub starts: Vec<Duration>,
    /// Until then the masked track has what was shown. It is the duration, but in a session that runs.
    pub cleared_until: Duration,
}

/// Shots in order, each not before the one before it. At most a chunk of the recording and one picture are in memory.
#[derive(Debug)]
pub struct Film(Kind);

#[derive(Debug)]
enum Kind {
    Masked(Box<MaskedFilm>),
    Released(Box<ReleasedFilm>),
}

impl Iterator for Film {
    type Item = Result<Shot, ReplayError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Kind::Masked(film) => film.next(),
            Kind::Released(film) => film.next(),
        }
    }
}

impl Replayer {
    /// Entrances lie at keyframes: nothing before them has to be read. Blocking.
    pub fn film_parts(&self, session: SessionId, channel: u32) -> Result<FilmParts, ReplayError> {
        let (track, entry, (width, height)) = self.desktop(session, channel)?;
        let duration_us = entry.ended_us.saturating_sub(entry.opened_us);
        let apart = (track.bytes() / MAX_PARTS).max(APART);
        let (mut starts, mut last) = (vec![0], (0, 0));
        for (segment, keyframe) in track.keyframes(channel)? {
            let at_us = keyframe.at_us.saturating_sub(entry.opened_us);
            let far = segment != last.0 || keyframe.offset.saturating_sub(last.1) >= apart;
            if far && starts.last().is_some_and(|before| at_us > *before) && at_us < duration_us {
                starts.push(at_us);
                last = (segment, keyframe.offset);
            }
        }
        let duration = Duration::from_micros(duration_us);
        let starts = starts.into_iter().map(Duration::from_micros).collect();
        // Nothing is in the masked track before it was cleared.
        Ok(FilmParts { width, height, duration, starts, cleared_until: duration })
    }

    /// What was to be seen from one moment to another, which is not told any more; since the channel's opening. Begins with the picture and the
    /// pointer as they were then. Blocking.
    pub fn film(&self, session: SessionId, channel: u32, from: Duration, until: Duration) -> Result<Film, ReplayError> {
        let (track, entry, size) = self.desktop(session, channel)?;
        let us = |d: Duration| entry.opened_us.saturating_add(u64::try_from(d.as_micros()).unwrap_or(u64::MAX));
        let (from_us, until_us) = (us(from), us(until));
        Ok(Film(Kind::Masked(Box::new(MaskedFilm::open(track, entry, size, from_us, until_us)?))))
    }

    /// The channel of a session that runs. Blocking.
    pub fn follow_film(&self, session: SessionId, channel: u32) -> Result<FilmFollower, ReplayError> {
        let (track, entry, size) = self.desktop(session, channel)?;
        FilmFollower::open(self, session, MaskedFilm::at_the_end(track, entry, size)?)
    }

    /// The released interval as it was. It begins with the picture as the masked track has it then: an interval opens itself and nothing before
    /// it. From there on it has the tiles that were shown, what was typed, and what the masked recording hides. Ends with the interval, or with
    /// [`ReplayError::Expired`] when the keys' time is over. Blocking.
    pub fn film_revealed(&self, session: SessionId, channel: u32, released: Arc<Released>) -> Result<Film, ReplayError> {
        if released.session() != session {
            return Err(ReplayError::OtherRelease);
        }
        if released.is_expired() {
            return Err(ReplayError::Expired);
        }
        let (track, entry, size) = self.desktop(session, channel)?;
        let beside = self.track(session)?;
        Ok(Film(Kind::Released(Box::new(ReleasedFilm::open(track, beside, entry, size, released)?))))
    }

    fn desktop(&self, session: SessionId, channel: u32) -> Result<(MaskedTrack, ChannelEntry, (u16, u16)), ReplayError> {
        let (track, entry) = self.channel(session, channel)?;
        let size = entry.desktop.ok_or(ReplayError::NoDesktop(channel))?;
        Ok((track, entry, size))
    }
}

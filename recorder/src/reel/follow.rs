//! A desktop's channel of a session that still runs: its masked track, read as it grows.
use super::masked::MaskedFilm;
use crate::{
    film::{Shot, ShotKind},
    masked_track::MaskedTrack,
    replay::{ReplayError, Replayer},
    tail::{Listener, Tail},
};
use anteroom_domain::SessionId;
use anteroom_format::Event;
use std::time::{Duration, SystemTime};

/// Bytes told at once; what is more waits for the next look.
const AT_ONCE: usize = 4 << 20;

/// A watcher's place in the track. Blocking I/O.
#[derive(Debug)]
pub struct FilmFollower {
    film: MaskedFilm,
    tail: Tail,
}

impl FilmFollower {
    pub(super) fn open(replayer: &Replayer, session: SessionId, mut film: MaskedFilm) -> Result<Self, ReplayError> {
        let place = film.take_reader()?.position();
        Ok(Self { tail: Tail::new(replayer, session, place, film.channel.opened_us, AT_ONCE), film })
    }

    /// What came since the last look, and whether there is more to be had at once. The first one begins with the picture as it stands. After
    /// [`ShotKind::Over`] nothing comes.
    pub fn look(&mut self) -> Result<(Vec<Shot>, bool), ReplayError> {
        if self.tail.over {
            return Ok((Vec::new(), false));
        }
        let more = self.tail.look(&mut self.film)?;
        if self.film.is_quiet() && !more {
            self.film.begin(self.tail.last_us);
        }
        let mut told: Vec<Shot> = self.film.shots.drain(..).collect();
        let now = self.now();
        told.push(Shot { at: now, kind: ShotKind::Now(now) });
        if self.tail.over && !more {
            told.push(Shot { at: now, kind: ShotKind::Over });
        }
        Ok((told, more && !self.tail.over))
    }

    /// How long the channel is open. Only a watcher's clock depends on it.
    fn now(&self) -> Duration {
        let opened = SystemTime::from(self.film.track.header.session.started_at) + Duration::from_micros(self.film.channel.opened_us);
        let seen = Duration::from_micros(self.tail.last_us.saturating_sub(self.film.channel.opened_us));
        SystemTime::now().duration_since(opened).unwrap_or_default().max(seen)
    }
}

impl Listener for MaskedFilm {
    fn channel(&self) -> u32 {
        self.channel.channel
    }
    fn track(&mut self) -> &mut MaskedTrack {
        &mut self.track
    }
    fn segment(&mut self) -> &mut u32 {
        &mut self.segment
    }
    fn hear(&mut self, event: &Event<'_>) -> Result<(), ReplayError> {
        Self::hear(self, event)
    }
}

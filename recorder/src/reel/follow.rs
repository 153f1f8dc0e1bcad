//! A desktop's channel of a session that still runs: its masked track, read as it grows.
use super::masked::{MaskedFilm, Reader};
use crate::{
    film::{Shot, ShotKind},
    masked_track::damaged_segment,
    replay::{ReplayError, Replayer},
};
use anteroom_domain::SessionId;
use anteroom_format::{Body, Content, Track};
use std::time::{Duration, SystemTime};

/// Bytes told at once; what is more waits for the next look.
const AT_ONCE: usize = 4 << 20;

/// A watcher's place in the track. Blocking I/O.
#[derive(Debug)]
pub struct FilmFollower {
    replayer: Replayer,
    session: SessionId,
    film: MaskedFilm,
    /// Offset and sequence of the next chunk; none at a segment's beginning.
    place: Option<(u64, u64)>,
    last_us: u64,
    over: bool,
}

enum Read {
    /// There is more.
    Enough,
    /// To a segment's end chunk.
    Segment,
    /// To the end of what is there.
    All,
}

impl FilmFollower {
    pub(super) fn open(replayer: Replayer, session: SessionId, mut film: MaskedFilm) -> Result<Self, ReplayError> {
        let place = Some(film.take_reader()?.position());
        let last_us = film.channel.opened_us;
        Ok(Self { replayer, session, film, place, last_us, over: false })
    }

    /// What came since the last look, and whether there is more to be had at once. The first one begins with the picture as it stands. After
    /// [`ShotKind::Over`] nothing comes.
    pub fn look(&mut self) -> Result<(Vec<Shot>, bool), ReplayError> {
        if self.over {
            return Ok((Vec::new(), false));
        }
        // There may be another segment by now, or a manifest.
        self.film.track = self.replayer.track(self.session)?;
        let closed = self.film.track.manifest.is_some();
        let mut more = false;
        loop {
            let mut reader = self.film.track.segment(self.film.segment)?;
            if let Some((offset, sequence)) = self.place {
                reader.seek(offset, sequence).map_err(|e| damaged_segment(&Track::Masked.file_name(self.film.segment), e))?;
            }
            match self.read(&mut reader)? {
                Read::Enough => more = true,
                Read::Segment if self.film.segment + 1 < self.film.track.segments => {
                    (self.film.segment, self.place) = (self.film.segment + 1, None);
                    continue;
                }
                Read::Segment | Read::All => self.over |= closed,
            }
            break;
        }
        if self.film.is_quiet() && !more {
            self.film.begin(self.last_us);
        }
        let mut told: Vec<Shot> = self.film.shots.drain(..).collect();
        let now = self.now();
        told.push(Shot { at: now, kind: ShotKind::Now(now) });
        if self.over && !more {
            told.push(Shot { at: now, kind: ShotKind::Over });
        }
        Ok((told, more && !self.over))
    }

    /// How long the channel is open. Only a watcher's clock depends on it.
    fn now(&self) -> Duration {
        let opened = SystemTime::from(self.film.track.header.session.started_at) + Duration::from_micros(self.film.channel.opened_us);
        let seen = Duration::from_micros(self.last_us.saturating_sub(self.film.channel.opened_us));
        SystemTime::now().duration_since(opened).unwrap_or_default().max(seen)
    }

    fn read(&mut self, reader: &mut Reader) -> Result<Read, ReplayError> {
        let mut bytes = 0;
        loop {
            self.place = Some(reader.position());
            match reader.next_chunk() {
                Ok(None) => return Ok(Read::All),
                Ok(Some((_, Content::End(_)))) => return Ok(Read::Segment),
                Ok(Some((chunk, Content::Events(events)))) => {
                    self.last_us = chunk.last_us;
                    bytes += chunk.plain_len as usize;
                    for event in events {
                        let event = event.map_err(|p| ReplayError::Damaged(p.to_string()))?;
                        if event.channel != self.film.channel.channel || self.over {
                            continue;
                        }
                        match event.body {
                            Body::Close => self.over = true,
                            _ => self.film.hear(&event)?,
                        }
                    }
                }
                Ok(Some(_)) => {}
                // Half a chunk: the rest comes.
                Err(e) => {
                    self.film.track.at_chunk(self.film.segment, e)?;
                    return Ok(Read::All);
                }
            }
            if self.over {
                return Ok(Read::All);
            }
            if bytes >= AT_ONCE {
                self.place = Some(reader.position());
                return Ok(Read::Enough);
            }
        }
    }
}

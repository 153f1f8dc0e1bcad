//! One channel of a session that still runs: its masked track, read as it grows. The same bytes, keys and checks as a replay; what masking
//! holds back is not there yet.
use crate::{
    cast::{Cast, read_keyframe},
    masked_track::{MaskedTrack, damaged_segment},
    replay::{ReplayError, Replayer},
    screen::Screen,
    tail::{Listener, Tail},
};
use anteroom_domain::SessionId;
use anteroom_format::{Event, Track};
use std::time::Duration;

/// Text told at once; what is more waits for the next look.
const AT_ONCE: usize = 1 << 20;

/// What a watcher's terminal is told. Times count from the channel's opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Live {
    /// Comes first: the screen as it stands, painted onto an empty one.
    Screen { cols: u16, rows: u16, at: Duration, paint: String },
    /// An event of asciicast v2: a JSON array of time, code and text.
    Event(String),
    /// Nothing more will come.
    Over,
}

/// A watcher's place in the track. Blocking I/O.
#[derive(Debug)]
pub struct Follower {
    cast: Cast,
    tail: Tail,
}

impl Replayer {
    /// Begins at the screen as it is now.
    pub fn follow(&self, session: SessionId, channel: u32) -> Result<Follower, ReplayError> {
        let (track, entry) = self.terminal(session, channel)?;
        let keyframe = track.keyframe(channel, u64::MAX)?;
        let (cols, rows) = entry.pty.as_ref().map_or((80, 24), |(cols, rows, _)| (*cols, *rows));
        let last_us = entry.opened_us;
        let mut cast = Cast::open(track, entry, "", 0, u64::MAX)?;
        cast.lines.clear();
        let mut screen = Screen::new(cols, rows);
        let place;
        if let Some((segment, at)) = keyframe {
            let name = Track::Masked.file_name(segment);
            let mut reader = cast.track.segment(segment)?;
            reader.seek(at.offset, at.sequence).map_err(|e| damaged_segment(&name, e))?;
            screen = read_keyframe(&mut reader, &name)?;
            (cast.segment, place) = (segment, reader.position());
        } else {
            // A segment begins with a keyframe of every open channel: one that has none was opened in the last segment.
            cast.segment = if cast.channel.closed { 0 } else { cast.track.segments.saturating_sub(1) };
            place = cast.first_chunk()?.position();
        }
        cast.quiet = Some((u64::MAX, screen));
        Ok(Follower { tail: Tail::new(self, session, place, last_us, AT_ONCE), cast })
    }
}

impl Follower {
    /// What came since the last look; whether there is more to be had at once.
    pub fn look(&mut self) -> Result<(Vec<Live>, bool), ReplayError> {
        if self.tail.over {
            return Ok((Vec::new(), false));
        }
        let more = self.tail.look(&mut self.cast)?;
        let mut told = Vec::new();
        if let Some((_, screen)) = self.cast.quiet.take_if(|_| !more) {
            let at = Duration::from_micros(self.tail.last_us.saturating_sub(self.cast.channel.opened_us));
            told.push(Live::Screen { cols: screen.cols.max(1), rows: screen.rows.max(1), at, paint: screen.paint() });
        }
        told.extend(self.cast.lines.drain(..).map(|line| Live::Event(line.trim_end().to_owned())));
        if self.tail.over && !more {
            told.push(Live::Over);
        }
        Ok((told, more && !self.tail.over))
    }
}

impl Listener for Cast {
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
        Self::hear(self, event);
        Ok(())
    }
}

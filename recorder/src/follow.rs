//! One channel of a session that still runs: its masked track, read as it grows. The same bytes, keys and checks as a replay; what masking
//! holds back is not there yet.
use crate::{
    cast::{Cast, read_keyframe},
    masked_track::damaged_segment,
    replay::{ReplayError, Replayer},
    screen::Screen,
};
use anteroom_domain::SessionId;
use anteroom_format::{Body, Content, SegmentReader, Track};
use std::{fs::File, io::BufReader, time::Duration};

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
    replayer: Replayer,
    session: SessionId,
    cast: Cast,
    /// Offset and sequence of the next chunk; none at a segment's beginning.
    place: Option<(u64, u64)>,
    last_us: u64,
    over: bool,
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
            (cast.segment, place) = (segment, Some(reader.position()));
        } else {
            // A segment begins with a keyframe of every open channel: one that has none was opened in the last segment.
            cast.segment = if cast.channel.closed { 0 } else { cast.track.segments.saturating_sub(1) };
            place = Some(cast.first_chunk()?.position());
        }
        cast.quiet = Some((u64::MAX, screen));
        Ok(Follower { replayer: self.clone(), session, cast, place, last_us, over: false })
    }
}

impl Follower {
    /// What came since the last look; whether there is more to be had at once.
    pub fn look(&mut self) -> Result<(Vec<Live>, bool), ReplayError> {
        if self.over {
            return Ok((Vec::new(), false));
        }
        // There may be another segment by now, or a manifest.
        self.cast.track = self.replayer.track(self.session)?;
        let closed = self.cast.track.manifest.is_some();
        let mut more = false;
        loop {
            let mut reader = self.cast.track.segment(self.cast.segment)?;
            if let Some((offset, sequence)) = self.place {
                reader.seek(offset, sequence).map_err(|e| damaged_segment(&Track::Masked.file_name(self.cast.segment), e))?;
            }
            match self.read(&mut reader)? {
                Read::Enough => more = true,
                Read::Segment if self.cast.segment + 1 < self.cast.track.segments => {
                    (self.cast.segment, self.place) = (self.cast.segment + 1, None);
                    continue;
                }
                Read::Segment | Read::All => self.over |= closed,
            }
            break;
        }
        let mut told = Vec::new();
        if let Some((_, screen)) = self.cast.quiet.take_if(|_| !more) {
            let at = Duration::from_micros(self.last_us.saturating_sub(self.cast.channel.opened_us));
            told.push(Live::Screen { cols: screen.cols.max(1), rows: screen.rows.max(1), at, paint: screen.paint() });
        }
        told.extend(self.cast.lines.drain(..).map(|line| Live::Event(line.trim_end().to_owned())));
        if self.over && !more {
            told.push(Live::Over);
        }
        Ok((told, more && !self.over))
    }

    fn read(&mut self, reader: &mut SegmentReader<BufReader<File>>) -> Result<Read, ReplayError> {
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
                        if event.channel != self.cast.channel.channel || self.over {
                            continue;
                        }
                        match event.body {
                            Body::Close => self.over = true,
                            _ => self.cast.hear(&event),
                        }
                    }
                }
                Ok(Some(_)) => {}
                // Half a chunk: the rest comes.
                Err(e) => {
                    self.cast.track.at_chunk(self.cast.segment, e)?;
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

/// How far reading came.
enum Read {
    /// There is more.
    Enough,
    /// To a segment's end chunk.
    Segment,
    /// To the end of what is there.
    All,
}

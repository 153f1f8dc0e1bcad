//! A watcher's place in a masked track that grows, whatever its channel shows. Blocking I/O.
use crate::{
    masked_track::{MaskedTrack, damaged_segment},
    replay::{ReplayError, Replayer},
};
use anteroom_domain::SessionId;
use anteroom_format::{Body, Content, Event, SegmentReader, Track};
use std::{fs::File, io::BufReader};

/// Who makes something of the channel's events.
pub(crate) trait Listener {
    fn channel(&self) -> u32;
    fn track(&mut self) -> &mut MaskedTrack;
    /// The segment that is being read.
    fn segment(&mut self) -> &mut u32;
    fn hear(&mut self, event: &Event<'_>) -> Result<(), ReplayError>;
}

#[derive(Debug)]
pub(crate) struct Tail {
    replayer: Replayer,
    session: SessionId,
    /// Offset and sequence of the next chunk; none at a segment's beginning.
    place: Option<(u64, u64)>,
    /// Plain bytes read in one look; what is more waits for the next.
    at_once: usize,
    /// Of the newest event.
    pub(crate) last_us: u64,
    /// The channel was closed, or the recording.
    pub(crate) over: bool,
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

impl Tail {
    pub(crate) fn new(replayer: &Replayer, session: SessionId, place: (u64, u64), last_us: u64, at_once: usize) -> Self {
        Self { replayer: replayer.clone(), session, place: Some(place), at_once, last_us, over: false }
    }

    /// Tells what came since the last look; whether there is more to be had at once.
    pub(crate) fn look(&mut self, to: &mut impl Listener) -> Result<bool, ReplayError> {
        // There may be another segment by now, or a manifest.
        *to.track() = self.replayer.track(self.session)?;
        let closed = to.track().manifest.is_some();
        loop {
            let segment = *to.segment();
            let mut reader = to.track().segment(segment)?;
            if let Some((offset, sequence)) = self.place {
                reader.seek(offset, sequence).map_err(|e| damaged_segment(&Track::Masked.file_name(segment), e))?;
            }
            match self.read(&mut reader, to)? {
                Read::Enough => return Ok(true),
                Read::Segment if segment + 1 < to.track().segments => {
                    *to.segment() = segment + 1;
                    self.place = None;
                }
                Read::Segment | Read::All => {
                    self.over |= closed;
                    return Ok(false);
                }
            }
        }
    }

    fn read(&mut self, reader: &mut SegmentReader<BufReader<File>>, to: &mut impl Listener) -> Result<Read, ReplayError> {
        let (channel, mut bytes) = (to.channel(), 0);
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
                        if event.channel != channel || self.over {
                            continue;
                        }
                        match event.body {
                            Body::Close => self.over = true,
                            _ => to.hear(&event)?,
                        }
                    }
                }
                Ok(Some(_)) => {}
                // Half a chunk: the rest comes.
                Err(e) => {
                    let segment = *to.segment();
                    to.track().at_chunk(segment, e)?;
                    return Ok(Read::All);
                }
            }
            if self.over {
                return Ok(Read::All);
            }
            if bytes >= self.at_once {
                self.place = Some(reader.position());
                return Ok(Read::Enough);
            }
        }
    }
}

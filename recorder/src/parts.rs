//! Where one channel can be entered, so that a player fetches hours piece by piece and jumps at once.
use crate::replay::{ReplayError, Replayer};
use anteroom_domain::SessionId;
use std::time::Duration;

/// Bytes of the track from one entrance to the next, at least; more in recordings that would have too many.
const APART: u64 = 128 << 10;
const MAX_PARTS: u64 = 1_000;

/// How a channel is divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    pub cols: u16,
    pub rows: u16,
    pub duration: Duration,
    /// Since the channel's opening; the first is zero, each later than the one before it and before the end.
    pub starts: Vec<Duration>,
}

impl Replayer {
    /// Bytes that the masked track takes on the disk. Blocking.
    pub fn masked_bytes(&self, session: SessionId) -> Result<u64, ReplayError> {
        Ok(self.track(session)?.bytes())
    }

    /// Entrances lie at keyframes: nothing before them has to be read. Blocking.
    pub fn parts(&self, session: SessionId, channel: u32) -> Result<Parts, ReplayError> {
        let (track, entry) = self.terminal(session, channel)?;
        let (cols, rows) = entry.pty.as_ref().map_or((80, 24), |(cols, rows, _)| (*cols, *rows));
        let duration_us = entry.ended_us.saturating_sub(entry.opened_us);
        let apart = (track.bytes() / MAX_PARTS).max(APART);
        let mut starts = vec![0];
        let mut last = (0, 0);
        for (segment, keyframe) in track.keyframes(channel)? {
            let at_us = keyframe.at_us.saturating_sub(entry.opened_us);
            let far = segment != last.0 || keyframe.offset.saturating_sub(last.1) >= apart;
            if far && starts.last().is_some_and(|before| at_us > *before) && at_us < duration_us {
                starts.push(at_us);
                last = (segment, keyframe.offset);
            }
        }
        Ok(Parts {
            cols: cols.max(1),
            rows: rows.max(1),
            duration: Duration::from_micros(duration_us),
            starts: starts.into_iter().map(Duration::from_micros).collect(),
        })
    }
}

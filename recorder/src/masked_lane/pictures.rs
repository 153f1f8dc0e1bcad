//! Desktops in the masked track: they come cleared.
use super::MaskedLane;
use crate::{
    RecordingFailed,
    desk::{Cleared, Mosaic},
    disk::DiskThreads,
    sealed_lane::micros,
    track::{Scratch, TrackFile},
};
use anteroom_format::{Body, Desktop, Track};

impl MaskedLane {
    /// Takes what clearing made.
    pub(crate) fn cleared(&mut self, cleared: Cleared, scratch: &mut Scratch, disk: &DiskThreads) {
        let Cleared { pieces, counts, incomplete, _room } = cleared;
        self.incomplete |= incomplete;
        for (kind, n) in counts {
            *self.counts.entry(kind).or_default() += n;
        }
        if self.file.is_none() {
            return;
        }
        if self.waiting_since == 0 {
            self.waiting_since = self.shared.lag_of(Track::Masked).now();
        }
        let mut written = Ok(false);
        for (channel, piece) in &pieces {
            self.last_us = self.last_us.max(micros(piece.at));
            let one = self.keyframes(piece.at, scratch).and_then(|before| {
                self.see(*channel, &piece.body())?;
                Ok(self.write(*channel, piece, scratch)? || before)
            });
            written = match (written, one) {
                (Ok(before), Ok(now)) => Ok(before || now),
                (Err(e), _) | (_, Err(e)) => Err(e),
            };
        }
        self.settle(written, disk);
        if self.file.as_ref().is_some_and(TrackFile::wants_new_segment) {
            self.new_segment(scratch);
        }
    }

    /// Follows the picture, for keyframes.
    fn see(&mut self, channel: u32, body: &Body<'_>) -> Result<(), RecordingFailed> {
        match *body {
            Body::OpenDesktop(coded) => {
                if let Ok(Desktop { width, height, .. }) = Desktop::parse(coded) {
                    self.pictures.insert(channel, (Mosaic::new(width, height), false));
                }
            }
            Body::Resize { cols, rows } => {
                self.pictures.insert(channel, (Mosaic::new(cols, rows), true));
            }
            Body::Tiles(batch) => {
                if let Some((mosaic, changed)) = self.pictures.get_mut(&channel) {
                    mosaic.apply(batch).map_err(|e| RecordingFailed::Picture(e.to_string()))?;
                    *changed = true;
                }
            }
            Body::Close => drop(self.pictures.remove(&channel)),
            _ => {}
        }
        Ok(())
    }
}

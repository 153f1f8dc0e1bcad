//! From shots to frames: the picture as it stands, with the pointer on it, and how many frames it stands for. Pure.
use anteroom_picture::{Picture, Tiles};
use anteroom_recorder::film::{Shot, ShotKind, fits};
use anyhow::{Context as _, Result, bail};
use std::time::Duration;

/// Bytes of a pixel in a frame: red, green, blue, and one that counts nothing.
pub(super) const PIXEL: usize = 4;

/// The largest picture of a film, rounded up to what video codecs take.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) width: u16,
    pub(super) height: u16,
}

impl Extent {
    pub(super) fn take(&mut self, shot: &Shot) {
        if let ShotKind::Size { width, height } = shot.kind
            && fits(width, height)
        {
            self.width = self.width.max(width + width % 2);
            self.height = self.height.max(height + height % 2);
        }
    }
}

/// A picture that is smaller than the video stands in its upper left corner.
pub(super) struct Frames {
    extent: Extent,
    picture: Option<Picture>,
    pointer: Option<(u16, u16)>,
    frame: Vec<u8>,
    stale: bool,
}

impl Frames {
    pub(super) fn new(extent: Extent) -> Self {
        let frame = vec![0; usize::from(extent.width) * usize::from(extent.height) * PIXEL];
        Self { extent, picture: None, pointer: None, frame, stale: true }
    }

    /// Whether nothing good comes after this.
    pub(super) fn take(&mut self, shot: &Shot) -> Result<bool> {
        match &shot.kind {
            ShotKind::Size { width, height } => {
                let same = self.picture.as_ref().is_some_and(|p| (p.width(), p.height()) == (*width, *height));
                // Every part of a film begins with its size; the tiles that follow are all of it.
                if !same {
                    self.picture = Some(Picture::new(*width, *height).context("the recording's picture")?);
                }
            }
            ShotKind::Tiles(batch) => {
                let Some(picture) = &self.picture else { bail!("the recording has tiles before a picture") };
                let mut whole = Vec::with_capacity(4 + batch.len());
                whole.extend(picture.width().to_le_bytes());
                whole.extend(picture.height().to_le_bytes());
                whole.extend_from_slice(batch);
                Tiles::decode(&whole).context("a tile of the recording")?.paint(&mut self.picture)?;
            }
            ShotKind::Pointer { x, y } => self.pointer = Some((*x, *y)),
            ShotKind::Damaged(_) | ShotKind::Over => return Ok(true),
            _ => return Ok(false),
        }
        self.stale = true;
        Ok(false)
    }

    /// Four bytes a pixel, row by row.
    pub(super) fn frame(&mut self) -> &[u8] {
        if std::mem::take(&mut self.stale) {
            self.draw();
        }
        &self.frame
    }

    fn draw(&mut self) {
        let row = usize::from(self.extent.width) * PIXEL;
        self.frame.fill(0);
        if let Some(picture) = &self.picture {
            let wide = usize::from(picture.width()) * PIXEL;
            for (to, from) in self.frame.chunks_exact_mut(row).zip(picture.pixels().chunks_exact(wide)) {
                let wide = wide.min(row);
                to[..wide].copy_from_slice(&from[..wide]);
            }
        }
        let Some((x, y)) = self.pointer else { return };
        for (dy, line) in ARROW.iter().enumerate() {
            for (dx, dot) in line.bytes().enumerate() {
                let (x, y) = (usize::from(x) + dx, usize::from(y) + dy);
                let colour = match dot {
                    b'#' => [0, 0, 0],
                    b'.' => [255, 255, 255],
                    _ => continue,
                };
                if x < usize::from(self.extent.width) && y < usize::from(self.extent.height) {
                    self.frame[y * row + x * PIXEL..][..3].copy_from_slice(&colour);
                }
            }
        }
    }
}

const ARROW: [&str; 15] = [
    "#",
    "##",
    "#.#",
    "#..#",
    "#...#",
    "#....#",
    "#.....#",
    "#......#",
    "#.......#",
    "#........#",
    "#.....####",
    "#..#..#",
    "#.# #..#",
    "##  #..#",
    "     ##",
];

/// When the next shot comes, and so how many frames of what stands there now come before it.
#[derive(Debug)]
pub(super) struct Pace {
    pub(super) per_second: u32,
    pub(super) speed: f64,
    /// The longest pause, in the recording's time.
    pub(super) idle: Option<Duration>,
    last: Duration,
    /// Of the recording, without what idleness left out. Whole numbers: a sum of fractions is a frame short now and then.
    recorded: Duration,
    written: u64,
}

impl Pace {
    pub(super) fn new(per_second: u32, speed: f64, idle: Option<Duration>) -> Self {
        Self { per_second, speed, idle, last: Duration::ZERO, recorded: Duration::ZERO, written: 0 }
    }

    /// Frames that are due before something at `at`.
    pub(super) fn due(&mut self, at: Duration) -> u64 {
        let pause = at.saturating_sub(self.last);
        self.last = self.last.max(at);
        self.recorded += self.idle.map_or(pause, |idle| pause.min(idle));
        // A millionth of a frame is rounding, not time.
        let until = (self.recorded.as_secs_f64() * f64::from(self.per_second) / self.speed + 1e-6).floor() as u64;
        let due = until.saturating_sub(self.written);
        self.written += due;
        due
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use anteroom_picture::{Rect, TileAt, encode_tiles};

    fn shot(kind: ShotKind) -> Shot {
        Shot { at: Duration::ZERO, kind }
    }

    fn tiles(picture: &Picture, at: &[TileAt]) -> ShotKind {
        // Behind the picture's size, which the film tells by itself.
        ShotKind::Tiles(encode_tiles(picture, at).unwrap()[0][4..].to_vec().into())
    }

    #[test]
    fn a_frame_is_the_picture_with_the_pointer_on_it() {
        let mut picture = Picture::new(100, 71).unwrap();
        picture.fill(Rect::new(64, 0, 36, 64), [10, 20, 30]);
        let mut extent = Extent::default();
        let size = shot(ShotKind::Size { width: 100, height: 71 });
        extent.take(&size);
        assert_eq!((extent.width, extent.height), (100, 72));
        let mut frames = Frames::new(extent);
        frames.take(&size).unwrap();
        frames.take(&shot(tiles(&picture, &[TileAt { column: 1, row: 0 }]))).unwrap();
        frames.take(&shot(ShotKind::Pointer { x: 80, y: 10 })).unwrap();
        let at = |frame: &[u8], x: usize, y: usize| [0, 1, 2].map(|c| frame[(y * 100 + x) * PIXEL + c]);
        let frame = frames.frame();
        assert_eq!(frame.len(), 100 * 72 * PIXEL);
        assert_eq!((at(frame, 70, 5), at(frame, 5, 5), at(frame, 81, 12)), ([10, 20, 30], [0, 0, 0], [255, 255, 255]));
        // The pointer leaves nothing behind, and may stand at the edge.
        frames.take(&shot(ShotKind::Pointer { x: 99, y: 70 })).unwrap();
        assert_eq!(at(frames.frame(), 81, 12), [10, 20, 30]);
    }

    #[test]
    fn a_smaller_picture_stands_in_the_corner_and_a_broken_tile_is_an_error() {
        let mut frames = Frames::new(Extent { width: 200, height: 100 });
        assert!(frames.take(&shot(ShotKind::Tiles(vec![1, 0].into()))).is_err(), "tiles before a picture");
        frames.take(&shot(ShotKind::Size { width: 64, height: 64 })).unwrap();
        let mut picture = Picture::new(64, 64).unwrap();
        picture.fill(picture.area(), [1, 2, 3]);
        frames.take(&shot(tiles(&picture, &[TileAt { column: 0, row: 0 }]))).unwrap();
        let frame = frames.frame();
        assert_eq!((&frame[63 * PIXEL..][..3], &frame[64 * PIXEL..][..3]), (&[1, 2, 3][..], &[0, 0, 0][..]));
        assert!(frames.take(&shot(ShotKind::Tiles(vec![1, 0, 0, 0, 0, 0, 200, 0, 0, 0, 1].into()))).is_err());
        assert!(frames.take(&shot(ShotKind::Over)).unwrap());
    }

    #[test]
    fn what_stands_there_is_repeated_as_long_as_it_stood() {
        let ms = Duration::from_millis;
        let mut pace = Pace::new(10, 1.0, None);
        assert_eq!([0, 50, 99, 100, 1_000, 1_000].map(|at| pace.due(ms(at))), [0, 0, 0, 1, 9, 0]);
        let mut fast = Pace::new(10, 4.0, None);
        assert_eq!((1..=8).map(|n| fast.due(ms(n * 100))).sum::<u64>(), 2);
        let mut brief = Pace::new(10, 1.0, Some(ms(500)));
        assert_eq!([60_000, 60_100].map(|at| brief.due(ms(at))), [5, 1]);
    }
}

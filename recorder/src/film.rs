//! What one channel of a desktop showed, as readers get it: shots in order. The browser, the export as a video and tests read the same bytes
//! (docs/decisions/0020-rdp.md has their table).
use anteroom_domain::capability::Direction;
use bytes::Bytes;
use std::time::Duration;

/// Readers refuse a longer payload. What the track has in one event is far shorter.
pub const MAX_PAYLOAD: usize = 256 << 10;
/// Of one side of a picture, and of its whole, in pixels.
pub const MAX_SIDE: u16 = 8_192;
pub const MAX_PIXELS: u32 = 16 << 20;
/// Width and height of a tile; the last of a row or column is as narrow as the picture.
pub const TILE: u16 = 64;

/// The note of a recording that was closed before all of it was read. It stands where that begins.
pub const NOT_READ: &str = "the recording had to be closed before all pictures were read: what follows is blurred";

/// Something that was to be seen from a moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shot {
    /// Since the channel's opening.
    pub at: Duration,
    pub kind: ShotKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShotKind {
    /// The picture is so large from here on, and empty.
    Size {
        width: u16,
        height: u16,
    },
    /// A batch as the track has it: see [`tiles`].
    Tiles(Bytes),
    Pointer {
        x: u16,
        y: u16,
    },
    Note(String),
    Message(String),
    /// What was shown until then was read and cleared when this was written.
    Cleared {
        until: Duration,
    },
    /// Of a released interval: what the masked recording hides from here on.
    Hidden(Vec<HiddenArea>),
    /// Of a released interval: keys, readable.
    Typed(String),
    /// `Download`: from the target.
    Clipboard {
        way: Direction,
        text: String,
    },
    /// Of a session that runs: so long its channel is open.
    Now(Duration),
    Over,
    /// Nothing good comes after this.
    Damaged(String),
}

/// A part of the picture that the masked recording does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HiddenArea {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
    pub how: HiddenHow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HiddenHow {
    Black,
    Blurred,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FilmError {
    #[error("a shot that is cut off")]
    Short,
    #[error("a shot that is too long")]
    Long,
    #[error("a shot whose content makes no sense")]
    Content,
}

/// A tile's place in tiles, column and row, and its picture.
pub type TileOf<'a> = (u16, u16, &'a [u8]);

/// The tiles of one batch: column, row and WebP of each.
pub fn tiles(batch: &[u8]) -> Result<Vec<TileOf<'_>>, FilmError> {
    let mut rest = Rest(batch);
    let count = rest.u16()?;
    let mut all = Vec::with_capacity(usize::from(count).min(batch.len() / 8));
    for _ in 0..count {
        let (column, row, length) = (rest.u16()?, rest.u16()?, rest.u32()?);
        all.push((column, row, rest.take(usize::try_from(length).map_err(|_| FilmError::Long)?)?));
    }
    if rest.0.is_empty() { Ok(all) } else { Err(FilmError::Content) }
}

/// Whether a picture of this size is shown.
pub fn fits(width: u16, height: u16) -> bool {
    (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height) && u32::from(width) * u32::from(height) <= MAX_PIXELS
}

impl Shot {
    pub fn put(&self, out: &mut Vec<u8>) {
        out.extend(ms(self.at).to_le_bytes());
        out.push(self.kind.code());
        let length_at = out.len();
        out.extend([0; 4]);
        self.kind.put(out);
        // Events of a track are shorter than any of these bounds.
        let length = u32::try_from(out.len() - length_at - 4).unwrap_or(u32::MAX);
        out[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
    }

    /// All shots of a film, or of a part of one. Kinds that this version does not know are left out.
    pub fn read_all(bytes: &[u8]) -> Result<Vec<Self>, FilmError> {
        let mut rest = Rest(bytes);
        let mut all = Vec::new();
        while !rest.0.is_empty() {
            let (at, kind, length) = (rest.u32()?, rest.u8()?, rest.u32()?);
            let length = usize::try_from(length).ok().filter(|l| *l <= MAX_PAYLOAD).ok_or(FilmError::Long)?;
            if let Some(kind) = ShotKind::read(kind, rest.take(length)?)? {
                all.push(Self { at: Duration::from_millis(at.into()), kind });
            }
        }
        Ok(all)
    }
}

impl ShotKind {
    fn code(&self) -> u8 {
        match self {
            Self::Size { .. } => 1,
            Self::Tiles(_) => 2,
            Self::Pointer { .. } => 3,
            Self::Note(_) => 4,
            Self::Message(_) => 5,
            Self::Cleared { .. } => 6,
            Self::Hidden(_) => 7,
            Self::Typed(_) => 8,
            Self::Clipboard { .. } => 9,
            Self::Now(_) => 10,
            Self::Over => 11,
            Self::Damaged(_) => 12,
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Size { width: a, height: b } | Self::Pointer { x: a, y: b } => {
                out.extend(a.to_le_bytes());
                out.extend(b.to_le_bytes());
            }
            Self::Tiles(batch) => out.extend_from_slice(batch),
            Self::Note(text) | Self::Message(text) | Self::Typed(text) | Self::Damaged(text) => out.extend(text.as_bytes()),
            Self::Cleared { until: at } | Self::Now(at) => out.extend(ms(*at).to_le_bytes()),
            Self::Hidden(areas) => {
                let areas = &areas[..areas.len().min(usize::from(u16::MAX))];
                out.extend(u16::try_from(areas.len()).unwrap_or(u16::MAX).to_le_bytes());
                for a in areas {
                    [a.x, a.y, a.width, a.height].iter().for_each(|n| out.extend(n.to_le_bytes()));
                    out.push(match a.how {
                        HiddenHow::Black => 1,
                        HiddenHow::Blurred => 2,
                    });
                }
            }
            Self::Clipboard { way, text } => {
                out.push(match way {
                    Direction::Download => 1,
                    Direction::Upload => 2,
                });
                out.extend(text.as_bytes());
            }
            Self::Over => {}
        }
    }

    fn read(kind: u8, payload: &[u8]) -> Result<Option<Self>, FilmError> {
        let mut rest = Rest(payload);
        let shot = match kind {
            1 => Self::Size { width: rest.u16()?, height: rest.u16()? },
            2 => Self::Tiles(Bytes::copy_from_slice(rest.all())),
            3 => Self::Pointer { x: rest.u16()?, y: rest.u16()? },
            4 => Self::Note(rest.text()?),
            5 => Self::Message(rest.text()?),
            6 => Self::Cleared { until: Duration::from_millis(rest.u32()?.into()) },
            7 => {
                let count = rest.u16()?;
                Self::Hidden((0..count).map(|_| rest.area()).collect::<Result<_, _>>()?)
            }
            8 => Self::Typed(rest.text()?),
            9 => {
                let way = if rest.u8()? == 1 { Direction::Download } else { Direction::Upload };
                Self::Clipboard { way, text: rest.text()? }
            }
            10 => Self::Now(Duration::from_millis(rest.u32()?.into())),
            11 => Self::Over,
            12 => Self::Damaged(rest.text()?),
            _ => return Ok(None),
        };
        if rest.0.is_empty() { Ok(Some(shot)) } else { Err(FilmError::Content) }
    }
}

fn ms(d: Duration) -> u32 {
    u32::try_from(d.as_millis()).unwrap_or(u32::MAX)
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], FilmError> {
        let (head, rest) = self.0.split_at_checked(n).ok_or(FilmError::Short)?;
        self.0 = rest;
        Ok(head)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N], FilmError> {
        self.take(N)?.try_into().map_err(|_| FilmError::Short)
    }
    fn u8(&mut self) -> Result<u8, FilmError> {
        Ok(self.array::<1>()?[0])
    }
    fn u16(&mut self) -> Result<u16, FilmError> {
        Ok(u16::from_le_bytes(self.array()?))
    }
    fn u32(&mut self) -> Result<u32, FilmError> {
        Ok(u32::from_le_bytes(self.array()?))
    }
    fn all(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
    fn text(&mut self) -> Result<String, FilmError> {
        String::from_utf8(self.all().to_vec()).map_err(|_| FilmError::Content)
    }
    fn area(&mut self) -> Result<HiddenArea, FilmError> {
        let (x, y, width, height) = (self.u16()?, self.u16()?, self.u16()?, self.u16()?);
        let how = if self.u8()? == 1 { HiddenHow::Black } else { HiddenHow::Blurred };
        Ok(HiddenArea { x, y, width, height, how })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn one_of_each() -> Vec<Shot> {
        let area = HiddenArea { x: 3, y: 4, width: 50, height: 12, how: HiddenHow::Black };
        let kinds = [
            ShotKind::Size { width: 1280, height: 800 },
            ShotKind::Tiles(Bytes::from_static(&[1, 0, 2, 0, 3, 0, 2, 0, 0, 0, 9, 9])),
            ShotKind::Pointer { x: 640, y: 400 },
            ShotKind::Note("paused".into()),
            ShotKind::Message("please stop".into()),
            ShotKind::Cleared { until: Duration::from_secs(61) },
            ShotKind::Hidden(vec![area, HiddenArea { how: HiddenHow::Blurred, ..area }]),
            ShotKind::Typed("ls<Enter>".into()),
            ShotKind::Clipboard { way: Direction::Upload, text: "ward 4".into() },
            ShotKind::Now(Duration::from_millis(7)),
            ShotKind::Damaged("cut".into()),
            ShotKind::Over,
        ];
        kinds.into_iter().enumerate().map(|(n, kind)| Shot { at: Duration::from_millis(n as u64 * 40), kind }).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let all = one_of_each();
        let mut bytes = Vec::new();
        all.iter().for_each(|s| s.put(&mut bytes));
        assert_eq!(Shot::read_all(&bytes).unwrap(), all);
        assert_eq!(&bytes[..13], &[0, 0, 0, 0, 1, 4, 0, 0, 0, 0, 5, 32, 3]);
        let ShotKind::Tiles(batch) = &all[1].kind else { panic!() };
        assert_eq!(tiles(batch).unwrap(), [(2, 3, &[9u8, 9][..])]);
    }

    #[test]
    fn no_cut_and_no_flipped_byte_is_a_panic() {
        let mut bytes = Vec::new();
        one_of_each().iter().for_each(|s| s.put(&mut bytes));
        let whole = Shot::read_all(&bytes).unwrap().len();
        for end in 0..bytes.len() {
            assert!(Shot::read_all(&bytes[..end]).map_or(true, |shots| shots.len() < whole));
            let mut other = bytes.clone();
            other[end] ^= 0xff;
            if let Ok(shots) = Shot::read_all(&other) {
                assert!(shots.len() <= whole);
            }
        }
        assert_eq!(Shot::read_all(&[0, 0, 0, 0, 2, 0, 0, 0, 255]), Err(FilmError::Long));
        assert_eq!(Shot::read_all(&[0, 0, 0, 0, 99, 1, 0, 0, 0, 1]).unwrap(), [], "a later version's shot is skipped");
        assert_eq!(tiles(&[255, 255, 0]), Err(FilmError::Short));
    }

    #[test]
    fn pictures_are_bounded() {
        assert!(fits(3840, 2160) && fits(8192, 2048));
        assert!(!fits(0, 10) && !fits(8193, 10) && !fits(8192, 2049));
    }
}

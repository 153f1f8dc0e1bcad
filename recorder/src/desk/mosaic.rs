//! A picture as the bytes of its tiles. Nothing is decoded here: a tile goes from a track to a browser as it was written.
use anteroom_format::{MAX_TILES, is_size};
use bytes::Bytes;

const TILE: u16 = 64;
const HEADER: usize = 6;
const PLACE: usize = 8;

/// One tile of a batch: column, row, image.
pub(crate) type Piece<'a> = (u16, u16, &'a [u8]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a batch of tiles that no writer makes")]
pub(crate) struct NoBatch;

/// Width and height of the picture and its tiles, of a batch as `anteroom_picture` writes it (SPEC section 6).
pub(crate) fn pieces(batch: &[u8]) -> Result<(u16, u16, Vec<Piece<'_>>), NoBatch> {
    let (head, mut rest) = batch.split_at_checked(HEADER).ok_or(NoBatch)?;
    let number = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    let (width, height, count) = (number(0), number(2), usize::from(number(4)));
    if !is_size(width, height) || count > rest.len() / PLACE {
        return Err(NoBatch);
    }
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        let (place, behind) = rest.split_at_checked(PLACE).ok_or(NoBatch)?;
        let (column, row) = (u16::from_le_bytes([place[0], place[1]]), u16::from_le_bytes([place[2], place[3]]));
        let length = u32::from_le_bytes([place[4], place[5], place[6], place[7]]);
        let (image, behind) = behind.split_at_checked(usize::try_from(length).map_err(|_| NoBatch)?).ok_or(NoBatch)?;
        if column >= width.div_ceil(TILE) || row >= height.div_ceil(TILE) {
            return Err(NoBatch);
        }
        all.push((column, row, image));
        rest = behind;
    }
    if rest.is_empty() { Ok((width, height, all)) } else { Err(NoBatch) }
}

/// Batches of these tiles, each of at most [`MAX_TILES`] bytes.
fn joined<'a>(width: u16, height: u16, tiles: impl Iterator<Item = Piece<'a>>) -> Vec<Vec<u8>> {
    let mut batches: Vec<Vec<u8>> = Vec::new();
    let mut count = 0u16;
    for (column, row, image) in tiles {
        // A longer one was never taken.
        let length = u32::try_from(image.len()).unwrap_or(u32::MAX);
        let full = batches.last().is_none_or(|b| count >= 256 || b.len() + PLACE + image.len() > MAX_TILES);
        if full {
            batches.push([width.to_le_bytes(), height.to_le_bytes(), [0, 0]].concat());
            count = 0;
        }
        if let Some(batch) = batches.last_mut() {
            count += 1;
            batch[4..HEADER].copy_from_slice(&count.to_le_bytes());
            batch.extend_from_slice(&column.to_le_bytes());
            batch.extend_from_slice(&row.to_le_bytes());
            batch.extend_from_slice(&length.to_le_bytes());
            batch.extend_from_slice(image);
        }
    }
    batches
}

/// What a film's shot of tiles has of a batch (docs/decisions/0020-rdp.md).
pub(crate) fn shot(batch: &[u8]) -> Bytes {
    Bytes::copy_from_slice(batch.get(4..).unwrap_or_default())
}

/// The newest image of each place. A place without one was not shown yet.
#[derive(Debug, Clone)]
pub(crate) struct Mosaic {
    pub(crate) width: u16,
    pub(crate) height: u16,
    tiles: Vec<Option<Bytes>>,
    bytes: usize,
}

impl Mosaic {
    pub(crate) fn new(width: u16, height: u16) -> Self {
        let places = usize::from(width.div_ceil(TILE)) * usize::from(height.div_ceil(TILE));
        Self { width, height, tiles: vec![None; places], bytes: 0 }
    }

    /// Takes a batch's tiles. One of another size begins a new picture; true when it did.
    pub(crate) fn apply(&mut self, batch: &[u8]) -> Result<bool, NoBatch> {
        let (width, height, pieces) = pieces(batch)?;
        let other = (width, height) != (self.width, self.height);
        if other {
            *self = Self::new(width, height);
        }
        for (column, row, image) in pieces {
            let at = self.place(column, row);
            if let Some(tile) = self.tiles.get_mut(at) {
                let old = tile.replace(Bytes::copy_from_slice(image));
                self.bytes = self.bytes + image.len() - old.map_or(0, |b| b.len());
            }
        }
        Ok(other)
    }

    /// Takes the tiles of a film's shot; the batch that they were.
    pub(crate) fn apply_shot(&mut self, shot: &[u8]) -> Result<Vec<u8>, NoBatch> {
        let batch = [&self.width.to_le_bytes()[..], &self.height.to_le_bytes(), shot].concat();
        self.apply(&batch).map(|_| batch)
    }

    /// One tile as a batch.
    pub(crate) fn one(&self, column: u16, row: u16) -> Option<Vec<u8>> {
        let image = self.tile(column, row)?;
        joined(self.width, self.height, std::iter::once((column, row, &image[..]))).pop()
    }

    fn place(&self, column: u16, row: u16) -> usize {
        usize::from(row) * usize::from(self.width.div_ceil(TILE)) + usize::from(column)
    }

    pub(crate) fn tile(&self, column: u16, row: u16) -> Option<&Bytes> {
        self.tiles.get(self.place(column, row))?.as_ref()
    }

    /// Everything that was shown, in batches.
    pub(crate) fn batches(&self) -> Vec<Vec<u8>> {
        let columns = usize::from(self.width.div_ceil(TILE)).max(1);
        let tiles = self.tiles.iter().enumerate().filter_map(|(n, tile)| {
            let (column, row) = (u16::try_from(n % columns).ok()?, u16::try_from(n / columns).ok()?);
            Some((column, row, tile.as_deref()?))
        });
        joined(self.width, self.height, tiles)
    }

    /// Of its images.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn batch(width: u16, height: u16, tiles: &[Piece<'_>]) -> Vec<u8> {
        joined(width, height, tiles.iter().copied()).remove(0)
    }

    #[test]
    fn the_newest_image_of_each_place_counts() {
        let mut mosaic = Mosaic::new(130, 70);
        assert!(mosaic.batches().is_empty());
        assert!(!mosaic.apply(&batch(130, 70, &[(0, 0, b"old"), (2, 1, b"corner")])).unwrap());
        assert!(!mosaic.apply(&batch(130, 70, &[(0, 0, b"newer")])).unwrap());
        assert_eq!(mosaic.bytes(), 11);
        assert_eq!(mosaic.batches(), [batch(130, 70, &[(0, 0, b"newer"), (2, 1, b"corner")])]);
        assert!(mosaic.apply(&batch(64, 64, &[(0, 0, b"x")])).unwrap(), "another size is another picture");
        assert_eq!((mosaic.width, mosaic.bytes()), (64, 1));
    }

    #[test]
    fn many_tiles_are_many_batches_within_the_limit() {
        let image = vec![7; 12_000];
        let tiles: Vec<Piece<'_>> =
            (0..20).flat_map(|row| (0..20).map(move |column| (column, row))).map(|(c, r)| (c, r, &image[..])).collect();
        let batches = joined(1280, 1280, tiles.iter().copied());
        assert!(batches.iter().all(|b| b.len() <= MAX_TILES) && batches.len() == 80);
        let mut mosaic = Mosaic::new(1280, 1280);
        batches.iter().for_each(|b| assert!(!mosaic.apply(b).unwrap()));
        assert_eq!(mosaic.bytes(), 400 * 12_000);
    }

    #[test]
    fn what_no_writer_makes_is_refused() {
        let good = batch(130, 70, &[(0, 0, b"abc"), (2, 1, b"de")]);
        for end in 0..good.len() {
            assert_eq!(pieces(&good[..end]), Err(NoBatch), "cut at {end}");
        }
        assert_eq!(pieces(&[&good[..], b"x"].concat()), Err(NoBatch));
        assert_eq!(pieces(&batch(130, 70, &[(3, 0, b"abc")])), Err(NoBatch), "beside the picture");
        assert_eq!(pieces(&batch(0, 70, &[(0, 0, b"abc")])), Err(NoBatch));
    }
}

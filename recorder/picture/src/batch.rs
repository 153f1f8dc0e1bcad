//! Tiles as bytes, in batches. A batch says what it is a part of, so it can be read by itself:
//!
//! ```text
//! width   u16   of the whole picture, in pixels
//! height  u16
//! count   u16   1..=256
//! count times:
//!   column  u16   place, in tiles
//!   row     u16
//!   length  u32
//!   image         WebP, lossless ("VP8L"), without alpha, as large as the tile is in this picture
//! ```
//! Numbers are little-endian. Browsers read the images as they are.

use std::io::Cursor;

use image_webp::{ColorType, WebPDecoder, WebPEncoder};

use crate::{Picture, PictureError, TILE, TileAt, picture::PIXEL, picture::checked_size};

/// A batch is never longer, so that it fits a chunk of a recording.
pub const MAX_BATCH_BYTES: usize = 60 << 10;
/// Tiles of a batch at most: 4 MiB of pixels.
pub const MAX_BATCH_TILES: usize = 256;

const HEADER: usize = 6;
const PLACE: usize = 8;
/// A tile of noise is some 12.4 kB as WebP.
const RGB: usize = 3;

/// Why bytes are no batch of tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    #[error("a batch of tiles is cut short or too long")]
    Length,
    #[error("a batch of tiles has {0} tiles")]
    Count(usize),
    #[error("a tile lies outside of its picture")]
    Place,
    #[error("a tile's image is no lossless WebP of the tile's size")]
    Image,
    #[error(transparent)]
    Picture(#[from] PictureError),
}

/// Tiles out of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiles {
    /// Of the whole picture.
    pub width: u16,
    pub height: u16,
    pub tiles: Vec<Tile>,
}

/// A tile's place and its pixels in rows, four bytes each as in a [`Picture`].
#[derive(Clone, PartialEq, Eq)]
pub struct Tile {
    pub at: TileAt,
    pub pixels: Vec<u8>,
}

/// The place only: the pixels may show anybody.
impl std::fmt::Debug for Tile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tile({}, {})", self.at.column, self.at.row)
    }
}

/// Writes tiles of a picture as batches of at most [`MAX_BATCH_BYTES`].
///
/// # Errors
/// [`TileError::Place`] for a tile that is not in the picture.
pub fn encode_tiles(picture: &Picture, tiles: &[TileAt]) -> Result<Vec<Vec<u8>>, TileError> {
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let mut count: u16 = 0;
    let (mut rgb, mut image) = (Vec::new(), Vec::new());
    for at in tiles {
        encode_tile(picture, *at, &mut rgb, &mut image)?;
        if count > 0 && (batch.len() + PLACE + image.len() > MAX_BATCH_BYTES || usize::from(count) == MAX_BATCH_TILES) {
            batches.push(finished(std::mem::take(&mut batch), count));
            count = 0;
        }
        if count == 0 {
            batch.extend_from_slice(&picture.width().to_le_bytes());
            batch.extend_from_slice(&picture.height().to_le_bytes());
            batch.extend_from_slice(&[0, 0]);
        }
        batch.extend_from_slice(&at.column.to_le_bytes());
        batch.extend_from_slice(&at.row.to_le_bytes());
        batch.extend_from_slice(&u32::try_from(image.len()).map_err(|_| TileError::Length)?.to_le_bytes());
        batch.extend_from_slice(&image);
        count += 1;
    }
    if count > 0 {
        batches.push(finished(batch, count));
    }
    Ok(batches)
}

fn finished(mut batch: Vec<u8>, count: u16) -> Vec<u8> {
    if let Some(place) = batch.get_mut(4..HEADER) {
        place.copy_from_slice(&count.to_le_bytes());
    }
    batch
}

fn encode_tile(picture: &Picture, at: TileAt, rgb: &mut Vec<u8>, image: &mut Vec<u8>) -> Result<(), TileError> {
    let area = at.area(picture.area());
    if area.is_empty() {
        return Err(TileError::Place);
    }
    rgb.clear();
    image.clear();
    for row in 0..area.height {
        rgb.extend(picture.row(area, row).as_chunks::<PIXEL>().0.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]));
    }
    WebPEncoder::new(image).encode(rgb, area.width.into(), area.height.into(), ColorType::Rgb8).map_err(|_| TileError::Image)
}

impl Tiles {
    /// Reads a batch. Takes at most 4 MiB and the time of decoding that many pixels, whatever the bytes are.
    ///
    /// # Errors
    /// [`TileError`]: anything that [`encode_tiles`] does not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, TileError> {
        if bytes.len() > MAX_BATCH_BYTES {
            return Err(TileError::Length);
        }
        let (header, mut rest) = bytes.split_first_chunk::<HEADER>().ok_or(TileError::Length)?;
        let number = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let (width, height) = checked_size(number(0).into(), number(2).into())?;
        let count = usize::from(number(4));
        if count == 0 || count > MAX_BATCH_TILES {
            return Err(TileError::Count(count));
        }
        let whole = crate::Rect::new(0, 0, width, height);
        let mut tiles = Vec::with_capacity(count);
        for _ in 0..count {
            let ([c0, c1, r0, r1, length @ ..], behind) = rest.split_first_chunk::<PLACE>().ok_or(TileError::Length)?;
            let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| TileError::Length)?;
            let (image, behind) = behind.split_at_checked(length).ok_or(TileError::Length)?;
            rest = behind;
            let at = TileAt { column: u16::from_le_bytes([*c0, *c1]), row: u16::from_le_bytes([*r0, *r1]) };
            let area = at.area(whole);
            if area.is_empty() {
                return Err(TileError::Place);
            }
            tiles.push(Tile { at, pixels: decode_image(image, area.width, area.height)? });
        }
        if rest.is_empty() { Ok(Self { width, height, tiles }) } else { Err(TileError::Length) }
    }

    /// Paints the tiles. A picture of another size, or none, becomes a black one of this size first.
    ///
    /// # Errors
    /// Never for tiles that were decoded.
    pub fn paint(&self, picture: &mut Option<Picture>) -> Result<(), PictureError> {
        let picture = match picture {
            Some(same) if same.width() == self.width && same.height() == self.height => same,
            other => other.insert(Picture::new(self.width, self.height)?),
        };
        for tile in &self.tiles {
            let area = tile.at.area(picture.area());
            picture.paint(area, &tile.pixels, usize::from(area.width) * PIXEL);
        }
        Ok(())
    }
}

/// Only what [`encode_tile`] writes comes as far as the decoder: a simple lossless file of exactly this size. Everything else that WebP can be
/// (lossy, animated, with alpha or profiles) is refused before.
fn decode_image(image: &[u8], width: u16, height: u16) -> Result<Vec<u8>, TileError> {
    // RIFF, length, WEBP, VP8L, length, signature, then 14 bits of width - 1, 14 of height - 1, alpha, version.
    let simple = image.get(..4) == Some(b"RIFF") && image.get(8..16) == Some(b"WEBPVP8L") && image.get(20) == Some(&0x2f);
    let size = image.get(21..25).and_then(|size| size.try_into().ok()).map(u32::from_le_bytes);
    let expected = (u32::from(width) - 1) | (u32::from(height) - 1) << 14;
    if !simple || size != Some(expected) || width > TILE || height > TILE {
        return Err(TileError::Image);
    }
    let mut decoder = WebPDecoder::new(Cursor::new(image)).map_err(|_| TileError::Image)?;
    let pixels = usize::from(width) * usize::from(height);
    let mut rgb = vec![0; pixels * RGB];
    decoder.read_image(&mut rgb).map_err(|_| TileError::Image)?;
    Ok(rgb.as_chunks::<RGB>().0.iter().flat_map(|[r, g, b]| [*r, *g, *b, 255]).collect())
}

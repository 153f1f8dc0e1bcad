//! Bitmaps as they are, and compressed in the old ways (MS-RDPBCGR 2.2.9.1.1.3.1.2).

use ironrdp_core::decode;
use ironrdp_graphics::{
    color_conversion::{rdp_15bit_to_rgb, rdp_16bit_to_rgb},
    rdp6::BitmapStreamDecoder,
    rle,
};
use ironrdp_pdu::bitmap::{BitmapData, BitmapUpdateData, Compression};

use super::{DecodeError, canvas::Canvas, palette::Palette};
use crate::{MAX_SIDE, Rect};

const WHAT: &str = "bitmap";

/// Pixels in rows from the bottom, without compression.
pub(super) struct Raw<'a> {
    pub(super) left: u16,
    pub(super) top: u16,
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) bits: u16,
    pub(super) data: &'a [u8],
}

/// TS_UPDATE_BITMAP_DATA.
pub(super) fn update(data: &[u8], palette: &Palette, canvas: &mut Canvas) -> Result<(), DecodeError> {
    let update: BitmapUpdateData<'_> = decode(data).map_err(|_| DecodeError::Malformed("bitmap update"))?;
    let mut pixels = Vec::new();
    for bitmap in &update.rectangles {
        one(bitmap, palette, &mut pixels, canvas)?;
    }
    Ok(())
}

fn one(bitmap: &BitmapData<'_>, palette: &Palette, pixels: &mut Vec<u8>, canvas: &mut Canvas) -> Result<(), DecodeError> {
    let area = &bitmap.rectangle;
    let area = Rect::of_edges(area.left.into(), area.top.into(), u32::from(area.right) + 1, u32::from(area.bottom) + 1);
    // The bitmap may be wider than its place (rows are padded), never smaller.
    if area.is_empty() || bitmap.width < area.width || bitmap.height < area.height {
        return Err(DecodeError::Malformed(WHAT));
    }
    if bitmap.width > MAX_SIDE || bitmap.height > MAX_SIDE {
        return Err(DecodeError::Limit("size of a bitmap"));
    }
    let (width, height) = (usize::from(bitmap.width), usize::from(bitmap.height));
    if !bitmap.compression_flags.contains(Compression::BITMAP_COMPRESSION) {
        let raw = Raw {
            left: area.x,
            top: area.y,
            width: bitmap.width,
            height: bitmap.height,
            bits: bitmap.bits_per_pixel,
            data: bitmap.bitmap_data,
        };
        return rows(&raw, area, (width * bytes_of(raw.bits)?).next_multiple_of(4), palette, canvas);
    }
    canvas.spend(width * height)?;
    pixels.clear();
    if bitmap.bits_per_pixel == 32 {
        // RDP 6.0 planes (MS-RDPEGDI 2.2.2.5.1), which come out as red, green, blue.
        BitmapStreamDecoder::default()
            .decode_bitmap_stream_to_rgb24(bitmap.bitmap_data, pixels, width, height)
            .map_err(|_| DecodeError::Malformed(WHAT))?;
        for row in 0..area.height {
            let from = pixels.chunks_exact(width * 3).rev().nth(row.into()).ok_or(DecodeError::Malformed(WHAT))?;
            canvas.paint_row(area.x, area.y.saturating_add(row), from.as_chunks::<3>().0.iter().take(area.width.into()).copied());
        }
        canvas.painted(area);
        return Ok(());
    }
    rle::decompress(bitmap.bitmap_data, pixels, width, height, bitmap.bits_per_pixel.into()).map_err(|_| DecodeError::Malformed(WHAT))?;
    let bits = bitmap.bits_per_pixel;
    let raw = Raw { left: area.x, top: area.y, width: bitmap.width, height: bitmap.height, bits, data: pixels };
    rows(&raw, area, width * bytes_of(bits)?, palette, canvas)
}

/// A surface command's bitmap: as large as it says, its rows one behind the other (2.2.9.2.1.1).
pub(super) fn raw(raw: Raw<'_>, palette: &Palette, canvas: &mut Canvas) -> Result<(), DecodeError> {
    let area = Rect::new(raw.left, raw.top, raw.width, raw.height);
    let stride = usize::from(raw.width) * bytes_of(raw.bits)?;
    if area.is_empty() { Err(DecodeError::Malformed(WHAT)) } else { rows(&raw, area, stride, palette, canvas) }
}

fn bytes_of(bits: u16) -> Result<usize, DecodeError> {
    match bits {
        8 => Ok(1),
        15 | 16 => Ok(2),
        24 => Ok(3),
        32 => Ok(4),
        _ => Err(DecodeError::Unknown("depth of a bitmap")),
    }
}

/// Paints `area` with the upper rows of a bitmap whose last row comes first.
fn rows(raw: &Raw<'_>, area: Rect, stride: usize, palette: &Palette, canvas: &mut Canvas) -> Result<(), DecodeError> {
    canvas.spend(area.area())?;
    let height = usize::from(raw.height);
    if raw.data.len() < stride * height {
        return Err(DecodeError::Malformed(WHAT));
    }
    let width = usize::from(area.width);
    for row in 0..area.height {
        let start = (height - 1 - usize::from(row)) * stride;
        let from = raw.data.get(start..start + stride).ok_or(DecodeError::Malformed(WHAT))?;
        let y = area.y.saturating_add(row);
        let two =
            |convert: fn(u16) -> [u8; 3]| from.as_chunks::<2>().0.iter().take(width).map(move |two| convert(u16::from_le_bytes(*two)));
        match raw.bits {
            8 => canvas.paint_row(area.x, y, from.iter().take(width).map(|index| palette.colour(*index))),
            15 => canvas.paint_row(area.x, y, two(rdp_15bit_to_rgb)),
            16 => canvas.paint_row(area.x, y, two(rdp_16bit_to_rgb)),
            24 => canvas.paint_row(area.x, y, from.as_chunks::<3>().0.iter().take(width).map(|[b, g, r]| [*r, *g, *b])),
            _ => canvas.paint_row(area.x, y, from.as_chunks::<4>().0.iter().take(width).map(|[b, g, r, _]| [*r, *g, *b])),
        }
    }
    canvas.painted(area);
    Ok(())
}

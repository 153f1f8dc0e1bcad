//! A notice as bitmap updates, for sessions without the graphics pipeline (MS-RDPBCGR 2.2.9.1.1.3.1.2).

use super::{Banner, INK};
use crate::wire::{Put as _, frame};
use bytes::Bytes;

/// FASTPATH_UPDATETYPE_BITMAP, not fragmented.
const BITMAP_UPDATE: u8 = 1;
/// A side of one bitmap: small, as every server's are.
const TILE: usize = 64;
/// Body of one update.
const MAX_UPDATE: usize = 12_000;

/// BITMAP_COMPRESSION.
const COMPRESSED: u16 = 1;
const UPDATE_BITMAP: u16 = 1;

/// The bodies of bitmap updates that draw the notice where it stands. Empty for a depth no session has.
pub(crate) fn updates(banner: &Banner, depth: u16) -> Vec<Vec<u8>> {
    let width = usize::from(banner.width);
    let mask = banner.mask();
    tiles(width, banner.height.into(), |at, w, h| {
        // bottom row first
        let rows: Vec<&[bool]> = (at.1..at.1 + h).rev().map(|y| &mask[y * width + at.0..][..w]).collect();
        rectangle((at.0, at.1 + usize::from(banner.top)), (w, h), depth, [banner.back, INK], &rows)
    })
}

/// The same for a desktop of one colour. Its width is cut to fours, as RLE wants them.
pub(crate) fn blank(width: u16, height: u16, colour: [u8; 3], depth: u16) -> Vec<Vec<u8>> {
    let row = [false; TILE];
    let width = usize::from(width & !3);
    tiles(width, height.into(), |at, w, h| rectangle(at, (w, h), depth, [colour, INK], &vec![&row[..w]; h]))
}

/// The same bytes in a fast-path frame; without fast path they are the body of a Graphics Update PDU.
pub(crate) fn fast_path(body: &[u8]) -> Option<Bytes> {
    let mut update = vec![BITMAP_UPDATE];
    update.put16(u16::try_from(body.len()).ok()?);
    update.extend_from_slice(body);
    frame::fast_path(0, &update).map(Bytes::from)
}

/// Made one by one: where, how wide and how high.
fn tiles(width: usize, height: usize, one: impl Fn((usize, usize), usize, usize) -> Option<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut rectangles = Vec::new();
    let mut count = 0u16;
    for top in (0..height).step_by(TILE) {
        for left in (0..width).step_by(TILE) {
            let Some(rectangle) = one((left, top), TILE.min(width - left), TILE.min(height - top)) else { return Vec::new() };
            if rectangles.len() + rectangle.len() > MAX_UPDATE {
                out.push(update(std::mem::take(&mut count), &std::mem::take(&mut rectangles)));
            }
            rectangles.extend_from_slice(&rectangle);
            count += 1;
        }
    }
    out.push(update(count, &rectangles));
    out
}

fn update(count: u16, rectangles: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rectangles.len() + 4);
    out.put16(UPDATE_BITMAP);
    out.put16(count);
    out.extend_from_slice(rectangles);
    out
}

/// TS_BITMAP_DATA.
fn rectangle((left, top): (usize, usize), (w, h): (usize, usize), depth: u16, colours: [[u8; 3]; 2], rows: &[&[bool]]) -> Option<Vec<u8>> {
    let (data, pixel) = match depth {
        15 | 16 | 24 => (runs(rows, depth, colours), usize::from(depth).div_ceil(8)),
        32 => (planar(rows, colours), 4),
        8 => (rows.concat().into_iter().map(|ink| if ink { 0xff } else { 0 }).collect(), 1),
        _ => return None,
    };
    let compressed = depth != 8;
    let n = |n: usize| u16::try_from(n).ok();
    let mut out = Vec::with_capacity(data.len() + 26);
    for edge in [left, top, left + w - 1, top + h - 1, w, h] {
        out.put16(n(edge)?);
    }
    out.put16(depth);
    out.put16(if compressed { COMPRESSED } else { 0 });
    out.put16(n(data.len() + if compressed { 8 } else { 0 })?);
    if compressed {
        // TS_CD_HEADER
        for number in [0, data.len(), w * pixel, w * h * pixel] {
            out.put16(n(number)?);
        }
    }
    out.extend_from_slice(&data);
    Some(out)
}

fn colour([blue, green, red]: [u8; 3], depth: u16) -> Vec<u8> {
    let (b, g, r) = (u16::from(blue), u16::from(green), u16::from(red));
    match depth {
        15 => (r >> 3 << 10 | g >> 3 << 5 | b >> 3).to_le_bytes().to_vec(),
        16 => (r >> 3 << 11 | g >> 2 << 5 | b >> 3).to_le_bytes().to_vec(),
        _ => vec![blue, green, red],
    }
}

/// Interleaved RLE with nothing but colour runs: REGULAR_COLOR_RUN, MEGA_MEGA_COLOR_RUN (MS-RDPBCGR 3.1.9).
fn runs(rows: &[&[bool]], depth: u16, colours: [[u8; 3]; 2]) -> Vec<u8> {
    let [back, ink] = colours.map(|c| colour(c, depth));
    let mut out = Vec::new();
    let all = rows.concat();
    for run in all.chunk_by(|a, b| a == b) {
        match u8::try_from(run.len()) {
            Ok(n @ 1..32) => out.push(0x60 | n),
            _ => {
                out.push(0xf3);
                out.put16(u16::try_from(run.len()).unwrap_or(u16::MAX));
            }
        }
        out.extend_from_slice(if run[0] { &ink } else { &back });
    }
    out
}

/// RDP 6.0 planes with RLE and no alpha (MS-RDPEGDI 2.2.2.5.1): red, green, blue.
fn planar(rows: &[&[bool]], [back, ink]: [[u8; 3]; 2]) -> Vec<u8> {
    let mut out = vec![0x30];
    for channel in [2, 1, 0] {
        let mut above: Option<Vec<u8>> = None;
        for row in rows {
            let values: Vec<u8> = row.iter().map(|on| if *on { ink[channel] } else { back[channel] }).collect();
            let line = match &above {
                None => values.clone(),
                Some(above) => values.iter().zip(above).map(|(v, a)| delta(v.wrapping_sub(*a))).collect(),
            };
            planar_line(&line, &mut out);
            above = Some(values);
        }
    }
    out
}

/// MS-RDPEGDI 3.1.9.2.3: small differences of either sign are small numbers.
fn delta(d: u8) -> u8 {
    if d & 0x80 == 0 { d << 1 } else { (d.wrapping_neg() << 1).wrapping_sub(1) }
}

/// One scan line (MS-RDPEGDI 2.2.2.5.1.2): bytes as they are, then how often the last is repeated. Shorter than three is no run.
fn planar_line(line: &[u8], out: &mut Vec<u8>) {
    let mut last = 0;
    let mut at = 0;
    let same = |at: usize, last: u8| line[at..].iter().take_while(|v| **v == last).count();
    while at < line.len() {
        let start = at;
        while at < line.len() && at - start < 15 && same(at, last) < 3 {
            last = line[at];
            at += 1;
        }
        let raw = &line[start..at];
        let repeat = if at < line.len() { same(at, last) } else { 0 };
        let (high, low, run) = match (raw.len(), repeat) {
            (0, 32..) => (repeat.min(47) - 32, 2, repeat.min(47)),
            (0, 16..) => (repeat - 16, 1, repeat),
            (n, 3..) => (n, repeat.min(15), repeat.min(15)),
            (n, _) => (n, 0, 0),
        };
        out.push((high << 4 | low).to_le_bytes()[0]);
        out.extend_from_slice(raw);
        at += run;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::{BACK, PAGE};
    use ironrdp_core::decode;
    use ironrdp_graphics::{rdp6::BitmapStreamDecoder, rle};
    use ironrdp_pdu::bitmap::{BitmapUpdateData, Compression};

    /// What a client's decoder makes of the updates: red, green, blue of each point.
    fn painted(updates: Vec<Vec<u8>>, (width, height): (u16, u16), depth: u16) -> Vec<[u8; 3]> {
        let width = usize::from(width);
        let mut out = vec![[1, 2, 3]; width * usize::from(height)];
        for body in updates {
            assert!(body.len() < 16_000);
            let update: BitmapUpdateData<'_> = decode(&body).unwrap();
            for r in update.rectangles {
                assert!(r.compression_flags.contains(Compression::BITMAP_COMPRESSION));
                let (w, h) = (usize::from(r.width), usize::from(r.height));
                let mut pixels = Vec::new();
                let rgb: Vec<[u8; 3]> = if depth == 32 {
                    BitmapStreamDecoder::default().decode_bitmap_stream_to_rgb24(r.bitmap_data, &mut pixels, w, h).unwrap();
                    pixels.chunks_exact(3).map(|p| [p[0], p[1], p[2]]).collect()
                } else {
                    rle::decompress(r.bitmap_data, &mut pixels, w, h, usize::from(depth)).unwrap();
                    let n = pixels.len() / (w * h);
                    pixels
                        .chunks_exact(n)
                        .map(|p| if n == 3 { [p[2], p[1], p[0]] } else { wide(u16::from_le_bytes([p[0], p[1]]), depth) })
                        .collect()
                };
                for y in 0..h {
                    let to = (usize::from(r.rectangle.top) + h - 1 - y) * width + usize::from(r.rectangle.left);
                    out[to..to + w].copy_from_slice(&rgb[y * w..][..w]);
                }
            }
        }
        out
    }

    fn wide(p: u16, depth: u16) -> [u8; 3] {
        let green = if depth == 16 { (p >> 5 & 0x3f) << 2 } else { (p >> 5 & 0x1f) << 3 };
        [(if depth == 16 { p >> 11 } else { p >> 10 } & 0x1f) << 3, green, (p & 0x1f) << 3].map(|c| c as u8)
    }

    #[test]
    fn clients_see_the_words_in_every_depth() {
        let banner = Banner::new("This session ends in 5 minutes: save your work.\nSecond line", 1280, 800).unwrap();
        let mask = banner.mask();
        for (depth, keep) in [(15, 0xf8), (16, 0xf8), (24, 0xff), (32, 0xff)] {
            let got = painted(updates(&banner, depth), (banner.width, banner.height), depth);
            let expected = mask.iter().map(|ink| if *ink { INK } else { BACK }).map(|[b, g, r]| [r & keep, g & keep, b & keep]);
            assert!(got.iter().map(|p| p.map(|c| c & keep)).eq(expected), "depth {depth}");
        }
    }

    #[test]
    fn a_page_is_painted_in_the_middle_of_one_colour() {
        let (w, h) = (640, 480);
        let page = Banner::page("Waiting for a supervisor", w, h).unwrap();
        let all = [blank(w, h, PAGE, 32), updates(&page, 32)].concat();
        let got = painted(all, (w, h), 32);
        let [b, g, r] = PAGE;
        let at = |x: usize, y: usize| got[y * usize::from(w) + x];
        for (x, y) in [(0, 0), (639, 0), (0, 479), (639, 479), (5, usize::from(page.top) + 1)] {
            assert_eq!(at(x, y), [r, g, b], "{x} {y}");
        }
        let ink = page.mask().iter().filter(|m| **m).count();
        assert_eq!(got.iter().filter(|p| **p == [0xff; 3]).count(), ink);
        let first = page.runs.first().unwrap();
        assert_eq!(at(first.x.into(), usize::from(page.top + first.y)), [0xff; 3]);
    }

    #[test]
    fn a_notice_costs_little() {
        let banner = Banner::new(&"A long notice with many words in it. ".repeat(10), 1920, 1080).unwrap();
        for depth in [16, 24, 32] {
            let bytes: usize = updates(&banner, depth).iter().map(Vec::len).sum();
            assert!(bytes < 120_000, "{depth}: {bytes}");
        }
        assert!(updates(&banner, 4).is_empty());
    }
}

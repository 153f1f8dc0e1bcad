//! What a target sends to paint on a desktop: fast-path updates of plain bitmaps (MS-RDPBCGR 2.2.9.1.2.1.2), one block a frame.
#![allow(unreachable_pub)]
use bytes::Bytes;

const BLOCK: u16 = 64;

/// A rectangle of one colour.
pub fn rectangle(x: u16, y: u16, width: u16, height: u16, colour: [u8; 3]) -> Vec<Bytes> {
    blocks(x, y, width, height, |_, _| colour)
}

/// Pixels in rows, three bytes each.
pub fn image(x: u16, y: u16, width: u16, height: u16, rgb: &[u8]) -> Vec<Bytes> {
    blocks(x, y, width, height, |dx, dy| {
        let at = (usize::from(dy) * usize::from(width) + usize::from(dx)) * 3;
        [rgb[at], rgb[at + 1], rgb[at + 2]]
    })
}

fn blocks(x: u16, y: u16, width: u16, height: u16, colour: impl Fn(u16, u16) -> [u8; 3]) -> Vec<Bytes> {
    let mut frames = Vec::new();
    for top in (0..height).step_by(usize::from(BLOCK)) {
        for left in (0..width).step_by(usize::from(BLOCK)) {
            let (w, h) = (BLOCK.min(width - left), BLOCK.min(height - top));
            frames.push(block(x + left, y + top, w, h, |dx, dy| colour(left + dx, top + dy)));
        }
    }
    frames
}

fn block(x: u16, y: u16, width: u16, height: u16, colour: impl Fn(u16, u16) -> [u8; 3]) -> Bytes {
    // Rows are as wide as a multiple of four pixels, and the lowest comes first.
    let wide = width.next_multiple_of(4);
    let mut data = Vec::new();
    for dy in (0..height).rev() {
        for dx in 0..wide {
            let [r, g, b] = colour(dx.min(width - 1), dy);
            data.extend([b, g, r, 0]);
        }
    }
    let length = u16::try_from(data.len()).unwrap();
    let mut update = Vec::new();
    for n in [1, 1, x, y, x + width - 1, y + height - 1, wide, height, 32, 0, length] {
        update.extend(n.to_le_bytes());
    }
    update.extend(data);
    let mut frame = vec![0];
    frame.extend((0x8000 | u16::try_from(update.len() + 6).unwrap()).to_be_bytes());
    frame.push(1);
    frame.extend(u16::try_from(update.len()).unwrap().to_le_bytes());
    frame.extend(update);
    frame.into()
}

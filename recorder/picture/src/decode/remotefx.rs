//! RemoteFX in surface commands (MS-RDPRFX).

use ironrdp_graphics::rfx::{MessageDecoder, TILE_SIZE, TileDecoder};

use super::{DecodeError, canvas::Canvas};
use crate::Rect;

const WHAT: &str = "RemoteFX message";
/// Rectangles of a frame, each of which is looked at for each tile.
const MAX_RECTANGLES: usize = 4096;
const TILE_STRIDE: usize = TILE_SIZE as usize * 4;

#[derive(Debug, Default)]
pub(super) struct RemoteFx {
    messages: MessageDecoder,
    tiles: TileDecoder,
}

impl RemoteFx {
    /// Paints a message whose places count from `left` and `top`.
    pub(super) fn paint(&mut self, left: u16, top: u16, data: &[u8], canvas: &mut Canvas) -> Result<(), DecodeError> {
        let message = self.messages.parse(data).map_err(|_| DecodeError::Malformed(WHAT))?;
        for frame in &message.frames {
            if frame.rectangles.len() > MAX_RECTANGLES {
                return Err(DecodeError::Limit("rectangles of a RemoteFX frame"));
            }
            let moved = |x: u32, y: u32, width: u32, height: u32| {
                let (x, y) = (u32::from(left) + x, u32::from(top) + y);
                Rect::of_edges(x, y, x + width, y + height)
            };
            let valid: Vec<Rect> =
                frame.rectangles.iter().map(|area| moved(area.x.into(), area.y.into(), area.width.into(), area.height.into())).collect();
            for tile in &frame.tile_set.tiles {
                let side = u32::from(TILE_SIZE);
                let place = moved(u32::from(tile.x) * side, u32::from(tile.y) * side, side, side);
                canvas.spend(place.area().max(1) + valid.len())?;
                let pixels = self
                    .tiles
                    .decode(tile, &frame.tile_set.quants, frame.tile_set.entropy_algorithm)
                    .map_err(|_| DecodeError::Malformed(WHAT))?;
                let mut part = |area: Rect| {
                    let area = area.intersection(&place);
                    if !area.is_empty() {
                        let skipped = usize::from(area.y - place.y) * TILE_STRIDE + usize::from(area.x - place.x) * 4;
                        canvas.paint(area, pixels.get(skipped..).unwrap_or_default(), TILE_STRIDE);
                    }
                };
                // MS-RDPRFX 2.2.2.3.3: without rectangles, all of it is valid.
                if valid.is_empty() {
                    part(place);
                }
                valid.iter().copied().for_each(&mut part);
            }
        }
        Ok(())
    }
}

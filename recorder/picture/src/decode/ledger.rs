//! What the graphics pipeline's commands would cost, before they are carried out.
//!
//! `ironrdp-egfx` keeps within bounds of its own by not carrying out what is beyond them, which a client would; here that is an error. And it has
//! no bounds where a command names a size that nothing else vouches for (docs/upstream/ironrdp-egfx.md).

use std::collections::BTreeMap;

use ironrdp_egfx::pdu::{Codec1Type, GfxPdu};
use ironrdp_pdu::geometry::ExclusiveRectangle;

use super::{DecodeError, canvas::Canvas};
use crate::{MAX_PIXELS, MAX_SIDE};

const PIXEL: usize = 4;
/// What the compositor of `ironrdp-egfx` stops at is 256 MiB. It is never asked for as much.
const MAX_COMPOSITOR: usize = 240 << 20;
/// The state of a progressive tile (coefficients, signs, reference) by its pixels.
const PROGRESSIVE: usize = 16;
/// A tile that changes takes that many bytes at least in a progressive message, and is that many pixels.
const MIN_TILE_BYTES: usize = 16;
const TILE_PIXELS: usize = 64 * 64;
const REGION_BYTES: usize = 32;

#[derive(Debug, Default)]
pub(super) struct Ledger {
    surfaces: BTreeMap<u16, Surface>,
    cache: BTreeMap<u16, usize>,
    /// Surfaces with progressive tiles, which stay until the surface is deleted; a reset does not.
    progressive: BTreeMap<u16, usize>,
    /// Of updates that are not drained yet.
    waiting: usize,
    /// What of that came behind the last end of a frame: it stays until the next.
    since_end: usize,
    ended: bool,
}

#[derive(Debug)]
struct Surface {
    width: u16,
    height: u16,
    /// Pixels of the output for one of the surface's, rounded up.
    scale: usize,
}

impl Surface {
    fn pixels(&self) -> usize {
        usize::from(self.width) * usize::from(self.height)
    }

    fn holds(&self, area: &ExclusiveRectangle) -> bool {
        area.left <= area.right && area.top <= area.bottom && area.right <= self.width && area.bottom <= self.height
    }
}

fn pixels(area: &ExclusiveRectangle) -> usize {
    usize::from(area.right.saturating_sub(area.left)) * usize::from(area.bottom.saturating_sub(area.top))
}

impl Ledger {
    /// The commands so far were carried out, and what was finished by them was drained.
    pub(super) fn drained(&mut self) {
        if std::mem::take(&mut self.ended) {
            self.waiting = self.since_end;
        }
    }

    /// Bytes of cached bitmaps.
    pub(super) fn cached(&self) -> usize {
        self.cache.values().sum::<usize>() * PIXEL
    }

    /// Refuses what cannot be shown or goes too far; enters what will be carried out.
    pub(super) fn enter(&mut self, pdu: &GfxPdu, limit: usize, canvas: &mut Canvas) -> Result<(), DecodeError> {
        canvas.spend(1)?;
        match pdu {
            GfxPdu::ResetGraphics(reset) => {
                self.surfaces.clear();
                (self.waiting, self.since_end) = (0, 0);
                let fits = reset.width <= MAX_SIDE.into() && reset.height <= MAX_SIDE.into();
                if fits { Ok(()) } else { Err(DecodeError::Limit("desktop size")) }
            }
            GfxPdu::CreateSurface(create) => {
                let surface = Surface { width: create.width, height: create.height, scale: 1 };
                if surface.width > MAX_SIDE || surface.height > MAX_SIDE || surface.pixels() > MAX_PIXELS {
                    return Err(DecodeError::Limit("size of a surface"));
                }
                canvas.spend(surface.pixels())?;
                self.surfaces.insert(create.surface_id, surface);
                self.within(limit)
            }
            GfxPdu::DeleteSurface(delete) => {
                self.surfaces.remove(&delete.surface_id);
                self.progressive.remove(&delete.surface_id);
                Ok(())
            }
            GfxPdu::MapSurfaceToOutput(map) => {
                if let Some(surface) = self.surfaces.get_mut(&map.surface_id) {
                    surface.scale = 1;
                }
                self.whole(map.surface_id, limit, canvas)
            }
            GfxPdu::MapSurfaceToScaledOutput(map) => {
                if map.target_width > MAX_SIDE.into() || map.target_height > MAX_SIDE.into() {
                    return Err(DecodeError::Limit("size of a surface"));
                }
                if let Some(surface) = self.surfaces.get_mut(&map.surface_id) {
                    let target = map.target_width as usize * map.target_height as usize;
                    surface.scale = target.div_ceil(surface.pixels().max(1)).max(1) + 1;
                }
                self.whole(map.surface_id, limit, canvas)
            }
            GfxPdu::WireToSurface1(wire) => {
                if matches!(wire.codec_id, Codec1Type::Avc420 | Codec1Type::Avc444 | Codec1Type::Avc444v2) {
                    return Err(DecodeError::Unknown("H.264"));
                }
                let area = &wire.destination_rectangle;
                if !self.surface(wire.surface_id)?.holds(area) {
                    return Err(DecodeError::Malformed("place on a surface"));
                }
                // Opacity is copied for the whole of its place.
                self.dirty(wire.surface_id, pixels(area), 1, limit, canvas)
            }
            GfxPdu::WireToSurface2(wire) => {
                let surface = self.surface(wire.surface_id)?.pixels();
                let tiles = wire.bitmap_data.len() / MIN_TILE_BYTES + 1;
                let state = surface.next_multiple_of(TILE_PIXELS) * PROGRESSIVE;
                let known = self.progressive.entry(wire.surface_id).or_default();
                *known = state.max(*known);
                self.dirty(wire.surface_id, (tiles * TILE_PIXELS).min(surface), 1, limit, canvas)
            }
            GfxPdu::SolidFill(fill) => {
                let all = fill.rectangles.iter().map(pixels).sum();
                self.dirty(fill.surface_id, all, fill.rectangles.len(), limit, canvas)
            }
            GfxPdu::SurfaceToSurface(copy) => {
                let (area, count) = (pixels(&copy.source_rectangle), copy.destination_points.len());
                if !self.surface(copy.source_surface_id)?.holds(&copy.source_rectangle) {
                    return Err(DecodeError::Malformed("place on a surface"));
                }
                canvas.spend(area)?;
                self.dirty(copy.destination_surface_id, area.saturating_mul(count), count, limit, canvas)
            }
            GfxPdu::SurfaceToCache(store) => {
                let area = pixels(&store.source_rectangle);
                if !self.surface(store.surface_id)?.holds(&store.source_rectangle) {
                    return Err(DecodeError::Malformed("place on a surface"));
                }
                canvas.spend(area)?;
                self.cache.insert(store.cache_slot, area);
                self.within(limit)
            }
            GfxPdu::CacheToSurface(paste) => {
                let count = paste.destination_points.len();
                // An entry of a cache that lives longer than a connection could be pasted from, without ever having been sent.
                let area = *self.cache.get(&paste.cache_slot).ok_or(DecodeError::Unknown("bitmap of an earlier connection"))?;
                self.dirty(paste.surface_id, area.saturating_mul(count), count, limit, canvas)
            }
            GfxPdu::EvictCacheEntry(evict) => {
                self.cache.remove(&evict.cache_slot);
                Ok(())
            }
            GfxPdu::StartFrame(_) | GfxPdu::CapabilitiesConfirm(_) | GfxPdu::DeleteEncodingContext(_) => Ok(()),
            GfxPdu::EndFrame(_) => {
                (self.since_end, self.ended) = (0, true);
                canvas.frame_ends();
                Ok(())
            }
            GfxPdu::CacheImportReply(reply) if reply.cache_slots.is_empty() => Ok(()),
            GfxPdu::CacheImportReply(_) => Err(DecodeError::Unknown("bitmap of an earlier connection")),
            GfxPdu::MapSurfaceToWindow(_) | GfxPdu::MapSurfaceToScaledWindow(_) => Err(DecodeError::Unknown("window of a remote program")),
            _ => Err(DecodeError::Malformed("graphics command")),
        }
    }

    fn surface(&self, id: u16) -> Result<&Surface, DecodeError> {
        self.surfaces.get(&id).ok_or(DecodeError::Malformed("surface"))
    }

    fn whole(&mut self, id: u16, limit: usize, canvas: &mut Canvas) -> Result<(), DecodeError> {
        let pixels = self.surface(id)?.pixels();
        self.dirty(id, pixels, 1, limit, canvas)
    }

    /// So many pixels of a surface will be painted, in so many places.
    fn dirty(&mut self, id: u16, pixels: usize, places: usize, limit: usize, canvas: &mut Canvas) -> Result<(), DecodeError> {
        let shown = pixels.saturating_mul(self.surface(id)?.scale);
        canvas.spend(shown.saturating_add(places))?;
        let bytes = shown.saturating_mul(PIXEL).saturating_add(places * REGION_BYTES);
        self.waiting = self.waiting.saturating_add(bytes);
        self.since_end = self.since_end.saturating_add(bytes);
        self.within(limit)
    }

    fn within(&self, limit: usize) -> Result<(), DecodeError> {
        let surfaces: usize = self.surfaces.values().map(Surface::pixels).sum();
        let cache: usize = self.cache.values().sum();
        let compositor = self.waiting.saturating_add((surfaces + cache) * PIXEL);
        let progressive: usize = self.progressive.values().sum();
        let fits = compositor <= MAX_COMPOSITOR && compositor.saturating_add(progressive) <= limit;
        if fits { Ok(()) } else { Err(DecodeError::Limit("memory of the graphics pipeline")) }
    }
}

//! What is painted on, and what it may cost.

use super::{DecodeError, Fed, Limits};
use crate::{Damage, MAX_PIXELS, Picture, Rect, picture::checked_size};

#[derive(Debug)]
pub(super) struct Canvas {
    picture: Picture,
    damage: Damage,
    fed: Fed,
    limits: Limits,
    /// Pixels that the frame at hand may still have painted.
    work: usize,
}

impl Canvas {
    pub(super) fn new(width: u16, height: u16, limits: Limits) -> Result<Self, DecodeError> {
        let picture = black(width.into(), height.into(), limits)?;
        Ok(Self { damage: Damage::all(picture.width(), picture.height()), picture, fed: Fed::default(), limits, work: 0 })
    }

    pub(super) fn begin(&mut self) {
        self.fed = Fed::default();
        self.work = self.limits.work;
    }

    pub(super) fn fed(&self) -> Fed {
        self.fed
    }

    pub(super) fn picture(&self) -> &Picture {
        &self.picture
    }

    pub(super) fn take_damage(&mut self) -> Damage {
        std::mem::replace(&mut self.damage, Damage::none(self.picture.width(), self.picture.height()))
    }

    /// Asks for the time to decode so many pixels.
    pub(super) fn spend(&mut self, pixels: usize) -> Result<(), DecodeError> {
        self.work = self.work.checked_sub(pixels).ok_or(DecodeError::Limit("work of a frame"))?;
        Ok(())
    }

    /// Another size: black, and nothing of it was seen.
    pub(super) fn resize(&mut self, width: u32, height: u32) -> Result<(), DecodeError> {
        self.spend(usize::try_from(width).unwrap_or(usize::MAX).saturating_mul(usize::try_from(height).unwrap_or(usize::MAX)))?;
        self.picture = black(width, height, self.limits)?;
        self.damage = Damage::all(self.picture.width(), self.picture.height());
        self.fed.painted = true;
        self.fed.resized = Some((self.picture.width(), self.picture.height()));
        Ok(())
    }

    pub(super) fn size(&self) -> (u16, u16) {
        (self.picture.width(), self.picture.height())
    }

    /// Copies rows of four bytes a pixel. What lies outside the picture is not seen by anybody.
    pub(super) fn paint(&mut self, area: Rect, source: &[u8], stride: usize) {
        self.picture.paint(area, source, stride);
        self.painted(area);
    }

    /// One row, given as pixels.
    pub(super) fn paint_row(&mut self, x: u16, y: u16, pixels: impl Iterator<Item = [u8; 3]>) {
        let width = self.picture.width().saturating_sub(x);
        let row = self.picture.row_mut(Rect::new(x, y, width, 1), 0);
        for (target, [r, g, b]) in row.as_chunks_mut::<4>().0.iter_mut().zip(pixels) {
            *target = [r, g, b, 255];
        }
    }

    pub(super) fn painted(&mut self, area: Rect) {
        self.damage.mark(area);
        self.fed.painted = true;
    }

    pub(super) fn frame_ends(&mut self) {
        self.fed.frame_end = true;
    }
}

fn black(width: u32, height: u32, limits: Limits) -> Result<Picture, DecodeError> {
    let refused = DecodeError::Limit("desktop size");
    let (width, height) = checked_size(width, height).map_err(|_| refused)?;
    if usize::from(width) * usize::from(height) > limits.pixels.min(MAX_PIXELS) {
        return Err(refused);
    }
    Picture::new(width, height).map_err(|_| refused)
}

//! From the target's PDUs to its picture: a client's eyes without its hands. Nothing is ever answered.
//!
//! `frames` takes PDUs apart as far as they can carry a picture (fast-path updates, slow-path updates, dynamic channels); `canvas` is what all of
//! them paint on; `bitmaps` and `remotefx` paint what comes in updates, `graphics` what comes through the graphics pipeline (MS-RDPEGFX), whose
//! demands `ledger` checks before they are carried out.
//!
//! What is not listed as harmless is an error: a picture that differs from what the person saw is worse than none.

mod bitmaps;
mod canvas;
mod channels;
mod error;
mod fast_path;
mod graphics;
mod ledger;
mod palette;
mod reader;
mod remotefx;
mod share;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use error::DecodeError;

use self::{canvas::Canvas, channels::DynamicChannels, fast_path::FastPath, reader::Reader, share::Share};
use crate::{Damage, Desktop, MAX_PIXELS, Picture};

/// What one decoder may use.
///
/// Memory: four bytes for each of `pixels` (64 MiB by default), `graphics` for the graphics pipeline (320 MiB), and at most 120 MiB for one
/// message on its way. A desktop of 1920 x 1080 needs some 60 MiB of it; only a hostile target gets further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of the desktop, at most [`MAX_PIXELS`].
    pub pixels: usize,
    /// Bytes of surfaces, cached bitmaps, updates that are not yet shown, and states of progressive tiles.
    pub graphics: usize,
    /// Pixels that one frame may have painted, which bounds its time: an ordinary frame paints each pixel once.
    pub work: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { pixels: MAX_PIXELS, graphics: 320 << 20, work: 4 * MAX_PIXELS }
    }
}

/// What a frame did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use]
pub struct Fed {
    /// Something was painted; [`Decoder::take_damage`] says where.
    pub painted: bool,
    /// The target says that what it painted so far belongs together. Not every target does.
    pub frame_end: bool,
    /// The picture has another size now, and is black where nothing was painted since.
    pub resized: Option<(u16, u16)>,
}

/// Makes the picture of one channel out of the frames its target sent.
pub struct Decoder {
    canvas: Canvas,
    fast_path: FastPath,
    share: Share,
    channels: DynamicChannels,
    io_channel: u16,
    /// MCS channels called `drdynvc`.
    dynamic: Vec<u16>,
    failed: bool,
}

impl Decoder {
    /// # Errors
    /// [`DecodeError::Limit`] for a desktop beyond [`Limits::pixels`] or without pixels.
    pub fn new(desktop: &Desktop, limits: Limits) -> Result<Self, DecodeError> {
        let dynamic = desktop.channels.iter().filter(|(_, name)| name.eq_ignore_ascii_case("drdynvc")).map(|(id, _)| *id).collect();
        Ok(Self {
            canvas: Canvas::new(desktop.width, desktop.height, limits)?,
            fast_path: FastPath::default(),
            share: Share::default(),
            channels: DynamicChannels::new(limits),
            io_channel: desktop.io_channel,
            dynamic,
            failed: false,
        })
    }

    /// Takes one whole frame as it came from the target, decrypted: fast-path or TPKT.
    ///
    /// # Errors
    /// [`DecodeError`]: the picture cannot follow the target any more. Every later frame is refused with [`DecodeError::Failed`].
    pub fn feed(&mut self, frame: &[u8]) -> Result<Fed, DecodeError> {
        if self.failed {
            return Err(DecodeError::Failed);
        }
        self.canvas.begin();
        // The crates below take care, and a panic in one of them would end a thread that serves a recording: it ends the session instead.
        let fed = catch_unwind(AssertUnwindSafe(|| self.frame(frame))).unwrap_or(Err(DecodeError::Failed));
        self.failed = fed.is_err();
        fed.map(|()| self.canvas.fed())
    }

    pub fn picture(&self) -> &Picture {
        self.canvas.picture()
    }

    /// The tiles painted since this was last asked; all of them for a new size.
    pub fn take_damage(&mut self) -> Damage {
        self.canvas.take_damage()
    }

    fn frame(&mut self, frame: &[u8]) -> Result<(), DecodeError> {
        match frame.first() {
            // MS-RDPBCGR 2.2.9.1.2: the two lowest bits of the first byte.
            Some(first) if first & 3 == 0 => self.fast_path.frame(frame, &mut self.canvas),
            Some(3) => self.tpkt(frame),
            _ => Err(DecodeError::Malformed("frame")),
        }
    }

    /// A TPKT with an MCS Send Data Indication on a channel that can carry a picture. Everything else paints nothing.
    fn tpkt(&mut self, frame: &[u8]) -> Result<(), DecodeError> {
        const DATA: u8 = 0xf0;
        const SEND_DATA_INDICATION: u8 = 26;
        let mut reader = Reader::new(frame, "TPKT");
        let [_version, _, high, low] = reader.bytes()?;
        if usize::from(u16::from_be_bytes([high, low])) != frame.len() {
            return Err(DecodeError::Malformed("TPKT"));
        }
        let [_length, code] = reader.bytes()?;
        if code & 0xf0 != DATA {
            return Ok(());
        }
        let _end_of_transmission = reader.u8()?;
        if reader.u8()? >> 2 != SEND_DATA_INDICATION {
            return Ok(());
        }
        let (_initiator, channel, _priority) = (reader.u16_be()?, reader.u16_be()?, reader.u8()?);
        let length = match reader.u8()? {
            short @ 0..0x80 => usize::from(short),
            long @ 0x80..0xc0 => usize::from(long & 0x3f) << 8 | usize::from(reader.u8()?),
            _ => return Err(DecodeError::Malformed("MCS length")),
        };
        let data = reader.take(length)?;
        if channel == self.io_channel {
            let restarts = self.share.data(data, &mut self.fast_path, &mut self.canvas)?;
            if restarts {
                self.fast_path = FastPath::default();
            }
            Ok(())
        } else if self.dynamic.contains(&channel) {
            self.channels.data(data, &mut self.canvas)
        } else {
            Ok(())
        }
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("picture", self.picture()).field("failed", &self.failed).finish_non_exhaustive()
    }
}

//! The graphics pipeline (MS-RDPEGFX), decoded and composited by `ironrdp-egfx`.

use ironrdp_core::{ReadCursor, decode_cursor};
use ironrdp_dvc::DvcProcessor;
use ironrdp_egfx::{
    client::{GraphicsPipelineClient, GraphicsPipelineHandler},
    pdu::GfxPdu,
};
use ironrdp_graphics::zgfx::{Decompressor, wrap_uncompressed};

use super::{DecodeError, Limits, canvas::Canvas, channels::MAX_MESSAGE_BYTES, ledger::Ledger};
use crate::Rect;

/// MS-RDPEGFX 3.3.1.4: what is agreed to be cached.
const CACHE_BYTES: usize = 100 << 20;
const SMALL_CACHE_BYTES: usize = 16 << 20;
const WHAT: DecodeError = DecodeError::Malformed("graphics message");

/// Nothing is told to anybody: what there is to see comes out of the compositor.
struct Silent;
impl GraphicsPipelineHandler for Silent {}

pub(super) struct Graphics {
    limit: usize,
    unpacking: Decompressor,
    unpacked: Vec<u8>,
    ledger: Ledger,
    client: GraphicsPipelineClient,
}

impl Graphics {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limit: limits.graphics,
            unpacking: Decompressor::new(),
            unpacked: Vec::new(),
            ledger: Ledger::default(),
            client: GraphicsPipelineClient::new(Box::new(Silent), None),
        }
    }

    /// One message of the channel: unpacked, looked over, and only then carried out.
    pub(super) fn message(&mut self, message: &[u8], canvas: &mut Canvas) -> Result<(), DecodeError> {
        check_unpacked_size(message)?;
        self.unpacked.clear();
        self.unpacking.decompress(message, &mut self.unpacked).map_err(|_| WHAT)?;
        if self.unpacked.len() > MAX_MESSAGE_BYTES {
            return Err(DecodeError::Limit("length of a graphics message"));
        }
        let mut cursor = ReadCursor::new(&self.unpacked);
        while !cursor.is_empty() {
            let pdu: GfxPdu = decode_cursor(&mut cursor).map_err(|_| WHAT)?;
            self.ledger.enter(&pdu, self.limit, canvas)?;
        }
        // Beyond what was agreed the client drops all of its cache at the next reset.
        let agreed = if self.client.codec_capabilities().small_cache { SMALL_CACHE_BYTES } else { CACHE_BYTES };
        if self.ledger.cached() > agreed {
            return Err(DecodeError::Limit("cache of the graphics pipeline"));
        }
        // The client's own unpacking has nothing left to do, so its history does not matter.
        let checked = wrap_uncompressed(&self.unpacked);
        self.unpacked.shrink_to(1 << 20);
        let _replies = self.client.process(0, &checked).map_err(|_| WHAT)?;
        // It goes on after an update it could not decode; the picture does not.
        if self.client.dropped_updates() > 0 {
            return Err(DecodeError::Malformed("graphics update"));
        }
        if let Some((width, height)) = self.client.take_output_reset() {
            canvas.resize(width.into(), height.into())?;
        }
        let updates = self.client.drain_output();
        self.ledger.drained();
        for update in updates {
            let region = &update.region;
            let area = Rect::of_edges(region.left.into(), region.top.into(), region.right.into(), region.bottom.into());
            canvas.paint(area, &update.data, usize::from(area.width) * 4);
        }
        Ok(())
    }
}

/// MS-RDPEGFX 2.2.5.1: a message in several segments says how long all of them are together.
fn check_unpacked_size(message: &[u8]) -> Result<(), DecodeError> {
    const MULTIPART: u8 = 0xe1;
    if message.first() != Some(&MULTIPART) {
        return Ok(());
    }
    let size = message.get(3..7).and_then(|size| size.try_into().ok()).map(u32::from_le_bytes).ok_or(WHAT)?;
    let fits = usize::try_from(size).is_ok_and(|size| size <= MAX_MESSAGE_BYTES);
    if fits { Ok(()) } else { Err(DecodeError::Limit("length of a graphics message")) }
}

impl std::fmt::Debug for Graphics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Graphics").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

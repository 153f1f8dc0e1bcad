//! Packets out of a stream (section 3), whose beginnings may come in pieces.
use super::MAX_WHOLE;
use crate::{Violation, wire::u32_at};
use anteroom_domain::capability::Direction;
use bytes::Bytes;
use std::ops::Range;

/// One direction of the channel.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// Beginning of a packet that is not decided yet; less than the longest head.
    head: Vec<u8>,
    fate: Body,
    left: usize,
}

/// What becomes of a packet, or of the rest of one whose head was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Body {
    #[default]
    Swallow,
    Pass,
    /// Passes, and is a file's content from this offset on.
    Content {
        file: u32,
        way: Direction,
        offset: u64,
    },
    /// Swallowed content that the file is not allowed to have.
    Refused {
        file: u32,
    },
}

impl Body {
    pub(super) fn passes(self) -> bool {
        matches!(self, Self::Pass | Self::Content { .. })
    }
}

/// A packet's beginning, or all of it.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) bytes: Bytes,
    /// Where it is in the data, if it is there in one piece.
    pub(super) range: Option<Range<usize>>,
}

impl Head {
    pub(super) fn kind(&self) -> u8 {
        self.bytes.get(4).copied().unwrap_or_default()
    }

    pub(super) fn id(&self) -> u32 {
        u32_at(&self.bytes, 5).unwrap_or_default()
    }

    /// What follows kind and id.
    pub(super) fn fields(&self) -> crate::wire::Fields {
        crate::wire::Fields::new(self.bytes.slice(9.min(self.bytes.len())..))
    }

    /// Bytes of the packet that are not in the head.
    pub(super) fn left(&self) -> usize {
        (u32_at(&self.bytes, 0).unwrap_or_default() as usize + 4).saturating_sub(self.bytes.len())
    }
}

#[derive(Debug)]
pub(super) struct Piece {
    pub(super) fate: Body,
    pub(super) range: Range<usize>,
    pub(super) last: bool,
}

impl Frames {
    pub(super) fn expect(&mut self, fate: Body, left: usize) {
        (self.fate, self.left) = (fate, left);
    }

    /// The next piece of a packet whose head was read; none between packets.
    pub(super) fn body(&mut self, data: &Bytes, at: &mut usize) -> Option<Piece> {
        if self.left == 0 {
            return None;
        }
        let n = self.left.min(data.len() - *at);
        let piece = Piece { fate: self.fate, range: *at..*at + n, last: n == self.left };
        self.left -= n;
        *at += n;
        if let Body::Content { offset, .. } = &mut self.fate {
            *offset = offset.saturating_add(n as u64);
        }
        Some(piece)
    }

    /// The next head. `length` says how long it is, given its beginning: more than that while it can't say.
    pub(super) fn head(
        &mut self,
        data: &Bytes,
        at: &mut usize,
        length: impl Fn(&[u8]) -> Result<usize, Violation>,
    ) -> Result<Option<Head>, Violation> {
        let view = data.get(*at..).unwrap_or_default();
        if self.head.is_empty() {
            let n = length(view)?;
            if n <= view.len() {
                let range = *at..*at + n;
                *at += n;
                return Ok(Some(Head { bytes: data.slice(range.clone()), range: Some(range) }));
            }
            self.head.extend_from_slice(view);
            *at = data.len();
            return Ok(None);
        }
        loop {
            let n = length(&self.head)?;
            debug_assert!(n <= MAX_WHOLE + 4);
            let Some(missing) = n.checked_sub(self.head.len()).filter(|m| *m > 0) else {
                return Ok(Some(Head { bytes: std::mem::take(&mut self.head).into(), range: None }));
            };
            let rest = data.get(*at..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(None);
            }
            let n = missing.min(rest.len());
            self.head.extend_from_slice(&rest[..n]);
            *at += n;
        }
    }
}

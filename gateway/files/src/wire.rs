//! Reading and writing the fields of SFTP packets (draft-ietf-secsh-filexfer-02 section 3, types as in RFC 4251 section 5).
use bytes::{BufMut, Bytes, BytesMut};

/// Reads fields front to back; `None` when the packet is too short for them.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    rest: Bytes,
}

impl Fields {
    pub(crate) fn new(rest: Bytes) -> Self {
        Self { rest }
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        let v = u32_at(&self.rest, 0)?;
        let _ = self.rest.split_to(4);
        Some(v)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        let v = u64::from_be_bytes(self.rest.get(..8)?.try_into().ok()?);
        let _ = self.rest.split_to(8);
        Some(v)
    }

    pub(crate) fn string(&mut self) -> Option<Bytes> {
        let n = u32_at(&self.rest, 0)? as usize;
        if self.rest.len() - 4 < n {
            return None;
        }
        let _ = self.rest.split_to(4);
        Some(self.rest.split_to(n))
    }

    /// Section 5: only what the flags say is there.
    pub(crate) fn attrs(&mut self) -> Option<Attrs> {
        let mut attrs = Attrs::default();
        let flags = self.u32()?;
        if flags & 1 != 0 {
            attrs.size = Some(self.u64()?);
        }
        if flags & 2 != 0 {
            self.u64()?;
        }
        if flags & 4 != 0 {
            attrs.mode = Some(self.u32()?);
        }
        if flags & 8 != 0 {
            self.u64()?;
        }
        if flags & 0x8000_0000 != 0 {
            for _ in 0..self.u32()? {
                self.string()?;
                self.string()?;
            }
        }
        (flags & !0x8000_000f == 0).then_some(attrs)
    }

    pub(crate) fn rest(self) -> Bytes {
        self.rest
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing may be left.
    pub(crate) fn end(self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }
}

/// What of a file's attributes matters here.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attrs {
    pub(crate) size: Option<u64>,
    /// With the type bits of `st_mode`.
    pub(crate) mode: Option<u32>,
}

impl Attrs {
    pub(crate) fn is_regular_file(&self) -> bool {
        self.mode.is_some_and(|m| m & 0o170_000 == 0o100_000)
    }
}

pub(crate) fn u32_at(b: &[u8], at: usize) -> Option<u32> {
    b.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes)
}

/// Builds one packet.
#[derive(Debug)]
pub(crate) struct Packet(BytesMut);

impl Packet {
    pub(crate) fn new(kind: u8) -> Self {
        let mut b = BytesMut::with_capacity(64);
        b.put_u32(0);
        b.put_u8(kind);
        Self(b)
    }

    pub(crate) fn u32(mut self, v: u32) -> Self {
        self.0.put_u32(v);
        self
    }

    pub(crate) fn string(mut self, s: &[u8]) -> Self {
        // No string here is longer than a packet.
        self.0.put_u32(s.len() as u32);
        self.raw(s)
    }

    pub(crate) fn raw(mut self, b: &[u8]) -> Self {
        self.0.put_slice(b);
        self
    }

    pub(crate) fn build(mut self) -> Bytes {
        let n = (self.0.len() - 4) as u32;
        self.0[..4].copy_from_slice(&n.to_be_bytes());
        self.0.freeze()
    }
}

/// Section 7.
pub(crate) fn status(id: u32, code: u32, text: &str) -> Bytes {
    Packet::new(crate::sftp::STATUS).u32(id).u32(code).string(text.as_bytes()).string(b"").build()
}

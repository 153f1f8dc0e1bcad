//! How frames are cut and made: TPKT and fast-path, MCS, share headers, chunks of channels.

pub(crate) mod frame;
pub(crate) mod mcs;
pub(crate) mod share;
pub(crate) mod svc;

use crate::violation::Broken;

/// Reads foreign bytes front to back; what is missing is [`Broken`] under the name of what was being read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn broken(&self) -> Broken {
        Broken(self.what)
    }

    pub(crate) fn take(&mut self, n: usize) -> Result<&'a [u8], Broken> {
        let (head, rest) = self.rest.split_at_checked(n).ok_or(Broken(self.what))?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(Broken(self.what))?;
        self.rest = rest;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Broken> {
        self.array::<1>().map(|[b]| b)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Broken> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Broken> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u16_be(&mut self) -> Result<u16, Broken> {
        self.array().map(u16::from_be_bytes)
    }

    /// A length that counts bytes in memory.
    pub(crate) fn length32(&mut self) -> Result<usize, Broken> {
        let n = self.u32()?;
        usize::try_from(n).map_err(|_| self.broken())
    }
}

/// Little endian, as nearly all of RDP is.
pub(crate) trait Put {
    fn put16(&mut self, n: u16);
    fn put32(&mut self, n: u32);
    /// Overwrites two bytes that are there already.
    fn set16(&mut self, at: usize, n: u16);
    fn set32(&mut self, at: usize, n: u32);
}

impl Put for Vec<u8> {
    fn put16(&mut self, n: u16) {
        self.extend_from_slice(&n.to_le_bytes());
    }

    fn put32(&mut self, n: u32) {
        self.extend_from_slice(&n.to_le_bytes());
    }

    fn set16(&mut self, at: usize, n: u16) {
        self[at..at + 2].copy_from_slice(&n.to_le_bytes());
    }

    fn set32(&mut self, at: usize, n: u32) {
        self[at..at + 4].copy_from_slice(&n.to_le_bytes());
    }
}

//! LEB128, as in WebAssembly and DWARF: seven bits a byte, low ones first.
use crate::damage::Problem;

pub(crate) fn put(out: &mut Vec<u8>, mut v: u64) {
    while v >= 0x80 {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

/// Reads from a slice and moves it on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a>(pub(crate) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Problem> {
        let (first, rest) = self.0.split_first().ok_or(Problem::Content("cut short"))?;
        self.0 = rest;
        Ok(*first)
    }

    pub(crate) fn varint(&mut self) -> Result<u64, Problem> {
        let mut v = 0u64;
        for shift in (0..64).step_by(7) {
            let b = self.byte()?;
            // The tenth byte has one bit left.
            if shift == 63 && b > 1 {
                break;
            }
            v |= u64::from(b & 0x7f) << shift;
            if b < 0x80 {
                return if b == 0 && shift > 0 { Err(Problem::Content("number with padding")) } else { Ok(v) };
            }
        }
        Err(Problem::Content("number too large"))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Problem> {
        self.varint()?.try_into().map_err(|_| Problem::Content("number too large"))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Problem> {
        self.varint()?.try_into().map_err(|_| Problem::Content("number too large"))
    }

    /// A length and that many bytes.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Problem> {
        let len = usize::try_from(self.varint()?).map_err(|_| Problem::Content("cut short"))?;
        self.take(len)
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Problem> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(Problem::Content("cut short"))?;
        self.0 = rest;
        Ok(head)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Problem> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Problem::Content("text that is not UTF-8"))
    }
}

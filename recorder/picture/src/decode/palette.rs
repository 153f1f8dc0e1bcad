//! Colours of pictures with 8 bits a pixel (MS-RDPBCGR 2.2.9.1.1.3.1.1).

use super::{DecodeError, Reader};

#[derive(Debug)]
pub(super) struct Palette([[u8; 3]; 256]);

impl Default for Palette {
    /// Black, until the target sends its own: it has to before its first picture.
    fn default() -> Self {
        Self([[0; 3]; 256])
    }
}

impl Palette {
    pub(super) fn update(&mut self, data: &[u8]) -> Result<(), DecodeError> {
        const COLOURS: u32 = 256;
        let mut reader = Reader::new(data, "palette");
        let [_type, _pad] = [reader.u16()?, reader.u16()?];
        if reader.u32()? != COLOURS {
            return Err(DecodeError::Malformed("palette"));
        }
        for colour in &mut self.0 {
            *colour = reader.bytes()?;
        }
        Ok(())
    }

    pub(super) fn colour(&self, index: u8) -> [u8; 3] {
        self.0[usize::from(index)]
    }
}

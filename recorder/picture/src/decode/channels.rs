//! Dynamic virtual channels (MS-RDPEDYC), as far as the graphics pipeline needs them.

use ironrdp_core::decode;
use ironrdp_dvc::pdu::{DrdynvcDataPdu, DrdynvcServerPdu};

use super::{DecodeError, Limits, Reader, canvas::Canvas, graphics::Graphics};

/// Longest PDU of the static channel that carries dynamic ones: 1,600 bytes (3.1.5.1.4), and room for targets that do not care.
const MAX_PDU_BYTES: usize = 64 << 10;
/// Longest message of the graphics pipeline, before and after it is unpacked: a screen of 3840 x 2160 without compression is 32 MiB.
pub(super) const MAX_MESSAGE_BYTES: usize = 40 << 20;

#[derive(Debug)]
pub(super) struct DynamicChannels {
    limits: Limits,
    /// A PDU of the static channel, until its last part.
    chunks: Vec<u8>,
    graphics: Option<Channel>,
}

#[derive(Debug)]
struct Channel {
    id: u32,
    graphics: Graphics,
    /// A message until its last part, and how long it will be.
    message: Vec<u8>,
    length: usize,
}

impl DynamicChannels {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, chunks: Vec::new(), graphics: None }
    }

    /// One Channel PDU (MS-RDPBCGR 2.2.6.1).
    pub(super) fn data(&mut self, data: &[u8], canvas: &mut Canvas) -> Result<(), DecodeError> {
        const FIRST: u32 = 1;
        const LAST: u32 = 2;
        const COMPRESSED: u32 = 0x0020_0000;
        let mut reader = Reader::new(data, "virtual channel PDU");
        let (_length, flags) = (reader.u32()?, reader.u32()?);
        if flags & COMPRESSED != 0 {
            return Err(DecodeError::Unknown("bulk compression"));
        }
        if flags & FIRST != 0 {
            self.chunks.clear();
        }
        if self.chunks.len() + reader.rest().len() > MAX_PDU_BYTES {
            return Err(DecodeError::Limit("length of a dynamic channel's PDU"));
        }
        self.chunks.extend_from_slice(reader.rest());
        if flags & LAST == 0 {
            return Ok(());
        }
        let pdu = decode(&self.chunks).map_err(|_| DecodeError::Malformed("dynamic channel's PDU"))?;
        self.chunks.clear();
        self.pdu(pdu, canvas)
    }

    fn pdu(&mut self, pdu: DrdynvcServerPdu, canvas: &mut Canvas) -> Result<(), DecodeError> {
        match pdu {
            DrdynvcServerPdu::Create(create) if create.channel_name() == ironrdp_egfx::CHANNEL_NAME => {
                // Two at once could each paint, and only one would be seen here.
                if self.graphics.is_some() {
                    return Err(DecodeError::Unknown("second graphics pipeline"));
                }
                let graphics = Graphics::new(self.limits);
                self.graphics = Some(Channel { id: create.channel_id(), graphics, message: Vec::new(), length: 0 });
                Ok(())
            }
            DrdynvcServerPdu::Close(close) => {
                self.graphics.take_if(|channel| channel.id == close.channel_id());
                Ok(())
            }
            DrdynvcServerPdu::Data(data) => match &mut self.graphics {
                Some(channel) if channel.id == data.channel_id() => channel.data(data, canvas),
                // Other channels paint nothing.
                _ => Ok(()),
            },
            DrdynvcServerPdu::SoftSyncRequest(_) => Err(DecodeError::Unknown("dynamic channels beside the connection")),
            _ => Ok(()),
        }
    }
}

impl Channel {
    fn data(&mut self, data: DrdynvcDataPdu, canvas: &mut Canvas) -> Result<(), DecodeError> {
        const WHAT: DecodeError = DecodeError::Malformed("parts of a graphics message");
        let (length, data) = match data {
            DrdynvcDataPdu::DataFirst(first) => (Some(first.length()), first.into_data()),
            DrdynvcDataPdu::Data(data) => (None, data.into_data()),
            _ => return Err(DecodeError::Unknown("compressed dynamic channel")),
        };
        if let Some(length) = length {
            self.length = usize::try_from(length).unwrap_or(usize::MAX);
            if self.length > MAX_MESSAGE_BYTES {
                return Err(DecodeError::Limit("length of a graphics message"));
            }
            // What was begun is given up, as clients do.
            self.message.clear();
        } else if self.message.is_empty() && self.length == 0 {
            return self.graphics.message(&data, canvas);
        }
        if self.message.len() + data.len() > self.length {
            return Err(WHAT);
        }
        self.message.extend_from_slice(&data);
        if self.message.len() < self.length {
            return Ok(());
        }
        self.length = 0;
        self.graphics.message(&std::mem::take(&mut self.message), canvas)
    }
}

//! Whole frames from a socket, each no longer than its step allows.
use anteroom_rdp::{Side, frame_length};
use bytes::{Bytes, BytesMut};
use std::io::{self, ErrorKind};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf},
    net::TcpStream,
};

/// Longest TSRequest, bytes (MS-CSSP 2.2.1); real ones have some hundred.
const MAX_TS_REQUEST: usize = 16 * 1024;
/// What is read at once.
const CHUNK: usize = 32 * 1024;

/// One side of a connection, its two directions apart.
#[derive(Debug)]
pub(super) struct Wire<S> {
    pub(super) reader: Reader<ReadHalf<S>>,
    pub(super) writer: WriteHalf<S>,
}

impl<S: AsyncRead + AsyncWrite> Wire<S> {
    pub(super) fn new(stream: S, side: Side) -> Self {
        let (read, writer) = tokio::io::split(stream);
        Self { reader: Reader { io: read, buffer: BytesMut::new(), side }, writer }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes).await?;
        self.writer.flush().await
    }
}

#[derive(Debug)]
pub(super) struct Reader<R> {
    io: R,
    buffer: BytesMut,
    side: Side,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// The next TPKT or fast-path frame; none at the end. Dropping the future loses nothing.
    pub(super) async fn frame(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            let told = frame_length(&self.buffer, self.side).map_err(|v| io::Error::new(ErrorKind::InvalidData, v))?;
            if let Some(length) = told.filter(|n| *n <= self.buffer.len()) {
                return Ok(Some(self.buffer.split_to(length).freeze()));
            }
            if !self.more().await? {
                return if self.buffer.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    /// Waits until the other side has left. What it says meanwhile is kept for who reads next; one that says too much has left too.
    pub(super) async fn left(&mut self) {
        while self.buffer.len() < CHUNK && matches!(self.more().await, Ok(true)) {}
    }

    /// The next frame, where one has to come, at most `max` bytes long.
    pub(super) async fn expect(&mut self, max: usize) -> io::Result<Bytes> {
        let frame = self.frame().await?.ok_or(ErrorKind::UnexpectedEof)?;
        if frame.len() > max { Err(io::Error::new(ErrorKind::InvalidData, "a message is too long")) } else { Ok(frame) }
    }

    /// A TSRequest: one DER sequence.
    pub(super) async fn ts_request(&mut self) -> io::Result<Bytes> {
        loop {
            if let Some(length) = sequence_length(&self.buffer)? {
                return self.exact(length).await;
            }
            self.must().await?;
        }
    }

    pub(super) async fn exact(&mut self, length: usize) -> io::Result<Bytes> {
        while self.buffer.len() < length {
            self.must().await?;
        }
        Ok(self.buffer.split_to(length).freeze())
    }

    async fn must(&mut self) -> io::Result<()> {
        if self.more().await? { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    async fn more(&mut self) -> io::Result<bool> {
        self.buffer.reserve(CHUNK);
        Ok(self.io.read_buf(&mut self.buffer).await? > 0)
    }
}

/// Of the whole DER sequence that begins here, if its length is there already.
fn sequence_length(bytes: &[u8]) -> io::Result<Option<usize>> {
    let length = match *bytes {
        [] => return Ok(None),
        [0x30, n, ..] if n < 0x80 => 2 + usize::from(n),
        [0x30, 0x81, n, ..] => 3 + usize::from(n),
        [0x30, 0x82, high, low, ..] => 4 + usize::from(u16::from_be_bytes([high, low])),
        [0x30, 0x81 | 0x82, ..] | [0x30] => return Ok(None),
        _ => return Err(io::Error::new(ErrorKind::InvalidData, "not a CredSSP message")),
    };
    if length > MAX_TS_REQUEST { Err(io::Error::new(ErrorKind::InvalidData, "a CredSSP message is too long")) } else { Ok(Some(length)) }
}

/// The first frame of a connection, before TLS: not a byte more is taken.
pub(super) async fn first_frame(stream: &mut TcpStream, max: usize) -> io::Result<Bytes> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [version, _, high, low] = head;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if version != 3 || !(head.len()..=max).contains(&length) {
        return Err(io::Error::new(ErrorKind::InvalidData, "not RDP"));
    }
    let mut frame = BytesMut::zeroed(length);
    frame[..head.len()].copy_from_slice(&head);
    stream.read_exact(&mut frame[head.len()..]).await?;
    Ok(frame.freeze())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_credssp_message_tells_its_length_within_bounds() {
        assert_eq!(sequence_length(&[0x30]).unwrap(), None);
        assert_eq!(sequence_length(&[0x30, 0x03]).unwrap(), Some(5));
        assert_eq!(sequence_length(&[0x30, 0x82, 1]).unwrap(), None);
        assert_eq!(sequence_length(&[0x30, 0x82, 1, 0]).unwrap(), Some(260));
        for bad in [&[0x31, 3][..], &[0x30, 0x80, 0, 0], &[0x30, 0x83, 0, 1, 0], &[0x30, 0x82, 0xff, 0xff]] {
            assert!(sequence_length(bad).is_err(), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn a_client_that_waits_is_noticed_when_it_leaves_and_keeps_what_it_said() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut w = Wire::new(server, Side::Client);
        client.write_all(&[0x44, 4, 7, 8]).await.unwrap();
        let waits = tokio::time::timeout(std::time::Duration::from_millis(50), w.reader.left());
        assert!(waits.await.is_err(), "it is there");
        assert_eq!(w.reader.frame().await.unwrap().unwrap(), Bytes::from_static(&[0x44, 4, 7, 8]));
        drop(client);
        w.reader.left().await;
        let (mut client, server) = tokio::io::duplex(2 * CHUNK);
        let mut w = Wire::new(server, Side::Client);
        client.write_all(&vec![0; CHUNK]).await.unwrap();
        w.reader.left().await;
    }

    #[tokio::test]
    async fn frames_come_whole_however_they_were_cut() {
        let (client, server) = tokio::io::duplex(7);
        let sent = [&[3, 0, 0, 9, 2, 0xf0, 0x80, 1, 2][..], &[0x44, 4, 7, 8], &[3, 0, 0, 7, 2]].concat();
        let writing = tokio::spawn(async move {
            let mut client = client;
            client.write_all(&sent).await.unwrap();
        });
        let mut w = Wire::new(server, Side::Client);
        assert_eq!(w.reader.frame().await.unwrap().unwrap().len(), 9);
        assert_eq!(w.reader.frame().await.unwrap().unwrap(), Bytes::from_static(&[0x44, 4, 7, 8]));
        assert_eq!(w.reader.frame().await.unwrap_err().kind(), ErrorKind::UnexpectedEof, "half a frame is no end");
        writing.await.unwrap();
    }
}

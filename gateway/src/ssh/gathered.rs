//! Reads of a socket, gathered: russh alone asks the kernel twice a packet. The buffer is there only while it holds something, so
//! a quiet connection has none.
use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes asked of the kernel at once.
const SIZE: usize = 128 << 10;
/// Buffers that a thread keeps for its connections.
const SPARE: usize = 4;

thread_local! {
    static BUFFERS: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

/// A stream whose reads are gathered; writes go through.
#[derive(Debug)]
pub(super) struct Gathered<S> {
    stream: S,
    held: Option<Held>,
}

/// Bytes read and not handed on yet: never empty.
struct Held {
    buffer: Box<[u8]>,
    from: usize,
    to: usize,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("bytes", &(self.to - self.from)).finish()
    }
}

impl<S> Gathered<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, held: None }
    }
}

fn take() -> Box<[u8]> {
    BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_else(|| vec![0; SIZE].into())
}

fn give_back(buffer: Box<[u8]>) {
    BUFFERS.with_borrow_mut(|buffers| {
        if buffers.len() < SPARE {
            buffers.push(buffer);
        }
    });
}

impl<S: AsyncRead + Unpin> AsyncRead for Gathered<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut held = match self.held.take() {
            Some(held) => held,
            None if out.remaining() >= SIZE => return Pin::new(&mut self.stream).poll_read(cx, out),
            None => {
                let mut buffer = take();
                let mut into = ReadBuf::new(&mut buffer);
                let read = Pin::new(&mut self.stream).poll_read(cx, &mut into);
                let to = into.filled().len();
                if !matches!(read, Poll::Ready(Ok(()))) || to == 0 {
                    give_back(buffer);
                    ready!(read)?;
                    return Poll::Ready(Ok(()));
                }
                Held { buffer, from: 0, to }
            }
        };
        let n = out.remaining().min(held.to - held.from);
        out.put_slice(&held.buffer[held.from..held.from + n]);
        held.from += n;
        if held.from == held.to {
            give_back(held.buffer);
        } else {
            self.held = Some(held);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn every_byte_arrives_once_and_in_order_however_little_is_asked_for() {
        let sent: Vec<u8> = (0..500_000u32).map(|n| (n % 251) as u8).collect();
        let (ours, mut theirs) = tokio::io::duplex(1 << 20);
        theirs.write_all(&sent).await.unwrap();
        drop(theirs);
        let mut gathered = Gathered::new(ours);
        let mut got = Vec::new();
        for want in (1..).map(|n: usize| n * n % 40_000 + 1) {
            let mut part = vec![0; want];
            let n = gathered.read(&mut part).await.unwrap();
            if n == 0 {
                break;
            }
            got.extend_from_slice(&part[..n]);
        }
        assert!(got == sent);
    }

    #[tokio::test]
    async fn a_quiet_stream_holds_no_buffer() {
        let (ours, mut theirs) = tokio::io::duplex(1 << 10);
        let mut gathered = Gathered::new(ours);
        theirs.write_all(b"abc").await.unwrap();
        let mut first = [0; 2];
        gathered.read_exact(&mut first).await.unwrap();
        assert!(gathered.held.is_some(), "one byte is left");
        gathered.read_exact(&mut first[..1]).await.unwrap();
        assert!(gathered.held.is_none() && &first == b"cb");
        let waits = tokio::time::timeout(std::time::Duration::from_millis(10), gathered.read(&mut first)).await;
        assert!(waits.is_err() && gathered.held.is_none());
    }
}

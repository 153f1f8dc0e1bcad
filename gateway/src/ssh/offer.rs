//! Which ciphers a client is offered: AES-GCM alone if it knows it, all modern ones if it doesn't.
//!
//! The client's order decides (RFC 4253 section 7.1), and OpenSSH prefers ChaCha20-Poly1305, which costs us 2.5 times the
//! CPU. So the client's KEXINIT is read before ours is sent, which the RFC leaves to us; a client that waits for ours
//! first gets it after a moment, with everything in it. Bytes read ahead are handed on untouched.
use bytes::{Buf, BytesMut};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    time::timeout,
};

/// What both sides may send before the key exchange: identification lines and one KEXINIT (RFC 4253 sections 4.2 and 6.1).
const MAX_AHEAD: usize = 40_000;
/// A client that says nothing for so long waits for our KEXINIT.
const PATIENCE: Duration = Duration::from_millis(500);
const KEXINIT: u8 = 20;
const GCM: [&[u8]; 2] = [b"aes256-gcm@openssh.com", b"aes128-gcm@openssh.com"];

/// Sends our identification, listens for the client's KEXINIT. Returns the stream, to be given to a server that sends the
/// same identification again, and whether AES-GCM alone will do.
pub(super) async fn listen<S>(mut stream: S, identification: &str, limit: Duration) -> io::Result<(Ahead<S>, bool)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let line = format!("{identification}\r\n");
    stream.write_all(line.as_bytes()).await?;
    stream.flush().await?;
    let mut seen = BytesMut::with_capacity(4096);
    let end = tokio::time::Instant::now() + limit;
    let gcm = loop {
        match look(&seen) {
            Look::Known(gcm) => break gcm,
            // The server behind us says what is wrong with it.
            Look::Nonsense => break false,
            Look::More if seen.len() >= MAX_AHEAD => break false,
            Look::More => {}
        }
        // A byte now and then buys no more time (slow-loris).
        let left = end.saturating_duration_since(tokio::time::Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        // Before its identification a client gets its whole time; after that it has only to send what it has.
        let patience = if seen.contains(&b'\n') { PATIENCE.min(left) } else { left };
        match timeout(patience, stream.read_buf(&mut seen)).await {
            Ok(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(Ok(_)) => {}
            Ok(Err(e)) => return Err(e),
            Err(_) if patience == left => return Err(io::ErrorKind::TimedOut.into()),
            Err(_) => break false,
        }
    };
    Ok((Ahead { stream, seen, sent: line.len() }, gcm))
}

#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// Whether the client knows AES-GCM in both directions.
    Known(bool),
    More,
    Nonsense,
}

fn look(seen: &[u8]) -> Look {
    let Some(line_end) = seen.iter().position(|b| *b == b'\n') else {
        return if seen.len() > 255 { Look::Nonsense } else { Look::More };
    };
    if !seen.starts_with(b"SSH-") {
        return Look::Nonsense;
    }
    let packet = &seen[line_end + 1..];
    let Some((length, rest)) = packet.split_first_chunk::<4>() else { return Look::More };
    let length = u32::from_be_bytes(*length) as usize;
    if !(2..=35_000).contains(&length) {
        return Look::Nonsense;
    }
    let Some(body) = rest.get(..length) else { return Look::More };
    // padding length, message number, cookie.
    let (Some(KEXINIT), Some(mut lists)) = (body.get(1).copied(), body.get(18..)) else { return Look::Nonsense };
    let mut known = [false; 2];
    for n in 0..4 {
        let Some((length, rest)) = lists.split_first_chunk::<4>() else { return Look::Nonsense };
        let Some((list, rest)) = rest.split_at_checked(u32::from_be_bytes(*length) as usize) else { return Look::Nonsense };
        // kex, host keys, then ciphers to and from the server.
        if n >= 2 {
            known[n - 2] = list.split(|b| *b == b',').any(|name| GCM.contains(&name));
        }
        lists = rest;
    }
    Look::Known(known == [true, true])
}

/// A stream that gives what was read ahead first and swallows the identification that was sent already.
#[derive(Debug)]
pub(super) struct Ahead<S> {
    stream: S,
    seen: BytesMut,
    /// Bytes to swallow.
    sent: usize,
}

impl<S: AsyncRead + Unpin> AsyncRead for Ahead<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.seen.is_empty() {
            let n = self.seen.len().min(buf.remaining());
            buf.put_slice(&self.seen[..n]);
            self.seen.advance(n);
            if self.seen.is_empty() {
                self.seen = BytesMut::new();
            }
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Ahead<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.sent > 0 {
            let n = self.sent.min(buf.len());
            self.sent -= n;
            return Poll::Ready(Ok(n));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
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

    fn hello(up: &str, down: &str) -> Vec<u8> {
        let mut body = vec![4, KEXINIT];
        body.extend([7; 16]);
        for list in ["curve25519-sha256", "ssh-ed25519", up, down, "hmac-sha2-256"] {
            body.extend((list.len() as u32).to_be_bytes());
            body.extend(list.as_bytes());
        }
        let mut all = b"SSH-2.0-Test\r\n".to_vec();
        all.extend((body.len() as u32).to_be_bytes());
        all.extend(body);
        all
    }
    const BOTH: &str = "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com";

    #[test]
    fn a_client_is_known_by_its_first_packet_however_it_arrives() {
        let all = hello(BOTH, BOTH);
        assert_eq!(look(&all), Look::Known(true));
        for cut in 0..all.len() - 40 {
            assert_eq!(look(&all[..cut]), Look::More, "cut at {cut}");
        }
        assert_eq!(look(&hello(BOTH, "aes256-ctr")), Look::Known(false));
        assert_eq!(look(&hello("xaes256-gcm@openssh.com", BOTH)), Look::Known(false));
    }

    #[test]
    fn nonsense_is_left_to_the_server_behind() {
        for bad in [&b"GET / HTTP/1.1\r\n"[..], b"SSH-2.0-x\r\n\xff\xff\xff\xff", b"SSH-2.0-x\r\n\0\0\0\x03\x01\x02\x03", &[b'a'; 300]] {
            assert_eq!(look(bad), Look::Nonsense);
        }
    }

    #[tokio::test]
    async fn nothing_that_was_read_ahead_is_lost_and_the_identification_goes_once() {
        let (ours, mut theirs) = tokio::io::duplex(1 << 16);
        let all = hello(BOTH, BOTH);
        theirs.write_all(&all).await.unwrap();
        let (mut ahead, gcm) = listen(ours, "SSH-2.0-A", Duration::from_secs(1)).await.unwrap();
        assert!(gcm);
        let mut got = vec![0; all.len()];
        ahead.read_exact(&mut got).await.unwrap();
        assert_eq!(got, all);
        ahead.write_all(b"SSH-2.0-A\r\nnext").await.unwrap();
        let mut sent = vec![0; 15];
        theirs.read_exact(&mut sent).await.unwrap();
        assert_eq!(sent, b"SSH-2.0-A\r\nnext");
    }

    #[tokio::test]
    async fn a_byte_now_and_then_buys_no_time() {
        for banner in ["SSH-2.0-Loris\r\n", ""] {
            let (ours, mut theirs) = tokio::io::duplex(1 << 16);
            let trickle = tokio::spawn(async move {
                theirs.write_all(banner.as_bytes()).await.unwrap();
                for byte in hello(BOTH, BOTH).into_iter().cycle().skip(usize::from(!banner.is_empty()) * 14) {
                    if theirs.write_all(&[byte]).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            });
            // Far below what the bytes of a KEXINIT take at this pace.
            let listened = timeout(Duration::from_secs(10), listen(ours, "SSH-2.0-A", Duration::from_millis(400))).await;
            assert!(listened.is_ok_and(|l| l.is_err()), "{banner:?}: still listening");
            trickle.abort();
        }
    }

    #[tokio::test]
    async fn a_client_that_waits_for_us_is_not_kept_waiting_and_a_silent_one_is_let_go() {
        let (ours, mut theirs) = tokio::io::duplex(1 << 16);
        theirs.write_all(b"SSH-2.0-Slow\r\n").await.unwrap();
        let (_, gcm) = listen(ours, "SSH-2.0-A", Duration::from_secs(60)).await.unwrap();
        assert!(!gcm);
        let (ours, _theirs) = tokio::io::duplex(1 << 16);
        assert!(listen(ours, "SSH-2.0-A", Duration::from_millis(50)).await.is_err());
    }
}

//! A channel as a byte stream, for a connection inside a connection.
use super::{
    relay::Credit,
    side::{Reader, Writer},
};
use bytes::BytesMut;
use russh::{ChannelId, ChannelMsg};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    time::timeout,
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// Bytes on their way inside, each direction.
const INSIDE: usize = 256 << 10;
const PACKET: usize = 32 << 10;

/// The stream, and what closes the channel when it is dropped. A task of `tasks` carries the bytes until either side is closed.
pub(super) fn socket<S>(mut reads: Reader, writes: Writer<S>, tasks: &TaskTracker) -> (DuplexStream, DropGuard)
where
    S: From<(ChannelId, ChannelMsg)> + Send + Sync + 'static,
{
    let (ours, theirs) = tokio::io::duplex(INSIDE);
    let held = CancellationToken::new();
    let guard = held.clone().drop_guard();
    tasks.spawn(async move {
        let (mut from_inside, mut to_inside) = tokio::io::split(ours);
        let inward = async {
            let mut credit = Credit::default();
            while let Some(m) = reads.next().await {
                match m {
                    ChannelMsg::Data { data } => {
                        let taken = to_inside.write_all(&data).await.is_ok() && credit.took(data.len(), &writes).await.is_ok();
                        if !taken {
                            return;
                        }
                    }
                    ChannelMsg::Eof => {
                        let _ = to_inside.shutdown().await;
                    }
                    ChannelMsg::Close => return,
                    _ => {}
                }
            }
        };
        let outward = async {
            loop {
                let mut buffer = BytesMut::with_capacity(PACKET);
                match from_inside.read_buf(&mut buffer).await {
                    Ok(n) if n > 0 => {
                        if writes.data(buffer.freeze()).await.is_err() {
                            return;
                        }
                    }
                    _ => return,
                }
            }
        };
        tokio::select! { () = inward => {}, () = outward => {}, () = held.cancelled() => {} }
        let _ = timeout(Duration::from_millis(300), writes.close()).await;
    });
    (theirs, guard)
}

//! The two ends of a channel as the relay sees them: an SSH channel, or a queue that something of ours sits behind (a
//! terminal in a browser, a telnet connection) and that speaks the same messages.
use bytes::Bytes;
use russh::{ChannelId, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Error};
use std::collections::VecDeque;
use tokio::sync::mpsc;

/// Messages a local queue holds; with packets of at most 32 KiB this bounds it to 1 MiB.
const QUEUE: usize = 32;
/// RFC 4254 section 5.2.
const STDERR: u32 = 1;

pub(super) enum Reader {
    Ssh(ChannelReadHalf),
    Local(mpsc::Receiver<ChannelMsg>),
    /// What was read before, then the channel it was read from.
    Again(VecDeque<ChannelMsg>, Box<Reader>),
}

impl Reader {
    /// None when the connection behind it is gone.
    pub(super) async fn next(&mut self) -> Option<ChannelMsg> {
        match self {
            Self::Ssh(r) => r.wait().await,
            Self::Local(r) => r.recv().await,
            Self::Again(before, after) => match before.pop_front() {
                Some(m) => Some(m),
                None => Box::pin(after.next()).await,
            },
        }
    }
}

pub(super) enum Writer<S: From<(ChannelId, ChannelMsg)>> {
    Ssh(ChannelWriteHalf<S>),
    Local(mpsc::Sender<ChannelMsg>),
}

type Sent = Result<(), Error>;

impl<S: From<(ChannelId, ChannelMsg)> + Send + Sync + 'static> Writer<S> {
    pub(super) async fn data(&self, data: Bytes) -> Sent {
        match self {
            Self::Ssh(w) => w.data_bytes(data).await,
            Self::Local(q) => put(q, ChannelMsg::Data { data }).await,
        }
    }

    pub(super) async fn extended(&self, ext: u32, data: Bytes) -> Sent {
        match self {
            Self::Ssh(w) => w.extended_data_bytes(ext, data).await,
            Self::Local(q) => put(q, ChannelMsg::ExtendedData { data, ext }).await,
        }
    }

    pub(super) async fn stderr(&self, text: String) -> Sent {
        self.extended(STDERR, text.into()).await
    }

    pub(super) async fn eof(&self) -> Sent {
        match self {
            Self::Ssh(w) => w.eof().await,
            Self::Local(q) => put(q, ChannelMsg::Eof).await,
        }
    }

    pub(super) async fn exit_status(&self, status: u32) -> Sent {
        self.request("exit-status".into(), false, Bytes::copy_from_slice(&status.to_be_bytes())).await
    }

    pub(super) async fn request(&self, name: String, want_reply: bool, payload: Bytes) -> Sent {
        match self {
            Self::Ssh(w) => w.request(name, want_reply, payload).await,
            Self::Local(q) => put(q, ChannelMsg::Request { name, want_reply, payload }).await,
        }
    }

    pub(super) async fn reply(&self, ok: bool) -> Sent {
        match self {
            Self::Ssh(w) => w.reply(ok).await,
            Self::Local(q) => put(q, ChannelMsg::Reply { ok }).await,
        }
    }

    /// Gives `n` bytes of window back; a local queue is its own window.
    pub(super) async fn grant(&self, n: u32) -> Sent {
        match self {
            Self::Ssh(w) => w.grant_window(n).await,
            Self::Local(_) => Ok(()),
        }
    }

    pub(super) async fn close(&self) -> Sent {
        match self {
            Self::Ssh(w) => w.close().await,
            Self::Local(q) => put(q, ChannelMsg::Close).await,
        }
    }

    /// Closes our side; the peer may still say how it ended.
    pub(super) async fn close_ours(&self) -> Sent {
        match self {
            Self::Ssh(w) => w.close_ours().await,
            Self::Local(q) => put(q, ChannelMsg::Close).await,
        }
    }

    pub(super) async fn forget(&self) -> Sent {
        match self {
            Self::Ssh(w) => w.forget().await,
            Self::Local(_) => Ok(()),
        }
    }
}

async fn put(q: &mpsc::Sender<ChannelMsg>, m: ChannelMsg) -> Sent {
    q.send(m).await.map_err(|_| Error::SendError)
}

/// A local end: what the relay writes comes out of the receiver, what is put into the sender the relay reads.
pub(super) struct LocalEnd {
    pub(super) from_relay: mpsc::Receiver<ChannelMsg>,
    pub(super) to_relay: mpsc::Sender<ChannelMsg>,
}

pub(super) fn local<S: From<(ChannelId, ChannelMsg)>>() -> (Reader, Writer<S>, LocalEnd) {
    let (to_relay, reads) = mpsc::channel(QUEUE);
    let (writes, from_relay) = mpsc::channel(QUEUE);
    (Reader::Local(reads), Writer::Local(writes), LocalEnd { from_relay, to_relay })
}

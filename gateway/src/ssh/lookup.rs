//! What a path is on the target, asked over an sftp channel of the gateway's own. For old scp, whose protocol has no such question;
//! opened when the first one has to be asked, and never the client's.
use super::{
    link::Link,
    side::{Reader, Writer},
};
use anteroom_files::{Lookup, Next, Real};
use bytes::Bytes;
use russh::{ChannelMsg, client};
use std::time::Duration;
use tokio::{
    sync::{Mutex, MutexGuard},
    time::timeout,
};

/// A target that takes longer to say what a path is has not said it.
const LIMIT: Duration = Duration::from_secs(10);

/// The target has no sftp to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "scp's old protocol (scp -O) can't be held to the paths of your grant, because the target has no sftp to ask where they lead; use sftp or a newer scp"
)]
pub(super) struct NoSftp;

/// Of one channel that runs scp. Questions wait for each other.
#[derive(Default)]
pub(super) struct Asker(Mutex<State>);

#[derive(Default)]
enum State {
    #[default]
    Unasked,
    Open(Box<Open>),
    /// It was closed, or did not keep to the protocol.
    Gone,
}

struct Open {
    reads: Reader,
    writes: Writer<client::Msg>,
    lookup: Lookup,
}

impl Asker {
    /// None if the target can't tell.
    ///
    /// # Errors
    /// There is no sftp, or no more.
    pub(super) async fn real(&self, link: &Link, path: &Bytes) -> Result<Option<Real>, NoSftp> {
        // Boxed: a session that never asks must not keep room for it.
        Box::pin(self.ask(link, path)).await
    }

    async fn ask(&self, link: &Link, path: &Bytes) -> Result<Option<Real>, NoSftp> {
        let mut state = self.0.lock().await;
        if matches!(*state, State::Unasked) {
            *state = match timeout(LIMIT, Open::begin(link)).await {
                Ok(Some(open)) => State::Open(Box::new(open)),
                _ => State::Gone,
            };
        }
        let State::Open(open) = &mut *state else { return Err(NoSftp) };
        match timeout(LIMIT, open.ask(path)).await {
            Ok(Some(found)) => Ok(found),
            _ => {
                close(&mut state).await;
                Err(NoSftp)
            }
        }
    }

    pub(super) async fn close(&self) {
        close(&mut self.0.lock().await).await;
    }
}

async fn close(state: &mut MutexGuard<'_, State>) {
    if let State::Open(open) = std::mem::replace(&mut **state, State::Gone) {
        let _ = open.writes.close().await;
    }
}

impl Open {
    async fn begin(link: &Link) -> Option<Self> {
        let (mut reads, writes) = link.open_channel().await.ok()?;
        let name = Bytes::from_static(b"\0\0\0\x04sftp");
        writes.request("subsystem".into(), true, name).await.ok()?;
        loop {
            match reads.next().await? {
                ChannelMsg::Success => break,
                ChannelMsg::Failure | ChannelMsg::Reply { .. } | ChannelMsg::Close => {
                    let _ = writes.close().await;
                    return None;
                }
                _ => {}
            }
        }
        let mut open = Self { reads, writes, lookup: Lookup::default() };
        (open.say(Lookup::hello()).await? == Next::Ready).then_some(open)
    }

    async fn ask(&mut self, path: &Bytes) -> Option<Option<Real>> {
        let mut question = self.lookup.ask(path);
        loop {
            match self.say(question).await? {
                Next::Send(more) => question = more,
                Next::Found(real) => return Some(real),
                Next::Wait | Next::Ready => return None,
            }
        }
    }

    /// Sends, and waits for what it means.
    async fn say(&mut self, bytes: Bytes) -> Option<Next> {
        self.writes.data(bytes).await.ok()?;
        loop {
            match self.reads.next().await? {
                ChannelMsg::Data { data } => {
                    // Taken at once: answers are small.
                    self.writes.grant(u32::try_from(data.len()).unwrap_or(u32::MAX)).await.ok()?;
                    match self.lookup.receive(&data).ok()? {
                        Next::Wait => {}
                        next => return Some(next),
                    }
                }
                ChannelMsg::ExtendedData { data, .. } => self.writes.grant(u32::try_from(data.len()).unwrap_or(u32::MAX)).await.ok()?,
                ChannelMsg::Eof | ChannelMsg::Close => return None,
                _ => {}
            }
        }
    }
}

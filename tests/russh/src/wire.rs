//! The wire between two ends that use the cipher `none`: every packet is seen, may be changed, dropped, or followed by others.
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex},
    sync::{Notify, mpsc},
    task::JoinHandle,
};

pub const CHANNEL_OPEN: u8 = 90;
pub const OPEN_CONFIRMATION: u8 = 91;
pub const OPEN_FAILURE: u8 = 92;
pub const WINDOW_ADJUST: u8 = 93;
pub const DATA: u8 = 94;
pub const CLOSE: u8 = 97;
pub const REQUEST: u8 = 98;
pub const SUCCESS: u8 = 99;
pub const FAILURE: u8 = 100;

/// Bytes that a wire holds each way: more than the windows. russh does not read while it waits to write, so two of them on a short
/// wire would wait for each other; OpenSSH, which is at the other ends of a gateway, does both.
const BUFFER: usize = 8 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Client to server.
    Up,
    Down,
}

/// What goes on in place of a packet's payload.
pub type Rewrite = Box<dyn FnMut(Way, Vec<u8>) -> Vec<Vec<u8>> + Send>;

#[derive(Default)]
struct Seen {
    packets: Mutex<Vec<(Way, Vec<u8>)>>,
    more: Notify,
}

impl Seen {
    fn lock(&self) -> MutexGuard<'_, Vec<(Way, Vec<u8>)>> {
        self.packets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct Wire {
    seen: Arc<Seen>,
    up: mpsc::UnboundedSender<Vec<u8>>,
    down: mpsc::UnboundedSender<Vec<u8>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Wire {
    /// A wire that changes nothing; the ends of client and server.
    pub fn new() -> (Self, DuplexStream, DuplexStream) {
        Self::with(Box::new(|_, payload| vec![payload]))
    }

    pub fn with(rewrite: Rewrite) -> (Self, DuplexStream, DuplexStream) {
        let ((client, near), (far, server)) = (duplex(BUFFER), duplex(BUFFER));
        let ((from_client, to_client), (from_server, to_server)) = (tokio::io::split(near), tokio::io::split(far));
        let (seen, rewrite) = (Arc::<Seen>::default(), Arc::new(Mutex::new(rewrite)));
        let ((up, added_up), (down, added_down)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        let tasks = vec![
            tokio::spawn(one_way(Way::Up, from_client, to_server, added_up, seen.clone(), rewrite.clone())),
            tokio::spawn(one_way(Way::Down, from_server, to_client, added_down, seen.clone(), rewrite)),
        ];
        (Self { seen, up, down, tasks }, client, server)
    }

    /// A packet that neither end has sent.
    pub fn inject(&self, way: Way, payload: Vec<u8>) {
        let _ = if way == Way::Up { &self.up } else { &self.down }.send(payload);
    }

    /// What went on in this direction so far.
    pub fn seen(&self, way: Way) -> Vec<Vec<u8>> {
        self.seen.lock().iter().filter(|(w, _)| *w == way).map(|(_, p)| p.clone()).collect()
    }

    /// The first packet of this direction that `wanted` takes.
    pub async fn until<T>(&self, way: Way, patience: Duration, wanted: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
        let found = async {
            loop {
                let more = self.seen.more.notified();
                tokio::pin!(more);
                more.as_mut().enable();
                let found = self.seen.lock().iter().filter(|(w, _)| *w == way).find_map(|(_, p)| wanted(p));
                if let Some(found) = found {
                    return found;
                }
                more.await;
            }
        };
        tokio::time::timeout(patience, found).await.ok()
    }

    /// The number that the server gave to the last channel that the client opened.
    pub async fn servers_number(&self) -> u32 {
        let confirmed = |p: &[u8]| (p.first() == Some(&OPEN_CONFIRMATION)).then(|| number(p, 5));
        self.until(Way::Down, Duration::from_secs(20), confirmed).await.unwrap()
    }

    /// Both ends find it gone.
    pub fn cut(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.cut();
    }
}

async fn one_way(
    way: Way,
    mut from: impl AsyncRead + Unpin + Send + 'static,
    mut to: impl AsyncWrite + Unpin,
    mut added: mpsc::UnboundedReceiver<Vec<u8>>,
    seen: Arc<Seen>,
    rewrite: Arc<Mutex<Rewrite>>,
) {
    let mut byte = [0];
    while byte != *b"\n" {
        if from.read_exact(&mut byte).await.is_err() || to.write_all(&byte).await.is_err() {
            return;
        }
    }
    let (packets, mut read) = mpsc::channel(4);
    let reading = tokio::spawn(async move {
        while let Some(payload) = packet(&mut from).await
            && packets.send(payload).await.is_ok()
        {}
    });
    let _ended = AbortOnDrop(reading);
    loop {
        let go_on = tokio::select! {
            own = read.recv() => match own {
                Some(payload) => (rewrite.lock().unwrap_or_else(PoisonError::into_inner))(way, payload),
                None => return,
            },
            Some(payload) = added.recv() => vec![payload],
        };
        for payload in go_on {
            if to.write_all(&framed(&payload)).await.is_err() {
                return;
            }
            seen.lock().push((way, payload));
            seen.more.notify_waiters();
        }
    }
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// RFC 4253 section 6, in clear.
async fn packet(from: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length).await.ok()?;
    let mut rest = vec![0; u32::from_be_bytes(length) as usize];
    from.read_exact(&mut rest).await.ok()?;
    let padding = usize::from(*rest.first()?);
    rest.get(1..rest.len().checked_sub(padding)?).map(<[u8]>::to_vec)
}

fn framed(payload: &[u8]) -> Vec<u8> {
    let padding = match 8 - (payload.len() + 5) % 8 {
        short @ ..4 => short + 8,
        enough => enough,
    };
    [&u32(payload.len() + 1 + padding)[..], &[padding as u8], payload, &vec![0; padding]].concat()
}

// --- Words of the protocol (RFC 4251 section 5) ------------------------------------------------------------------------------

pub fn u32(n: usize) -> [u8; 4] {
    (n as u32).to_be_bytes()
}

pub fn string(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    [&u32(bytes.as_ref().len())[..], bytes.as_ref()].concat()
}

/// The number at this place of a payload.
pub fn number(payload: &[u8], at: usize) -> u32 {
    payload.get(at..at + 4).map_or(0, |b| u32::from_be_bytes(b.try_into().unwrap()))
}

pub fn request(channel: u32, name: &str, want_reply: bool, rest: &[u8]) -> Vec<u8> {
    [&[REQUEST][..], &channel.to_be_bytes(), &string(name), &[want_reply.into()], rest].concat()
}

/// Whether a payload is a channel request of this name; what follows the flag.
pub fn asks(payload: &[u8], name: &str) -> Option<Vec<u8>> {
    let rest = payload.strip_prefix(&[REQUEST])?.get(4..)?;
    rest.strip_prefix(&string(name)[..])?.get(1..).map(<[u8]>::to_vec)
}

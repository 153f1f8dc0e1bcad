//! A person's client while nothing may be shown yet, as long as nobody watches: it has a desktop of ours that says so, and its target is
//! not touched.
use super::{
    client::{Client, ClientError},
    driver::{NOTICE, at, on_screen, told},
    wire::Wire,
};
use crate::enforcement::Listener;
use anteroom_domain::{EndReason, Holds};
use anteroom_policy::Permit;
use anteroom_rdp::Lobby;
use std::{io, pin::pin, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    sync::watch,
    time::{Instant, timeout},
};

/// For its desktop to be there, once the target is; and to take what it is sent.
const PATIENCE: Duration = Duration::from_secs(20);

/// The lobby of one client.
pub(super) struct Hall {
    lobby: Lobby,
    started: Instant,
    target: String,
    holds: watch::Receiver<Holds>,
    notices: Listener,
}

impl Hall {
    pub(super) async fn open(
        client: &mut Client,
        permit: &Permit,
        holds: watch::Receiver<Holds>,
        notices: Listener,
    ) -> Result<Self, ClientError> {
        let numbers = client.settle_alone().await?.numbers.clone();
        let target = format!("{} on {}", permit.account(), permit.target().name);
        let lobby = Lobby::new(&client.initial, &numbers, &words(&target, *holds.borrow()), Duration::ZERO);
        Ok(Self { lobby, started: Instant::now(), target, holds, notices })
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Keeps the client there until `done` is ready and its desktop is; none when it has left. What it is sent is never cut in two.
    pub(super) async fn until<S, T>(&mut self, wire: &mut Wire<S>, done: impl Future<Output = T>) -> Option<T>
    where
        S: AsyncRead + AsyncWrite,
    {
        let mut done = pin!(done);
        let (mut came, mut patience) = (None, None);
        loop {
            timeout(PATIENCE, self.send(wire)).await.ok()?.ok()?;
            if self.lobby.is_open() && came.is_some() {
                return came;
            }
            let tick = self.lobby.next_tick().map(|at| self.started + at);
            tokio::select! {
                ready = &mut done, if came.is_none() => {
                    came = Some(ready);
                    patience = Some(Instant::now() + PATIENCE);
                }
                frame = wire.reader.frame() => {
                    let frame = frame.ok()??;
                    if let Err(violation) = self.lobby.from_client(frame, self.now()) {
                        tracing::debug!(%violation, "rdp: a client left the lobby");
                        return None;
                    }
                    if self.lobby.client_left() {
                        return None;
                    }
                }
                text = self.notices.recv() => {
                    let now = self.now();
                    self.lobby.say(&text, now + NOTICE, now);
                }
                Ok(()) = self.holds.changed() => {
                    let holds = *self.holds.borrow_and_update();
                    self.lobby.set_text(&words(&self.target, holds), self.now());
                }
                () = at(tick) => self.lobby.tick(self.now()),
                () = at(patience) => return None,
            }
        }
    }

    async fn send<S: AsyncRead + AsyncWrite>(&mut self, wire: &mut Wire<S>) -> io::Result<()> {
        while let Some(frame) = self.lobby.next_frame() {
            wire.writer.write_all(&frame).await?;
        }
        wire.writer.flush().await
    }

    /// The last words.
    pub(super) async fn refuse(mut self, mut client: Client, reason: &EndReason, text: &str) {
        let now = self.now();
        self.lobby.end(told(reason), text, now);
        let saying = async {
            self.send(&mut client.wire).await?;
            client.wire.writer.shutdown().await
        };
        let _ = timeout(PATIENCE, saying).await;
        client.linger().await;
    }
}

/// In the middle of the screen.
fn words(target: &str, holds: Holds) -> String {
    match holds.shows() {
        false => format!("{target}\n\n{}\n\nKeep this window open: it goes on by itself.", on_screen(holds)),
        true => format!("{target}\n\nConnecting to the target..."),
    }
}

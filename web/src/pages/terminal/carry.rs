//! One terminal's WebSocket, from its opening to the last word.
//!
//! From the browser: binary frames are what was typed; a JSON text is `{"cols": 80, "rows": 24}` or `{"seen": 4096}`, the number of
//! bytes of output that are on the screen. To the browser: first `{"clipboard": "both"}`, then binary frames of output, at times
//! `{"said": "..."}`, and last `{"ended": "...", "status": 0}`.
use super::{open::Place, socket::Size};
use crate::{guard::Viewer, state::Clipboard};
use anteroom_approvals::Approvals;
use anteroom_domain::{OpenTerminal, TerminalDoor, TerminalInput, TerminalOutput, TerminalSession};
use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures_util::FutureExt;
use serde::Deserialize;
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

/// Largest frame either way, bytes.
pub(super) const FRAME: usize = 64 * 1024;
/// What a person types at once fits; what is longer was pasted.
const TYPED_AT_ONCE: usize = 64;
/// Typed bytes go on in pieces of this size, and output is looked at between them: a target that echoes stops reading when nobody
/// takes its echo.
const PIECE: usize = 1024;
/// Output on its way to the screen, bytes. A browser takes in whatever is sent, so it says itself what it has shown.
const ON_THE_WAY: usize = 512 * 1024;
const PING_EVERY: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_secs(60);
/// A target that takes nothing, or a browser that takes nothing, for this long is gone.
const STUCK: Duration = Duration::from_secs(60);
const OPENING: Duration = Duration::from_secs(60);
const GOODBYE: Duration = Duration::from_secs(2);
/// The web session is asked for again when something is typed after this long.
const LOOK_AGAIN: Duration = Duration::from_secs(20);

pub(super) struct Carry {
    pub(super) approvals: Approvals,
    pub(super) door: Arc<dyn TerminalDoor>,
    pub(super) viewer: Viewer,
    pub(super) clipboard: Clipboard,
    pub(super) stop: CancellationToken,
    pub(super) place: Place,
}

/// Why it is over.
enum End {
    /// Nobody is there any more to read why.
    Gone,
    Said(String, Option<u32>),
}

impl End {
    fn said(text: &str) -> Self {
        Self::Said(text.to_owned(), None)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Resize(Size),
    Seen { seen: usize },
}

pub(super) async fn carry(mut socket: WebSocket, ask: OpenTerminal, c: Carry) {
    let end = tokio::select! {
        biased;
        () = c.stop.cancelled() => End::said("The gateway is stopping."),
        () = c.place.signed_out.cancelled() => End::said("You signed out."),
        end = run(&mut socket, ask, &c) => end,
    };
    // Whatever happened, the session was dropped with its future: it is over before anything is said about it.
    if let End::Said(text, status) = end {
        let last = json!({ "ended": text, "status": status }).to_string();
        let goodbye = async {
            socket.send(Message::Text(last.into())).await?;
            socket.send(Message::Close(None)).await?;
            while let Some(Ok(_)) = socket.recv().await {}
            Ok::<_, axum::Error>(())
        };
        let _ = timeout(GOODBYE, goodbye).await;
    }
}

async fn run(socket: &mut WebSocket, ask: OpenTerminal, c: &Carry) -> End {
    let session = match timeout(OPENING, c.door.open(ask)).await {
        Ok(Ok(session)) => session,
        Ok(Err(why)) => return End::Said(why, None),
        Err(_) => return End::said("The target did not answer in time."),
    };
    let mut line = Line { socket, session, c, on_the_way: 0, looked: Instant::now() };
    match line.run().await {
        Ok(never) => match never {},
        Err(end) => end,
    }
}

struct Line<'a> {
    socket: &'a mut WebSocket,
    session: Box<dyn TerminalSession>,
    c: &'a Carry,
    on_the_way: usize,
    /// When the web session was last seen alive.
    looked: Instant,
}

impl Line<'_> {
    async fn run(&mut self) -> Result<std::convert::Infallible, End> {
        self.say(Message::Text(json!({ "clipboard": self.c.clipboard }).to_string().into())).await?;
        let mut ping = interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                _ = ping.tick() => {
                    if heard.elapsed() >= SILENCE {
                        return Err(End::said("Your browser did not answer for a minute."));
                    }
                    self.say(Message::Ping(Bytes::new())).await?;
                }
                output = self.session.next(), if self.on_the_way < ON_THE_WAY => self.show(output).await?,
                message = self.socket.recv() => {
                    heard = Instant::now();
                    self.hear(message).await?;
                }
            }
        }
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        match message {
            None | Some(Ok(Message::Close(_))) => Err(End::Gone),
            Some(Err(_)) => Err(End::said("The connection broke, or your browser sent more than 64 KiB at once.")),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Binary(typed))) => self.typed(typed).await,
            Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                Ok(Told::Seen { seen }) => {
                    self.on_the_way = self.on_the_way.saturating_sub(seen);
                    Ok(())
                }
                Ok(Told::Resize(size)) => {
                    let Size { cols, rows } = size.sane();
                    self.put(TerminalInput::Resize { cols, rows }).await
                }
                Err(_) => Err(End::said("Your browser sent something this portal does not know. Reload the page.")),
            },
        }
    }

    async fn typed(&mut self, typed: Bytes) -> Result<(), End> {
        if !self.c.clipboard.paste() && is_pasted(&typed) {
            return self.say(Message::Text(json!({ "said": "Pasting is switched off here." }).to_string().into())).await;
        }
        self.still_signed_in().await?;
        for piece in typed.chunks(PIECE) {
            self.put(TerminalInput::Typed(piece.to_vec())).await?;
            while self.on_the_way < ON_THE_WAY
                && let Some(output) = self.session.next().now_or_never()
            {
                self.show(output).await?;
            }
        }
        Ok(())
    }

    /// Signing out here ends the terminal at once; elsewhere, or by time, at the next key. Asking without a key would keep a web
    /// session alive that nobody uses.
    async fn still_signed_in(&mut self) -> Result<(), End> {
        if self.looked.elapsed() < LOOK_AGAIN {
            return Ok(());
        }
        match self.c.approvals.web_session(self.c.viewer.token.expose()).await {
            Ok(Some(p)) if p.id == self.c.viewer.person.id => {
                self.looked = Instant::now();
                Ok(())
            }
            Ok(_) => Err(End::said("Your sign-in to the portal is over. Sign in again to open a terminal.")),
            // The database is away: what runs goes on, as over SSH.
            Err(_) => Ok(()),
        }
    }

    async fn put(&mut self, input: TerminalInput) -> Result<(), End> {
        match timeout(STUCK, self.session.send(input)).await {
            Ok(true) => Ok(()),
            Err(_) => Err(End::said("The target took nothing for a minute.")),
            // It is over; its last words are on their way.
            Ok(false) => loop {
                let output = timeout(GOODBYE, self.session.next()).await.unwrap_or(None);
                self.show(output).await?;
            },
        }
    }

    async fn show(&mut self, output: Option<TerminalOutput>) -> Result<(), End> {
        match output {
            Some(TerminalOutput::Shown(bytes)) => {
                let mut rest = Bytes::from(bytes);
                while !rest.is_empty() {
                    let piece = rest.split_to(rest.len().min(FRAME));
                    self.on_the_way = self.on_the_way.saturating_add(piece.len());
                    self.say(Message::Binary(piece)).await?;
                }
                Ok(())
            }
            Some(TerminalOutput::Ended { text, status }) => Err(End::Said(text, status)),
            None => Err(End::said("The session is over.")),
        }
    }

    async fn say(&mut self, message: Message) -> Result<(), End> {
        match timeout(STUCK, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Gone),
        }
    }
}

/// Longer than a person types at once, or marked by the terminal as pasted (bracketed paste).
fn is_pasted(typed: &[u8]) -> bool {
    typed.len() > TYPED_AT_ONCE || typed.windows(6).any(|w| w == b"\x1b[200~")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_typed_and_a_paragraph_is_pasted() {
        assert!(!is_pasted(b"\x1b[1;5C") && !is_pasted(&[b'x'; 64]));
        assert!(is_pasted(&[b'x'; 65]) && is_pasted(b"\x1b[200~id\x1b[201~"));
    }

    #[test]
    fn a_page_says_its_size_or_what_it_has_shown_and_nothing_else() {
        let told = serde_json::from_str::<Told>;
        assert!(matches!(told(r#"{"cols": 100, "rows": 30}"#), Ok(Told::Resize(Size { cols: 100, rows: 30 }))));
        assert!(matches!(told(r#"{"seen": 7}"#), Ok(Told::Seen { seen: 7 })));
        for bad in ["", "{}", "[]", r#"{"cols": 70000, "rows": 1}"#, r#"{"seen": -1}"#] {
            assert!(told(bad).is_err(), "{bad}");
        }
    }
}

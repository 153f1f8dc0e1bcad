//! A channel while its session stands still.
//!
//! In a terminal what is typed goes nowhere, and the person is told why; a terminal is a conversation, and keys that arrive minutes later would
//! be commands that nobody meant any more. Every other channel is held back by its window: no byte is lost, and it goes on where it stood.
use super::{Over, Pair};
use anteroom_domain::Holds;
use anteroom_recorder::EventKind;
use bytes::Bytes;
use std::time::Duration;
use tokio::{sync::watch, time::timeout};

pub(super) const SAY: Duration = Duration::from_secs(5);

/// Until nothing holds the session any more.
pub(in crate::ssh) async fn goes_on(mut holds: watch::Receiver<Holds>) {
    // Once the session is gone its own end is what ends the channel.
    if holds.wait_for(|h| !h.any()).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Why nothing new is begun now; none: it may.
pub(in crate::ssh) fn refusal(holds: Holds) -> Option<String> {
    holds.any().then(|| format!("nothing new is begun while the session stands still: {holds}"))
}

impl Pair {
    fn in_terminal(&self) -> bool {
        self.terminal.is_cancelled()
    }

    fn held(&self) -> Holds {
        self.session.entry.standing()
    }

    /// Input of the person: true if it may pass now. In a terminal it goes nowhere while the session stands still; elsewhere it waits.
    pub(super) async fn may_pass_up(&self) -> bool {
        let holds = self.held();
        if !holds.any() {
            return true;
        }
        if self.in_terminal() {
            let _ = timeout(SAY, self.client.data(Bytes::from_static(b"\x07"))).await;
            return false;
        }
        goes_on(self.session.entry.holds()).await;
        true
    }

    /// Output of the target: in a terminal it is shown while a supervisor has only paused the person; in all else it waits.
    pub(super) async fn may_pass_down(&self) {
        let (mut holds, terminal) = (self.session.entry.holds(), self.in_terminal());
        let gone = holds.wait_for(|h| !h.any() || (terminal && h.shows())).await.is_err();
        if gone {
            std::future::pending::<()>().await;
        }
    }

    /// Bytes of a file, either way.
    pub(super) async fn may_move(&self) {
        goes_on(self.session.entry.holds()).await;
    }

    /// Says in the terminal, and in the recording, when it begins to stand still, and when it goes on.
    pub(super) async fn standing(&self) -> Over {
        let mut holds = self.session.entry.holds();
        // In the lobby nothing was open; whoever begins in a session that runs has nothing to be told.
        let mut before = *holds.borrow_and_update();
        loop {
            if holds.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            let now = *holds.borrow_and_update();
            if !now.any()
                && let Err(over) = Box::pin(self.let_through()).await
            {
                return over;
            }
            if now == before {
                continue;
            }
            before = now;
            let text = now.to_string();
            if let Err(over) = self.record(EventKind::Note(text.clone())).await {
                return over;
            }
            if self.in_terminal() && self.live.is_on() {
                self.live.say(&format!(" anteroom: {text} "));
            } else if self.in_terminal() {
                let shown = Bytes::from(crate::ssh::notice::message(&text));
                if timeout(SAY, self.client.data(shown)).await.is_ok_and(|sent| sent.is_err()) {
                    return Over::Client;
                }
            }
        }
    }
}

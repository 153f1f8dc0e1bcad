//! While policy has patient data masked in the person's own terminal: output on its way through masking.
//!
//! Whoever has something for the terminal (target, notices, a new size) hands it in; one task alone sends what comes out, in its order.
use super::{Over, Pair};
use anteroom_masking::{LiveMask, MaskedText, RuleSet};
use anteroom_recorder::EventKind;
use bytes::Bytes;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// Is output masked here, and how.
pub(super) struct Live {
    rules: Option<Arc<RuleSet>>,
    began: Instant,
    state: Mutex<State>,
    woken: Notify,
    asked: Notify,
}

#[derive(Default)]
struct State {
    /// Chosen when something starts. Before and after, nothing is shown.
    streams: Option<Streams>,
    ready: Vec<Ready>,
    answers: Vec<u8>,
}

struct Streams {
    output: LiveMask,
    /// Without a terminal standard error is a stream of its own.
    stderr: Option<LiveMask>,
}

/// What may be shown. There is no other way to the client's screen here than through [`MaskedText`].
enum Ready {
    Output(MaskedText),
    Stderr(MaskedText),
}

impl Live {
    /// `rules`: none if the person may see what there is.
    pub(super) fn new(rules: Option<Arc<RuleSet>>) -> Self {
        Self { rules, began: Instant::now(), state: Mutex::default(), woken: Notify::new(), asked: Notify::new() }
    }

    pub(super) fn is_on(&self) -> bool {
        self.rules.is_some()
    }

    /// Something starts; in a terminal of this size, if there is one.
    pub(super) fn start(&self, terminal: Option<(u16, u16)>) {
        let Some(rules) = &self.rules else { return };
        self.lock().streams = Some(match terminal {
            Some((cols, rows)) => Streams { output: LiveMask::terminal(rules.clone(), cols, rows), stderr: None },
            None => Streams { output: LiveMask::plain(rules.clone()), stderr: Some(LiveMask::plain(rules.clone())) },
        });
    }

    pub(super) fn output(&self, bytes: &[u8]) {
        self.with(|s, now| Ready::Output(s.output.feed(now, bytes)));
    }

    /// A terminal shows both.
    pub(super) fn stderr(&self, bytes: &[u8]) {
        self.with(|s, now| match &mut s.stderr {
            Some(stderr) => Ready::Stderr(stderr.feed(now, bytes)),
            None => Ready::Output(s.output.feed(now, bytes)),
        });
    }

    pub(super) fn resize(&self, cols: u16, rows: u16) {
        self.with(|s, now| Ready::Output(s.output.resize(now, cols, rows)));
        self.woken.notify_one();
    }

    /// A line of our own.
    pub(super) fn say(&self, line: &str) {
        self.with(|s, now| match &mut s.stderr {
            Some(stderr) => Ready::Stderr(stderr.say(now, line)),
            None => Ready::Output(s.output.say(now, line)),
        });
        self.woken.notify_one();
    }

    /// Nothing more comes: what is held back can be told now.
    pub(super) fn finish(&self) {
        let now = self.began.elapsed();
        let mut state = self.lock();
        if let Some(Streams { mut output, stderr }) = state.streams.take() {
            state.ready.push(Ready::Output(output.finish(now).0));
            if let Some(mut stderr) = stderr {
                state.ready.push(Ready::Stderr(stderr.finish(now).0));
            }
        }
    }

    /// Returns when something has to be shown.
    pub(super) async fn due(&self) {
        loop {
            let deadline = {
                let state = self.lock();
                if !state.ready.is_empty() {
                    return;
                }
                state.streams.as_ref().and_then(Streams::deadline)
            };
            let settles = async {
                match deadline {
                    Some(at) => sleep_until(self.began + at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = settles => {
                    self.with(|s, now| Ready::Output(s.output.settle(now)));
                    self.with(|s, now| Ready::Stderr(s.stderr.as_mut().map(|e| e.settle(now)).unwrap_or_default()));
                }
                () = self.woken.notified() => {}
            }
        }
    }

    fn with(&self, mask: impl FnOnce(&mut Streams, Duration) -> Ready) {
        let now = self.began.elapsed();
        let mut state = self.lock();
        let State { streams: Some(streams), ready, answers } = &mut *state else { return };
        let shown = mask(streams, now);
        if !matches!(&shown, Ready::Output(t) | Ready::Stderr(t) if t.is_empty()) {
            ready.push(shown);
        }
        // Each time it is asked, and never more of them than one look at the target's output could ask for.
        if answers.is_empty() {
            *answers = streams.output.answers();
            if !answers.is_empty() {
                self.asked.notify_one();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Streams {
    fn deadline(&self) -> Option<Duration> {
        [self.output.deadline(), self.stderr.as_ref().and_then(LiveMask::deadline)].into_iter().flatten().min()
    }
}

impl Pair {
    /// Sends what masking has let through. Only one task calls it.
    pub(super) async fn show_masked(&self) -> Result<(), Over> {
        let ready = std::mem::take(&mut self.live.lock().ready);
        for shown in ready {
            let sent = match shown {
                Ready::Output(text) if text.is_empty() => Ok(()),
                Ready::Output(text) => self.show(text.into_string().into()).await,
                Ready::Stderr(text) => tokio::select! {
                    biased;
                    () = self.client_closed.cancelled() => Ok(()),
                    sent = self.client.stderr(text.into_string()) => sent,
                },
            };
            sent.map_err(|_| Over::Client)?;
        }
        Ok(())
    }

    /// Gives the target the answers that the person's terminal would, which never hears the questions.
    pub(super) async fn answering(&self) -> Over {
        loop {
            self.live.asked.notified().await;
            let answers = Bytes::from(std::mem::take(&mut self.live.lock().answers));
            if let Err(over) = self.record(EventKind::Input(answers.clone())).await {
                return over;
            }
            if self.target.data(answers).await.is_err() {
                return Over::Target;
            }
        }
    }
}

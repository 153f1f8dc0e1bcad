//! What a person sees on their own terminal while patient data is masked there.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{MaskedEvent, MaskedText, Masker, RuleSet, Summary, pty::Pace};

/// Masks a target's output on its way to the person's own terminal, with a clock that is the caller's.
///
/// The person's terminal is painted from masked cells alone, like the masked track: what comes out is [`MaskedText`], which only
/// classified cells, cursor movements and modes can be written into. A target's questions to the terminal are answered here, because
/// the terminal never gets them ([`LiveMask::answers`]); titles, links, clipboards and pictures go nowhere.
///
/// Held back: until nothing came for [`ECHO`](Self::ECHO) if it is little and ends no line, for [`Masker::SETTLE`] otherwise, and at
/// most for [`HOLD`](Self::HOLD). What is cut by that bound shows nothing of the line the cursor is on until the next frame.
#[derive(Debug)]
pub struct LiveMask {
    masker: Masker,
    terminal: bool,
    begun: bool,
    buffer: Vec<MaskedEvent>,
}

impl LiveMask {
    pub const ECHO: Duration = Duration::from_millis(6);
    pub const HOLD: Duration = Duration::from_millis(50);

    /// For a terminal of this size. What stood on it goes to its scrollback, so that both sides agree on what stands where.
    pub fn terminal(rules: Arc<RuleSet>, cols: u16, rows: u16) -> Self {
        let pace = Pace { settle: Masker::SETTLE, echo: Self::ECHO, hold: Self::HOLD };
        Self { masker: Masker::mirrored(rules, cols, rows, pace), terminal: true, begun: false, buffer: Vec::new() }
    }

    /// For one stream of a command without a terminal. A line is shown when it is complete; what is no text is counted and not shown.
    pub fn plain(rules: Arc<RuleSet>) -> Self {
        Self { masker: Masker::plain(rules), terminal: false, begun: false, buffer: Vec::new() }
    }

    /// Takes output that arrived `now` (of a clock that never goes back); gives what is to be shown at once.
    #[must_use]
    pub fn feed(&mut self, now: Duration, bytes: &[u8]) -> MaskedText {
        self.masker.feed(now, bytes, &mut self.buffer);
        self.take()
    }

    /// To be called at the [`deadline`](Self::deadline): what settled, or what was held back long enough.
    #[must_use]
    pub fn settle(&mut self, now: Duration) -> MaskedText {
        self.masker.settle(now, &mut self.buffer);
        self.take()
    }

    /// When something has to be shown that is held back now.
    pub fn deadline(&self) -> Option<Duration> {
        self.masker.deadline()
    }

    #[must_use]
    pub fn resize(&mut self, now: Duration, cols: u16, rows: u16) -> MaskedText {
        self.masker.resize(now, cols, rows, &mut self.buffer);
        self.take()
    }

    /// A line of the gateway's own, between the target's output.
    #[must_use]
    pub fn say(&mut self, now: Duration, line: &str) -> MaskedText {
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let before = self.terminal && self.masker.pty().is_some_and(|pty| !pty.is_at_line_start());
        let line = format!("{}{line}\r\n", if before { "\r\n" } else { "" });
        self.masker.feed(now, line.as_bytes(), &mut self.buffer);
        self.take()
    }

    /// What the target's questions to its terminal are answered since the last call; to be sent to it as if it had been typed.
    pub fn answers(&mut self) -> Vec<u8> {
        self.masker.pty().map(|pty| pty.take_answers()).unwrap_or_default()
    }

    /// Distinct identifiers masked so far, by type.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.masker.counts().collect()
    }

    /// The channel ended: everything held back, and the person's terminal as it was found.
    #[must_use]
    pub fn finish(&mut self, now: Duration) -> (MaskedText, Summary) {
        let summary = self.masker.finish(now, &mut self.buffer);
        let mut text = self.take();
        if let Some(pty) = self.masker.pty() {
            text.append(&pty.give_back());
        }
        (text, summary)
    }

    fn take(&mut self) -> MaskedText {
        let mut all = MaskedText::default();
        if !std::mem::replace(&mut self.begun, true)
            && self.buffer.is_empty()
            && let Some(pty) = self.masker.pty()
        {
            all = pty.begin();
        }
        for event in self.buffer.drain(..) {
            // The person's terminal has its size already.
            if let MaskedEvent::Output { text, .. } = event {
                all.append(&text);
            }
        }
        if self.terminal { all } else { all.with_bare_line_feeds() }
    }
}

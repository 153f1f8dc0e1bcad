//! The way through: bytes and their times in, masked events out.

use std::{sync::Arc, time::Duration};

use crate::{
    MaskedText, RuleSet, Summary,
    classify::{Classifier, Context, State},
    masked::Ink,
    plain::Plain,
    pty::{Pace, Pty},
    stages::{Spent, Stages},
    summary::Account,
};

/// What goes into the masked track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaskedEvent {
    Output { at: Duration, text: MaskedText },
    Resize { at: Duration, cols: u16, rows: u16 },
}

/// Masks the output of one channel.
///
/// Frames are cut by the recorded times alone: output that arrives closer together than [`Masker::SETTLE`] belongs to one frame, for at
/// most [`Masker::HOLD`] or 64 KiB. A frame cut by a bound shows nothing of the line the cursor is on; the next frame does. A word still
/// being typed is masked while it may become an identifier.
#[derive(Debug)]
pub struct Masker {
    rules: Arc<RuleSet>,
    classifier: Classifier,
    account: Account,
    stream: Stream,
}

#[derive(Debug)]
enum Stream {
    Pty(Box<Pty>),
    Plain(Box<Plain>),
}

impl Masker {
    /// Output is settled when nothing more came for this long.
    pub const SETTLE: Duration = Duration::from_millis(30);
    /// Output is held back at most this long.
    pub const HOLD: Duration = Duration::from_millis(250);

    /// For a channel with a terminal of this size. Sizes beyond 192,000 cells are cut.
    pub fn new(rules: Arc<RuleSet>, cols: u16, rows: u16) -> Self {
        let pace = Pace { settle: Self::SETTLE, echo: Self::SETTLE, hold: Self::HOLD };
        Self::with(rules, Stream::Pty(Box::new(Pty::new(cols, rows, pace))))
    }

    /// For a command without a terminal: lines, or bytes that are no text at all. Standard output and standard error want one each.
    pub fn plain(rules: Arc<RuleSet>) -> Self {
        Self::with(rules, Stream::Plain(Box::default()))
    }

    /// For a person's own terminal, at its pace.
    pub(crate) fn mirrored(rules: Arc<RuleSet>, cols: u16, rows: u16, pace: Pace) -> Self {
        Self::with(rules, Stream::Pty(Box::new(Pty::new(cols, rows, pace).mirrored())))
    }

    pub(crate) fn pty(&mut self) -> Option<&mut Pty> {
        match &mut self.stream {
            Stream::Pty(pty) => Some(pty),
            Stream::Plain(_) => None,
        }
    }

    pub(crate) fn deadline(&self) -> Option<Duration> {
        match &self.stream {
            Stream::Pty(pty) => pty.deadline(),
            Stream::Plain(plain) => plain.deadline(),
        }
    }

    /// Distinct identifiers masked so far, by type ("name", "mrn", ...).
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.classifier.learned().counts().map(|(kind, count)| (kind.name(), count))
    }

    fn with(rules: Arc<RuleSet>, stream: Stream) -> Self {
        Self { classifier: Classifier::new(Arc::clone(&rules)), rules, account: Account::default(), stream }
    }

    /// Also collect `Summary::spans`. Costs memory by the number of masks; off by default.
    #[must_use]
    pub fn explain(mut self) -> Self {
        self.account.explain();
        self
    }

    /// Also measure where the time goes, by this clock.
    #[doc(hidden)]
    #[must_use]
    pub fn measured(mut self, clock: fn() -> Duration) -> Self {
        self.account.stages = Stages::with(clock);
        self
    }

    #[doc(hidden)]
    pub fn spent(&self) -> Spent {
        self.account.stages.spent()
    }

    /// Takes output that arrived `at` (since the session's start; never goes back). Pushes what is ready to `out`; the result does not
    /// depend on how bytes of one `at` were split over calls.
    pub fn feed(&mut self, at: Duration, bytes: &[u8], out: &mut Vec<MaskedEvent>) {
        if bytes.is_empty() {
            return;
        }
        self.account.stages.begin();
        match &mut self.stream {
            Stream::Pty(pty) => pty.feed(at, bytes, &mut self.classifier, &mut self.account, out),
            Stream::Plain(plain) => plain.feed(at, bytes, &mut self.classifier, &mut self.account, out),
        }
    }

    /// Says that nothing arrived until `now`, so that what settled is pushed without waiting for the next output. Calling it or not gives
    /// the same events, as long as no later `feed` is before `now`.
    pub fn settle(&mut self, now: Duration, out: &mut Vec<MaskedEvent>) {
        match &mut self.stream {
            Stream::Pty(pty) => pty.settle(now, &mut self.classifier, &mut self.account, out),
            Stream::Plain(plain) => plain.settle(now, &mut self.classifier, &mut self.account, out),
        }
    }

    /// Nothing is expected for a while: memory is given back until something comes. Shows nothing and changes nothing of what is shown.
    pub fn rest(&mut self) {
        self.classifier.rest();
        match &mut self.stream {
            Stream::Pty(pty) => pty.rest(),
            Stream::Plain(_) => {}
        }
    }

    /// The terminal's size changed.
    pub fn resize(&mut self, at: Duration, cols: u16, rows: u16, out: &mut Vec<MaskedEvent>) {
        if let Stream::Pty(pty) = &mut self.stream {
            pty.resize(at, cols, rows, &mut self.classifier, &mut self.account, out);
        }
    }

    /// Masks text out of the stream (an exec's command) and learns from it. Control characters become blanks.
    pub fn mask_line(&mut self, text: &str) -> MaskedText {
        let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut verdicts = self.classifier.line(&mut Context::default(), &line, State::Complete);
        self.classifier.emit(&line, &mut verdicts, &mut self.account.emitted);
        let mut ink = Ink::new();
        ink.line(&line, &verdicts);
        ink.take()
    }

    /// What a viewer's terminal shows after the events so far, as text that paints it onto any terminal of that size; none without a terminal.
    pub fn screen(&mut self) -> Option<MaskedText> {
        match &mut self.stream {
            Stream::Pty(pty) => Some(pty.shown()),
            Stream::Plain(_) => None,
        }
    }

    /// The channel ended: everything held back is masked and pushed. The masker is done; what it learned is forgotten.
    pub fn finish(&mut self, at: Duration, out: &mut Vec<MaskedEvent>) -> Summary {
        match &mut self.stream {
            Stream::Pty(pty) => pty.finish(at, &mut self.classifier, &mut self.account, out),
            Stream::Plain(plain) => plain.finish(at, &mut self.classifier, &mut self.account, out),
        }
        let summary = std::mem::take(&mut self.account).summary(self.classifier.learned());
        self.classifier = Classifier::new(Arc::clone(&self.rules));
        summary
    }
}

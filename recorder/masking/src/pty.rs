//! A channel with a terminal: frames of masked rows, cut at recorded times.

use std::time::Duration;

use crate::{
    MaskedEvent, MaskedText,
    classify::{Classifier, Context},
    masked::MaskedRow,
    reading::{Cut, Page, Read, Reader},
    render::{Frame, Renderer},
    row::Row,
    screen::{Screen, Size},
    scrolled::{Scrolled, ScrolledRow},
    stages::Stage,
    summary::Account,
};

/// How long output is held back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Output is settled when nothing more came for this long.
    pub(crate) settle: Duration,
    /// So is a little of it that ends no line, as the echo of a key is.
    pub(crate) echo: Duration,
    /// At most so long, settled or not.
    pub(crate) hold: Duration,
}

/// More bytes than this are no echo.
const ECHO_BYTES: usize = 96;
/// Bytes taken before a frame is cut anyway.
const HOLD_BYTES: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct Pty {
    screen: Screen,
    renderer: Renderer,
    /// After the last line that is complete and off the screen.
    committed: Context,
    /// Rows already shown of a logical line that is not complete.
    carry: Vec<ScrolledRow>,
    /// Rows of the main screen that scrolled while nobody could see them (the alternate screen came in the same frame).
    pending: Scrolled,
    reader: Reader,
    pace: Pace,
    /// What came since the last frame ends no line.
    within_line: bool,
    last_at: Duration,
    first_at: Option<Duration>,
    held: usize,
    dirty: bool,
    resting: bool,
    rows_gone: u64,
}

impl Pty {
    pub(crate) fn new(cols: u16, rows: u16, pace: Pace) -> Self {
        let size = Size::clamped(cols, rows);
        Self {
            screen: Screen::new(size),
            renderer: Renderer::new(size.cols, size.rows),
            committed: Context::default(),
            carry: Vec::new(),
            pending: Scrolled::default(),
            reader: Reader::default(),
            pace,
            within_line: true,
            last_at: Duration::ZERO,
            first_at: None,
            held: 0,
            dirty: false,
            resting: false,
            rows_gone: 0,
        }
    }

    /// For a person's own terminal: it behaves as the program's, whose questions are answered.
    pub(crate) fn mirrored(self) -> Self {
        Self { screen: self.screen.answering(), renderer: self.renderer.mirroring(), ..self }
    }

    /// What the person's terminal gets before anything else.
    pub(crate) fn begin(&mut self) -> MaskedText {
        self.renderer.take()
    }

    pub(crate) fn give_back(&mut self) -> MaskedText {
        self.renderer.give_back()
    }

    /// Is the cursor where a line begins?
    pub(crate) fn is_at_line_start(&self) -> bool {
        self.screen.cursor().1 == 0
    }

    pub(crate) fn take_answers(&mut self) -> Vec<u8> {
        self.screen.take_answers()
    }

    /// When `settle` has something to do if nothing comes before.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let settled = self.last_at + self.wait();
        self.dirty.then(|| self.first_at.map_or(settled, |first| settled.min(first + self.pace.hold)))
    }

    /// How long nothing may come for what is held to be settled.
    fn wait(&self) -> Duration {
        if self.within_line && self.held <= ECHO_BYTES { self.pace.echo } else { self.pace.settle }
    }

    pub(crate) fn feed(
        &mut self,
        at: Duration,
        mut bytes: &[u8],
        classifier: &mut Classifier,
        account: &mut Account,
        out: &mut Vec<MaskedEvent>,
    ) {
        self.wake();
        let at = at.max(self.last_at);
        self.settle(at, classifier, account, out);
        self.last_at = at;
        while !bytes.is_empty() {
            self.first_at.get_or_insert(at);
            self.dirty = true;
            let (now, later) = bytes.split_at(bytes.len().min(HOLD_BYTES - self.held));
            self.within_line = self.within_line && memchr::memchr(b'\n', now).is_none();
            self.screen.feed(now);
            account.stages.end(Stage::Grid);
            self.held += now.len();
            bytes = later;
            if self.held == HOLD_BYTES {
                self.frame(Cut::Forced, classifier, account, out);
            }
        }
    }

    pub(crate) fn settle(&mut self, now: Duration, classifier: &mut Classifier, account: &mut Account, out: &mut Vec<MaskedEvent>) {
        if !self.dirty {
            return;
        }
        if now.saturating_sub(self.last_at) >= self.wait() {
            self.frame(Cut::Settled, classifier, account, out);
        } else if self.first_at.is_some_and(|first| now.saturating_sub(first) >= self.pace.hold) {
            self.frame(Cut::Forced, classifier, account, out);
        }
    }

    pub(crate) fn resize(
        &mut self,
        at: Duration,
        cols: u16,
        rows: u16,
        classifier: &mut Classifier,
        account: &mut Account,
        out: &mut Vec<MaskedEvent>,
    ) {
        self.wake();
        let at = at.max(self.last_at);
        let size = Size::clamped(cols, rows);
        if size == self.screen.size() {
            return;
        }
        if self.dirty {
            let cut = if at.saturating_sub(self.last_at) >= self.wait() { Cut::Settled } else { Cut::Forced };
            self.frame(cut, classifier, account, out);
        }
        self.last_at = at;
        self.screen.resize(size);
        self.renderer.resized(size.cols, size.rows);
        self.carry.clear();
        self.reader.forget();
        self.dirty = true;
        self.first_at.get_or_insert(at);
        let side = |side: usize| u16::try_from(side).unwrap_or(u16::MAX);
        out.push(MaskedEvent::Resize { at, cols: side(size.cols), rows: side(size.rows) });
    }

    pub(crate) fn finish(&mut self, at: Duration, classifier: &mut Classifier, account: &mut Account, out: &mut Vec<MaskedEvent>) {
        self.wake();
        self.settle(at, classifier, account, out);
        self.last_at = at.max(self.last_at);
        self.frame(Cut::Final, classifier, account, out);
    }

    pub(crate) fn shown(&mut self) -> MaskedText {
        self.wake();
        self.renderer.paint()
    }

    /// Gives back memory until the next call of anything else but `settle`, which has nothing to do then.
    pub(crate) fn rest(&mut self) {
        if !self.dirty && !self.resting && self.screen.pack() {
            self.renderer.rest();
            self.resting = true;
        }
    }

    fn wake(&mut self) {
        if std::mem::take(&mut self.resting) {
            self.screen.unpack();
            self.renderer.wake();
        }
    }

    fn frame(&mut self, cut: Cut, classifier: &mut Classifier, account: &mut Account, out: &mut Vec<MaskedEvent>) {
        self.held = 0;
        self.within_line = cut != Cut::Forced;
        self.first_at = None;
        // After a forced cut the line with the cursor is still to be shown.
        self.dirty = cut == Cut::Forced;
        let mut scrolled = std::mem::take(&mut self.pending);
        scrolled.append(self.screen.take_scrolled());
        let alternate = self.screen.is_alternate();
        let (mut above, shown, lost, context) = if alternate {
            self.pending = scrolled;
            (Vec::new(), 0, 0, Context::default())
        } else {
            let mut above = std::mem::take(&mut self.carry);
            let shown = above.len();
            above.append(&mut scrolled.rows);
            (above, shown, scrolled.lost, std::mem::take(&mut self.committed))
        };
        let size = self.screen.size();
        let screen: Vec<(Row, bool)> = (0..size.rows).map(|row| self.screen.line(row)).collect();
        let cursor = self.screen.cursor();
        let page = Page {
            rows: above.iter().map(|row| (&row.row, row.wrapped)).chain(screen.iter().map(|(row, wrapped)| (row, *wrapped))).collect(),
            above: above.len(),
            columns: size.cols,
            cursor: (cursor.0 + above.len(), cursor.1),
            full_screen: alternate,
            cut,
            at: self.last_at,
            first_row: self.rows_gone.saturating_sub(shown as u64),
        };
        account.stages.end(Stage::Grid);
        let mut showing = self.renderer.show(Frame {
            scrolled: above.len() - shown,
            lost,
            alternate,
            blank: screen.iter().all(|(row, _)| MaskedRow::shows_nothing(row)),
            cursor,
            cursor_shown: self.screen.shows_cursor(),
            modes: self.screen.modes(),
            bell: self.screen.take_bell(),
        });
        // Rows that are carried were shown before.
        let mut carried = shown;
        let Read { keep, context } = self.reader.read(&page, context, classifier, account, |row| match carried {
            0 => showing.row(row),
            _ => carried -= 1,
        });
        if let Some(text) = showing.end() {
            out.push(MaskedEvent::Output { at: self.last_at, text });
        }
        account.stages.end(Stage::Render);
        if !alternate {
            self.committed = context;
            self.rows_gone += (above.len() - shown) as u64;
            self.carry = above.split_off(keep);
        }
        self.screen.reuse(above.into_iter().map(|row| row.row).chain(screen.into_iter().map(|(row, _)| row)));
        account.stages.end(Stage::Grid);
    }
}

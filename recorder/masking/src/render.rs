//! From the last frame to this one, with as little output as is reasonable.

use std::collections::VecDeque;

use crate::masked::{Ink, MaskedRow, MaskedText, Modes, Note, PackedMaskedRow};

/// What the reader's terminal shows, and how to make it show the next frame.
#[derive(Debug)]
pub(crate) struct Renderer {
    shown: VecDeque<MaskedRow>,
    /// What is shown, while nothing happens.
    packed: Vec<PackedMaskedRow>,
    /// The main screen while the alternate one is shown; `None` when a resize made it unknown.
    main: Option<VecDeque<MaskedRow>>,
    alternate: bool,
    cursor: (usize, usize),
    cursor_shown: bool,
    cols: usize,
    ink: Ink,
    /// Of the reader's terminal, if it is to behave as the program's does.
    modes: Option<Modes>,
}

/// A frame to be shown: what is known of it before its rows.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Rows that come before those of the screen, and end up in the scrollback.
    pub(crate) scrolled: usize,
    /// Rows that were not held, between the two.
    pub(crate) lost: u64,
    pub(crate) alternate: bool,
    /// Nothing is on the screen.
    pub(crate) blank: bool,
    pub(crate) cursor: (usize, usize),
    pub(crate) cursor_shown: bool,
    pub(crate) modes: Modes,
    pub(crate) bell: bool,
}

/// Takes a frame's rows in order: the first ones are rewritten in place, the rest pushes them up, one line feed at the bottom each.
#[derive(Debug)]
pub(crate) struct Showing<'a> {
    renderer: &'a mut Renderer,
    frame: Frame,
    taken: usize,
    written: usize,
    /// The screen is cleared, and that is all.
    clears: bool,
}

impl Renderer {
    pub(crate) fn new(cols: usize, rows: usize) -> Self {
        Self {
            cols,
            shown: blank(rows),
            packed: Vec::new(),
            main: None,
            alternate: false,
            cursor: (0, 0),
            cursor_shown: true,
            ink: Ink::new(),
            modes: None,
        }
    }

    /// For a person's own terminal, which had something on it, and whose keys and mouse the program gets.
    pub(crate) fn mirroring(mut self) -> Self {
        self.modes = Some(Modes::default());
        self.ink.scroll_away(self.shown.len());
        self
    }

    /// What was written outside of frames.
    pub(crate) fn take(&mut self) -> MaskedText {
        self.ink.take()
    }

    /// Gives a person's terminal back as it was found.
    pub(crate) fn give_back(&mut self) -> MaskedText {
        if let Some(modes) = self.modes.replace(Modes::default()) {
            self.ink.modes(modes, Modes::default());
        }
        if std::mem::take(&mut self.alternate) {
            self.ink.alternate_screen(false);
        }
        if !std::mem::replace(&mut self.cursor_shown, true) {
            self.ink.show_cursor(true);
        }
        self.ink.plain();
        self.ink.take()
    }

    /// Nothing happens for a while.
    pub(crate) fn rest(&mut self) {
        self.packed.extend(std::mem::take(&mut self.shown).into_iter().map(MaskedRow::pack));
    }

    /// Ends `rest`.
    pub(crate) fn wake(&mut self) {
        self.shown.extend(self.packed.drain(..).map(PackedMaskedRow::unpack));
        self.packed = Vec::new();
    }

    /// After a resize nothing is known about what a terminal shows: the next frame paints everything.
    pub(crate) fn resized(&mut self, cols: usize, rows: usize) {
        self.cols = cols;
        self.ink.clear_screen();
        self.cursor = (0, 0);
        self.shown = blank(rows);
        self.main = None;
    }

    /// The output that makes any terminal of this size show what was shown last.
    pub(crate) fn paint(&self) -> MaskedText {
        let mut ink = Ink::new();
        ink.alternate_screen(self.alternate);
        ink.reset_style();
        ink.clear_screen();
        for (at, row) in self.shown.iter().enumerate().filter(|(_, row)| !row.is_blank()) {
            ink.move_to(at, 0);
            ink.row(row, 0..row.width());
        }
        ink.plain();
        ink.move_to(self.cursor.0.min(self.shown.len().saturating_sub(1)), self.cursor.1.min(self.cols.saturating_sub(1)));
        ink.show_cursor(self.cursor_shown);
        ink.take()
    }

    /// Begins a frame of as many rows as the screen has and `frame.scrolled` before them.
    pub(crate) fn show(&mut self, frame: Frame) -> Showing<'_> {
        if frame.alternate != self.alternate {
            self.switch_screen(frame.alternate, self.shown.len());
        }
        let clears = frame.scrolled == 0 && frame.lost == 0 && frame.blank && self.shown.iter().any(|row| !row.is_blank());
        if clears {
            self.ink.clear_screen();
            self.cursor = (0, 0);
            self.shown.iter_mut().for_each(|row| *row = MaskedRow::default());
        }
        Showing { renderer: self, frame, taken: 0, written: 0, clears }
    }

    fn switch_screen(&mut self, alternate: bool, rows: usize) {
        self.ink.alternate_screen(alternate);
        self.alternate = alternate;
        let blank = blank(rows);
        if alternate {
            self.main = Some(std::mem::replace(&mut self.shown, blank));
        } else {
            match self.main.take() {
                Some(main) => self.shown = main,
                None => {
                    self.ink.clear_screen();
                    self.shown = blank;
                }
            }
        }
        // Where 1049 puts the cursor is told differently by different terminals.
        self.cursor = (usize::MAX, usize::MAX);
    }

    fn row(&mut self, at: usize, row: MaskedRow) {
        let Some(changed) = self.shown[at].difference(&row) else { return };
        self.move_to(at, changed.start);
        let end = changed.end.min(row.width().max(changed.start));
        self.ink.row(&row, changed.start..end);
        if end < changed.end {
            self.ink.erase_to_end_of_line();
        }
        // A row written to its last column leaves the cursor waiting there: where it is will be said.
        self.cursor = (at, if end < self.cols { end } else { usize::MAX });
        self.shown[at] = row;
    }

    /// `column` may be `usize::MAX` for "anywhere in this row".
    fn move_to(&mut self, row: usize, column: usize) {
        if self.cursor == (row, column) || (column == usize::MAX && self.cursor.0 == row) {
            return;
        }
        if column == 0 && self.cursor.0 != usize::MAX && self.cursor.0 + 1 == row && row < self.shown.len() {
            self.ink.newline();
        } else {
            self.ink.move_to(row, if column == usize::MAX { 0 } else { column });
        }
        self.cursor = (row, if column == usize::MAX { 0 } else { column });
    }
}

impl Showing<'_> {
    pub(crate) fn row(&mut self, row: MaskedRow) {
        if self.taken == self.frame.scrolled && self.frame.lost > 0 {
            self.write(MaskedRow::note(Note::LinesNotHeld { lines: self.frame.lost }));
        }
        self.taken += 1;
        if !self.clears {
            self.write(row);
        }
    }

    fn write(&mut self, row: MaskedRow) {
        let Self { renderer, written, .. } = self;
        let last = renderer.shown.len() - 1;
        if *written > last {
            renderer.move_to(last, usize::MAX);
            renderer.ink.newline();
            renderer.cursor = (last, 0);
            renderer.shown.pop_front();
            renderer.shown.push_back(MaskedRow::default());
        }
        renderer.row(last.min(*written), row);
        *written += 1;
    }

    /// The output that turns the last frame into this one; `None` when nothing changed.
    pub(crate) fn end(self) -> Option<MaskedText> {
        let Self { renderer, frame, .. } = self;
        renderer.move_to(frame.cursor.0, frame.cursor.1);
        if frame.cursor_shown != renderer.cursor_shown {
            renderer.ink.show_cursor(frame.cursor_shown);
            renderer.cursor_shown = frame.cursor_shown;
        }
        if let Some(modes) = renderer.modes.filter(|modes| *modes != frame.modes) {
            renderer.ink.modes(modes, frame.modes);
            renderer.modes = Some(frame.modes);
        }
        if frame.bell && renderer.modes.is_some() {
            renderer.ink.bell();
        }
        if renderer.ink.is_empty() {
            return None;
        }
        renderer.ink.plain();
        Some(renderer.ink.take())
    }
}

fn blank(rows: usize) -> VecDeque<MaskedRow> {
    (0..rows).map(|_| MaskedRow::default()).collect()
}

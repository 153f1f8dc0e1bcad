//! From the last frame to this one, with as little output as is reasonable.

use crate::masked::{Ink, MaskedRow, MaskedText, Note, PackedMaskedRow};

/// What the reader's terminal shows, and how to make it show the next frame.
#[derive(Debug)]
pub(crate) struct Renderer {
    shown: Vec<MaskedRow>,
    /// What is shown, while nothing happens.
    packed: Vec<PackedMaskedRow>,
    /// The main screen while the alternate one is shown; `None` when a resize made it unknown.
    main: Option<Vec<MaskedRow>>,
    alternate: bool,
    cursor: (usize, usize),
    cursor_shown: bool,
    cols: usize,
    ink: Ink,
}

/// A frame to be shown. `scrolled` rows come before `screen` rows and end up in the scrollback.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) scrolled: Vec<MaskedRow>,
    pub(crate) lost: u64,
    pub(crate) screen: Vec<MaskedRow>,
    pub(crate) alternate: bool,
    pub(crate) cursor: (usize, usize),
    pub(crate) cursor_shown: bool,
}

impl Renderer {
    pub(crate) fn new(cols: usize, rows: usize) -> Self {
        Self {
            cols,
            shown: vec![MaskedRow::default(); rows],
            packed: Vec::new(),
            main: None,
            alternate: false,
            cursor: (0, 0),
            cursor_shown: true,
            ink: Ink::new(),
        }
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
        self.shown = vec![MaskedRow::default(); rows];
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

    /// The output that turns the last frame into this one; `None` when nothing changed.
    pub(crate) fn show(&mut self, frame: Frame) -> Option<MaskedText> {
        if frame.alternate != self.alternate {
            self.switch_screen(frame.alternate, frame.screen.len());
        }
        let rows = frame.screen.len();
        let scrolled = frame.scrolled.len() + usize::from(frame.lost > 0);
        if scrolled == 0 && frame.screen.iter().all(MaskedRow::is_blank) && self.shown.iter().any(|row| !row.is_blank()) {
            self.ink.clear_screen();
            self.cursor = (0, 0);
            self.shown = frame.screen;
        } else {
            // All rows in order: the first ones are rewritten in place, the rest pushes them up, one line feed at the bottom each.
            let note = (frame.lost > 0).then(|| MaskedRow::note(Note::LinesNotHeld { lines: frame.lost }));
            for (index, row) in frame.scrolled.into_iter().chain(note).chain(frame.screen).enumerate() {
                let at = if index < rows {
                    index
                } else {
                    self.move_to(rows - 1, usize::MAX);
                    self.ink.newline();
                    self.cursor = (rows - 1, 0);
                    self.shown.rotate_left(1);
                    self.shown[rows - 1] = MaskedRow::default();
                    rows - 1
                };
                self.row(at, row);
            }
        }
        self.move_to(frame.cursor.0, frame.cursor.1);
        if frame.cursor_shown != self.cursor_shown {
            self.ink.show_cursor(frame.cursor_shown);
            self.cursor_shown = frame.cursor_shown;
        }
        if self.ink.is_empty() {
            return None;
        }
        self.ink.plain();
        Some(self.ink.take())
    }

    fn switch_screen(&mut self, alternate: bool, rows: usize) {
        self.ink.alternate_screen(alternate);
        self.alternate = alternate;
        let blank = vec![MaskedRow::default(); rows];
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

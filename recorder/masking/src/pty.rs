//! A channel with a terminal: frames of masked rows, cut at recorded times.

use std::{ops::Range, time::Duration};

use alacritty_terminal::term::cell::Cell;

use crate::{
    MaskedEvent, MaskedText, Masker,
    classify::{Classifier, Context, State, Verdicts},
    folded,
    line_text::LineText,
    masked::MaskedRow,
    panes::{self, Band},
    render::{Frame, Renderer},
    screen::{Screen, Scrolled, ScrolledRow, Size, used_cells},
    summary::Account,
};

/// Bytes taken before a frame is cut anyway.
const HOLD_BYTES: usize = 64 << 10;
/// Cells of one logical line. A longer one is cut, and the word at the cut is masked if it looks like anything.
const MAX_LINE_CELLS: usize = 16_384;
/// Rows over which a program folds one line.
const MAX_FOLDED: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Nothing came for a while: what stands there stands.
    Settled,
    /// A bound was reached while output was still coming.
    Forced,
    /// Nothing will come any more.
    Final,
}

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
    /// The classification of the screen's lines in the last frame.
    cache: Vec<Line>,
    last_at: Duration,
    first_at: Option<Duration>,
    held: usize,
    dirty: bool,
    resting: bool,
    rows_gone: u64,
}

/// A logical line of a frame.
#[derive(Debug)]
struct Line {
    rows: Range<usize>,
    /// The columns of a row that is shared with other panes.
    columns: Option<Range<usize>>,
    text: LineText,
    state: State,
    before: Context,
    after: Context,
    /// What was known when it was classified.
    learned: u64,
    verdicts: Verdicts,
    /// Not taken over from the frame before.
    new: bool,
}

impl Pty {
    pub(crate) fn new(cols: u16, rows: u16) -> Self {
        let size = Size::clamped(cols, rows);
        Self {
            screen: Screen::new(size),
            renderer: Renderer::new(size.cols, size.rows),
            committed: Context::default(),
            carry: Vec::new(),
            pending: Scrolled::default(),
            cache: Vec::new(),
            last_at: Duration::ZERO,
            first_at: None,
            held: 0,
            dirty: false,
            resting: false,
            rows_gone: 0,
        }
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
            self.screen.feed(now);
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
        if now.saturating_sub(self.last_at) >= Masker::SETTLE {
            self.frame(Cut::Settled, classifier, account, out);
        } else if self.first_at.is_some_and(|first| now.saturating_sub(first) >= Masker::HOLD) {
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
            let cut = if at.saturating_sub(self.last_at) >= Masker::SETTLE { Cut::Settled } else { Cut::Forced };
            self.frame(cut, classifier, account, out);
        }
        self.last_at = at;
        self.screen.resize(size);
        self.renderer.resized(size.cols, size.rows);
        self.carry.clear();
        self.cache.clear();
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
        self.first_at = None;
        // After a forced cut the line with the cursor is still to be shown.
        self.dirty = cut == Cut::Forced;
        let mut scrolled = std::mem::take(&mut self.pending);
        scrolled.append(self.screen.take_scrolled());
        let frame = if self.screen.is_alternate() {
            self.pending = scrolled;
            let (screen, ..) = self.classify(&[], 0, cut, Context::default(), classifier, account);
            self.to_show(Vec::new(), 0, screen)
        } else {
            let carry = std::mem::take(&mut self.carry);
            let shown = carry.len();
            let mut above = carry;
            above.append(&mut scrolled.rows);
            let committed = std::mem::take(&mut self.committed);
            let (mut rows, keep, committed) = self.classify(&above, shown, cut, committed, classifier, account);
            self.committed = committed;
            let screen = rows.split_off(above.len());
            rows.drain(..shown);
            self.rows_gone += rows.len() as u64;
            self.carry = above.split_off(keep);
            self.to_show(rows, scrolled.lost, screen)
        };
        if let Some(text) = self.renderer.show(frame) {
            out.push(MaskedEvent::Output { at: self.last_at, text });
        }
    }

    fn to_show(&self, scrolled: Vec<MaskedRow>, lost: u64, screen: Vec<MaskedRow>) -> Frame {
        Frame {
            scrolled,
            lost,
            screen,
            alternate: self.screen.is_alternate(),
            cursor: self.screen.cursor(),
            cursor_shown: self.screen.shows_cursor(),
        }
    }

    /// Classifies `above` (its first `shown` rows for context only) and the screen as one text. Returns all rows, from which row of `above`
    /// on the logical line is incomplete, and the context there.
    fn classify(
        &mut self,
        above: &[ScrolledRow],
        shown: usize,
        cut: Cut,
        mut context: Context,
        classifier: &mut Classifier,
        account: &mut Account,
    ) -> (Vec<MaskedRow>, usize, Context) {
        let size = self.screen.size();
        let rows: Vec<(&[Cell], bool)> = above
            .iter()
            .map(|row| (row.cells.as_slice(), row.wrapped))
            .chain((0..size.rows).map(|row| {
                let cells = self.screen.row(row);
                let wrapped = self.screen.is_wrapped(row);
                (if wrapped { cells } else { &cells[..used_cells(cells)] }, wrapped)
            }))
            .collect();
        let cursor = (self.screen.cursor().0 + above.len(), self.screen.cursor().1);
        let first_row = self.rows_gone.saturating_sub(shown as u64);
        let mut lines: Vec<Line> = Vec::with_capacity(rows.len());
        let mut committed: Option<Context> = None;
        let mut keep = above.len();
        let mut cached = std::mem::take(&mut self.cache).into_iter();
        let bands = if self.screen.is_alternate() {
            let cells: Vec<&[Cell]> = rows.iter().map(|row| row.0).collect();
            panes::bands(&cells, size.cols)
        } else {
            Vec::new()
        };
        for Piece { rows: Range { start: at, end }, columns, begins } in
            pieces(&rows, &bands, self.screen.is_alternate().then_some(size.cols))
        {
            if begins {
                // Another pane's text says nothing about this one.
                context = Context::default();
            }
            let too_long = columns.is_none() && end < rows.len() && rows[end - 1].1;
            let part = |row: &(&'_ [Cell], bool)| match &columns {
                Some(columns) => row.0.len().min(columns.start)..row.0.len().min(columns.end),
                None => 0..row.0.len(),
            };
            let text = LineText::of(rows[at..end].iter().map(|row| &row.0[part(row)]));
            // A row that reaches its pane's border may have been cut there.
            let cut_at_border = columns.as_ref().is_some_and(|columns| {
                columns.end < size.cols && rows[end - 1].0.get(columns.end - 1).is_some_and(|cell| cell.c != ' ' && cell.c != '\t')
            });
            let first = columns.as_ref().map_or(0, |columns| columns.start);
            let here = (at..end).contains(&cursor.0) && columns.as_ref().is_none_or(|columns| columns.contains(&cursor.1));
            let state = match cut {
                _ if too_long || cut_at_border => State::Open(text.as_str().trim_end().len()),
                Cut::Final => State::Complete,
                _ if !here => State::Complete,
                Cut::Forced => State::Torn,
                Cut::Settled => {
                    let before: usize = rows[at..cursor.0].iter().map(|row| part(row).len()).sum();
                    State::Open(text.byte_of(before + cursor.1 - first))
                }
            };
            if end > above.len() && committed.is_none() {
                // From here on lines may change: what they teach the next line is for this frame only.
                committed = Some(context.clone());
                keep = keep.min(at);
            }
            let old = if committed.is_some() { cached.next() } else { None };
            let known = old.filter(|old| {
                old.state == state
                    && old.learned == classifier.learned().version()
                    && old.text.as_str() == text.as_str()
                    && old.before == context
            });
            lines.push(match known {
                Some(line) => {
                    context.clone_from(&line.after);
                    Line { rows: at..end, columns, new: false, ..line }
                }
                None => {
                    let on_screen = committed.is_some();
                    let before = if on_screen { context.clone() } else { Context::default() };
                    let verdicts = classifier.line(&mut context, text.as_str(), state);
                    let after = if on_screen { context.clone() } else { Context::default() };
                    Line {
                        rows: at..end,
                        columns,
                        text,
                        state,
                        before,
                        after,
                        learned: classifier.learned().version(),
                        verdicts,
                        new: true,
                    }
                }
            });
        }
        // What a later line said about one above it.
        for at in 0..lines.len() {
            for n in 0..lines[at].verdicts.back().len() {
                let (distance, found) = lines[at].verdicts.back()[n].clone();
                if let Some(above) = at.checked_sub(distance as usize).and_then(|above| lines.get_mut(above))
                    && above.verdicts.amend(&found)
                    && !above.new
                {
                    above.verdicts = std::mem::take(&mut above.verdicts).in_cells(above.text.starts());
                }
            }
        }
        // What a later line taught is applied to those before it: they were shown by nobody yet.
        let learned = classifier.learned().version();
        for line in &mut lines {
            if line.new {
                if line.learned != learned {
                    classifier.look_again(line.text.as_str(), &mut line.verdicts);
                    line.learned = learned;
                }
                line.verdicts = std::mem::take(&mut line.verdicts).in_cells(line.text.starts());
                classifier.emit(line.text.as_str(), &mut line.verdicts, &mut account.emitted);
                if account.explains() {
                    let parts: Vec<(&[Cell], bool)> = rows[line.rows.clone()]
                        .iter()
                        .map(|(row, wrapped)| {
                            let columns = line.columns.clone().unwrap_or(0..row.len());
                            (&row[columns.start.min(row.len())..columns.end.min(row.len())], *wrapped)
                        })
                        .collect();
                    explain(
                        account,
                        classifier,
                        self.last_at,
                        first_row + line.rows.start as u64,
                        &parts,
                        line.columns.as_ref().map_or(0, |columns| columns.start),
                        &line.verdicts,
                    );
                }
            }
        }
        let mut masked: Vec<MaskedRow> = Vec::with_capacity(rows.len());
        let mut shared = lines.iter().filter(|line| line.columns.is_some()).peekable();
        for band in &bands {
            // Rows before the band come first.
            masked_until(&mut masked, &lines, &rows, band.rows.start);
            let parts: Vec<&Line> = std::iter::from_fn(|| shared.next_if(|line| band.rows.contains(&line.rows.start))).collect();
            for row in band.rows.clone() {
                let here = parts.iter().filter(|line| line.rows.contains(&row));
                // A folded line's rows are as wide as its pane.
                let beside = Verdicts::beside(here.filter_map(|line| {
                    let columns = line.columns.clone()?;
                    Some((&line.verdicts, (row - line.rows.start) * columns.len(), columns))
                }));
                masked.push(MaskedRow::classified(rows[row].0, &beside, 0));
            }
        }
        masked_until(&mut masked, &lines, &rows, rows.len());
        lines.retain(|line| line.rows.end > above.len());
        self.cache = lines;
        (masked, keep, committed.unwrap_or(context))
    }
}

/// Rows that are looked at as one line.
struct Piece {
    rows: Range<usize>,
    columns: Option<Range<usize>>,
    /// Another text begins here.
    begins: bool,
}

/// Logical lines top to bottom; in a band, pane by pane.
/// `folding`: the columns of a full-screen program, which may fold lines itself.
fn pieces(rows: &[(&[Cell], bool)], bands: &[Band], folding: Option<usize>) -> Vec<Piece> {
    let glyph = |row: usize| move |column: usize| rows.get(row).and_then(|row| row.0.get(column)).map_or(' ', |cell| cell.c);
    let goes_on = |first: usize, above: usize, columns: Range<usize>| {
        folding.is_some() && folded::goes_on(&glyph(first), &glyph(above), &glyph(above + 1), &glyph(above + 2), columns)
    };
    let mut pieces = Vec::with_capacity(rows.len());
    let mut at = 0;
    let mut bands = bands.iter().peekable();
    let mut after_band = false;
    while at < rows.len() {
        if let Some(band) = bands.next_if(|band| band.rows.start == at) {
            for columns in &band.columns {
                let mut row = band.rows.start;
                while row < band.rows.end {
                    let first = row;
                    row += 1;
                    while row < band.rows.end && row - first < MAX_FOLDED && goes_on(first, row - 1, columns.clone()) {
                        row += 1;
                    }
                    pieces.push(Piece { rows: first..row, columns: Some(columns.clone()), begins: first == band.rows.start });
                }
            }
            at = band.rows.end;
            after_band = true;
            continue;
        }
        let limit = bands.peek().map_or(rows.len(), |band| band.rows.start);
        let mut end = at + 1;
        let mut cells = rows[at].0.len();
        while end < limit
            && cells < MAX_LINE_CELLS
            && (rows[end - 1].1 || (end - at < MAX_FOLDED && folding.is_some_and(|columns| goes_on(at, end - 1, 0..columns))))
        {
            cells += rows[end].0.len();
            end += 1;
        }
        pieces.push(Piece { rows: at..end, columns: None, begins: std::mem::take(&mut after_band) });
        at = end;
    }
    pieces
}

/// Masks whole rows from the last one that is masked up to `end`.
fn masked_until(masked: &mut Vec<MaskedRow>, lines: &[Line], rows: &[(&[Cell], bool)], end: usize) {
    let from = masked.len();
    for line in lines.iter().filter(|line| line.columns.is_none() && (from..end).contains(&line.rows.start)) {
        let mut offset = 0;
        for (cells, _) in &rows[line.rows.clone()] {
            masked.push(MaskedRow::classified(cells, &line.verdicts, offset));
            offset += cells.len();
        }
    }
}

fn explain(
    account: &mut Account,
    classifier: &Classifier,
    at: Duration,
    first_row: u64,
    rows: &[(&[Cell], bool)],
    first_column: usize,
    verdicts: &Verdicts,
) {
    for (found, cells) in verdicts.found().iter().zip(verdicts.cell_ranges()) {
        let mut offset = 0;
        for (index, (row, _)) in rows.iter().enumerate() {
            let (start, end) = (cells.start.max(offset), cells.end.min(offset + row.len()));
            if start < end {
                account.span(at, first_row + index as u64, first_column + start - offset, end - start, found, classifier.rules());
            }
            offset += row.len();
        }
    }
}

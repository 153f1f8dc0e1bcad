//! A frame read as one text: the rows that scrolled off, then the screen, line by line, pane by pane.

use std::{ops::Range, time::Duration};

use crate::{
    classify::{Classifier, Context, Known, State, Verdicts},
    folded,
    line_text::LineText,
    masked::MaskedRow,
    panes::{self, Band},
    row::Row,
    stages::Stage,
    summary::Account,
};

/// Cells of one logical line. A longer one is cut, and the word at the cut is masked if it looks like anything.
const MAX_LINE_CELLS: usize = 16_384;
/// Rows over which a program folds one line.
const MAX_FOLDED: usize = 64;

/// Why a frame is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Nothing came for a while: what stands there stands.
    Settled,
    /// A bound was reached while output was still coming.
    Forced,
    /// Nothing will come any more.
    Final,
}

/// What is to be read.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    /// Rows, and whether the logical line goes on in the next one.
    pub(crate) rows: Vec<(&'a Row, bool)>,
    /// How many of them left the screen.
    pub(crate) above: usize,
    pub(crate) columns: usize,
    /// Row and column.
    pub(crate) cursor: (usize, usize),
    /// Of a full-screen program: it may show several texts beside each other, and fold long lines itself.
    pub(crate) full_screen: bool,
    pub(crate) cut: Cut,
    /// For people who ask: when that was, and the number of the first row since the start.
    pub(crate) at: Duration,
    pub(crate) first_row: u64,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Read {
    /// The row above the screen in which a logical line begins that is not complete.
    pub(crate) keep: usize,
    /// What the lines before it say about it.
    pub(crate) context: Context,
}

/// Remembers the lines of the last frame's screen: what did not change is not classified again, also when it moved up.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    lines: Vec<Line<'static>>,
}

/// A logical line of a frame.
#[derive(Debug)]
struct Line<'a> {
    rows: Range<usize>,
    /// The columns of a row that is shared with other panes.
    columns: Option<Range<usize>>,
    text: LineText<'a>,
    state: State,
    /// Of a line that stays on the screen: what was known before it and behind it.
    contexts: Option<Box<(Context, Context)>>,
    /// What was known when it was classified.
    learned: u64,
    known: Known,
    verdicts: Verdicts,
    since: Since,
}

/// How a line comes into this frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    /// It was classified.
    Now,
    /// It was on the screen before, further down.
    Moved,
    /// It stands where it stood.
    Before,
}

/// Rows that are looked at as one line.
struct Piece {
    rows: Range<usize>,
    columns: Option<Range<usize>>,
    /// Another text begins here.
    begins: bool,
}

impl Reader {
    pub(crate) fn forget(&mut self) {
        self.lines.clear();
    }

    /// `show` gets every row in order, masked.
    pub(crate) fn read(
        &mut self,
        page: &Page<'_>,
        mut context: Context,
        classifier: &mut Classifier,
        account: &mut Account,
        show: impl FnMut(MaskedRow),
    ) -> Read {
        let rows = &page.rows;
        let mut lines: Vec<Line<'_>> = Vec::with_capacity(rows.len());
        let mut committed: Option<Context> = None;
        let mut keep = page.above;
        let mut old = std::mem::take(&mut self.lines).into_iter();
        let bands = if page.full_screen { panes::bands(rows, page.columns) } else { Vec::new() };
        let pieces = pieces(rows, &bands, page.full_screen.then_some(page.columns));
        // The line that was first on the screen is first again, wherever it is now.
        let moved = pieces.first().is_some_and(|first| first.rows.end <= page.above);
        for piece in pieces {
            if piece.begins {
                // Another pane's text says nothing about this one.
                context = Context::default();
            }
            let text = LineText::of(rows[piece.rows.clone()].iter().map(|row| match &piece.columns {
                Some(columns) => row.0.part(columns.clone()),
                None => row.0.whole(),
            }));
            let state = state(page, &piece, &text);
            let on_screen = piece.rows.end > page.above;
            if on_screen && committed.is_none() {
                // From here on lines may change: what they teach the next line is for this frame only.
                committed = Some(context.clone());
                keep = keep.min(piece.rows.start);
            }
            let known = old.next().filter(|old| old.is_still(&text, state, &context, moved, classifier));
            let Piece { rows, columns, .. } = piece;
            lines.push(match known {
                Some(line) => {
                    if let Some(contexts) = &line.contexts {
                        context.clone_from(&contexts.1);
                    }
                    Line { rows, columns, since: if moved { Since::Moved } else { Since::Before }, ..line }
                }
                None => {
                    let before = on_screen.then(|| context.clone());
                    let verdicts = classifier.line(&mut context, text.as_str(), state);
                    let contexts = before.map(|before| Box::new((before, context.clone())));
                    let (learned, known) = (classifier.learned().version(), classifier.known());
                    Line { rows, columns, text, state, contexts, learned, known, verdicts, since: Since::Now }
                }
            });
        }
        tell_above(&mut lines);
        settle(&mut lines, page, classifier, account);
        account.stages.end(Stage::Classify);
        masked(page, &lines, &bands, show);
        self.lines = lines.into_iter().filter(|line| line.rows.end > page.above).map(Line::into_owned).collect();
        Read { keep, context: committed.unwrap_or(context) }
    }
}

impl Line<'_> {
    /// Would classifying say the same again?
    fn is_still(&self, text: &LineText<'_>, state: State, context: &Context, moved: bool, classifier: &Classifier) -> bool {
        self.state == state
            && self.learned == classifier.learned().version()
            // What stands where it stood stays as it was shown; what goes up is looked at with all that is known.
            && (!moved || self.known == classifier.known())
            && self.text.as_str() == text.as_str()
            && self.contexts.as_ref().is_some_and(|contexts| contexts.0 == *context)
    }

    fn into_owned(self) -> Line<'static> {
        Line { text: self.text.into_owned(), ..self }
    }
}

/// How a line is to be taken: where the cursor is, more may be written.
fn state(page: &Page<'_>, piece: &Piece, text: &LineText<'_>) -> State {
    let Piece { rows: Range { start, end }, columns, .. } = piece;
    let (start, end) = (*start, *end);
    let too_long = columns.is_none() && end < page.rows.len() && page.rows[end - 1].1;
    // A row that reaches its pane's border may have been cut there.
    let cut_at_border =
        columns.as_ref().is_some_and(|columns| columns.end < page.columns && !page.rows[end - 1].0.is_blank_at(columns.end - 1));
    let first = columns.as_ref().map_or(0, |columns| columns.start);
    let here = (start..end).contains(&page.cursor.0) && columns.as_ref().is_none_or(|columns| columns.contains(&page.cursor.1));
    match page.cut {
        _ if too_long || cut_at_border => State::Open(text.as_str().trim_end().len()),
        Cut::Final => State::Complete,
        _ if !here => State::Complete,
        Cut::Forced => State::Torn,
        Cut::Settled => {
            let before: usize = page.rows[start..page.cursor.0].iter().map(|row| cells(row.0, columns.as_ref())).sum();
            State::Open(text.byte_of(before + page.cursor.1 - first))
        }
    }
}

/// How many of a row's cells are in these columns.
fn cells(row: &Row, columns: Option<&Range<usize>>) -> usize {
    columns.map_or(row.len(), |columns| row.part(columns.clone()).columns.len())
}

/// Logical lines top to bottom; in a band, pane by pane. `folding`: the columns of a full-screen program, which may fold lines itself.
fn pieces(rows: &[(&Row, bool)], bands: &[Band], folding: Option<usize>) -> Vec<Piece> {
    let glyph = |row: usize| move |column: usize| rows.get(row).and_then(|row| row.0.glyph(column)).unwrap_or(' ');
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

/// What a later line said about one above it.
fn tell_above(lines: &mut [Line<'_>]) {
    for at in 0..lines.len() {
        for n in 0..lines[at].verdicts.back().len() {
            let (distance, found) = lines[at].verdicts.back()[n].clone();
            if let Some(above) = at.checked_sub(distance as usize).and_then(|above| lines.get_mut(above))
                && above.verdicts.amend(&found)
            {
                match above.since {
                    Since::Before => above.verdicts = std::mem::take(&mut above.verdicts).in_cells(above.text.starts()),
                    Since::Moved | Since::Now => above.since = Since::Now,
                }
            }
        }
    }
}

/// What a later line taught is applied to those before it: they were shown by nobody yet. Then it is said what stays readable.
fn settle(lines: &mut [Line<'_>], page: &Page<'_>, classifier: &mut Classifier, account: &mut Account) {
    let learned = classifier.learned().version();
    for line in lines.iter_mut().filter(|line| line.since != Since::Before) {
        let taught = line.learned != learned;
        if taught {
            classifier.look_again(line.text.as_str(), &mut line.verdicts);
            line.learned = learned;
        }
        if taught || line.since == Since::Now {
            line.verdicts = std::mem::take(&mut line.verdicts).in_cells(line.text.starts());
            classifier.emit(line.text.as_str(), &mut line.verdicts, &mut account.emitted);
            if account.explains() {
                explain(account, classifier, page, line);
            }
        }
    }
    classifier.all_emitted();
}

fn explain(account: &mut Account, classifier: &Classifier, page: &Page<'_>, line: &Line<'_>) {
    let first_column = line.columns.as_ref().map_or(0, |columns| columns.start);
    for (found, cells) in line.verdicts.found().iter().zip(line.verdicts.cell_ranges()) {
        let mut offset = 0;
        for at in line.rows.clone() {
            let length = self::cells(page.rows[at].0, line.columns.as_ref());
            let (start, end) = (cells.start.max(offset), cells.end.min(offset + length));
            if start < end {
                let row = page.first_row + at as u64;
                account.span(page.at, row, first_column + start - offset, end - start, found, classifier.rules());
            }
            offset += length;
        }
    }
}

fn masked(page: &Page<'_>, lines: &[Line<'_>], bands: &[Band], mut show: impl FnMut(MaskedRow)) {
    let mut whole = lines.iter().filter(|line| line.columns.is_none()).peekable();
    let mut shared = lines.iter().filter(|line| line.columns.is_some()).peekable();
    // Rows before a band come first; behind the last one come the rest.
    for band in bands.iter().map(Some).chain([None]) {
        while let Some(line) = whole.next_if(|line| band.is_none_or(|band| line.rows.start < band.rows.start)) {
            let mut offset = 0;
            for (row, _) in &page.rows[line.rows.clone()] {
                show(MaskedRow::classified(row, &line.verdicts, offset));
                offset += row.len();
            }
        }
        let Some(band) = band else { return };
        let parts: Vec<&Line<'_>> = std::iter::from_fn(|| shared.next_if(|line| band.rows.contains(&line.rows.start))).collect();
        for row in band.rows.clone() {
            let here = parts.iter().filter(|line| line.rows.contains(&row));
            // A folded line's rows are as wide as its pane.
            let beside = Verdicts::beside(here.filter_map(|line| {
                let columns = line.columns.clone()?;
                Some((&line.verdicts, (row - line.rows.start) * columns.len(), columns))
            }));
            show(MaskedRow::classified(page.rows[row].0, &beside, 0));
        }
    }
}

//! A command without a terminal: lines in, masked lines out. What is no text is counted and not shown.

use std::time::Duration;

use crate::{
    MaskedEvent, Masker,
    classify::{Classifier, Context, State, Verdicts},
    line_text::LineText,
    masked::{Ink, MaskedRow, Note},
    row::Row,
    screen::{Screen, Size},
    stages::Stage,
    summary::Account,
};

/// What is looked at before anything is shown: a gzip or tar header fits.
const SNIFF_BYTES: usize = 4096;
/// What is no text ended when nothing came for this long.
const BINARY_PAUSE: Duration = Duration::from_secs(1);
/// A line longer than this is cut; the word at the cut is masked if it looks like anything.
const MAX_LINE_BYTES: usize = 256 << 10;
/// Output is pushed in pieces of about this size.
const PIECE_BYTES: usize = 16 << 10;
/// Columns and rows of the terminal that untangles lines with escape sequences.
const LINE_SCREEN: (u16, u16) = (500, 8);

#[derive(Debug)]
pub(crate) struct Plain {
    /// Bytes of lines that are not complete.
    pending: Vec<u8>,
    phase: Phase,
    context: Context,
    /// Lines classified and not yet shown: what a later one teaches is applied to them.
    held: Vec<Held>,
    held_bytes: usize,
    ink: Ink,
    screen: Option<Box<Screen>>,
    lines: u64,
    last_at: Duration,
}

#[derive(Debug)]
struct Held {
    content: Content,
    verdicts: Verdicts,
    /// What was known when it was classified.
    learned: u64,
    ends_line: bool,
}

#[derive(Debug)]
enum Content {
    Text(String),
    /// A line that came over the emulator, with its rows.
    Cells(LineText<'static>, Vec<Row>),
}

impl Content {
    fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Cells(text, _) => text.as_str(),
        }
    }
}

/// How a piece of text ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Line,
    /// A bound was reached; the line goes on.
    Cut,
    /// Nothing more comes.
    Stream,
}

impl End {
    fn state(self, text: &str) -> State {
        if self == Self::Cut { State::Open(text.trim_end().len()) } else { State::Complete }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Too little was seen to say what it is.
    Sniffing,
    Text,
    /// Not text: everything from here on is counted. It stays so while it flows: a tar stream has text in it that nobody asked to see, and
    /// whose header, which says what to mask, was counted too. What comes after a pause is looked at again.
    Binary {
        bytes: u64,
    },
}

impl Default for Plain {
    fn default() -> Self {
        Self {
            pending: Vec::new(),
            phase: Phase::Sniffing,
            context: Context::default(),
            held: Vec::new(),
            held_bytes: 0,
            ink: Ink::new(),
            screen: None,
            lines: 0,
            last_at: Duration::ZERO,
        }
    }
}

impl Plain {
    pub(crate) fn feed(
        &mut self,
        at: Duration,
        bytes: &[u8],
        classifier: &mut Classifier,
        account: &mut Account,
        out: &mut Vec<MaskedEvent>,
    ) {
        let at = at.max(self.last_at);
        self.settle(at, classifier, account, out);
        if at > self.last_at {
            self.push(classifier, account, out);
        }
        self.last_at = at;
        let mut bytes = bytes;
        if self.phase == Phase::Sniffing {
            let (now, later) = bytes.split_at(bytes.len().min(SNIFF_BYTES - self.pending.len()));
            self.pending.extend_from_slice(now);
            bytes = later;
            if self.pending.len() < SNIFF_BYTES {
                return;
            }
            self.sniffed(classifier, account, out);
        }
        while !bytes.is_empty() {
            if let Phase::Binary { bytes: counted } = &mut self.phase {
                *counted += bytes.len() as u64;
                return;
            }
            let Some(end) = memchr::memchr(b'\n', bytes) else {
                let (now, later) = bytes.split_at(bytes.len().min(MAX_LINE_BYTES - self.pending.len()));
                self.pending.extend_from_slice(now);
                bytes = later;
                if self.pending.len() == MAX_LINE_BYTES {
                    self.cut(classifier, account, out);
                }
                continue;
            };
            if self.pending.len() + end > MAX_LINE_BYTES {
                let (now, later) = bytes.split_at(MAX_LINE_BYTES - self.pending.len());
                self.pending.extend_from_slice(now);
                bytes = later;
                self.cut(classifier, account, out);
                continue;
            }
            let (line, later) = bytes.split_at(end);
            if self.pending.is_empty() {
                self.line(line, End::Line, classifier, account, out);
            } else {
                let mut whole = std::mem::take(&mut self.pending);
                whole.extend_from_slice(line);
                self.line(&whole, End::Line, classifier, account, out);
                whole.clear();
                // A buffer that one long line needed is not kept for the rest of the session.
                self.pending = if whole.capacity() > PIECE_BYTES { Vec::new() } else { whole };
            }
            bytes = &later[1..];
        }
    }

    pub(crate) fn settle(&mut self, now: Duration, classifier: &mut Classifier, account: &mut Account, out: &mut Vec<MaskedEvent>) {
        if now.saturating_sub(self.last_at) >= Masker::SETTLE {
            if self.phase == Phase::Sniffing && !self.pending.is_empty() {
                self.sniffed(classifier, account, out);
            }
            self.push(classifier, account, out);
        }
        if now.saturating_sub(self.last_at) >= BINARY_PAUSE {
            self.tell_binary(out);
        }
    }

    /// When `settle` has something to do if nothing comes before.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let sniffing = self.phase == Phase::Sniffing && !self.pending.is_empty();
        match self.phase {
            Phase::Binary { .. } => Some(self.last_at + BINARY_PAUSE),
            _ => (sniffing || !self.held.is_empty() || !self.ink.is_empty()).then_some(self.last_at + Masker::SETTLE),
        }
    }

    pub(crate) fn finish(&mut self, at: Duration, classifier: &mut Classifier, account: &mut Account, out: &mut Vec<MaskedEvent>) {
        self.settle(at, classifier, account, out);
        if self.phase == Phase::Sniffing {
            self.sniffed(classifier, account, out);
        }
        if !self.pending.is_empty() {
            let rest = std::mem::take(&mut self.pending);
            self.line(&rest, End::Stream, classifier, account, out);
        }
        self.push(classifier, account, out);
        self.tell_binary(out);
    }

    /// Says how much was not shown; what comes next may be anything.
    fn tell_binary(&mut self, out: &mut Vec<MaskedEvent>) {
        if let Phase::Binary { bytes } = self.phase {
            self.ink.note(Note::Binary { bytes });
            self.ink.newline();
            out.push(MaskedEvent::Output { at: self.last_at, text: self.ink.take() });
            self.phase = Phase::Sniffing;
        }
    }

    fn sniffed(&mut self, classifier: &mut Classifier, account: &mut Account, out: &mut Vec<MaskedEvent>) {
        self.phase = Phase::Text;
        let seen = std::mem::take(&mut self.pending);
        if is_binary(&seen) {
            self.phase = Phase::Binary { bytes: seen.len() as u64 };
            return;
        }
        let mut rest = seen.as_slice();
        while let Some(end) = memchr::memchr(b'\n', rest) {
            if let Phase::Binary { bytes } = &mut self.phase {
                *bytes += rest.len() as u64;
                return;
            }
            self.line(&rest[..end], End::Line, classifier, account, out);
            rest = &rest[end + 1..];
        }
        self.pending = rest.to_vec();
    }

    /// The bound of a line was reached without its end.
    fn cut(&mut self, classifier: &mut Classifier, account: &mut Account, out: &mut Vec<MaskedEvent>) {
        let long = std::mem::take(&mut self.pending);
        // Whole words where that is possible, so that the rest is a beginning again.
        let tail = &long[long.len() - 1024..];
        let end = tail
            .iter()
            .rposition(|b| matches!(b, b' ' | b',' | b'\t' | b'\r' | b';' | b'~'))
            .map_or(long.len(), |at| long.len() - 1024 + at + 1);
        self.line(&long[..end], End::Cut, classifier, account, out);
        if let Phase::Binary { bytes } = &mut self.phase {
            *bytes += (long.len() - end) as u64;
        } else {
            self.pending = long[end..].to_vec();
        }
    }

    fn line(&mut self, line: &[u8], ended: End, classifier: &mut Classifier, account: &mut Account, out: &mut Vec<MaskedEvent>) {
        let line = if ended == End::Line { line.strip_suffix(b"\r").unwrap_or(line) } else { line };
        match std::str::from_utf8(line) {
            Ok(text) if !has_control(line) => self.text_line(text, ended, classifier),
            _ if is_binary(line) => {
                self.phase = Phase::Binary { bytes: line.len() as u64 + u64::from(ended == End::Line) };
                return;
            }
            _ => {
                // HL7 files end segments with a bare CR (2.5.1 section 2.5.2), MLLP wraps messages in VT and FS.
                let text = String::from_utf8_lossy(line);
                if text.contains('\r') && text.split(['\r', '\x0b']).any(is_segment) {
                    let parts: Vec<&str> = text.split(['\r', '\x0b', '\x1c']).filter(|part| !part.is_empty()).collect();
                    let last = parts.len().saturating_sub(1);
                    for (index, part) in parts.into_iter().enumerate() {
                        self.segment(part, if index < last { End::Line } else { ended }, classifier);
                    }
                } else {
                    self.tangled_line(line, ended, classifier);
                }
            }
        }
        if self.held_bytes >= PIECE_BYTES {
            self.push(classifier, account, out);
        }
    }

    fn segment(&mut self, part: &str, ended: End, classifier: &mut Classifier) {
        if part.bytes().any(is_control) {
            self.tangled_line(part.as_bytes(), ended, classifier);
        } else {
            self.text_line(part, ended, classifier);
        }
    }

    fn text_line(&mut self, text: &str, ended: End, classifier: &mut Classifier) {
        let verdicts = classifier.line(&mut self.context, text, ended.state(text));
        self.hold(Content::Text(text.to_owned()), verdicts, ended == End::Line, classifier);
    }

    fn hold(&mut self, content: Content, verdicts: Verdicts, ends_line: bool, classifier: &Classifier) {
        // The line's own bytes, and something for its verdicts.
        self.held_bytes += content.text().len() + 32;
        for (distance, found) in verdicts.back() {
            let above = self.held.len().checked_sub(*distance as usize).and_then(|at| self.held.get_mut(at));
            if let Some(above) = above {
                above.verdicts.amend(found);
            }
        }
        self.held.push(Held { content, verdicts, learned: classifier.learned().version(), ends_line });
    }

    /// A line with escape sequences, carriage returns, backspaces: what it looks like on a wide terminal is what is shown.
    fn tangled_line(&mut self, line: &[u8], ended: End, classifier: &mut Classifier) {
        let screen = self.screen.get_or_insert_with(|| Box::new(Screen::new(Size::clamped(LINE_SCREEN.0, LINE_SCREEN.1))));
        screen.feed(line);
        let mut rows: Vec<(Row, bool)> = screen.take_scrolled().rows.into_iter().map(|row| (row.row, row.wrapped)).collect();
        let last = screen.cursor().0;
        let mut below: Vec<(Row, bool)> = (0..=screen.lowest().max(last)).map(|row| screen.line(row)).collect();
        below.truncate(below.iter().rposition(|row| row.0.len() > 0).map_or(last, |used| used.max(last)) + 1);
        rows.append(&mut below);
        let mut lines: Vec<Vec<Row>> = Vec::new();
        let mut goes_on = false;
        for (row, wrapped) in rows {
            match lines.last_mut() {
                Some(line) if goes_on => line.push(row),
                _ => lines.push(vec![row]),
            }
            goes_on = wrapped;
        }
        // Colours do not go on over lines here; programs that colour without a terminal reset them themselves.
        screen.clear();
        let count = lines.len();
        for (at, rows) in lines.into_iter().enumerate() {
            let last = at + 1 == count;
            let text = LineText::of(rows.iter().map(Row::whole)).into_owned();
            let state = if last { ended.state(text.as_str()) } else { State::Complete };
            let verdicts = classifier.line(&mut self.context, text.as_str(), state);
            self.hold(Content::Cells(text, rows), verdicts, !last || ended == End::Line, classifier);
        }
    }

    fn push(&mut self, classifier: &mut Classifier, account: &mut Account, out: &mut Vec<MaskedEvent>) {
        account.stages.end(Stage::Classify);
        self.held_bytes = 0;
        for mut line in self.held.drain(..) {
            if line.learned != classifier.learned().version() {
                classifier.look_again(line.content.text(), &mut line.verdicts);
            }
            classifier.emit(line.content.text(), &mut line.verdicts, &mut account.emitted);
            if account.explains() {
                explain(account, classifier, self.last_at, self.lines, line.content.text(), &line.verdicts);
            }
            match line.content {
                Content::Text(text) => self.ink.line(&text, &line.verdicts),
                Content::Cells(text, rows) => {
                    let verdicts = line.verdicts.in_cells(text.starts());
                    let mut offset = 0;
                    for row in rows {
                        let masked = MaskedRow::classified(&row, &verdicts, offset);
                        offset += row.len();
                        self.ink.row(&masked, 0..masked.width());
                    }
                }
            }
            if line.ends_line {
                self.ink.newline();
                self.lines += 1;
            }
        }
        classifier.all_emitted();
        if !self.ink.is_empty() {
            self.ink.plain();
            out.push(MaskedEvent::Output { at: self.last_at, text: self.ink.take() });
        }
        account.stages.end(Stage::Render);
    }
}

fn explain(account: &mut Account, classifier: &Classifier, at: Duration, row: u64, text: &str, verdicts: &Verdicts) {
    for found in verdicts.found() {
        let column = text[..found.range.start].chars().count();
        let width = text[found.range.clone()].chars().count();
        account.span(at, row, column, width, found, classifier.rules());
    }
}

fn is_control(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t') || byte == 0x7f
}

/// Looks at many bytes at once, where asking each whether it is the last would not.
fn has_control(bytes: &[u8]) -> bool {
    bytes.chunks(64).any(|bytes| bytes.iter().fold(false, |any, byte| any | is_control(*byte)))
}

fn is_segment(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() > 4
        && bytes[..3].iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && bytes[0].is_ascii_uppercase()
        && bytes[3].is_ascii_punctuation()
}

/// No text: a NUL, or one byte in eight that is neither text nor an escape sequence. Text in an old 8-bit character set passes.
fn is_binary(bytes: &[u8]) -> bool {
    if memchr::memchr(0, bytes).is_some() {
        return true;
    }
    let odd = bytes.iter().filter(|b| matches!(b, 1..=6 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f)).count();
    let mut invalid = 0;
    let mut rest = bytes;
    while let Err(error) = std::str::from_utf8(rest) {
        match error.error_len() {
            Some(length) => {
                invalid += length;
                rest = &rest[error.valid_up_to() + length..];
            }
            // Cut in the middle of a character.
            None => break,
        }
    }
    // A few odd bytes in a short line say nothing; eight in a row of any length do.
    let limit = (bytes.len() / 8).max(4);
    odd > limit || (invalid > limit && (odd > 0 || invalid > bytes.len() / 3))
}

// What the tests share: feeding a masker and looking at what a terminal would show.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use alacritty_terminal::{
    Term,
    event::VoidListener,
    grid::Dimensions,
    index::{Column, Line},
    term::{
        Config,
        cell::{Cell, Flags},
    },
    vte::ansi::Processor,
};
use anteroom_masking::{MaskedEvent, Masker, RuleSet, Summary};

pub fn rules() -> Arc<RuleSet> {
    static RULES: OnceLock<Arc<RuleSet>> = OnceLock::new();
    Arc::clone(RULES.get_or_init(|| Arc::new(RuleSet::builtin())))
}

pub fn ms(at: u64) -> Duration {
    Duration::from_millis(at)
}

/// Masks chunks that arrive at the given milliseconds.
pub fn mask(mut masker: Masker, chunks: &[(u64, &[u8])]) -> (Vec<MaskedEvent>, Summary) {
    let mut out = Vec::new();
    for (at, bytes) in chunks {
        masker.feed(ms(*at), bytes, &mut out);
    }
    let end = chunks.last().map_or(0, |chunk| chunk.0);
    let summary = masker.finish(ms(end), &mut out);
    (out, summary)
}

pub fn text(events: &[MaskedEvent]) -> String {
    events
        .iter()
        .filter_map(|event| match event {
            MaskedEvent::Output { text, .. } => Some(text.as_str()),
            MaskedEvent::Resize { .. } => None,
        })
        .collect()
}

/// A command's output without a terminal, masked.
pub fn plain(input: &str) -> String {
    text(&mask(Masker::plain(rules()), &[(0, input.as_bytes())]).0)
}

/// What stands on an 100x30 terminal after masked output of a program with a terminal (line feeds get their carriage return).
pub fn screen(input: &str) -> String {
    let bytes = input.replace("\r\n", "\n").replace('\n', "\r\n");
    let (events, _) = mask(Masker::new(rules(), 100, 30), &[(0, bytes.as_bytes())]);
    let mut terminal = Terminal::new(100, 30);
    terminal.play(&events);
    terminal.text()
}

pub struct Size(pub usize, pub usize);

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        self.1
    }
    fn screen_lines(&self) -> usize {
        self.1
    }
    fn columns(&self) -> usize {
        self.0
    }
}

/// A second emulator, with scrollback, to look at raw and masked output alike.
pub struct Terminal {
    pub term: Term<VoidListener>,
    parser: Processor,
}

impl Terminal {
    pub fn new(cols: usize, rows: usize) -> Self {
        let config = Config { scrolling_history: 100_000, ..Config::default() };
        Self { term: Term::new(config, &Size(cols, rows), VoidListener), parser: Processor::new() }
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut self.term, bytes);
    }

    pub fn play(&mut self, events: &[MaskedEvent]) {
        for event in events {
            match event {
                MaskedEvent::Output { text, .. } => self.feed(text.as_bytes()),
                MaskedEvent::Resize { cols, rows, .. } => self.term.resize(Size(usize::from(*cols), usize::from(*rows))),
            }
        }
    }

    pub fn cursor(&self) -> (i32, usize) {
        let point = self.term.grid().cursor.point;
        (point.line.0, point.column.0)
    }

    pub fn row(&self, row: usize) -> Vec<Cell> {
        let line = Line(i32::try_from(row).unwrap());
        (0..self.term.columns()).map(|column| self.term.grid()[line][Column(column)].clone()).collect()
    }

    /// Scrollback and screen as lines without trailing blanks.
    pub fn text(&self) -> String {
        let above = i32::try_from(self.term.history_size()).unwrap();
        let rows = i32::try_from(self.term.screen_lines()).unwrap();
        let mut text = String::new();
        for line in -above..rows {
            let row: String = (0..self.term.columns())
                .map(|column| &self.term.grid()[Line(line)][Column(column)])
                .filter(|cell| !cell.flags.contains(Flags::WIDE_CHAR_SPACER))
                .map(|cell| if cell.c == '\t' { ' ' } else { cell.c })
                .collect();
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }
}

/// Panics with everything that is wrong, with and without a terminal.
pub fn check(input: &str, hidden: &[&str], kept: &[&str]) {
    if let Some(wrong) = wrong(input, hidden, kept) {
        panic!("{wrong}");
    }
}

pub fn wrong(input: &str, hidden: &[&str], kept: &[&str]) -> Option<String> {
    let mut wrong = Vec::new();
    let mut pages = String::new();
    // A full-screen program has a terminal.
    let plain = (!input.contains("\x1b[?1049h")).then(|| ("plain", plain(input)));
    for (how, shown) in std::iter::once(("terminal", screen(input))).chain(plain) {
        let before = wrong.len();
        wrong.extend(hidden.iter().filter(|hidden| shown.contains(**hidden)).map(|hidden| format!("{how}: {hidden:?} is readable")));
        // The terminal wraps long lines.
        let unwrapped = shown.replace('\n', "");
        wrong.extend(
            kept.iter()
                .filter(|kept| !shown.contains(**kept) && !unwrapped.contains(**kept))
                .map(|kept| format!("{how}: {kept:?} is gone")),
        );
        if wrong.len() > before {
            pages += &format!("--- {how}\n{shown}\n");
        }
    }
    (!wrong.is_empty()).then(|| format!("{}\n{pages}", wrong.join("\n")))
}

/// Nothing of it is masked.
pub fn stays(input: &str) {
    let shown = plain(input);
    let changed: Vec<String> =
        input.lines().zip(shown.lines()).filter(|(before, after)| before != after).map(|(_, after)| after.to_owned()).collect();
    assert!(changed.is_empty(), "masked although innocent:\n{}", changed.join("\n"));
}

//! The lines that a viewer of one channel gets to see, as they finally stood there.
//!
//! Bytes of a terminal are no text: a line is painted, erased, painted over, scrolled away. So the masked output goes through an emulator,
//! and a line counts when it leaves the screen at its top, or when it still stands there after the output came to rest.
use crate::{safe::SafeText, screen::Size};
use alacritty_terminal::{
    Term,
    event::VoidListener,
    grid::Dimensions,
    index::{Column, Line},
    term::{Config, TermMode, cell::Flags},
    vte::ansi::Processor,
};
use std::time::Duration;

/// Output that rests for so long has settled.
const SETTLED: Duration = Duration::from_millis(300);
/// A screen that never rests is looked at this often.
const RESTLESS: Duration = Duration::from_secs(5);
/// Bytes fed at once, and lines kept that left the screen meanwhile. A line needs a byte at least, but for sequences that scroll
/// many empty ones.
const SLICE: usize = 1024;
/// A command without terminal is no screen; its lines are joined again where they were folded.
const PLAIN: (u16, u16) = (250, 24);
/// A logical line that is longer is cut, in characters.
const LONGEST: usize = 4000;

/// How a line came to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// It left the screen, or its channel ended: it will not change any more.
    Final,
    /// It stood on the screen when the output rested; it may be painted over.
    Resting,
}

/// Gets each line with the time it stood there.
pub(crate) type Tell<'a> = dyn FnMut(u64, Told, &str) + 'a;

pub(crate) struct Shown {
    term: Term<VoidListener>,
    parser: Processor,
    filter: SafeText,
    plain: bool,
    /// The beginning of a folded line that left the screen before its end did.
    folded: String,
    last_us: u64,
    looked_us: u64,
    /// Something was shown since the screen was looked at.
    changed: bool,
}

impl Shown {
    /// `pty`: columns and rows; none for a command without terminal.
    pub(crate) fn new(pty: Option<(u16, u16)>, at_us: u64) -> Self {
        let (cols, rows) = pty.unwrap_or(PLAIN);
        let config = Config { scrolling_history: SLICE, ..Config::default() };
        Self {
            term: Term::new(config, &Size::new(cols, rows), VoidListener),
            parser: Processor::new(),
            filter: SafeText::default(),
            plain: pty.is_none(),
            folded: String::new(),
            last_us: at_us,
            looked_us: at_us,
            changed: false,
        }
    }

    pub(crate) fn feed(&mut self, at_us: u64, text: &str, tell: &mut Tell<'_>) {
        self.before(at_us, tell);
        let mut safe = String::with_capacity(text.len());
        self.filter.filter(text, &mut safe);
        if self.plain {
            safe = safe.replace('\n', "\r\n");
        }
        for slice in safe.as_bytes().chunks(SLICE) {
            self.parser.advance(&mut self.term, slice);
            self.scrolled(at_us, tell);
        }
        self.changed |= !safe.is_empty();
    }

    pub(crate) fn resize(&mut self, at_us: u64, cols: u16, rows: u16, tell: &mut Tell<'_>) {
        self.before(at_us, tell);
        // What stood there may be cut off by the new size.
        self.look(Told::Resting, tell);
        self.term.resize(Size::new(cols, rows));
        self.scrolled(at_us, tell);
    }

    /// The channel is over: everything that stands there stays.
    pub(crate) fn finish(mut self, tell: &mut Tell<'_>) {
        self.changed = true;
        self.look(Told::Final, tell);
    }

    /// Looks at the screen if it has rested until now, or was not looked at for long.
    fn before(&mut self, at_us: u64, tell: &mut Tell<'_>) {
        let since = |us: u64| Duration::from_micros(at_us.saturating_sub(us));
        if since(self.last_us) >= SETTLED || since(self.looked_us) >= RESTLESS {
            self.look(Told::Resting, tell);
        }
        self.last_us = at_us;
    }

    fn look(&mut self, told: Told, tell: &mut Tell<'_>) {
        self.looked_us = self.last_us;
        if !std::mem::take(&mut self.changed) {
            return;
        }
        let cursor = self.term.grid().cursor.point.line.0;
        let alternate = self.term.mode().contains(TermMode::ALT_SCREEN);
        let mut text = if alternate { String::new() } else { self.folded.clone() };
        let mut holds_cursor = false;
        for row in 0..self.rows() {
            holds_cursor |= row == cursor;
            let goes_on = self.read_row(row, &mut text) && row + 1 < self.rows();
            if goes_on {
                continue;
            }
            // The line that is being written is not one yet.
            if told == Told::Final || !holds_cursor {
                tell(self.last_us, told, &text);
            }
            text.clear();
            holds_cursor = false;
        }
    }

    /// Takes the lines that left the screen at its top.
    fn scrolled(&mut self, at_us: u64, tell: &mut Tell<'_>) {
        let history = self.term.grid().history_size();
        for above in (1..=history).rev() {
            let mut text = std::mem::take(&mut self.folded);
            if self.read_row(-(above as i32), &mut text) && text.len() < LONGEST {
                self.folded = text;
            } else {
                tell(at_us, Told::Final, &text);
            }
        }
        if history > 0 {
            self.term.grid_mut().clear_history();
        }
    }

    fn rows(&self) -> i32 {
        self.term.screen_lines() as i32
    }

    /// Appends a row's text; whether the line goes on in the next row.
    fn read_row(&self, row: i32, out: &mut String) -> bool {
        let line = &self.term.grid()[Line(row)];
        let columns = self.term.columns();
        let end = out.len();
        for column in 0..columns {
            let cell = &line[Column(column)];
            if cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER) {
                continue;
            }
            out.push(if cell.flags.contains(Flags::HIDDEN) || cell.c.is_control() { ' ' } else { cell.c });
            out.extend(cell.zerowidth().into_iter().flatten());
        }
        let goes_on = line[Column(columns - 1)].flags.contains(Flags::WRAPLINE);
        if !goes_on {
            out.truncate(end + out[end..].trim_end().len());
        }
        goes_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines with their times in ms, of output given as (ms, text).
    fn lines(pty: Option<(u16, u16)>, output: &[(u64, &str)]) -> Vec<(u64, Told, String)> {
        let mut all = Vec::new();
        let mut tell = |at_us: u64, told, text: &str| {
            if !text.trim().is_empty() {
                all.push((at_us / 1000, told, text.to_owned()));
            }
        };
        let mut shown = Shown::new(pty, 0);
        for (ms, text) in output {
            shown.feed(ms * 1000, text, &mut tell);
        }
        shown.finish(&mut tell);
        all
    }

    fn texts(pty: Option<(u16, u16)>, output: &[(u64, &str)]) -> Vec<String> {
        lines(pty, output).into_iter().map(|(_, _, text)| text).collect()
    }

    #[test]
    fn a_line_that_is_typed_counts_when_it_is_entered() {
        let seen =
            lines(Some((40, 5)), &[(0, "$ "), (1000, "l"), (2000, "sx"), (3000, "\x08 \x08"), (9000, "\r\nfile\r\n$ "), (20_000, "")]);
        assert!(!seen.iter().any(|(at, _, text)| *at < 9000 && !text.is_empty()), "{seen:?}");
        assert_eq!(seen.first().map(|(at, _, text)| (*at, text.as_str())), Some((9000, "$ ls")));
    }

    #[test]
    fn lines_that_scroll_away_are_all_there_once_each() {
        let output: String = (0..20_000).map(|n| format!("line {n}\r\n")).collect();
        let seen = texts(Some((40, 24)), &[(10, &output)]);
        assert_eq!(seen.len(), 20_000);
        assert!(seen.iter().enumerate().all(|(n, line)| *line == format!("line {n}")));
    }

    #[test]
    fn a_folded_line_is_one_line_wherever_it_is_folded() {
        let long: String = (0..40).map(|n| format!("word{n} ")).collect();
        let output = format!("{long}\r\n1\r\n2\r\n3\r\n4\r\n5\r\n");
        for (cols, rows) in [(20, 4), (33, 3), (120, 24)] {
            let seen = texts(Some((cols, rows)), &[(0, &output)]);
            assert_eq!(seen, [long.trim_end(), "1", "2", "3", "4", "5"], "{cols}x{rows}");
        }
        assert_eq!(texts(None, &[(0, &format!("{long}\nnext\n"))]), [long.trim_end(), "next"]);
    }

    #[test]
    fn a_screen_that_is_painted_cell_by_cell_is_read_as_it_stands() {
        let seen = lines(
            Some((40, 6)),
            &[
                (0, "\x1b[?1049h\x1b[2J\x1b[3;5Hward"),
                (40, "\x1b[3;10Hfour\x1b[1;1H"),
                (2000, "\x1b[3;10Hfive\x1b[1;1H"),
                (9000, "\x1b[?1049l"),
            ],
        );
        let texts: Vec<(u64, &str)> = seen.iter().map(|(at, _, text)| (*at, text.trim())).collect();
        assert_eq!(texts, [(40, "ward four"), (2000, "ward five")]);
    }

    #[test]
    fn what_is_hidden_or_erased_is_not_told() {
        let seen = texts(Some((60, 5)), &[(0, "\x1b[8mhidden\x1b[0m seen\r\ngone\x1b[2K\rstays\r\n"), (900, "x")]);
        assert!(seen.iter().any(|l| l.trim() == "seen") && seen.iter().any(|l| l == "stays"), "{seen:?}");
        assert!(!seen.iter().any(|l| l.contains("hidden") || l.contains("gone")), "{seen:?}");
    }
}

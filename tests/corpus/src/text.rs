//! Text that knows which of its characters identify somebody. Families write through this; nothing is found again by searching.

use std::sync::atomic::{AtomicU64, Ordering};

use unicode_width::UnicodeWidthChar;

use crate::kind::Kind;

/// What a run of characters is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Must stay readable.
    Plain,
    /// An escape sequence: takes no room.
    Control,
    /// Must not be readable. Runs of one `id` are one identifier.
    Label { id: u64, kind: Kind },
    /// Neither: providers, dates of records, states. Masked or not, it does not count.
    Ungraded,
}

#[derive(Debug, Clone)]
pub struct Run {
    pub text: String,
    pub ink: Ink,
}

#[derive(Debug, Clone, Default)]
pub struct Text {
    runs: Vec<Run>,
}

/// Joins whatever becomes a [`Text`].
#[macro_export]
macro_rules! t {
    ($($part:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut text = $crate::text::Text::default();
        $(text.push($part);)*
        text
    }};
}

impl Text {
    /// An identifier. Only its identity matters: ids are not shown and need not be the same from run to run.
    pub fn label(kind: Kind, text: impl Into<String>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self::run(text.into(), Ink::Label { id: NEXT.fetch_add(1, Ordering::Relaxed), kind })
    }

    pub fn ungraded(text: impl Into<String>) -> Self {
        Self::run(text.into(), Ink::Ungraded)
    }

    pub fn control(text: impl Into<String>) -> Self {
        Self::run(text.into(), Ink::Control)
    }

    fn run(text: String, ink: Ink) -> Self {
        Self { runs: vec![Run { text, ink }] }
    }

    pub fn push(&mut self, more: impl Into<Self>) {
        for run in more.into().runs {
            match self.runs.last_mut() {
                Some(last) if last.ink == run.ink => last.text.push_str(&run.text),
                _ => self.runs.push(run),
            }
        }
    }

    #[must_use]
    pub fn with(mut self, more: impl Into<Self>) -> Self {
        self.push(more);
        self
    }

    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    pub fn chars(&self) -> impl Iterator<Item = (char, Ink)> + '_ {
        self.runs.iter().flat_map(|run| run.text.chars().map(|c| (c, run.ink)))
    }

    /// Made of characters that keep the ink they came with.
    pub fn of_chars(chars: impl IntoIterator<Item = (char, Ink)>) -> Self {
        let mut text = Self::default();
        for (c, ink) in chars {
            text.push(Self::run(c.to_string(), ink));
        }
        text
    }

    /// What is seen, without escape sequences.
    pub fn visible(&self) -> String {
        self.runs.iter().filter(|run| run.ink != Ink::Control).map(|run| run.text.as_str()).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.runs.iter().all(|run| run.text.is_empty())
    }

    /// Display columns.
    pub fn width(&self) -> usize {
        self.chars().filter(|(_, ink)| *ink != Ink::Control).map(|(c, _)| c.width().unwrap_or(0)).sum()
    }

    #[must_use]
    pub fn left(self, width: usize) -> Self {
        let blanks = " ".repeat(width.saturating_sub(self.width()));
        self.with(blanks)
    }

    #[must_use]
    pub fn right(self, width: usize) -> Self {
        t![" ".repeat(width.saturating_sub(self.width())), self]
    }

    #[must_use]
    pub fn centred(self, width: usize) -> Self {
        let room = width.saturating_sub(self.width());
        t![" ".repeat(room / 2), self, " ".repeat(room - room / 2)]
    }

    /// The part in the first `width` columns, and the rest. A wide character is not torn.
    pub fn split(&self, width: usize) -> (Self, Self) {
        let (mut head, mut tail, mut used) = (Vec::new(), Vec::new(), 0);
        for (c, ink) in self.chars() {
            let columns = if ink == Ink::Control { 0 } else { c.width().unwrap_or(0) };
            if tail.is_empty() && used + columns <= width {
                used += columns;
                head.push((c, ink));
            } else {
                tail.push((c, ink));
            }
        }
        (Self::of_chars(head), Self::of_chars(tail))
    }

    #[must_use]
    pub fn cut(&self, width: usize) -> Self {
        self.split(width).0
    }

    /// As [`Text::cut`], for what is gone for good: one or two letters left over of an identifier tell nothing.
    #[must_use]
    pub fn cut_off(&self, width: usize) -> Self {
        let (mut head, tail) = self.split(width);
        if let (Some(last), Some(next)) = (head.runs.last_mut(), tail.runs.first()) {
            let letters = last.text.chars().filter(|c| c.is_alphanumeric()).count();
            if last.ink == next.ink && matches!(last.ink, Ink::Label { .. }) && letters < 3 {
                last.ink = Ink::Ungraded;
            }
        }
        head
    }

    /// Pieces of at most `width` columns: what a terminal makes of a long line.
    pub fn wrap(&self, width: usize) -> Vec<Self> {
        let mut rows = Vec::new();
        let mut rest = self.clone();
        loop {
            let (head, tail) = rest.split(width);
            rows.push(head);
            if tail.is_empty() {
                return rows;
            }
            rest = tail;
        }
    }

    #[must_use]
    pub fn map(&self, change: impl Fn(&str) -> String) -> Self {
        Self { runs: self.runs.iter().map(|run| Run { text: change(&run.text), ink: run.ink }).collect() }
    }

    #[must_use]
    pub fn upper(&self) -> Self {
        self.map(str::to_uppercase)
    }

    /// The same identifiers, counted again: for what is shown a second time elsewhere.
    #[must_use]
    pub fn again(&self) -> Self {
        let mut seen: Vec<(u64, u64)> = Vec::new();
        let runs = self.runs.iter().map(|run| {
            let ink = match run.ink {
                Ink::Label { id, kind } => {
                    let known = seen.iter().find(|(old, _)| *old == id).map(|(_, new)| *new);
                    let new = known.unwrap_or_else(|| match Self::label(kind, "").runs[0].ink {
                        Ink::Label { id: new, .. } => {
                            seen.push((id, new));
                            new
                        }
                        _ => id,
                    });
                    Ink::Label { id: new, kind }
                }
                ink => ink,
            };
            Run { text: run.text.clone(), ink }
        });
        Self { runs: runs.collect() }
    }

    pub fn join(parts: impl IntoIterator<Item = Self>, by: &str) -> Self {
        let mut text = Self::default();
        for (n, part) in parts.into_iter().enumerate() {
            if n > 0 {
                text.push(by);
            }
            text.push(part);
        }
        text
    }

    /// Breaks prose at blanks so that no line is wider than `width`.
    pub fn fill(&self, width: usize) -> Vec<Self> {
        let (mut lines, mut line) = (Vec::new(), Vec::new());
        let (mut column, mut word, mut wide, mut blank) = (0, Vec::new(), 0, Ink::Plain);
        for (c, ink) in self.chars().chain([(' ', Ink::Plain)]) {
            if c != ' ' {
                wide += c.width().unwrap_or(0);
                word.push((c, ink));
                continue;
            }
            if column > 0 && column + 1 + wide > width {
                lines.push(std::mem::take(&mut line));
                column = 0;
            } else if column > 0 {
                line.push((' ', blank));
                column += 1;
            }
            line.append(&mut word);
            column += wide;
            (wide, blank) = (0, ink);
        }
        lines.push(line);
        lines.into_iter().map(Self::of_chars).collect()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::run(text.to_owned(), Ink::Plain)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::run(text, Ink::Plain)
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<char> for Text {
    fn from(c: char) -> Self {
        c.to_string().into()
    }
}

impl From<u64> for Text {
    fn from(number: u64) -> Self {
        number.to_string().into()
    }
}

impl From<usize> for Text {
    fn from(number: usize) -> Self {
        number.to_string().into()
    }
}

impl From<&Text> for Text {
    fn from(text: &Text) -> Self {
        text.clone()
    }
}

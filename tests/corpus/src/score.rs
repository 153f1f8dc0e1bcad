//! Plays a capture raw and masked, side by side, and compares them cell by cell.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use anteroom_masking::{MASK, MaskedEvent, Masker, RuleSet, WIDE_MASK};

use crate::{
    kind::Kind,
    replay::{Glyph, Owner, Replay, Row, text},
    scene::Capture,
};

/// Counts of identifiers and of characters.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub identifiers: u64,
    /// No letter or digit of it could be read, wherever and whenever it stood.
    pub found: u64,
    /// Some of it was masked, some was not.
    pub partly: u64,
    /// Printable characters that tell of nobody.
    pub innocent: u64,
    pub spoiled: u64,
    /// Characters that became something else than themselves or a mask.
    pub broken: u64,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.identifiers += other.identifiers;
        self.found += other.found;
        self.partly += other.partly;
        self.innocent += other.innocent;
        self.spoiled += other.spoiled;
        self.broken += other.broken;
    }

    /// In percent.
    pub fn recall(&self) -> f64 {
        if self.identifiers == 0 { 100.0 } else { 100.0 * self.found as f64 / self.identifiers as f64 }
    }

    /// In percent.
    pub fn spoil(&self) -> f64 {
        100.0 * self.spoiled as f64 / self.innocent.max(1) as f64
    }
}

/// What became of one capture.
#[derive(Debug, Default, Clone)]
pub struct Outcome {
    pub total: Tally,
    pub kinds: BTreeMap<Kind, Tally>,
    /// An identifier that could be read: its kind, itself, the line raw and as shown.
    pub misses: Vec<(Kind, String, String, String)>,
    /// A line raw and as shown.
    pub spoilt: Vec<(String, String)>,
    /// A payload of a title, link or clipboard that came out.
    pub leaked_payloads: Vec<String>,
}

pub fn rules() -> Arc<RuleSet> {
    static RULES: OnceLock<Arc<RuleSet>> = OnceLock::new();
    Arc::clone(RULES.get_or_init(|| Arc::new(RuleSet::builtin())))
}

/// A pause after which what stands on the screen has been looked at: innocent text of full-screen programs is judged then.
const LOOKED_AT: u64 = 300;

pub fn score(capture: &Capture) -> Outcome {
    if capture.plain {
        return judge_plain(capture);
    }
    let bare_return = |pair: &[u8]| pair[0] == b'\r' && pair[1].is_ascii_uppercase();
    if capture.bytes.windows(2).any(bare_return) {
        return judge_by_text(capture);
    }
    judge(capture)
}

fn judge(capture: &Capture) -> Outcome {
    let mut judge = Judge::new(capture);
    let mut masker = Masker::new(rules(), capture.cols, capture.rows);
    let (mut raw, mut shown) = (Replay::new(capture.cols, capture.rows), Replay::new(capture.cols, capture.rows));
    let (mut events, mut from): (Vec<MaskedEvent>, usize) = (Vec::new(), 0);
    for (n, (at, end)) in capture.chunks.iter().enumerate() {
        masker.feed(ms(*at), &capture.bytes[from..*end], &mut events);
        raw.feed_to(capture, *end);
        from = *end;
        // Whatever is to be seen before the next bytes come.
        let gap = capture.chunks.get(n + 1).map_or(0, |next| next.0 - at);
        let next = at + gap;
        masker.settle(ms(next), &mut events);
        if !events.is_empty() {
            judge.takes(&events);
            shown.play(&std::mem::take(&mut events));
            judge.look(&raw, &shown, gap >= LOOKED_AT);
        }
    }
    let end = capture.chunks.last().map_or(0, |chunk| chunk.0) + 1000;
    masker.finish(ms(end), &mut events);
    judge.takes(&events);
    shown.play(&events);
    judge.look(&raw, &shown, true);
    judge.compare_all(&raw.all(), &shown.all());
    judge.verdict()
}

/// Segments of HL7 v2 that end with a bare carriage return overwrite each other on a terminal. An engine may leave it so or show them one
/// below the other: cells have no counterparts then. An identifier is found when its text is in nothing that was shown; what is masked
/// beyond the labels' length was innocent.
fn judge_by_text(capture: &Capture) -> Outcome {
    let mut judge = Judge::new(capture);
    let mut masker = Masker::new(rules(), capture.cols, capture.rows);
    let mut shown = Replay::new(capture.cols, capture.rows);
    let (mut events, mut from, mut seen) = (Vec::new(), 0, String::new());
    for (at, end) in &capture.chunks {
        masker.feed(ms(*at), &capture.bytes[from..*end], &mut events);
        from = *end;
        shown.play(&events);
        events.clear();
        seen.push_str(&running_text(&shown.screen()));
    }
    masker.finish(ms(capture.chunks.last().map_or(0, |chunk| chunk.0) + 1000), &mut events);
    shown.play(&events);
    let last = running_text(&shown.all());
    seen.push_str(&last);
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    let mut marked = 0;
    for mark in &capture.marks {
        let text = String::from_utf8_lossy(&capture.bytes[mark.start..mark.end]);
        marked += text.chars().count();
        let Some(label) = mark.label.filter(|_| letters(&text) > 2) else { continue };
        judge.seen[label].shown = true;
        if seen.contains(text.as_ref()) {
            judge.seen[label].readable = true;
            let line = seen.lines().find(|line| line.contains(text.as_ref())).unwrap_or_default().to_owned();
            judge.seen[label].line = Some((line.clone(), line));
        }
    }
    let all = String::from_utf8_lossy(&capture.bytes).chars().filter(|c| !c.is_whitespace() && !c.is_control()).count();
    let masks = last.chars().filter(|c| [MASK, WIDE_MASK].contains(c)).count();
    judge.outcome.total.innocent = all.saturating_sub(marked) as u64;
    judge.outcome.total.spoiled = masks.saturating_sub(marked) as u64;
    judge.verdict()
}

/// Rows as text, with those that fill the screen's width joined to the next.
fn running_text(rows: &[Row]) -> String {
    rows.iter().fold(String::new(), |mut all, row| {
        let line = text(row);
        let full = row.last().is_some_and(|glyph| glyph.c != ' ');
        all.push_str(&line);
        if !full {
            all.push('\n');
        }
        all
    })
}

/// Lines for lines: nothing moves a cursor here.
fn judge_plain(capture: &Capture) -> Outcome {
    let mut judge = Judge::new(capture);
    let mut masker = Masker::plain(rules());
    let (mut events, mut from) = (Vec::new(), 0);
    for (at, end) in &capture.chunks {
        masker.feed(ms(*at), &capture.bytes[from..*end], &mut events);
        from = *end;
    }
    masker.finish(ms(capture.chunks.last().map_or(0, |chunk| chunk.0) + 1000), &mut events);
    judge.takes(&events);
    let raw = String::from_utf8_lossy(&capture.bytes);
    let width = raw.lines().map(|line| line.chars().count() * 2).max().unwrap_or(0).clamp(20, 9_000) as u16 + 8;
    let mut raw_replay = Replay::new(width, 4);
    let mut with_returns = Capture { bytes: Vec::new(), marks: Vec::new(), ..capture.clone() };
    let mut moved = Vec::with_capacity(capture.bytes.len());
    for byte in &capture.bytes {
        if *byte == b'\n' {
            with_returns.bytes.push(b'\r');
        }
        moved.push(with_returns.bytes.len());
        with_returns.bytes.push(*byte);
    }
    with_returns.marks =
        capture.marks.iter().map(|mark| crate::scene::Mark { start: moved[mark.start], end: moved[mark.end - 1] + 1, ..*mark }).collect();
    raw_replay.feed_to(&with_returns, with_returns.bytes.len());
    let mut shown = Replay::new(width, 4);
    let text: String = judge.output.replace('\n', "\r\n");
    shown.feed_to(&Capture { bytes: text.clone().into_bytes(), ..Capture::default() }, text.len());
    judge.compare_all(&raw_replay.all(), &shown.all());
    judge.verdict()
}

fn ms(at: u64) -> Duration {
    Duration::from_millis(at)
}

struct Judge<'a> {
    capture: &'a Capture,
    output: String,
    /// Letters and digits of each label.
    lengths: Vec<usize>,
    seen: Vec<Seen>,
    outcome: Outcome,
    counted: Vec<Row>,
}

#[derive(Debug, Default, Clone)]
struct Seen {
    shown: bool,
    readable: bool,
    masked: bool,
    line: Option<(String, String)>,
}

impl<'a> Judge<'a> {
    fn new(capture: &'a Capture) -> Self {
        let mut lengths = vec![0; capture.labels.len()];
        for mark in &capture.marks {
            if let Some(label) = mark.label {
                let text = String::from_utf8_lossy(&capture.bytes[mark.start..mark.end]);
                lengths[label] += text.chars().filter(|c| c.is_alphanumeric()).count();
            }
        }
        Self {
            capture,
            output: String::new(),
            lengths,
            seen: vec![Seen::default(); capture.labels.len()],
            outcome: Outcome::default(),
            counted: Vec::new(),
        }
    }

    fn takes(&mut self, events: &[MaskedEvent]) {
        for event in events {
            if let MaskedEvent::Output { text, .. } = event {
                self.output.push_str(text);
            }
        }
    }

    /// What can be seen at this moment.
    fn look(&mut self, raw: &Replay, shown: &Replay, settled: bool) {
        let (rows, masked) = (raw.screen(), shown.screen());
        self.labels(&rows, &masked, true);
        if settled && raw.is_alternate() {
            let changed: Vec<usize> = (0..rows.len()).filter(|at| self.counted.get(*at) != Some(&rows[*at])).collect();
            for at in changed {
                self.innocents(&rows[at], &masked[at]);
            }
            self.counted = rows;
        } else if !raw.is_alternate() {
            self.counted.clear();
        }
    }

    fn compare_all(&mut self, raw: &[Row], shown: &[Row]) {
        self.labels(raw, shown, false);
        for (at, row) in raw.iter().enumerate() {
            self.innocents(row, shown.get(at).map_or(&[], Vec::as_slice));
        }
    }

    /// `moment`: a part of an identifier that is still being written is forgiven, unless most of it can be read.
    fn labels(&mut self, raw: &[Row], shown: &[Row], moment: bool) {
        let mut cells: BTreeMap<usize, (usize, usize, usize)> = BTreeMap::new();
        for (at, row) in raw.iter().enumerate() {
            for (column, glyph) in row.iter().enumerate() {
                let Owner::Label(label) = glyph.owner() else { continue };
                if glyph.half || !glyph.c.is_alphanumeric() {
                    continue;
                }
                let there = shown.get(at).and_then(|row| row.get(column)).map_or(' ', |glyph| glyph.c);
                let cell = cells.entry(label).or_insert((0, 0, at));
                cell.0 += 1;
                cell.1 += usize::from(there == glyph.c);
                if there == glyph.c {
                    cell.2 = at;
                }
            }
        }
        for (label, (total, readable, at)) in cells {
            let seen = &mut self.seen[label];
            seen.shown = true;
            seen.masked |= readable < total;
            let whole = total >= self.lengths[label] || !moment;
            if readable > 0 && (whole || (readable > 2 && readable * 2 > self.lengths[label])) {
                seen.readable = true;
                seen.line.get_or_insert_with(|| (text(&raw[at]), shown.get(at).map(|row| text(row)).unwrap_or_default()));
            }
        }
    }

    fn innocents(&mut self, raw: &[Glyph], shown: &[Glyph]) {
        let mut spoilt = false;
        for (column, glyph) in raw.iter().enumerate() {
            if glyph.half || glyph.c.is_whitespace() || glyph.c.is_control() || glyph.owner() != Owner::Nobody {
                continue;
            }
            self.outcome.total.innocent += 1;
            let there = shown.get(column).map_or(' ', |glyph| glyph.c);
            if there == MASK || there == WIDE_MASK {
                self.outcome.total.spoiled += 1;
                spoilt = true;
            } else if there != glyph.c {
                self.outcome.total.broken += 1;
            }
        }
        if spoilt {
            self.outcome.spoilt.push((text(raw), text(shown)));
        }
    }

    fn verdict(mut self) -> Outcome {
        for (label, seen) in self.capture.labels.iter().zip(self.seen) {
            if !seen.shown {
                continue;
            }
            let one = Tally {
                identifiers: 1,
                found: u64::from(!seen.readable),
                partly: u64::from(seen.readable && seen.masked),
                ..Tally::default()
            };
            self.outcome.kinds.entry(label.kind).or_default().add(&one);
            self.outcome.total.add(&one);
            if let Some((raw, shown)) = seen.line.filter(|_| seen.readable) {
                self.outcome.misses.push((label.kind, label.text.clone(), raw, shown));
            }
        }
        self.outcome.leaked_payloads =
            self.capture.payloads.iter().filter(|payload| self.output.contains(payload.as_str())).cloned().collect();
        self.outcome
    }
}

//! One walk through a masked track: the lines that can be searched, and what a timeline shows.
use crate::{
    lines::{self, clean},
    masked_track::{MaskedTrack, shown_text},
    replay::{ReplayError, Replayer},
    shown::{Shown, Told},
};
use anteroom_domain::{LineKind, SessionId};
use anteroom_format::{Body, Desktop, Event};
use anteroom_masking::{MASK, WIDE_MASK};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    ops::ControlFlow,
};

/// Lines kept of a recording at most.
pub const MAX_LINES: usize = 50_000;
/// Of what one [`BURST_US`] printed.
const MAX_BURST: usize = 2_000;
const BURST_US: u64 = 10_000_000;
/// Characters of a line; what is longer becomes several, at most so many.
const MAX_CHARS: usize = 500;
const MAX_PIECES: usize = 8;
const MAX_COMMAND: usize = 16 << 10;
/// Screens that repaint themselves (a clock, a list of processes) say the same with other numbers: so often each is kept.
const SAME_SHAPE: u8 = 8;
/// Marks of a timeline, and bars of its chart.
pub const MAX_MARKS: usize = 1_000;
pub const BARS: usize = 120;
/// A stretch in which nothing happened is at least so long, and so many are told.
const QUIET_US: u64 = 3_000_000;
const MAX_QUIET: usize = 2_000;
/// Channels whose quiet stretches are followed one by one.
const MAX_CHANNELS: usize = 256;

/// Text as a viewer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownLine {
    pub channel: u32,
    /// Since the session's start.
    pub at_us: u64,
    pub kind: LineKind,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    Shell,
    Desktop,
    Command,
    Forward,
    Files,
    File,
    Resize,
    Message,
    Note,
    /// A command failed, or was ended by a signal.
    Failed,
}

/// Something that happened, at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub at_us: u64,
    pub channel: u32,
    pub kind: MarkKind,
    /// Masked, without control characters.
    pub text: String,
}

/// From one moment to another nothing was shown on this channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    pub channel: u32,
    pub from_us: u64,
    pub until_us: u64,
}

/// What a session's time was spent on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    pub duration_us: u64,
    pub marks: Vec<Mark>,
    /// There are more marks than are told.
    pub more_marks: bool,
    /// Masked places that were painted, in equal parts of the duration.
    pub masks: Vec<u32>,
    /// The longest stretches in which nothing was shown, in order.
    pub quiet: Vec<Quiet>,
}

#[derive(Debug, Clone, Default)]
pub struct Survey {
    pub lines: Vec<ShownLine>,
    /// There was more than is kept.
    pub cut: bool,
    pub timeline: Timeline,
}

impl Replayer {
    /// Reads the whole masked track and keeps what is worth searching. `go_on` is asked every few thousand events: it may rest, and it may
    /// break, and then there is no survey.
    pub fn survey(&self, session: SessionId, go_on: &mut dyn FnMut() -> ControlFlow<()>) -> Result<Option<Survey>, ReplayError> {
        let track = self.track(session)?;
        let channels = track.channels()?;
        let last_us = channels.iter().map(|c| c.ended_us).max().unwrap_or_default();
        let mut surveyor = Surveyor::new(track.manifest.as_ref().map_or(last_us, |m| m.duration_us));
        let done = walk(&track, &mut surveyor, go_on)?;
        Ok(done.is_continue().then(|| surveyor.finish()))
    }
}

fn walk(track: &MaskedTrack, surveyor: &mut Surveyor, go_on: &mut dyn FnMut() -> ControlFlow<()>) -> Result<ControlFlow<()>, ReplayError> {
    const AT_ONCE: u32 = 2_000;
    let mut count = 0;
    track.try_for_each(|event| {
        surveyor.take(event);
        count += 1;
        if count % AT_ONCE == 0 { go_on() } else { ControlFlow::Continue(()) }
    })
}

struct Surveyor {
    kept: Kept,
    marks: Marks,
    shown: HashMap<u32, Shown>,
    commands: HashMap<u32, (u64, Vec<u8>)>,
    quiet: BTreeMap<u32, u64>,
    stretches: Vec<Quiet>,
    masks: Vec<u32>,
    duration_us: u64,
}

impl Surveyor {
    fn new(duration_us: u64) -> Self {
        Self {
            kept: Kept::default(),
            marks: Marks::default(),
            shown: HashMap::new(),
            commands: HashMap::new(),
            quiet: BTreeMap::new(),
            stretches: Vec::new(),
            masks: vec![0; BARS],
            duration_us,
        }
    }

    fn take(&mut self, event: &Event<'_>) {
        let (channel, at_us) = (event.channel, event.at_us);
        if !matches!(event.body, Body::Command(_)) {
            self.command_is_whole(channel);
        }
        match event.body {
            Body::Open => self.open(channel, at_us, None),
            Body::OpenPty { cols, rows, .. } => self.open(channel, at_us, Some((cols, rows))),
            Body::Command(piece) => {
                let (_, command) = self.commands.entry(channel).or_insert((at_us, Vec::new()));
                let room = MAX_COMMAND.saturating_sub(command.len());
                command.extend_from_slice(&piece[..piece.len().min(room)]);
            }
            Body::Output(_) | Body::Stderr(_) => self.output(channel, at_us, shown_text(&event.body).unwrap_or_default()),
            Body::Resize { cols, rows } => {
                let kept = &mut self.kept;
                if let Some(shown) = self.shown.get_mut(&channel) {
                    shown.resize(at_us, cols, rows, &mut |at, told, text| kept.line(channel, at, told, text));
                }
                self.marks.add(at_us, channel, MarkKind::Resize, &format!("{cols}x{rows}"));
            }
            Body::Exit { status } if status != 0 => self.marks.add(at_us, channel, MarkKind::Failed, &format!("exit status {status}")),
            Body::Signalled { signal } => self.marks.add(at_us, channel, MarkKind::Failed, &format!("signal {}", clean(signal))),
            Body::Close => self.close(channel),
            Body::OpenForward { .. } => self.beside(event, MarkKind::Forward, LineKind::Forward),
            Body::OpenFiles { .. } => self.beside(event, MarkKind::Files, LineKind::Note),
            Body::File(_) => self.beside(event, MarkKind::File, LineKind::File),
            Body::Message(_) => self.beside(event, MarkKind::Message, LineKind::Note),
            Body::Note(_) => self.beside(event, MarkKind::Note, LineKind::Note),
            Body::OpenDesktop(coded) => self.open_desktop(channel, at_us, coded),
            Body::Words { text, .. } => self.words(channel, at_us, &clean(text)),
            Body::Tiles(_) => self.heard(channel, at_us),
            Body::Clipboard { .. } => self.beside(event, MarkKind::Note, LineKind::Note),
            Body::Exit { .. } | Body::Eof | Body::Traffic { .. } | Body::Input(_) | Body::Pointer { .. } | Body::Cleared { .. } => {}
        }
    }

    fn open(&mut self, channel: u32, at_us: u64, pty: Option<(u16, u16)>) {
        // A number is used again only after its channel was closed; a track that says otherwise is followed all the same.
        self.close(channel);
        self.shown.insert(channel, Shown::new(pty, at_us));
        self.quiet.insert(channel, at_us);
        if let Some((cols, rows)) = pty {
            self.marks.add(at_us, channel, MarkKind::Shell, &format!("{cols}x{rows}"));
        }
    }

    fn open_desktop(&mut self, channel: u32, at_us: u64, coded: &[u8]) {
        self.close(channel);
        self.quiet.insert(channel, at_us);
        if let Ok(Desktop { width, height, .. }) = Desktop::parse(coded) {
            self.marks.add(at_us, channel, MarkKind::Desktop, &format!("{width}x{height}"));
        }
    }

    /// A line that was read on a picture: it may be painted over, like one of a terminal that rests.
    fn words(&mut self, channel: u32, at_us: u64, text: &str) {
        self.count_masks(at_us, text);
        self.kept.line(channel, at_us, Told::Resting, text);
    }

    /// A command comes in pieces; another event says that it is whole.
    fn command_is_whole(&mut self, channel: u32) {
        if let Some((at_us, command)) = self.commands.remove(&channel) {
            let text = clean(&String::from_utf8_lossy(&command));
            self.marks.add(at_us, channel, MarkKind::Command, &text);
            self.kept.keep(channel, at_us, LineKind::Command, &text);
        }
    }

    fn output(&mut self, channel: u32, at_us: u64, text: &str) {
        self.heard(channel, at_us);
        self.count_masks(at_us, text);
        let kept = &mut self.kept;
        let shown = self.shown.entry(channel).or_insert_with(|| Shown::new(None, at_us));
        shown.feed(at_us, text, &mut |at, told, text| kept.line(channel, at, told, text));
    }

    fn count_masks(&mut self, at_us: u64, text: &str) {
        let bar = u64::try_from(u128::from(at_us) * BARS as u128 / u128::from(self.duration_us.max(1))).unwrap_or(u64::MAX);
        let bar = usize::try_from(bar).unwrap_or(usize::MAX).min(BARS - 1);
        self.masks[bar] = self.masks[bar].saturating_add(masked_places(text));
    }

    fn heard(&mut self, channel: u32, at_us: u64) {
        if self.quiet.len() >= MAX_CHANNELS && !self.quiet.contains_key(&channel) {
            return;
        }
        let before = self.quiet.insert(channel, at_us).unwrap_or(at_us);
        if at_us.saturating_sub(before) >= QUIET_US {
            self.stretches.push(Quiet { channel, from_us: before, until_us: at_us });
            if self.stretches.len() >= MAX_QUIET * 2 {
                self.longest_stretches();
            }
        }
    }

    fn longest_stretches(&mut self) {
        self.stretches.sort_by_key(|q| std::cmp::Reverse(q.until_us - q.from_us));
        self.stretches.truncate(MAX_QUIET);
    }

    fn beside(&mut self, event: &Event<'_>, mark: MarkKind, line: LineKind) {
        let Some(text) = lines::line(&event.body) else { return };
        self.marks.add(event.at_us, event.channel, mark, &text);
        self.kept.keep(event.channel, event.at_us, line, &text);
    }

    fn close(&mut self, channel: u32) {
        let kept = &mut self.kept;
        if let Some(shown) = self.shown.remove(&channel) {
            shown.finish(&mut |at, told, text| kept.line(channel, at, told, text));
        }
        self.quiet.remove(&channel);
    }

    fn finish(mut self) -> Survey {
        let (open, named): (Vec<u32>, Vec<u32>) = (self.shown.keys().copied().collect(), self.commands.keys().copied().collect());
        named.into_iter().for_each(|channel| self.command_is_whole(channel));
        open.into_iter().for_each(|channel| self.close(channel));
        self.longest_stretches();
        self.stretches.sort_by_key(|q| q.from_us);
        let Kept { mut lines, cut, .. } = self.kept;
        lines.sort_by_key(|l| l.at_us);
        let timeline = Timeline {
            duration_us: self.duration_us,
            marks: self.marks.marks,
            more_marks: self.marks.more,
            masks: self.masks,
            quiet: self.stretches,
        };
        Survey { lines, cut, timeline }
    }
}

#[derive(Default)]
struct Marks {
    marks: Vec<Mark>,
    more: bool,
}

impl Marks {
    fn add(&mut self, at_us: u64, channel: u32, kind: MarkKind, text: &str) {
        if self.marks.len() >= MAX_MARKS {
            self.more = true;
            return;
        }
        self.marks.push(Mark { at_us, channel, kind, text: text.chars().take(200).collect() });
    }
}

/// What is kept for searching: every text once, within bounds.
#[derive(Default)]
struct Kept {
    lines: Vec<ShownLine>,
    seen: HashSet<u64>,
    shapes: HashMap<u64, u8>,
    burst: (u64, usize),
    cut: bool,
}

impl Kept {
    fn line(&mut self, channel: u32, at_us: u64, told: Told, text: &str) {
        let text = tidy(text);
        if told == Told::Resting {
            if self.seen.contains(&key(LineKind::Screen, &text)) || self.shapes.len() >= 2 * MAX_LINES {
                return;
            }
            let times = self.shapes.entry(key(LineKind::Screen, &shape(&text))).or_insert(0);
            if *times >= SAME_SHAPE {
                return;
            }
            *times += 1;
        }
        self.keep(channel, at_us, LineKind::Screen, &text);
    }

    fn keep(&mut self, channel: u32, at_us: u64, kind: LineKind, text: &str) {
        for piece in pieces(text) {
            if !piece.contains(|c: char| c.is_alphanumeric()) {
                continue;
            }
            if at_us.saturating_sub(self.burst.0) >= BURST_US {
                self.burst = (at_us, 0);
            }
            if self.seen.contains(&key(kind, piece)) {
                continue;
            }
            if self.lines.len() >= MAX_LINES || self.burst.1 >= MAX_BURST {
                self.cut = true;
                return;
            }
            self.seen.insert(key(kind, piece));
            self.burst.1 += 1;
            self.lines.push(ShownLine { channel, at_us, kind, text: piece.to_owned() });
        }
    }
}

/// Two texts with one key are one text to us: a line that is missing in the index, in one of 10^9 recordings.
fn key(kind: LineKind, text: &str) -> u64 {
    let mut h = DefaultHasher::new();
    (kind, text).hash(&mut h);
    h.finish()
}

/// The text without its numbers.
fn shape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_numeric() {
            out.push(c);
        } else if !out.ends_with('0') {
            out.push('0');
        }
    }
    out
}

/// One space for many, and no frame of a table longer than it needs to be.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut same = ('\0', 0);
    for c in text.trim().chars() {
        let c = if c.is_whitespace() { ' ' } else { c };
        same = if c == same.0 { (c, same.1 + 1) } else { (c, 1) };
        let most = if c == ' ' { 1 } else { 3 };
        if same.1 <= most || c.is_alphanumeric() || c == MASK || c == WIDE_MASK {
            out.push(c);
        }
    }
    out
}

/// Cut where a word ends, if one does.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let end = rest.char_indices().nth(MAX_CHARS).map_or(rest.len(), |(i, _)| rest[..i].rfind(' ').filter(|s| *s > i / 2).unwrap_or(i));
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
    .take(MAX_PIECES)
}

/// Runs of masked cells.
fn masked_places(text: &str) -> u32 {
    let mut before = false;
    let mut count = 0u32;
    for c in text.chars() {
        let masked = c == MASK || c == WIDE_MASK;
        count = count.saturating_add(u32::from(masked && !before));
        before = masked;
    }
    count
}

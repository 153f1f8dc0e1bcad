//! One session's desktops on their way from what was shown to what may be seen. The clock and the disk are somebody else's.
use super::{
    Desk,
    item::{Item, What},
    mosaic::Mosaic,
};
use crate::{
    EventKind, RecordingFailed,
    masked_channel::{Carrying, MaskedChannel, Piece},
    shared::{Carried, Shared},
};
use anteroom_format::Body;
use anteroom_masking::{RuleSet, Summary};
use anteroom_picture::{Clearing, Ocr, OcrError, Rect, Shown};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// A picture that rests for so long is read.
const QUIET: Duration = Duration::from_millis(300);
/// One that never rests is read so often. Both by the session's time: the result is the same however far behind clearing is.
const RESTLESS: Duration = Duration::from_secs(1);
/// When it is too late for reading, states of the picture are kept so far apart.
const LATE: Duration = Duration::from_secs(10);
/// Pieces that wait for the picture they came with.
const MAX_HELD: usize = 4_096;
/// Items of one step, when none of them has to be read.
const MAX_ITEMS: usize = 1_000;
/// How far clearing came is written down so often, when nothing else says it.
const SAY_EVERY: Duration = Duration::from_secs(1);

pub(super) enum Step {
    /// There is more to do at once.
    Again,
    /// There will be then.
    At(Instant),
    /// Nothing came.
    Idle,
    /// Nothing will ever come.
    Done,
}

/// What a step made.
#[derive(Default)]
pub(super) struct Made {
    pub(super) pieces: Vec<(u32, Piece)>,
    pub(super) counts: BTreeMap<String, u64>,
    pub(super) incomplete: bool,
    /// What was shown until then is made; none: nothing was.
    pub(super) until: Option<Duration>,
}

pub(super) struct Clearer {
    shared: Arc<Shared>,
    rules: Arc<RuleSet>,
    channels: BTreeMap<u32, Channel>,
    /// What changed and was not read.
    group: Option<Group>,
    held: Vec<(u32, Piece)>,
    made: Made,
    /// Of the newest item that was taken, and of the last word about it.
    newest: Duration,
    said: Duration,
    /// Why the last picture was not read.
    unread: Option<OcrError>,
    late: bool,
    done: bool,
}

struct Channel {
    clearing: Clearing,
    texts: MaskedChannel,
    /// What is not read any more, until it is painted.
    unpainted: Option<Mosaic>,
}

struct Group {
    channel: u32,
    since: Duration,
    last: Duration,
}

/// A reader that is not asked.
struct Nobody;
impl Ocr for Nobody {
    fn read(&mut self, _: &[anteroom_picture::Region<'_>]) -> Result<Vec<Vec<anteroom_picture::Word>>, OcrError> {
        Err(OcrError::TimedOut)
    }
}

impl Clearer {
    pub(super) fn new(shared: Arc<Shared>, rules: Arc<RuleSet>) -> Self {
        Self {
            shared,
            rules,
            channels: BTreeMap::new(),
            group: None,
            held: Vec::new(),
            made: Made::default(),
            newest: Duration::ZERO,
            said: Duration::ZERO,
            unread: None,
            late: false,
            done: false,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// The recording failed: nothing of this is wanted any more.
    pub(super) fn give_up(&mut self) {
        self.done = true;
        self.channels.clear();
        self.held.clear();
    }

    /// Takes items until a picture was read, or until there is none. From `late` on nothing is read.
    pub(super) fn step(&mut self, desk: &Desk, ocr: &mut dyn Ocr, late: Option<Instant>) -> Result<(Step, Made), RecordingFailed> {
        if !self.late && late.is_some_and(|at| at <= Instant::now()) {
            self.late = true;
            self.note_everywhere(self.newest, crate::film::NOT_READ);
        }
        let step = self.walk(desk, ocr)?;
        if self.group.is_none() && (matches!(step, Step::Done) || self.newest >= self.said + SAY_EVERY) {
            self.say();
        }
        let made = std::mem::take(&mut self.made);
        Ok((step, made))
    }

    fn walk(&mut self, desk: &Desk, ocr: &mut dyn Ocr) -> Result<Step, RecordingFailed> {
        let lost = |e: std::io::Error| RecordingFailed::Io(format!("what waited for clearing: {e}"));
        for _ in 0..MAX_ITEMS {
            let item = {
                let mut spool = desk.spool();
                match spool.peek().map_err(lost)? {
                    Some(next) if self.must_settle(next) => None,
                    Some(_) => spool.pop().map_err(lost)?,
                    None => {
                        drop(spool);
                        return self.nothing_came(desk, ocr);
                    }
                }
            };
            match item {
                Some(item) => self.take(item)?,
                None => {
                    self.settle_next(ocr)?;
                    return Ok(Step::Again);
                }
            }
        }
        Ok(Step::Again)
    }

    fn nothing_came(&mut self, desk: &Desk, ocr: &mut dyn Ocr) -> Result<Step, RecordingFailed> {
        let finishing = desk.finish_by().is_some();
        if self.group.is_some() {
            let due = desk.pushed() + QUIET;
            if !finishing && due > Instant::now() {
                return Ok(Step::At(due));
            }
            self.settle_next(ocr)?;
            return Ok(Step::Again);
        }
        if !finishing {
            return Ok(Step::Idle);
        }
        let open: Vec<u32> = self.channels.keys().copied().collect();
        open.into_iter().for_each(|channel| self.end(channel));
        self.done = true;
        Ok(Step::Done)
    }

    /// Whether what was gathered has to be read before this.
    fn must_settle(&self, next: &Item) -> bool {
        let Some(group) = &self.group else { return false };
        let restless = if self.late { LATE } else { RESTLESS };
        let rested = !self.late && next.at.saturating_sub(group.last) >= QUIET;
        let apart = match next.what {
            What::Open(_) | What::Size { .. } | What::Close => true,
            What::Tiles(_) => next.channel != group.channel,
            _ => false,
        };
        apart || rested || next.at.saturating_sub(group.since) >= restless || self.held.len() >= MAX_HELD
    }

    fn take(&mut self, item: Item) -> Result<(), RecordingFailed> {
        let Item { at, channel, what } = item;
        self.newest = self.newest.max(at);
        let kind = match what {
            What::Open(desktop) => {
                let zones = desktop.zones.iter().map(|z| Rect { x: z.x, y: z.y, width: z.width, height: z.height }).collect();
                let clearing = Clearing::new(self.rules.clone(), zones);
                let mut texts = MaskedChannel::open_carrying(&self.rules, Carrying::Desktop);
                let mut pieces = Vec::new();
                texts.take(at, EventKind::OpenDesktop(desktop), &mut pieces);
                self.channels.insert(channel, Channel { clearing, texts, unpainted: None });
                self.hold(channel, pieces);
                return Ok(());
            }
            What::Size { width, height } => {
                self.hold(channel, vec![Piece::bare(at, Body::Resize { cols: width, rows: height })]);
                return Ok(());
            }
            What::Tiles(batch) => return self.tiles(at, channel, &batch),
            What::Close => {
                self.end(channel);
                self.hold(channel, vec![Piece::bare(at, Body::Close)]);
                return Ok(());
            }
            What::Pointer { x, y } => EventKind::Pointer { x, y },
            What::Clipboard { way, text } => EventKind::Clipboard { way, text },
            What::Note(text) => EventKind::Note(text),
            What::Message(text) => EventKind::Message(text),
        };
        let rules = &self.rules;
        let mut pieces = Vec::new();
        match self.channels.get_mut(&channel) {
            Some(known) => known.texts.take(at, kind, &mut pieces),
            // Before a channel's opening, or after its close.
            None => MaskedChannel::open_carrying(rules, Carrying::Desktop).take(at, kind, &mut pieces),
        }
        self.hold(channel, pieces);
        Ok(())
    }

    fn tiles(&mut self, at: Duration, channel: u32, batch: &[u8]) -> Result<(), RecordingFailed> {
        let Some(known) = self.channels.get_mut(&channel) else { return Ok(()) };
        let wrong = || RecordingFailed::Picture("tiles that cannot be read again".into());
        if self.late {
            known.unpainted.get_or_insert_with(|| Mosaic::new(1, 1)).apply(batch).map_err(|_| wrong())?;
        } else {
            known.clearing.take(batch).map_err(|_| wrong())?;
        }
        let group = self.group.get_or_insert(Group { channel, since: at, last: at });
        group.last = at;
        Ok(())
    }

    /// Pieces wait for the picture that is being gathered: it is older than they are, or as old.
    fn hold(&mut self, channel: u32, pieces: Vec<Piece>) {
        let pieces = pieces.into_iter().map(|p| (channel, p));
        if self.group.is_some() {
            self.held.extend(pieces);
        } else {
            self.made.pieces.extend(pieces);
            self.made.until = Some(self.newest);
        }
    }

    /// Reading takes long: what is made already is handed over first.
    fn settle_next(&mut self, ocr: &mut dyn Ocr) -> Result<(), RecordingFailed> {
        if self.made.pieces.is_empty() { self.settle(ocr) } else { Ok(()) }
    }

    /// Reads what was gathered and makes what may be seen of it.
    fn settle(&mut self, ocr: &mut dyn Ocr) -> Result<(), RecordingFailed> {
        let Some(Group { channel, last, .. }) = self.group.take() else { return Ok(()) };
        let Some(known) = self.channels.get_mut(&channel) else { return Ok(()) };
        let wrong = |_| RecordingFailed::Picture("tiles that cannot be read again".into());
        if let Some(mosaic) = known.unpainted.take() {
            mosaic.batches().iter().try_for_each(|batch| known.clearing.take(batch)).map_err(wrong)?;
        }
        let shown = if self.late { known.clearing.settle(&mut Nobody) } else { known.clearing.settle(ocr) };
        let Shown { tiles, lines, unread } = shown;
        // In order of time: what came before the newest tile, the picture, what came after it.
        let held = std::mem::take(&mut self.held);
        let (before, after): (Vec<_>, Vec<_>) = held.into_iter().partition(|(_, p)| p.at <= last);
        self.made.pieces.extend(before);
        if !self.late && unread != self.unread {
            self.tell_unread(last, channel, unread);
        }
        self.made.pieces.extend(tiles.into_iter().map(|t| (channel, Piece::tiles(last, t))));
        self.made.pieces.extend(lines.into_iter().map(|l| (channel, Piece::words(last, l))));
        self.made.pieces.extend(after);
        self.say();
        Ok(())
    }

    /// Reading stopped to work, or works again.
    fn tell_unread(&mut self, at: Duration, channel: u32, unread: Option<OcrError>) {
        let session = self.shared.session;
        let text = match unread {
            Some(why) => {
                if self.unread.is_none() {
                    tracing::warn!(%session, error = %why, "pictures are recorded, but not read: they stay blurred");
                }
                format!("{why}: the picture is blurred from here on")
            }
            None => "text in pictures is read again".to_owned(),
        };
        self.unread = unread;
        self.note(at, channel, &text);
    }

    fn note_everywhere(&mut self, at: Duration, text: &str) {
        let channels: Vec<u32> = self.channels.keys().copied().collect();
        channels.into_iter().for_each(|channel| self.note(at, channel, text));
    }

    fn note(&mut self, at: Duration, channel: u32, text: &str) {
        let mut pieces = Vec::new();
        if let Some(known) = self.channels.get_mut(&channel) {
            known.texts.take(at, EventKind::Note(text.to_owned()), &mut pieces);
        }
        self.made.pieces.extend(pieces.into_iter().map(|p| (channel, p)));
    }

    /// How far clearing came, for whoever watches.
    fn say(&mut self) {
        let until_us = crate::sealed_lane::micros(self.newest);
        // All channels are in one track: one of them says it for all.
        if let Some(channel) = self.channels.keys().next().copied() {
            self.made.pieces.push((channel, Piece::bare(self.newest, Body::Cleared { until_us })));
        }
        self.said = self.newest;
        self.made.until = Some(self.newest);
    }

    fn end(&mut self, channel: u32) {
        let Some(Channel { clearing, mut texts, .. }) = self.channels.remove(&channel) else { return };
        let mut pieces = Vec::new();
        let summaries = texts.finish(self.newest, &mut pieces);
        for Summary { counts, incomplete, .. } in summaries {
            self.made.incomplete |= incomplete;
            self.count(counts);
        }
        self.made.incomplete |= clearing.incomplete();
        self.count(clearing.counts());
        if let Some(Carried { input, output }) = self.shared.take_carried(channel) {
            pieces.push(Piece::bare(self.newest, Body::Traffic { input, output }));
        }
        let until_us = crate::sealed_lane::micros(self.newest);
        pieces.push(Piece::bare(self.newest, Body::Cleared { until_us }));
        self.hold(channel, pieces);
        self.made.until = Some(self.newest);
    }

    fn count(&mut self, counts: BTreeMap<String, u64>) {
        for (kind, n) in counts {
            *self.made.counts.entry(kind).or_default() += n;
        }
    }
}

//! One session's desktops on their way from frames to tiles.
use super::{
    Decoded, Desk, Picturing, block,
    item::{Item, What},
    mosaic::Mosaic,
};
use crate::{
    Event, EventKind, RecordingFailed,
    pool::{Message, Pool},
    shared::{EVENT_COST, SEALED_QUEUE},
};
use anteroom_format::Track;
use anteroom_picture::{DecodeError, Decoder, Differ, Limits, Rect, TileError, encode_tiles};
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// Tiles are taken at most so often, where a frame ends.
const BETWEEN: Duration = Duration::from_millis(40);
/// A target that does not say where its frames end is looked at after so much time.
const NO_END: Duration = Duration::from_millis(100);
/// The sealed track gets a whole picture so often while it changes, and so often while it does not: a released interval opens nothing that was
/// before it, so what stood there all the time is in it only with a keyframe.
const KEYFRAME_EVERY: Duration = Duration::from_secs(10);
const KEYFRAME_ANYWAY: Duration = Duration::from_secs(60);
/// Desktops of one session at a time: a broken connection may be seen later than the next one.
const MAX_OPEN: usize = 4;

pub(super) struct Decoding {
    pub(super) desk: Arc<Desk>,
    pool: Arc<Pool>,
    screens: BTreeMap<u32, Screen>,
    /// When something came last.
    pub(super) touched: Instant,
}

struct Screen {
    decoder: Decoder,
    differ: Differ,
    mosaic: Mosaic,
    /// Since when there is something that was not taken, and how old the newest of it is.
    painted: Option<(Duration, Duration)>,
    taken_at: Option<Duration>,
    keyframe_at: Duration,
    /// Something was taken since the last keyframe.
    changed: bool,
}

impl Decoding {
    pub(super) fn new(desk: Arc<Desk>, pool: Arc<Pool>) -> Self {
        Self { desk, pool, screens: BTreeMap::new(), touched: Instant::now() }
    }

    pub(super) fn event(&mut self, event: Event) -> Result<(), RecordingFailed> {
        let Event { at, channel, kind } = event;
        // What was painted before a pause stood there: it is taken before anything else happens, however late this thread is.
        let stood = |s: &Screen| s.painted.is_some_and(|(_, newest)| at.saturating_sub(newest) >= BETWEEN);
        if self.screens.get(&channel).is_some_and(stood) {
            self.take(channel)?;
        }
        let what = match kind {
            EventKind::Output(frame) => return self.output(at, channel, &frame),
            EventKind::OpenDesktop(desktop) => {
                if self.screens.len() >= MAX_OPEN {
                    return Err(RecordingFailed::Picture("too many desktops at once".into()));
                }
                self.screens.insert(channel, Screen::new(at, &desktop)?);
                What::Open(desktop)
            }
            EventKind::Close => {
                if self.screens.contains_key(&channel) {
                    self.take(channel)?;
                    self.screens.remove(&channel);
                }
                What::Close
            }
            EventKind::Pointer { x, y } => What::Pointer { x, y },
            EventKind::Clipboard { way, text } => What::Clipboard { way, text },
            EventKind::Note(text) => What::Note(text),
            EventKind::Message(text) => What::Message(text),
            // Sizes come from the picture itself; the rest is not said of desktops, and is in the sealed track.
            _ => return Ok(()),
        };
        self.desk.push(Item { at, channel, what });
        self.keyframe(at, channel)
    }

    fn output(&mut self, at: Duration, channel: u32, frame: &[u8]) -> Result<(), RecordingFailed> {
        let unopened = || RecordingFailed::Picture("output of a desktop that was not opened".into());
        let screen = self.screens.get_mut(&channel).ok_or_else(unopened)?;
        let fed = screen.decoder.feed(frame).map_err(|e| refused(&e))?;
        if let Some((width, height)) = fed.resized {
            screen.mosaic = Mosaic::new(width, height);
            self.sealed(at, channel, Picturing::Size { width, height }, 0)?;
            self.desk.push(Item { at, channel, what: What::Size { width, height } });
        }
        let Some(screen) = self.screens.get_mut(&channel) else { return Ok(()) };
        if fed.painted || fed.resized.is_some() {
            screen.painted = Some((screen.painted.map_or(at, |(since, _)| since), at));
        }
        let due = screen.painted.is_some_and(|(since, _)| {
            screen.taken_at.is_none_or(|taken| at.saturating_sub(taken) >= BETWEEN) && (fed.frame_end || at.saturating_sub(since) >= NO_END)
        });
        if due {
            self.take(channel)?;
        }
        self.keyframe(at, channel)
    }

    /// Some picture has something that was not taken.
    pub(super) fn waits(&self) -> bool {
        self.screens.values().any(|s| s.painted.is_some())
    }

    /// Takes what was painted, frame end or not: nothing came for a while, or nothing will come any more.
    pub(super) fn take_all(&mut self) -> Result<(), RecordingFailed> {
        let channels: Vec<u32> = self.screens.keys().copied().collect();
        channels.into_iter().try_for_each(|channel| self.take(channel))
    }

    fn take(&mut self, channel: u32) -> Result<(), RecordingFailed> {
        let Some(screen) = self.screens.get_mut(&channel) else { return Ok(()) };
        let Some((_, at)) = screen.painted.take() else { return Ok(()) };
        screen.taken_at = Some(at);
        let damage = screen.decoder.take_damage();
        let picture = screen.decoder.picture();
        let changed = screen.differ.changed(picture, &damage);
        if changed.is_empty() {
            return Ok(());
        }
        screen.changed = true;
        let batches = encode_tiles(picture, &changed).map_err(|e| broken(&e))?;
        for batch in &batches {
            screen.mosaic.apply(batch).map_err(|_| RecordingFailed::Picture("tiles that do not fit".into()))?;
        }
        for batch in batches {
            let batch = Bytes::from(batch);
            self.sealed(at, channel, Picturing::Tiles(batch.clone()), batch.len())?;
            self.desk.push(Item { at, channel, what: What::Tiles(batch) });
        }
        Ok(())
    }

    /// The picture as it was taken last, when it is time for that.
    fn keyframe(&mut self, at: Duration, channel: u32) -> Result<(), RecordingFailed> {
        let Some(screen) = self.screens.get_mut(&channel) else { return Ok(()) };
        let since = at.saturating_sub(screen.keyframe_at);
        if since < KEYFRAME_EVERY || (!screen.changed && since < KEYFRAME_ANYWAY) || screen.mosaic.bytes() == 0 {
            return Ok(());
        }
        (screen.keyframe_at, screen.changed) = (at, false);
        let Mosaic { width, height, .. } = screen.mosaic;
        let tiles = screen.mosaic.batches();
        let cost = tiles.iter().map(Vec::len).sum();
        self.sealed(at, channel, Picturing::Whole { width, height, tiles }, cost)
    }

    /// Waits for room where the session's own events wait too.
    fn sealed(&self, at: Duration, channel: u32, what: Picturing, cost: usize) -> Result<(), RecordingFailed> {
        let shared = &self.desk.shared;
        let room = block::room(&shared.sealed_room, cost + EVENT_COST, SEALED_QUEUE);
        let _room = room.ok_or_else(|| shared.failed().unwrap_or(RecordingFailed::Closed))?;
        let lag = shared.lag_of(Track::Sealed);
        lag.accepted(lag.now());
        let decoded = Decoded { at, channel, what, _room };
        if self.pool.send(Track::Sealed, shared.id, Message::Decoded(shared.id, Box::new(decoded))) {
            Ok(())
        } else {
            Err(RecordingFailed::Lost)
        }
    }
}

impl Screen {
    fn new(at: Duration, d: &anteroom_format::Desktop) -> Result<Self, RecordingFailed> {
        let zones = d.zones.iter().map(|z| Rect { x: z.x, y: z.y, width: z.width, height: z.height }).collect();
        let desktop =
            anteroom_picture::Desktop { width: d.width, height: d.height, io_channel: d.io_channel, channels: d.channels.clone(), zones };
        Ok(Self {
            decoder: Decoder::new(&desktop, Limits::default()).map_err(|e| refused(&e))?,
            differ: Differ::new(),
            mosaic: Mosaic::new(d.width, d.height),
            painted: None,
            taken_at: None,
            keyframe_at: at,
            changed: false,
        })
    }
}

fn refused(e: &DecodeError) -> RecordingFailed {
    RecordingFailed::Picture(e.to_string())
}

fn broken(e: &TileError) -> RecordingFailed {
    RecordingFailed::Picture(e.to_string())
}

//! A desktop made up: frames as a target sends them, words that a reader made for tests can read, and films painted again.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub, missing_debug_implementations)]
use super::common::Lab;
use anteroom_domain::SessionId;
use anteroom_format::{
    Body, ChainReader, Content, Desktop, Kind, Release, ReleaseContent, ReleasedChunk, SegmentReader, SegmentSecret, hex,
};
use anteroom_picture::{Ocr, OcrError, Picture, Rect, Region, Tiles, Word};
use anteroom_recorder::{
    DesktopOptions, EventKind, PublicKey, Track,
    film::{Shot, ShotKind},
    unmask::{Recipient, Released},
};
use bytes::Bytes;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

pub const WIDTH: u16 = 640;
pub const HEIGHT: u16 = 200;
/// A letter of the made up writing: one cell.
const CELL: (u16, u16) = (8, 16);
const INK: [u8; 2] = [0xa5, 0x5a];

pub fn desktop() -> Desktop {
    Desktop { width: WIDTH, height: HEIGHT, io_channel: 1003, channels: vec![(1004, "drdynvc".into())], zones: Vec::new() }
}

pub fn opened() -> EventKind {
    EventKind::OpenDesktop(desktop())
}

/// What a target shows.
pub struct Target {
    pub picture: Picture,
}

impl Default for Target {
    fn default() -> Self {
        let mut picture = Picture::new(WIDTH, HEIGHT).unwrap();
        picture.fill(picture.area(), [250, 250, 250]);
        Self { picture }
    }
}

impl Target {
    /// Writes words as cells, each a pattern of two colours of which one says the letter.
    pub fn write(&mut self, x: u16, y: u16, text: &str) -> Rect {
        for (n, letter) in text.bytes().enumerate() {
            let left = x + CELL.0 * u16::try_from(n).unwrap();
            let mut cell = Vec::new();
            for row in 0..CELL.1 {
                for column in 0..CELL.0 {
                    cell.extend(if letter != b' ' && (row + column) % 2 == 0 {
                        [letter, INK[0], INK[1], 255]
                    } else {
                        [250, 250, 250, 255]
                    });
                }
            }
            self.picture.paint(Rect::new(left, y, CELL.0, CELL.1), &cell, usize::from(CELL.0) * 4);
        }
        Rect::new(x, y, CELL.0 * u16::try_from(text.len()).unwrap(), CELL.1)
    }

    /// The frames that bring an area to a client: bitmaps without compression, and the end of the frame.
    pub fn frames(&self, area: Rect) -> Vec<Bytes> {
        let mut frames = Vec::new();
        let (right, bottom) = (area.right().min(self.picture.width().into()), area.bottom().min(self.picture.height().into()));
        for y in (u32::from(area.y)..bottom).step_by(64) {
            for x in (u32::from(area.x)..right).step_by(64) {
                frames.push(self.bitmap(Rect::of_edges(x, y, (x + 64).min(right), (y + 64).min(bottom))));
            }
        }
        // A surface command: the frame ends (MS-RDPBCGR 2.2.9.2.3).
        frames.push(update(4, &[4, 0, 1, 0, 7, 0, 0, 0]));
        frames
    }

    pub fn whole(&self) -> Vec<Bytes> {
        self.frames(self.picture.area())
    }

    /// TS_UPDATE_BITMAP_DATA with one rectangle (2.2.9.1.1.3.1.2): rows from below, 32 bits a pixel.
    fn bitmap(&self, area: Rect) -> Bytes {
        let mut data = vec![1, 0, 1, 0];
        let (width, height) = (area.width, area.height);
        let pixels: Vec<u8> = (0..height)
            .rev()
            .flat_map(|row| self.picture.row(area, row).chunks_exact(4).flat_map(|p| [p[2], p[1], p[0], 0]).collect::<Vec<_>>())
            .collect();
        let length = u16::try_from(pixels.len()).unwrap();
        for n in [area.x, area.y, area.x + width - 1, area.y + height - 1, width, height, 32, 0, length] {
            data.extend(n.to_le_bytes());
        }
        data.extend(pixels);
        update(1, &data)
    }
}

/// A fast-path PDU with one update (2.2.9.1.2).
fn update(code: u8, data: &[u8]) -> Bytes {
    let length = u16::try_from(3 + 3 + data.len()).unwrap() | 0x8000;
    let size = u16::try_from(data.len()).unwrap();
    Bytes::from([&[0][..], &length.to_be_bytes(), &[code], &size.to_le_bytes(), data].concat())
}

/// Reads the made up writing.
#[derive(Clone, Default)]
pub struct Reader {
    pub calls: Arc<AtomicU64>,
    /// As if it were not installed.
    pub missing: Arc<AtomicBool>,
    pub takes: Duration,
}

impl Reader {
    pub fn options(&self) -> DesktopOptions {
        let this = self.clone();
        DesktopOptions { ocr: Arc::new(move |_| Box::new(this.clone())), ..DesktopOptions::default() }
    }
}

impl Ocr for Reader {
    fn read(&mut self, regions: &[Region<'_>]) -> Result<Vec<Vec<Word>>, OcrError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.missing.load(Ordering::SeqCst) {
            return Err(OcrError::Unavailable);
        }
        std::thread::sleep(self.takes);
        Ok(regions.iter().map(|r| words(r.picture, r.area)).collect())
    }
}

/// The made up words in a part of a picture, line by line.
pub fn words(picture: &Picture, area: Rect) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let inked = |x: u32, y: u32| {
        let (x, y) = (u16::try_from(x).ok()?, u16::try_from(y).ok()?);
        let [letter, a, b] = picture.at(x, y);
        ([a, b] == INK && letter.is_ascii_graphic()).then_some(letter)
    };
    // Lines are where the tests write them: at multiples of 20.
    for y in (0..u32::from(picture.height())).step_by(20) {
        let line = Rect::new(area.x, u16::try_from(y).unwrap(), area.width, CELL.1);
        if !area.covers(&line) {
            continue;
        }
        let mut x = u32::from(area.x).next_multiple_of(CELL.0.into());
        while x + u32::from(CELL.0) <= area.right() {
            let start = x;
            let mut text = String::new();
            while let Some(letter) = inked(x, y).filter(|l| inked(x + 2, y + 2) == Some(*l)) {
                text.push(char::from(letter));
                x += u32::from(CELL.0);
                if x + u32::from(CELL.0) > area.right() {
                    break;
                }
            }
            if text.is_empty() {
                x += u32::from(CELL.0);
            } else {
                words.push(Word { text, area: Rect::of_edges(start, y, x, y + u32::from(CELL.1)), confidence: 96.0 });
            }
        }
    }
    words
}

pub fn texts(picture: &Picture) -> Vec<String> {
    words(picture, picture.area()).into_iter().map(|w| w.text).collect()
}

/// What an unsealer gives for an interval, which a test does with the key-holders' own keys.
pub fn release(lab: &Lab, session: SessionId, from: Duration, until: Duration) -> Arc<Released> {
    let (header, envelope) = lab.envelope(session, Track::Sealed);
    let shares: Vec<_> = lab.holders.iter().map(|k| envelope.open_share(&header, k).unwrap()).collect();
    let secret = SegmentSecret::new(&envelope.combine(&header, &shares).unwrap(), &header.salt);
    let bytes = std::fs::read(lab.folder(session).join("sealed.0")).unwrap();
    let mut chain = ChainReader::open(&bytes[..]).unwrap();
    let (from_us, until_us) = (u64::try_from(from.as_micros()).unwrap(), u64::try_from(until.as_micros()).unwrap());
    let mut chunks = Vec::new();
    while let Some((frame, _)) = chain.next_frame().unwrap() {
        let h = frame.header;
        if matches!(h.kind, Kind::Events | Kind::Keyframe) && h.first_us <= until_us && h.last_us >= from_us {
            chunks.push(ReleasedChunk { segment: 0, sequence: h.sequence, offset: frame.offset, key: secret.chunk_key(h.sequence) });
        }
    }
    let now = anteroom_domain::Moment::from_unix_timestamp(1_800_000_000).unwrap();
    let content = ReleaseContent {
        format: String::new(),
        unmask: anteroom_domain::UnmaskId(uuid::Uuid::from_u128(9)),
        session,
        header_sha256: hex(&header.recording),
        from_us,
        until_us,
        recipient: String::new(),
        expires_at: now + Duration::from_secs(600),
        chunks: 0,
    };
    let recipient = Recipient::generate().unwrap();
    let public: PublicKey = recipient.line().parse().unwrap();
    let mut rng = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
    let release = Release::seal(content, &chunks, &public, &mut rng).unwrap();
    Arc::new(Released::open(&release, &recipient, now).unwrap())
}

/// What a film's viewer sees, at the end of these shots.
#[derive(Default)]
pub struct Screening {
    pub picture: Option<Picture>,
    pub pointer: Option<(u16, u16)>,
    pub notes: Vec<String>,
    /// Each picture after a batch of tiles.
    pub at: Duration,
    size: (u16, u16),
}

impl Screening {
    pub fn of(shots: &[Shot]) -> Self {
        let mut this = Self::default();
        shots.iter().for_each(|s| this.see(s));
        this
    }

    pub fn see(&mut self, shot: &Shot) {
        assert!(shot.at >= self.at, "a film never goes back: {:?} after {:?}", shot.at, self.at);
        self.at = shot.at;
        match &shot.kind {
            ShotKind::Size { width, height } => {
                self.size = (*width, *height);
                self.picture = Some(Picture::new(*width, *height).unwrap());
            }
            ShotKind::Tiles(tiles) => {
                let batch = [&self.size.0.to_le_bytes()[..], &self.size.1.to_le_bytes(), tiles].concat();
                Tiles::decode(&batch).unwrap().paint(&mut self.picture).unwrap();
            }
            ShotKind::Pointer { x, y } => self.pointer = Some((*x, *y)),
            ShotKind::Note(text) | ShotKind::Message(text) => self.notes.push(text.clone()),
            _ => {}
        }
    }

    pub fn picture(&self) -> &Picture {
        self.picture.as_ref().unwrap()
    }
}

/// Every event of the sealed track that `keep` wants.
pub fn sealed<T>(lab: &Lab, session: SessionId, mut keep: impl FnMut(u64, &Body<'_>) -> Option<T>) -> Vec<T> {
    let (header, envelope) = lab.envelope(session, Track::Sealed);
    let shares: Vec<_> = lab.holders.iter().map(|k| envelope.open_share(&header, k).unwrap()).collect();
    let key = envelope.combine(&header, &shares).unwrap();
    let bytes = std::fs::read(lab.folder(session).join("sealed.0")).unwrap();
    let mut reader = SegmentReader::open(std::io::Cursor::new(&bytes[..]), &key, bytes.len() as u64).unwrap();
    let mut all = Vec::new();
    while let Some((_, content)) = reader.next_chunk().unwrap() {
        if let Content::Events(events) = content {
            for event in events {
                let event = event.unwrap();
                all.extend(keep(event.at_us, &event.body));
            }
        }
    }
    all
}

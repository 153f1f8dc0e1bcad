//! Events inside a chunk (SPEC section 6).
use crate::{
    Track,
    damage::Problem,
    desktop::{Desktop, MAX_TILES},
    layout::{HASH_LEN, array},
    varint::{self, Cursor},
};
use anteroom_domain::capability::Direction;

/// One thing that happened. Borrows from the chunk it is written to or read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// Microseconds since the session's start.
    pub at_us: u64,
    pub channel: u32,
    pub body: Body<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'a> {
    /// A channel without terminal.
    Open,
    OpenPty {
        cols: u16,
        rows: u16,
        term: &'a str,
    },
    /// What an exec runs; follows the open. Longer ones come in several pieces.
    Command(&'a [u8]),
    /// Sealed track only.
    Input(&'a [u8]),
    Output(&'a [u8]),
    Stderr(&'a [u8]),
    Resize {
        cols: u16,
        rows: u16,
    },
    Exit {
        status: u32,
    },
    Signalled {
        signal: &'a str,
    },
    Eof,
    Close,
    Note(&'a str),
    /// A channel that carries bytes between two programs. Its input and output are in the sealed track only.
    OpenForward {
        forward: &'a str,
        place: &'a str,
    },
    /// A channel that moves files. Its input and output are in the sealed track only.
    OpenFiles {
        how: &'a str,
    },
    File(FileLine<'a>),
    /// What a supervisor told the person.
    Message(&'a str),
    /// Bytes of the channel that the sealed track has, from the client and to the client.
    Traffic {
        input: u64,
        output: u64,
    },
    /// A desktop, as [`Desktop::encode`] has it. Its input and output are whole PDUs, in the sealed track only; `Resize` is in pixels.
    OpenDesktop(&'a [u8]),
    /// Where the person's pointer is, in pixels.
    Pointer {
        x: u16,
        y: u16,
    },
    /// Text that went through the clipboard. A longer one comes in several pieces.
    Clipboard {
        /// `Download`: from the target.
        way: Direction,
        /// The next one of this channel goes on with it.
        more: bool,
        text: &'a str,
    },
    /// A batch of tiles that changed: what was shown, or what masking made of it. At most [`MAX_TILES`] bytes.
    Tiles(&'a [u8]),
    /// A line that was read on a picture and may be shown. Masked track only.
    Words {
        x: u16,
        y: u16,
        width: u16,
        height: u16,
        text: &'a str,
    },
    /// What the picture showed until then was read and cleared. Masked track only.
    Cleared {
        until_us: u64,
    },
}

/// A file that was moved, or should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLine<'a> {
    pub direction: Direction,
    pub outcome: Outcome,
    /// Length of what was moved.
    pub bytes: u64,
    /// SHA-256 of what was moved.
    pub sha256: Option<[u8; 32]>,
    /// Masked in the masked track.
    pub path: &'a [u8],
}

/// How moving a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Complete,
    /// Cut off, or only pieces of the file were asked for.
    Partial,
    /// Policy did not allow it.
    Refused,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Refused => "refused",
        }
    }
}

/// An event other than data that is longer than this is cut: terminal types, signal names and notes are short.
pub const MAX_TEXT: usize = 4096;
/// An event with data takes at most this many bytes besides its data.
pub(crate) const MAX_OVERHEAD: usize = 1 + 10 + 5 + 10 + 10;
/// An event without data takes at most this many bytes: two texts, or a path with everything about its file.
pub(crate) const MAX_SMALL: usize = 2 * MAX_TEXT + 1 + 10 + 5 + 3 + 10 + HASH_LEN + 2 * 3;

type Piece<'a> = fn(&'a [u8]) -> Body<'a>;

const OPEN: u8 = 1;
const OPEN_PTY: u8 = 2;
const COMMAND: u8 = 3;
const INPUT: u8 = 4;
const OUTPUT: u8 = 5;
const STDERR: u8 = 6;
const RESIZE: u8 = 7;
const EXIT: u8 = 8;
const SIGNALLED: u8 = 9;
const EOF: u8 = 10;
const CLOSE: u8 = 11;
const NOTE: u8 = 12;
const OPEN_FORWARD: u8 = 13;
const OPEN_FILES: u8 = 14;
const FILE: u8 = 15;
const MESSAGE: u8 = 16;
const TRAFFIC: u8 = 17;
const OPEN_DESKTOP: u8 = 18;
const POINTER: u8 = 19;
const CLIPBOARD: u8 = 20;
const TILES: u8 = 21;
const WORDS: u8 = 22;
const CLEARED: u8 = 23;

const DIRECTIONS: [(u8, Direction); 2] = [(1, Direction::Download), (2, Direction::Upload)];
const OUTCOMES: [(u8, Outcome); 3] = [(1, Outcome::Complete), (2, Outcome::Partial), (3, Outcome::Refused)];

impl<'a> Body<'a> {
    /// The data of an event that may be split, and how to make a piece of it.
    pub(crate) fn data(&self) -> Option<(&'a [u8], Piece<'a>)> {
        Some(match *self {
            Self::Command(b) => (b, Self::Command),
            Self::Input(b) => (b, Self::Input),
            Self::Output(b) => (b, Self::Output),
            Self::Stderr(b) => (b, Self::Stderr),
            _ => return None,
        })
    }

    /// The most bytes that it takes when it is coded, besides those of [`data`](Self::data).
    pub(crate) fn room(&self) -> usize {
        match self {
            Self::Tiles(b) => MAX_OVERHEAD + b.len(),
            _ => MAX_SMALL,
        }
    }

    /// Whether a track may hold it: the masked track has no input, and text only but for tiles.
    pub(crate) fn fits(&self, track: Track) -> Result<(), Problem> {
        match self {
            Self::Tiles(b) if b.len() > MAX_TILES => return Err(Problem::Content("too many tiles")),
            Self::OpenDesktop(b) => return Desktop::parse(b).map(drop),
            _ => {}
        }
        if track == Track::Sealed {
            return match self {
                Self::Words { .. } | Self::Cleared { .. } => Err(Problem::Content("what was cleared, in the sealed track")),
                _ => Ok(()),
            };
        }
        match self {
            Self::Input(_) => Err(Problem::Content("input in the masked track")),
            Self::File(f) if std::str::from_utf8(f.path).is_err() => Err(Problem::Content("text that is not UTF-8")),
            _ => match self.data() {
                Some((b, _)) if std::str::from_utf8(b).is_err() => Err(Problem::Content("text that is not UTF-8")),
                _ => Ok(()),
            },
        }
    }
}

/// Appends an event; `delta_us` is the time since the event before it (since the chunk's first time for the first one).
pub(crate) fn put(out: &mut Vec<u8>, delta_us: u64, channel: u32, body: &Body<'_>) {
    let mut head = |tag| {
        out.push(tag);
        varint::put(out, delta_us);
        varint::put(out, channel.into());
    };
    match *body {
        Body::Open => head(OPEN),
        Body::OpenPty { cols, rows, term } => {
            head(OPEN_PTY);
            varint::put(out, cols.into());
            varint::put(out, rows.into());
            put_bytes(out, cut(term).as_bytes());
        }
        Body::Command(b) => {
            head(COMMAND);
            put_bytes(out, b);
        }
        Body::Input(b) => {
            head(INPUT);
            put_bytes(out, b);
        }
        Body::Output(b) => {
            head(OUTPUT);
            put_bytes(out, b);
        }
        Body::Stderr(b) => {
            head(STDERR);
            put_bytes(out, b);
        }
        Body::Resize { cols, rows } => {
            head(RESIZE);
            varint::put(out, cols.into());
            varint::put(out, rows.into());
        }
        Body::Exit { status } => {
            head(EXIT);
            varint::put(out, status.into());
        }
        Body::Signalled { signal } => {
            head(SIGNALLED);
            put_bytes(out, cut(signal).as_bytes());
        }
        Body::Eof => head(EOF),
        Body::Close => head(CLOSE),
        Body::Note(text) => {
            head(NOTE);
            put_bytes(out, cut(text).as_bytes());
        }
        Body::OpenForward { forward, place } => {
            head(OPEN_FORWARD);
            put_bytes(out, cut(forward).as_bytes());
            put_bytes(out, cut(place).as_bytes());
        }
        Body::OpenFiles { how } => {
            head(OPEN_FILES);
            put_bytes(out, cut(how).as_bytes());
        }
        Body::File(file) => {
            head(FILE);
            put_file(out, &file);
        }
        Body::Message(text) => {
            head(MESSAGE);
            put_bytes(out, cut(text).as_bytes());
        }
        Body::Traffic { input, output } => {
            head(TRAFFIC);
            varint::put(out, input);
            varint::put(out, output);
        }
        Body::OpenDesktop(coded) => {
            head(OPEN_DESKTOP);
            put_bytes(out, coded);
        }
        Body::Pointer { x, y } => {
            head(POINTER);
            varint::put(out, x.into());
            varint::put(out, y.into());
        }
        Body::Clipboard { way, more, text } => {
            head(CLIPBOARD);
            out.extend(DIRECTIONS.iter().find(|(_, d)| *d == way).map(|(code, _)| code));
            out.push(u8::from(more));
            put_bytes(out, cut(text).as_bytes());
        }
        Body::Tiles(tiles) => {
            head(TILES);
            put_bytes(out, tiles);
        }
        Body::Words { x, y, width, height, text } => {
            head(WORDS);
            for n in [x, y, width, height] {
                varint::put(out, n.into());
            }
            put_bytes(out, cut(text).as_bytes());
        }
        Body::Cleared { until_us } => {
            head(CLEARED);
            varint::put(out, until_us);
        }
    }
}

fn put_file(out: &mut Vec<u8>, file: &FileLine<'_>) {
    // Every value is in its list.
    out.extend(DIRECTIONS.iter().find(|(_, d)| *d == file.direction).map(|(code, _)| code));
    out.extend(OUTCOMES.iter().find(|(_, o)| *o == file.outcome).map(|(code, _)| code));
    varint::put(out, file.bytes);
    out.push(u8::from(file.sha256.is_some()));
    out.extend(file.sha256.iter().flatten());
    let path = match std::str::from_utf8(file.path) {
        Ok(text) => cut(text).as_bytes(),
        Err(_) => &file.path[..file.path.len().min(MAX_TEXT)],
    };
    put_bytes(out, path);
}

fn file<'a>(c: &mut Cursor<'a>) -> Result<FileLine<'a>, Problem> {
    let unknown = Problem::Content("unknown direction or outcome of a file");
    let direction = direction(c, &unknown)?;
    let code = c.byte()?;
    let outcome = OUTCOMES.iter().find(|(o, _)| *o == code).ok_or(unknown)?.1;
    let bytes = c.varint()?;
    let sha256 = match c.byte()? {
        0 => None,
        1 => Some(array(c.take(HASH_LEN)?)),
        _ => return Err(Problem::Content("unknown flags of a file")),
    };
    Ok(FileLine { direction, outcome, bytes, sha256, path: c.bytes()? })
}

fn direction(c: &mut Cursor<'_>, unknown: &Problem) -> Result<Direction, Problem> {
    let code = c.byte()?;
    DIRECTIONS.iter().find(|(d, _)| *d == code).map(|(_, direction)| *direction).ok_or_else(|| unknown.clone())
}

fn clipboard<'a>(c: &mut Cursor<'a>) -> Result<Body<'a>, Problem> {
    let unknown = Problem::Content("unknown flags of a clipboard");
    let way = direction(c, &unknown)?;
    let more = match c.byte()? {
        0 => false,
        1 => true,
        _ => return Err(unknown),
    };
    Ok(Body::Clipboard { way, more, text: c.text()? })
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, b: &[u8]) {
    varint::put(out, b.len() as u64);
    out.extend_from_slice(b);
}

pub(crate) fn cut(s: &str) -> &str {
    &s[..s.floor_char_boundary(MAX_TEXT)]
}

/// The events of one chunk's plaintext, in order. Stops after the first error.
#[derive(Debug)]
pub struct Events<'a> {
    rest: Cursor<'a>,
    at_us: u64,
    last_us: u64,
    left: u32,
    track: Track,
}

impl<'a> Events<'a> {
    pub(crate) fn new(plain: &'a [u8], track: Track, first_us: u64, last_us: u64, count: u32) -> Self {
        Self { rest: Cursor(plain), at_us: first_us, last_us, left: count, track }
    }

    fn read(&mut self) -> Result<Event<'a>, Problem> {
        let c = &mut self.rest;
        let tag = c.byte()?;
        self.at_us = self.at_us.checked_add(c.varint()?).filter(|t| *t <= self.last_us).ok_or(Problem::Time)?;
        let channel = c.u32()?;
        let body = match tag {
            OPEN => Body::Open,
            OPEN_PTY => Body::OpenPty { cols: c.u16()?, rows: c.u16()?, term: c.text()? },
            COMMAND => Body::Command(c.bytes()?),
            INPUT => Body::Input(c.bytes()?),
            OUTPUT => Body::Output(c.bytes()?),
            STDERR => Body::Stderr(c.bytes()?),
            RESIZE => Body::Resize { cols: c.u16()?, rows: c.u16()? },
            EXIT => Body::Exit { status: c.u32()? },
            SIGNALLED => Body::Signalled { signal: c.text()? },
            EOF => Body::Eof,
            CLOSE => Body::Close,
            NOTE => Body::Note(c.text()?),
            OPEN_FORWARD => Body::OpenForward { forward: c.text()?, place: c.text()? },
            OPEN_FILES => Body::OpenFiles { how: c.text()? },
            FILE => Body::File(file(c)?),
            MESSAGE => Body::Message(c.text()?),
            TRAFFIC => Body::Traffic { input: c.varint()?, output: c.varint()? },
            OPEN_DESKTOP => Body::OpenDesktop(c.bytes()?),
            POINTER => Body::Pointer { x: c.u16()?, y: c.u16()? },
            CLIPBOARD => clipboard(c)?,
            TILES => Body::Tiles(c.bytes()?),
            WORDS => Body::Words { x: c.u16()?, y: c.u16()?, width: c.u16()?, height: c.u16()?, text: c.text()? },
            CLEARED => Body::Cleared { until_us: c.varint()? },
            _ => return Err(Problem::Content("unknown event")),
        };
        body.fits(self.track)?;
        self.left -= 1;
        if self.left == 0 && (!self.rest.is_empty() || self.at_us != self.last_us) {
            return Err(Problem::Content("more than it announced"));
        }
        Ok(Event { at_us: self.at_us, channel, body })
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Result<Event<'a>, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let event = self.read();
        if event.is_err() {
            self.left = 0;
        }
        Some(event)
    }
}

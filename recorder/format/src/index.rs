//! Keyframes, the seek index, the table of channels and the end record (SPEC section 7).
use crate::{
    Track,
    damage::Problem,
    desktop::{MAX_TILES, is_size},
    event::{cut, put_bytes},
    layout::{END_PLAIN_LEN, array},
    varint::{self, Cursor},
};

/// Where a keyframe starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyframeAt {
    pub channel: u32,
    pub at_us: u64,
    pub sequence: u64,
    /// Of its first chunk, in the segment's file.
    pub offset: u64,
}

/// One channel as known when its segment ended. Segments repeat the channels of those before them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelEntry {
    pub channel: u32,
    pub opened_us: u64,
    /// Columns, rows and type of its terminal.
    pub pty: Option<(u16, u16, String)>,
    /// First bytes of its command; masked in the masked track.
    pub command: Option<Vec<u8>>,
    /// Time of its close, or of its last event.
    pub ended_us: u64,
    pub closed: bool,
    pub exit: Option<u32>,
    /// None: a shell or a command.
    pub carries: Option<Carries>,
    /// Bytes that the sealed track has, from the client and to the client.
    pub traffic: Option<(u64, u64)>,
    /// Width and height of a desktop's first picture.
    pub desktop: Option<(u16, u16)>,
}

/// What a channel moves that carries bytes and no terminal text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carries {
    Forward {
        forward: String,
        /// Masked in the masked track.
        place: String,
    },
    Files {
        how: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexEntry {
    Keyframe(KeyframeAt),
    Channel(ChannelEntry),
}

/// A channel's masked screen or a desktop's picture at one time, or a piece of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyframePart<'a> {
    pub channel: u32,
    pub cols: u16,
    pub rows: u16,
    /// From 0.
    pub part: u32,
    pub last: bool,
    /// Terminal text that paints the screen onto an empty one. Masked track only; empty with `tiles`.
    pub text: &'a str,
    /// Of a picture: a batch of its tiles; `cols` and `rows` are its width and height.
    pub tiles: Option<&'a [u8]>,
}

/// Longest text of one part.
pub const MAX_PART: usize = crate::layout::MAX_PLAIN - 32;
/// More parts than this no screen and no picture has.
pub const MAX_PARTS: u32 = 1_024;
/// Longest command kept in the table of channels.
const MAX_COMMAND: usize = 1024;
/// An index entry takes at most this many bytes.
pub(crate) const MAX_ENTRY: usize = 128 + 3 * crate::event::MAX_TEXT + MAX_COMMAND;

const KEYFRAME: u8 = 1;
const CHANNEL: u8 = 2;
const PTY: u8 = 1;
const COMMAND: u8 = 2;
const CLOSED: u8 = 4;
const EXIT: u8 = 8;
const FORWARD: u8 = 16;
const FILES: u8 = 32;
const TRAFFIC: u8 = 64;
const DESKTOP: u8 = 128;
/// Flags of a keyframe's part.
const LAST: u8 = 1;
const PICTURE: u8 = 2;

impl IndexEntry {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Keyframe(k) => {
                out.push(KEYFRAME);
                varint::put(out, k.channel.into());
                varint::put(out, k.at_us);
                varint::put(out, k.sequence);
                varint::put(out, k.offset);
            }
            Self::Channel(c) => {
                out.push(CHANNEL);
                varint::put(out, c.channel.into());
                varint::put(out, c.opened_us);
                varint::put(out, c.ended_us);
                out.push(c.flags());
                if let Some((cols, rows, term)) = &c.pty {
                    varint::put(out, (*cols).into());
                    varint::put(out, (*rows).into());
                    put_bytes(out, cut(term).as_bytes());
                }
                if let Some(command) = &c.command {
                    put_bytes(out, &command[..command.len().min(MAX_COMMAND)]);
                }
                if let Some(status) = c.exit {
                    varint::put(out, status.into());
                }
                match &c.carries {
                    None => {}
                    Some(Carries::Forward { forward, place }) => {
                        put_bytes(out, cut(forward).as_bytes());
                        put_bytes(out, cut(place).as_bytes());
                    }
                    Some(Carries::Files { how }) => put_bytes(out, cut(how).as_bytes()),
                }
                if let Some((input, output)) = c.traffic {
                    varint::put(out, input);
                    varint::put(out, output);
                }
                if let Some((width, height)) = c.desktop {
                    varint::put(out, width.into());
                    varint::put(out, height.into());
                }
            }
        }
    }

    pub(crate) fn parse_all(plain: &[u8], count: u32) -> Result<Vec<Self>, Problem> {
        let mut c = Cursor(plain);
        let mut entries = Vec::with_capacity((count as usize).min(plain.len() / 5 + 1));
        for _ in 0..count {
            entries.push(Self::parse(&mut c)?);
        }
        if c.is_empty() { Ok(entries) } else { Err(Problem::Content("more than it announced")) }
    }

    fn parse(c: &mut Cursor<'_>) -> Result<Self, Problem> {
        match c.byte()? {
            KEYFRAME => {
                Ok(Self::Keyframe(KeyframeAt { channel: c.u32()?, at_us: c.varint()?, sequence: c.varint()?, offset: c.varint()? }))
            }
            CHANNEL => {
                let mut e = ChannelEntry { channel: c.u32()?, opened_us: c.varint()?, ended_us: c.varint()?, ..ChannelEntry::default() };
                let flags = c.byte()?;
                // All eight bits have a meaning; a channel has one purpose.
                if (flags & (FORWARD | FILES | DESKTOP)).count_ones() > 1 {
                    return Err(Problem::Content("unknown flags of a channel"));
                }
                if flags & PTY != 0 {
                    e.pty = Some((c.u16()?, c.u16()?, c.text()?.to_owned()));
                }
                if flags & COMMAND != 0 {
                    e.command = Some(c.bytes()?.to_owned());
                }
                e.closed = flags & CLOSED != 0;
                if flags & EXIT != 0 {
                    e.exit = Some(c.u32()?);
                }
                if flags & FORWARD != 0 {
                    e.carries = Some(Carries::Forward { forward: c.text()?.to_owned(), place: c.text()?.to_owned() });
                }
                if flags & FILES != 0 {
                    e.carries = Some(Carries::Files { how: c.text()?.to_owned() });
                }
                if flags & TRAFFIC != 0 {
                    e.traffic = Some((c.varint()?, c.varint()?));
                }
                if flags & DESKTOP != 0 {
                    e.desktop = Some((c.u16()?, c.u16()?));
                }
                Ok(Self::Channel(e))
            }
            _ => Err(Problem::Content("unknown index entry")),
        }
    }
}

impl ChannelEntry {
    fn flags(&self) -> u8 {
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        flag(self.pty.is_some(), PTY)
            | flag(self.command.is_some(), COMMAND)
            | flag(self.closed, CLOSED)
            | flag(self.exit.is_some(), EXIT)
            | flag(matches!(self.carries, Some(Carries::Forward { .. })), FORWARD)
            | flag(matches!(self.carries, Some(Carries::Files { .. })), FILES)
            | flag(self.traffic.is_some(), TRAFFIC)
            | flag(self.desktop.is_some(), DESKTOP)
    }
}

impl<'a> KeyframePart<'a> {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        varint::put(out, self.channel.into());
        varint::put(out, self.cols.into());
        varint::put(out, self.rows.into());
        varint::put(out, self.part.into());
        out.push(u8::from(self.last) * LAST + u8::from(self.tiles.is_some()) * PICTURE);
        put_bytes(out, self.tiles.unwrap_or(self.text.as_bytes()));
    }

    pub(crate) fn parse(plain: &'a [u8], track: Track) -> Result<Self, Problem> {
        let mut c = Cursor(plain);
        let (channel, cols, rows, part) = (c.u32()?, c.u16()?, c.u16()?, c.u32()?);
        let flags = c.byte()?;
        let (text, tiles) = match flags & !LAST {
            0 if track == Track::Sealed => return Err(Problem::Content("a screen in the sealed track")),
            0 => (c.text()?, None),
            PICTURE if !is_size(cols, rows) => return Err(Problem::Content("impossible size of a picture")),
            PICTURE => ("", Some(c.bytes()?)),
            _ => return Err(Problem::Content("unknown flags of a keyframe")),
        };
        if !c.is_empty() || part >= MAX_PARTS || tiles.is_some_and(|t| t.len() > MAX_TILES) {
            return Err(Problem::Content("more than it announced"));
        }
        Ok(Self { channel, cols, rows, part, last: flags & LAST != 0, text, tiles })
    }
}

/// Why a segment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The recording ends here.
    Closed,
    /// The next segment goes on.
    Continued,
}

/// Plaintext of the final chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// File offset and sequence of the first index chunk; those of the final chunk when there is none.
    pub index_offset: u64,
    pub index_sequence: u64,
    /// Events in this segment.
    pub events: u64,
    pub reason: EndReason,
}

impl End {
    pub(crate) fn encode(&self) -> [u8; END_PLAIN_LEN] {
        let mut b = [0u8; END_PLAIN_LEN];
        b[..8].copy_from_slice(&self.index_offset.to_be_bytes());
        b[8..16].copy_from_slice(&self.index_sequence.to_be_bytes());
        b[16..24].copy_from_slice(&self.events.to_be_bytes());
        b[24] = u8::from(self.reason == EndReason::Continued);
        b
    }

    pub(crate) fn parse(b: &[u8]) -> Result<Self, Problem> {
        if b.len() != END_PLAIN_LEN || b[25..].iter().any(|x| *x != 0) {
            return Err(Problem::Content("end record"));
        }
        Ok(Self {
            index_offset: u64::from_be_bytes(array(&b[..8])),
            index_sequence: u64::from_be_bytes(array(&b[8..16])),
            events: u64::from_be_bytes(array(&b[16..24])),
            reason: match b[24] {
                0 => EndReason::Closed,
                1 => EndReason::Continued,
                _ => return Err(Problem::Content("end record")),
            },
        })
    }
}

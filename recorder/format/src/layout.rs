//! Where every byte is. `docs/spec/recording-container.md` sections 3 and 4; numbers are big-endian.
use crate::{Track, damage::Problem};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// 0x89 so that it is no text; CR LF and Ctrl-Z so that a text-mode copy shows at once (PNG's idea).
pub const MAGIC: [u8; 8] = *b"\x89ANTR\r\n\x1a";
pub const VERSION: u16 = 1;
/// zstd, AES-256-GCM, HKDF-SHA256, SHA-256.
pub const SUITE: u8 = 1;
pub const HEADER_LEN: usize = 192;
pub const FRAME_HEADER_LEN: usize = 40;
pub const HASH_LEN: usize = 32;
pub const TAG_LEN: usize = 16;
/// Largest plaintext of a chunk, in bytes.
pub const MAX_PLAIN: usize = 64 * 1024;
/// Largest body: what zstd may make of the largest plaintext, and the tag.
pub const MAX_BODY: usize = MAX_PLAIN + 512 + TAG_LEN;
pub const END_PLAIN_LEN: usize = 64;
/// Every finished segment ends with a chunk of exactly this size.
pub const END_LEN: usize = FRAME_HEADER_LEN + END_PLAIN_LEN + TAG_LEN + HASH_LEN;
/// Times are microseconds below this, so that they are exact in JSON too.
pub const MAX_TIME_US: u64 = 1 << 53;

const FINAL: u8 = 1;

pub type Hash = [u8; HASH_LEN];

impl Track {
    pub const ALL: [Self; 2] = [Self::Masked, Self::Sealed];

    pub fn code(self) -> u8 {
        match self {
            Self::Masked => 1,
            Self::Sealed => 2,
        }
    }

    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.code() == code)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Masked => "masked",
            Self::Sealed => "sealed",
        }
    }

    /// `masked.0`, `sealed.0`, and so on.
    pub fn file_name(self, segment: u32) -> String {
        format!("{}.{segment}", self.as_str())
    }

    /// `masked.0.envelope`, and so on.
    pub fn envelope_name(self, segment: u32) -> String {
        format!("{}.{segment}.envelope", self.as_str())
    }
}

/// What a chunk holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Events,
    /// A masked screen or a picture, whole: where replay can start.
    Keyframe,
    /// Where the keyframes are, and the table of channels.
    Index,
    /// The last chunk of a segment; the only one with the final flag.
    End,
}

impl Kind {
    pub fn code(self) -> u8 {
        match self {
            Self::Events => 1,
            Self::Keyframe => 2,
            Self::Index => 3,
            Self::End => 4,
        }
    }

    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Events, Self::Keyframe, Self::Index, Self::End].into_iter().find(|k| k.code() == code)
    }
}

/// First bytes of a segment, in clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentHeader {
    pub track: Track,
    /// From 0.
    pub segment: u32,
    pub session: Uuid,
    /// SHA-256 of `header.json`.
    pub recording: Hash,
    /// Chain hash at the end of the previous segment; zeros in the first.
    pub link: Hash,
    pub salt: [u8; 32],
    /// Says which key this segment was made with (AES-GCM alone does not).
    pub commitment: [u8; 32],
}

impl SegmentHeader {
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut b = [0u8; HEADER_LEN];
        b[..8].copy_from_slice(&MAGIC);
        b[8..10].copy_from_slice(&VERSION.to_be_bytes());
        b[10] = self.track.code();
        b[11] = SUITE;
        b[12..16].copy_from_slice(&self.segment.to_be_bytes());
        b[16..32].copy_from_slice(self.session.as_bytes());
        b[32..64].copy_from_slice(&self.recording);
        b[64..96].copy_from_slice(&self.link);
        b[96..128].copy_from_slice(&self.salt);
        b[128..160].copy_from_slice(&self.commitment);
        let hash = Sha256::digest(&b[..160]);
        b[160..].copy_from_slice(&hash);
        b
    }

    /// The header and its hash.
    pub fn decode(b: &[u8; HEADER_LEN]) -> Result<(Self, Hash), Problem> {
        if b[..8] != MAGIC {
            return Err(Problem::Magic);
        }
        let hash: Hash = Sha256::digest(&b[..160]).into();
        if b[160..] != hash {
            return Err(Problem::HeaderHash);
        }
        let version = u16::from_be_bytes([b[8], b[9]]);
        if version != VERSION || b[11] != SUITE {
            return Err(Problem::Version { version, suite: b[11] });
        }
        let header = Self {
            track: Track::from_code(b[10]).ok_or(Problem::Track)?,
            segment: u32::from_be_bytes(array(&b[12..16])),
            session: Uuid::from_bytes(array(&b[16..32])),
            recording: array(&b[32..64]),
            link: array(&b[64..96]),
            salt: array(&b[96..128]),
            commitment: array(&b[128..160]),
        };
        Ok((header, hash))
    }
}

/// First bytes of a chunk, in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Length of what follows up to the chain hash: ciphertext and tag.
    pub body_len: u32,
    pub kind: Kind,
    pub track: Track,
    /// From 0 in each segment.
    pub sequence: u64,
    /// Times of the first and the last event, in microseconds since the session's start.
    pub first_us: u64,
    pub last_us: u64,
    /// Length before compression.
    pub plain_len: u32,
    /// Number of events or entries.
    pub count: u32,
}

impl FrameHeader {
    pub fn is_final(&self) -> bool {
        self.kind == Kind::End
    }

    /// Length of the whole chunk in the file.
    pub fn frame_len(&self) -> u64 {
        (FRAME_HEADER_LEN + HASH_LEN) as u64 + u64::from(self.body_len)
    }

    pub fn encode(&self) -> [u8; FRAME_HEADER_LEN] {
        let mut b = [0u8; FRAME_HEADER_LEN];
        b[..4].copy_from_slice(&self.body_len.to_be_bytes());
        b[4] = self.kind.code();
        b[5] = if self.is_final() { FINAL } else { 0 };
        b[6] = self.track.code();
        b[8..16].copy_from_slice(&self.sequence.to_be_bytes());
        b[16..24].copy_from_slice(&self.first_us.to_be_bytes());
        b[24..32].copy_from_slice(&self.last_us.to_be_bytes());
        b[32..36].copy_from_slice(&self.plain_len.to_be_bytes());
        b[36..40].copy_from_slice(&self.count.to_be_bytes());
        b
    }

    /// Whether it may stand at this place: same track, next number, time not before that of the chunk before it.
    pub(crate) fn follows(&self, track: Track, sequence: u64, last_us: u64) -> Result<(), Problem> {
        if self.track != track {
            return Err(Problem::OtherTrack);
        }
        if self.sequence != sequence {
            return Err(Problem::Sequence { expected: sequence, found: self.sequence });
        }
        if self.first_us < last_us { Err(Problem::Time) } else { Ok(()) }
    }

    /// Refuses everything that no writer makes, before anything is allocated for it.
    pub fn decode(b: &[u8; FRAME_HEADER_LEN]) -> Result<Self, Problem> {
        let kind = Kind::from_code(b[4]).ok_or(Problem::Kind)?;
        let h = Self {
            body_len: u32::from_be_bytes(array(&b[..4])),
            kind,
            track: Track::from_code(b[6]).ok_or(Problem::Track)?,
            sequence: u64::from_be_bytes(array(&b[8..16])),
            first_us: u64::from_be_bytes(array(&b[16..24])),
            last_us: u64::from_be_bytes(array(&b[24..32])),
            plain_len: u32::from_be_bytes(array(&b[32..36])),
            count: u32::from_be_bytes(array(&b[36..40])),
        };
        if b[7] != 0 || b[5] != u8::from(h.is_final()) * FINAL {
            return Err(Problem::Flags);
        }
        let (body, plain) = (h.body_len as usize, h.plain_len as usize);
        let fits = body > TAG_LEN && body <= MAX_BODY && plain > 0 && plain <= MAX_PLAIN;
        if !fits || (kind == Kind::End && (plain != END_PLAIN_LEN || body != END_PLAIN_LEN + TAG_LEN)) {
            return Err(Problem::Length);
        }
        if h.count == 0 || h.count as usize > MAX_PLAIN {
            return Err(Problem::Count);
        }
        if h.first_us > h.last_us || h.last_us >= MAX_TIME_US {
            return Err(Problem::Time);
        }
        Ok(h)
    }
}

/// Chain hash of a chunk: SHA-256 over the one before it, the chunk's header and its ciphertext. No key is needed to check it.
pub fn chain_hash(previous: &Hash, header: &[u8; FRAME_HEADER_LEN], body: &[u8]) -> Hash {
    Sha256::new().chain_update(previous).chain_update(header).chain_update(body).finalize().into()
}

/// Callers slice exactly `N` bytes; anything else would be a mistake in this crate and gives zeros.
pub(crate) fn array<const N: usize>(b: &[u8]) -> [u8; N] {
    b.try_into().unwrap_or([0; N])
}

//! Releasing an interval: the keys of its chunks, wrapped to one recipient (SPEC section 11). Nobody but the unsealer can make one that
//! opens anything; nobody but its recipient can read one.
use crate::{
    PrivateKey, PublicKey,
    chain::{ReadError, read_up_to},
    crypt::ChunkKey,
    damage::Problem,
    hpke_base,
    layout::{FRAME_HEADER_LEN, FrameHeader, HASH_LEN, HEADER_LEN, Hash, Kind, SegmentHeader, array, chain_hash},
    opener::Wrapped,
    reader::{Content, Unpacker},
};
use anteroom_domain::{
    Moment, SessionId, UnmaskId,
    canonical::{self, CanonicalError},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hpke::rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use std::io::{Read, Seek, SeekFrom};
use zeroize::Zeroizing;

const INFO: &[u8] = b"anteroom recording v1 release";
/// Segment, sequence, offset and key.
const ENTRY_LEN: usize = 4 + 8 + 8 + 32;
/// Chunks that one release may hold: more than an hour of a busy session.
pub const MAX_RELEASED: usize = 65_536;

#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    #[error("another format than {}", Release::FORMAT)]
    Format,
    #[error("is not for this key")]
    NotForKey,
    #[error("does not open: changed, or made for another key")]
    Open,
    #[error("does not list the chunks that it announces")]
    Chunks,
    #[error("holds more than {MAX_RELEASED} chunks")]
    TooMany,
    #[error("wrapping failed")]
    Seal,
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// What is released, in clear. Says nothing about what the chunks hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseContent {
    /// Always [`Release::FORMAT`].
    pub format: String,
    pub unmask: UnmaskId,
    pub session: SessionId,
    /// Hash of the recording's `header.json`, hex.
    pub header_sha256: String,
    /// Microseconds since the session's start; the interval is `from_us..=until_us`.
    pub from_us: u64,
    pub until_us: u64,
    /// [`PublicKey::id`] of the recipient.
    pub recipient: String,
    /// Who has the keys forgets them now.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: Moment,
    pub chunks: u32,
}

/// The whole: what it is, and the keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    pub content: ReleaseContent,
    /// HPKE encapsulated key, base64.
    pub enc: String,
    /// HPKE ciphertext of the chunks' keys, base64.
    pub ct: String,
}

/// One chunk that may be opened.
#[derive(Clone)]
pub struct ReleasedChunk {
    pub segment: u32,
    pub sequence: u64,
    /// Where it starts in the segment's file. Only a hint: what lies there decrypts, or it does not.
    pub offset: u64,
    pub key: ChunkKey,
}

impl std::fmt::Debug for ReleasedChunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReleasedChunk").field("segment", &self.segment).field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

impl Release {
    pub const FORMAT: &str = "anteroom-release-v1";

    /// Wraps `chunks`, which are in order, to `recipient`; `content` gets its format, its recipient and its number of chunks from here.
    pub fn seal(
        content: ReleaseContent,
        chunks: &[ReleasedChunk],
        recipient: &PublicKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, ReleaseError> {
        if chunks.len() > MAX_RELEASED {
            return Err(ReleaseError::TooMany);
        }
        let content = ReleaseContent { format: Self::FORMAT.into(), recipient: recipient.id(), chunks: chunks.len() as u32, ..content };
        let mut plain = Zeroizing::new(Vec::with_capacity(chunks.len() * ENTRY_LEN));
        for c in chunks {
            plain.extend_from_slice(&c.segment.to_be_bytes());
            plain.extend_from_slice(&c.sequence.to_be_bytes());
            plain.extend_from_slice(&c.offset.to_be_bytes());
            plain.extend_from_slice(c.key.as_slice());
        }
        let aad = canonical::to_vec(&content)?;
        let (enc, ct) = hpke_base::seal(recipient, &plain, INFO, &aad, rng).ok_or(ReleaseError::Seal)?;
        Ok(Self { content, enc: BASE64.encode(enc), ct: BASE64.encode(ct) })
    }

    /// The keys, for who has the recipient's private key.
    pub fn open(&self, key: &PrivateKey) -> Result<Vec<ReleasedChunk>, ReleaseError> {
        if self.content.format != Self::FORMAT {
            return Err(ReleaseError::Format);
        }
        if self.content.recipient != key.public().id() {
            return Err(ReleaseError::NotForKey);
        }
        let announced = self.content.chunks as usize;
        if announced > MAX_RELEASED || self.ct.len() > (announced * ENTRY_LEN + 16).div_ceil(3) * 4 {
            return Err(ReleaseError::TooMany);
        }
        let enc = BASE64.decode(&self.enc).map_err(|_| ReleaseError::Open)?;
        let ct = BASE64.decode(&self.ct).map_err(|_| ReleaseError::Open)?;
        let aad = canonical::to_vec(&self.content)?;
        let wrapped = Wrapped { enc: &enc, ct: &ct, info: INFO, aad: &aad };
        let plain = key.open_any(&wrapped).map_err(|_| ReleaseError::Open)?;
        let chunks: Vec<_> = plain.chunks_exact(ENTRY_LEN).map(entry).collect();
        let in_order = chunks.windows(2).all(|w| (w[0].segment, w[0].sequence) < (w[1].segment, w[1].sequence));
        if plain.len() == announced * ENTRY_LEN && in_order { Ok(chunks) } else { Err(ReleaseError::Chunks) }
    }
}

fn entry(b: &[u8]) -> ReleasedChunk {
    ReleasedChunk {
        segment: u32::from_be_bytes(array(&b[..4])),
        sequence: u64::from_be_bytes(array(&b[4..12])),
        offset: u64::from_be_bytes(array(&b[12..20])),
        key: Zeroizing::new(array(&b[20..])),
    }
}

/// Reads chunks of a segment of which no more than their own keys are known.
#[derive(Debug)]
pub struct ReleasedReader<R> {
    source: R,
    header: SegmentHeader,
    id: Hash,
    unpacker: Unpacker,
    body: Vec<u8>,
}

impl<R: Read + Seek> ReleasedReader<R> {
    pub fn open(mut source: R) -> Result<Self, ReadError> {
        let mut bytes = [0u8; HEADER_LEN];
        source.seek(SeekFrom::Start(0))?;
        if read_up_to(&mut source, &mut bytes)? < HEADER_LEN {
            return Err(Problem::Truncated.at(None, 0).into());
        }
        let (header, id) = SegmentHeader::decode(&bytes).map_err(|p| p.at(None, 0))?;
        Ok(Self { source, header, id, unpacker: Unpacker::new()?, body: Vec::new() })
    }

    pub fn header(&self) -> &SegmentHeader {
        &self.header
    }

    /// Decrypts one chunk: its place, its header and the chain hash before it are authenticated by that.
    pub fn chunk(&mut self, at: &ReleasedChunk) -> Result<(FrameHeader, Content<'_>), ReadError> {
        let bad = |p: Problem| ReadError::from(p.at(Some(at.sequence), at.offset));
        let before = at.offset.checked_sub(HASH_LEN as u64).filter(|b| *b + HASH_LEN as u64 >= HEADER_LEN as u64);
        self.source.seek(SeekFrom::Start(before.ok_or_else(|| bad(Problem::Content("offset outside the segment")))?))?;
        let (mut previous, mut frame) = ([0u8; HASH_LEN], [0u8; FRAME_HEADER_LEN]);
        if read_up_to(&mut self.source, &mut previous)? < HASH_LEN || read_up_to(&mut self.source, &mut frame)? < FRAME_HEADER_LEN {
            return Err(bad(Problem::Truncated));
        }
        let header = FrameHeader::decode(&frame).map_err(bad)?;
        header.follows(self.header.track, at.sequence, 0).map_err(bad)?;
        if !matches!(header.kind, Kind::Events | Kind::Keyframe) {
            return Err(bad(Problem::Kind));
        }
        self.body.resize(header.body_len as usize, 0);
        let mut hash = [0u8; HASH_LEN];
        if read_up_to(&mut self.source, &mut self.body)? < self.body.len() || read_up_to(&mut self.source, &mut hash)? < HASH_LEN {
            return Err(bad(Problem::Truncated));
        }
        if chain_hash(&previous, &frame, &self.body) != hash {
            return Err(bad(Problem::Chain));
        }
        let content = self.unpacker.open(&at.key, &self.id, &header, &previous, &mut self.body).map_err(bad)?;
        Ok((header, content))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use hpke::rand_core::{TryCryptoRng, TryRng};

    /// The same bytes each time: tests only.
    struct Counting(u8);
    impl TryRng for Counting {
        type Error = std::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(u32::from(self.0))
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(u64::from(self.0))
        }
        fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Self::Error> {
            self.0 += 1;
            to.fill(self.0);
            Ok(())
        }
    }
    impl TryCryptoRng for Counting {}

    fn content() -> ReleaseContent {
        ReleaseContent {
            format: String::new(),
            unmask: UnmaskId(uuid::Uuid::from_u128(1)),
            session: SessionId(uuid::Uuid::from_u128(2)),
            header_sha256: "ab".repeat(32),
            from_us: 5,
            until_us: 9,
            recipient: String::new(),
            expires_at: Moment::from_unix_timestamp(1_800_000_000).unwrap(),
            chunks: 0,
        }
    }

    fn chunks() -> Vec<ReleasedChunk> {
        [(0, 3), (0, 4), (1, 0)]
            .map(|(segment, sequence)| ReleasedChunk { segment, sequence, offset: 192, key: Zeroizing::new([7; 32]) })
            .into()
    }

    #[test]
    fn the_recipient_reads_it_and_nobody_else() {
        let (hers, his) = (PrivateKey::from_seed(&[1; 32]), PrivateKey::from_seed(&[2; 32]));
        let release = Release::seal(content(), &chunks(), hers.public(), &mut Counting(0)).unwrap();
        let opened = release.open(&hers).unwrap();
        assert_eq!(
            opened.iter().map(|c| (c.segment, c.sequence, c.offset, *c.key)).collect::<Vec<_>>(),
            [(0, 3, 192, [7; 32]), (0, 4, 192, [7; 32]), (1, 0, 192, [7; 32])]
        );
        assert!(matches!(release.open(&his), Err(ReleaseError::NotForKey)));
        let renamed = Release { content: ReleaseContent { recipient: his.public().id(), ..release.content.clone() }, ..release };
        assert!(matches!(renamed.open(&his), Err(ReleaseError::Open)));
    }

    #[test]
    fn what_it_says_about_itself_cannot_be_changed() {
        let key = PrivateKey::from_seed(&[1; 32]);
        let release = Release::seal(content(), &chunks(), key.public(), &mut Counting(0)).unwrap();
        let good = release.content.clone();
        for changed in [
            ReleaseContent { from_us: 4, ..good.clone() },
            ReleaseContent { until_us: 10, ..good.clone() },
            ReleaseContent { session: SessionId(uuid::Uuid::from_u128(3)), ..good.clone() },
            ReleaseContent { unmask: UnmaskId(uuid::Uuid::from_u128(3)), ..good.clone() },
            ReleaseContent { header_sha256: "cd".repeat(32), ..good.clone() },
            ReleaseContent { expires_at: good.expires_at + std::time::Duration::from_secs(1), ..good.clone() },
        ] {
            let release = Release { content: changed, ..release.clone() };
            assert!(matches!(release.open(&key), Err(ReleaseError::Open)));
        }
        let fewer = Release { content: ReleaseContent { chunks: 2, ..good }, ..release };
        assert!(matches!(fewer.open(&key), Err(ReleaseError::TooMany)));
    }

    #[test]
    fn chunks_out_of_order_are_no_release() {
        let key = PrivateKey::from_seed(&[1; 32]);
        let mut twice = chunks();
        twice[1] = twice[0].clone();
        let release = Release::seal(content(), &twice, key.public(), &mut Counting(0)).unwrap();
        assert!(matches!(release.open(&key), Err(ReleaseError::Chunks)));
    }
}

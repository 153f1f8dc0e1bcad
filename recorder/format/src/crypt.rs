//! Keys of a segment and the sealing of one chunk (SPEC section 5).
use crate::{
    damage::Problem,
    layout::{FRAME_HEADER_LEN, FrameHeader, Hash, TAG_LEN},
};
use anteroom_domain::Secret;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const COMMIT: &[u8] = b"anteroom recording v1 commitment";
const CHUNK: &[u8] = b"anteroom recording v1 chunk";

/// A segment's data key: 32 random bytes, used for one segment only.
pub type SegmentKey = Secret<[u8; 32]>;

/// The key of a single chunk. It opens that chunk and nothing else, so it can be given away.
pub type ChunkKey = Zeroizing<[u8; 32]>;

/// The expanded form of a segment's key.
pub struct SegmentSecret(Hkdf<Sha256>);

impl std::fmt::Debug for SegmentSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SegmentSecret(..)")
    }
}

impl SegmentSecret {
    pub fn new(key: &SegmentKey, salt: &[u8; 32]) -> Self {
        Self(Hkdf::new(Some(salt), key.expose()))
    }

    /// What the segment's header says about the key: only this key (and salt) has it.
    pub fn commitment(&self) -> [u8; 32] {
        *self.expand(&[COMMIT])
    }

    pub fn commits_to(&self, commitment: &[u8; 32]) -> bool {
        self.commitment().ct_eq(commitment).into()
    }

    pub fn chunk_key(&self, sequence: u64) -> ChunkKey {
        self.expand(&[CHUNK, &sequence.to_be_bytes()])
    }

    fn expand(&self, info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut out = Zeroizing::new([0u8; 32]);
        // HKDF-SHA256 fails above 8,160 bytes of output only (RFC 5869 section 2.3); zeros would then fail every commitment check.
        if self.0.expand_multi_info(info, out.as_mut_slice()).is_err() {
            debug_assert!(false, "32 bytes are always possible");
        }
        out
    }
}

/// STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015): 11 bytes of counter, one byte that is 1 in the last chunk only.
fn nonce(h: &FrameHeader) -> Nonce {
    let mut n = [0u8; 12];
    n[3..11].copy_from_slice(&h.sequence.to_be_bytes());
    n[11] = u8::from(h.is_final());
    // Each chunk has a key of its own, which seals this once.
    Nonce::assume_unique_for_key(n)
}

fn aad(segment: &Hash, frame: &[u8; FRAME_HEADER_LEN], previous: &Hash) -> [u8; 104] {
    let mut a = [0u8; 104];
    a[..32].copy_from_slice(segment);
    a[32..72].copy_from_slice(frame);
    a[72..].copy_from_slice(previous);
    a
}

/// Encrypts `body` in place; the last [`TAG_LEN`] bytes of it are room for the tag.
pub(crate) fn seal(
    key: &ChunkKey,
    segment: &Hash,
    h: &FrameHeader,
    frame: &[u8; FRAME_HEADER_LEN],
    previous: &Hash,
    body: &mut [u8],
) -> Result<(), Problem> {
    let at = body.len().checked_sub(TAG_LEN).ok_or(Problem::Length)?;
    let (text, room) = body.split_at_mut(at);
    let tag =
        cipher(key)?.seal_in_place_separate_tag(nonce(h), Aad::from(aad(segment, frame, previous)), text).map_err(|_| Problem::Cipher)?;
    room.copy_from_slice(tag.as_ref());
    Ok(())
}

/// Decrypts `body` in place and returns the part that is plaintext.
pub(crate) fn open<'a>(key: &ChunkKey, segment: &Hash, h: &FrameHeader, previous: &Hash, body: &'a mut [u8]) -> Result<&'a [u8], Problem> {
    if body.len() < TAG_LEN {
        return Err(Problem::Length);
    }
    let text = cipher(key)?.open_in_place(nonce(h), Aad::from(aad(segment, &h.encode(), previous)), body).map_err(|_| Problem::Cipher)?;
    Ok(text)
}

/// AWS-LC: of the libraries here the one that uses a CPU's widest AES instructions; the rest of its time is SHA-256.
fn cipher(key: &ChunkKey) -> Result<LessSafeKey, Problem> {
    UnboundKey::new(&AES_256_GCM, key.as_slice()).map(LessSafeKey::new).map_err(|_| Problem::Cipher)
}

//! Envelopes: a segment's data key, wrapped to whom may open it (SPEC section 8). Rotation rewrites them, shredding deletes them;
//! the segment never changes.
use crate::{
    PublicKey, Track,
    crypt::{SegmentKey, SegmentSecret},
    hpke_base,
    layout::SegmentHeader,
    opener::{OpenError, Opener, Share, Wrapped},
    strict::{self, FormError},
};
use anteroom_domain::{Secret, SessionId};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hpke::rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

const INFO: &[u8] = b"anteroom recording v1 envelope";
/// More shares are no container of ours.
pub const MAX_SHARES: u8 = 16;
/// More recipients are no envelope but a load.
pub const MAX_WRAPS: usize = 64;
/// Base64 of an uncompressed point of P-256.
const MAX_ENC: usize = 88;
/// Base64 of a share and its tag.
const MAX_CT: usize = 64;

#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    #[error(transparent)]
    Form(#[from] FormError),
    #[error("belongs to another segment")]
    OtherSegment,
    #[error("is not for this key")]
    NotForKey,
    #[error("does not open: changed, or made for another segment")]
    Open,
    #[error("the key cannot be used: {0}")]
    Away(String),
    #[error("share {0} is missing")]
    MissingShare(u8),
    #[error("shares do not make the segment's key")]
    WrongShares,
    #[error("this key has another share of it already: one holder would open alone what takes two")]
    TwoShares,
    #[error("wrapping failed")]
    Seal,
    #[error("has {MAX_SHARES} shares and {MAX_WRAPS} wraps at most, each of a share that it has")]
    Bounds,
}

/// One share for one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrap {
    /// From 0.
    pub share: u8,
    /// [`PublicKey::id`] of the recipient.
    pub recipient: String,
    /// HPKE encapsulated key, base64.
    pub enc: String,
    /// HPKE ciphertext of the share's 32 bytes, base64.
    pub ct: String,
}

/// The file `masked.0.envelope`, and so on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// Always [`Envelope::FORMAT`].
    pub format: String,
    pub session: SessionId,
    pub track: Track,
    pub segment: u32,
    /// Key commitment of the segment's header, hex: ties the two together.
    pub commitment: String,
    /// The data key is the XOR of this many shares.
    pub shares: u8,
    pub wraps: Vec<Wrap>,
}

impl From<OpenError> for EnvelopeError {
    fn from(e: OpenError) -> Self {
        match e {
            OpenError::Refused => Self::Open,
            OpenError::Away(why) => Self::Away(why),
        }
    }
}

impl Envelope {
    pub const FORMAT: &str = "anteroom-envelope-v1";

    /// Splits `key` into one share a group of `holders` and wraps each to every key of its group: `[[a]]` is one recipient,
    /// `[[a], [b]]` needs both.
    pub fn wrap(
        header: &SegmentHeader,
        key: &SegmentKey,
        holders: &[&[PublicKey]],
        rng: &mut impl CryptoRng,
    ) -> Result<Self, EnvelopeError> {
        let shares = u8::try_from(holders.len()).ok().filter(|n| *n > 0).ok_or(EnvelopeError::Seal)?;
        let mut rest = Zeroizing::new(*key.expose());
        let mut wraps = Vec::new();
        for (i, group) in (0u8..).zip(holders) {
            let mut share = Zeroizing::new([0u8; 32]);
            if i + 1 == shares {
                *share = *rest;
            } else {
                rng.fill_bytes(share.as_mut_slice());
                rest.iter_mut().zip(share.iter()).for_each(|(r, s)| *r ^= s);
            }
            for recipient in *group {
                wraps.push(wrap(recipient, i, &share, &aad(header, i, shares), rng)?);
            }
        }
        let (session, commitment) = (header.session.into(), crate::hex(&header.commitment));
        Self { format: Self::FORMAT.into(), session, track: header.track, segment: header.segment, commitment, shares, wraps }.bounded()
    }

    /// The file. It carries a checksum of itself, so that damage shows without keys.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EnvelopeError> {
        Ok(strict::encode_checked(self)?)
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let e: Self = strict::decode_checked(bytes)?;
        if e.format != Self::FORMAT {
            return Err(FormError::Format(Self::FORMAT).into());
        }
        e.bounded()
    }

    fn bounded(self) -> Result<Self, EnvelopeError> {
        let fits = |w: &Wrap| w.share < self.shares && w.enc.len() <= MAX_ENC && w.ct.len() <= MAX_CT && w.recipient.len() == 32;
        let good = (1..=MAX_SHARES).contains(&self.shares) && self.wraps.len() <= MAX_WRAPS && self.wraps.iter().all(fits);
        if good { Ok(self) } else { Err(EnvelopeError::Bounds) }
    }

    /// Whether it belongs to the segment with this header.
    pub fn belongs_to(&self, h: &SegmentHeader) -> bool {
        self.session.0 == h.session && self.track == h.track && self.segment == h.segment && self.commitment == crate::hex(&h.commitment)
    }

    /// Opens the share that is for `key`.
    pub fn open_share(&self, header: &SegmentHeader, key: &dyn Opener) -> Result<(u8, Share), EnvelopeError> {
        if !self.belongs_to(header) {
            return Err(EnvelopeError::OtherSegment);
        }
        let id = key.public().id();
        let wrap = self.wraps.iter().find(|w| w.recipient == id).ok_or(EnvelopeError::NotForKey)?;
        let enc = BASE64.decode(&wrap.enc).map_err(|_| EnvelopeError::Open)?;
        let ct = BASE64.decode(&wrap.ct).map_err(|_| EnvelopeError::Open)?;
        let aad = aad(header, wrap.share, self.shares);
        Ok((wrap.share, key.open(&Wrapped { enc: &enc, ct: &ct, info: INFO, aad: &aad })?))
    }

    /// Which share is wrapped to the key with this [`PublicKey::id`].
    pub fn share_for(&self, recipient: &str) -> Option<u8> {
        self.wraps.iter().find(|w| w.recipient == recipient).map(|w| w.share)
    }

    /// To whom it is wrapped, each once: [`PublicKey::id`].
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        let before = |n: usize, id: &str| self.wraps[..n].iter().any(|w| w.recipient == id);
        self.wraps.iter().enumerate().filter(move |(n, w)| !before(*n, &w.recipient)).map(|(_, w)| w.recipient.as_str())
    }

    /// Rotation: the share that `old` opens is wrapped to each of `new` as well, and no longer to `old` unless `keep`. The other shares
    /// stay as they are; their holders rotate them themselves.
    pub fn rewrap(
        &self,
        header: &SegmentHeader,
        old: &dyn Opener,
        new: &[PublicKey],
        keep: bool,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, EnvelopeError> {
        let (number, share) = self.open_share(header, old)?;
        if self.shares == 1 {
            // An only share is the key itself: a wrong one must not replace a right one.
            self.combine(header, &[(number, share.clone())])?;
        }
        let (mut next, gone) = (self.clone(), old.public().id());
        for recipient in new.iter().filter(|r| r.id() != gone) {
            let id = recipient.id();
            // Whoever holds two shares opens alone what takes two.
            if next.wraps.iter().any(|w| w.recipient == id && w.share != number) {
                return Err(EnvelopeError::TwoShares);
            }
            // What is there for it already may not open: only what was wrapped here replaces the old.
            next.wraps.retain(|w| w.recipient != id);
            next.wraps.push(wrap(recipient, number, share.expose(), &aad(header, number, self.shares), rng)?);
        }
        if !keep && new.iter().all(|r| r.id() != gone) {
            next.wraps.retain(|w| w.recipient != gone);
        }
        if next.wraps.iter().any(|w| w.share == number) { next.bounded() } else { Err(EnvelopeError::MissingShare(number)) }
    }

    /// Puts the shares together. The result is checked against the header's commitment.
    pub fn combine(&self, header: &SegmentHeader, shares: &[(u8, Share)]) -> Result<SegmentKey, EnvelopeError> {
        let mut key = Zeroizing::new([0u8; 32]);
        for i in 0..self.shares {
            let (_, share) = shares.iter().find(|(n, _)| *n == i).ok_or(EnvelopeError::MissingShare(i))?;
            key.iter_mut().zip(share.expose()).for_each(|(k, s)| *k ^= s);
        }
        let key = Secret::new(*key);
        if SegmentSecret::new(&key, &header.salt).commits_to(&header.commitment) { Ok(key) } else { Err(EnvelopeError::WrongShares) }
    }

    /// For a track with one recipient.
    pub fn open(&self, header: &SegmentHeader, key: &dyn Opener) -> Result<SegmentKey, EnvelopeError> {
        let share = self.open_share(header, key)?;
        self.combine(header, &[share])
    }
}

fn wrap(to: &PublicKey, share: u8, secret: &[u8; 32], aad: &[u8], rng: &mut impl CryptoRng) -> Result<Wrap, EnvelopeError> {
    let (enc, ct) = hpke_base::seal(to, secret, INFO, aad, rng).ok_or(EnvelopeError::Seal)?;
    Ok(Wrap { share, recipient: to.id(), enc: BASE64.encode(enc), ct: BASE64.encode(ct) })
}

/// Ties a share to its place: session, track, segment, share number and count, and the key's commitment.
fn aad(h: &SegmentHeader, share: u8, shares: u8) -> Vec<u8> {
    let mut a = Vec::with_capacity(55);
    a.extend_from_slice(h.session.as_bytes());
    a.push(h.track.code());
    a.extend_from_slice(&h.segment.to_be_bytes());
    a.extend_from_slice(&[share, shares]);
    a.extend_from_slice(&h.commitment);
    a
}

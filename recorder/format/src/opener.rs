//! The seam between envelopes and whoever keeps a private key: memory, a token, one day a service.
use crate::PublicKey;
use anteroom_domain::Secret;
use std::fmt;

/// A share of a segment's key, opened by its holder.
pub type Share = Secret<[u8; 32]>;

/// One HPKE message (RFC 9180 section 6.1, base mode): everything that opening needs beside the private key.
#[derive(Debug, Clone, Copy)]
pub struct Wrapped<'a> {
    /// Encapsulated key: a public key of the recipient's curve.
    pub enc: &'a [u8],
    pub ct: &'a [u8],
    pub info: &'a [u8],
    pub aad: &'a [u8],
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Says nothing about why, like every AEAD.
    #[error("does not open: changed, or made for another segment")]
    Refused,
    /// The key could not be asked: a token that is away, a PIN that is wrong. Nothing is wrong with the wrap.
    #[error("{0}")]
    Away(String),
}

/// Opens what was wrapped to one public key. Blocking: a token may take milliseconds, a service longer.
pub trait Opener: Send + Sync + fmt::Debug {
    fn public(&self) -> &PublicKey;

    /// The share, if it was wrapped to [`public`](Self::public) with this `info` and `aad`.
    fn open(&self, wrapped: &Wrapped<'_>) -> Result<Share, OpenError>;
}

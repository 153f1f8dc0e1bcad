//! Why a desktop cannot be recorded any further.

/// What a frame had that the picture cannot follow. Names kinds, never what is on the screen; whoever records ends the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Bytes that the protocol does not allow.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// Allowed by the protocol, but nothing that was agreed to: it cannot be shown, so it cannot be recorded.
    #[error("{0} cannot be recorded")]
    Unknown(&'static str),
    /// More pixels, bytes or work than one session may ask for.
    #[error("{0} beyond the limits of a recording")]
    Limit(&'static str),
    /// The decoder failed in a way nobody foresaw. It is done.
    #[error("the decoder failed")]
    Failed,
}

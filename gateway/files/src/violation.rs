use std::fmt;

/// Whose bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Client,
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "the client",
            Self::Target => "the target",
        })
    }
}

/// Why the channel has to end. The text is for the person, and has no path in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    #[error("{side} sent an sftp packet of {length} bytes; at most {} are taken", crate::MAX_PACKET)]
    TooLong { side: Side, length: u32 },
    #[error("{side} broke the sftp protocol: {what}")]
    Sftp { side: Side, what: &'static str },
    #[error("{side} broke the scp protocol: {what}")]
    Scp { side: Side, what: &'static str },
    #[error("{0}")]
    NotGranted(&'static str),
    #[error("the client went on after {0} refused requests")]
    Refusals(u32),
}

use std::fmt;

/// Who sent what broke a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    Client,
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Target => "target",
        })
    }
}

/// Something came that must end the session: undecodable, unknown, or against what was negotiated.
/// `what` is a short fixed name for the audit: never bytes of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{side} sent what this gateway does not let pass: {what}")]
pub struct Violation {
    pub side: Side,
    pub what: &'static str,
}

/// A rule broken, before it is said by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) &'static str);

impl Broken {
    pub(crate) fn by(self, side: Side) -> Violation {
        Violation { side, what: self.0 }
    }
}

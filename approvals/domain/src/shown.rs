//! What of a recording can be searched for.
use serde::{Deserialize, Serialize};

/// Where a line of a recording comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// It stood on a screen, or in the output of a command.
    Screen,
    /// The command line of an exec.
    Command,
    /// The path of a file that was moved.
    File,
    /// Where a forward went.
    Forward,
    /// What the gateway or a supervisor said.
    Note,
}

impl LineKind {
    pub const ALL: [Self; 5] = [Self::Screen, Self::Command, Self::File, Self::Forward, Self::Note];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Screen => "screen",
            Self::Command => "command",
            Self::File => "file",
            Self::Forward => "forward",
            Self::Note => "note",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_kinds() {
        for kind in LineKind::ALL {
            assert_eq!(LineKind::from_name(kind.as_str()), Some(kind));
        }
        assert_eq!(LineKind::from_name("input"), None);
    }
}

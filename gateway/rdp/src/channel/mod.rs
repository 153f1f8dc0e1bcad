//! What passes on each channel.

pub(crate) mod clipboard;
pub(crate) mod devices;
pub(crate) mod dynamic;
pub(crate) mod graphics;
pub(crate) mod zgfx;

use crate::{action::Seen, violation::Side};

/// What a channel wants done: whole messages of that channel, and facts.
#[derive(Debug, PartialEq)]
pub(crate) enum Said {
    To(Side, Vec<u8>),
    Saw(Seen),
    /// A short fixed or foreign name of what was kept from passing.
    Denied(String),
}

pub(crate) type Turn = Vec<Said>;

impl Side {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Client => Self::Target,
            Self::Target => Self::Client,
        }
    }
}

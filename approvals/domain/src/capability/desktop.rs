//! What goes along with a desktop.
use super::{
    CapabilityError,
    files::{parse_size, size},
};
use std::fmt;

/// Text over the clipboard, one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClipboardRule(Option<u64>);

impl ClipboardRule {
    /// Most text at once, in bytes of UTF-8, whatever a rule says.
    pub const MOST: u64 = 1 << 20;

    pub(super) fn parse(what: &'static str, rest: Option<&str>) -> Result<Self, CapabilityError> {
        let Some(rest) = rest else { return Ok(Self(None)) };
        let max = rest.trim().strip_prefix("max=").and_then(parse_size).filter(|n| (1..=Self::MOST).contains(n));
        max.map(|n| Self(Some(n))).ok_or(CapabilityError::Clipboard(what))
    }

    /// Bytes of UTF-8 at once.
    pub fn most(self) -> u64 {
        self.0.unwrap_or(Self::MOST)
    }
}

impl fmt::Display for ClipboardRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |max| write!(f, ":max={}", size(max)))
    }
}

/// A kind of thing on the client's side that a desktop may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Redirect {
    Drives,
    Printers,
    SmartCards,
    /// Serial and parallel.
    Ports,
    Usb,
    /// What the desktop plays.
    AudioOut,
    /// The client's microphone.
    AudioIn,
}

impl Redirect {
    pub const ALL: [Self; 7] = [Self::Drives, Self::Printers, Self::SmartCards, Self::Ports, Self::Usb, Self::AudioOut, Self::AudioIn];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drives => "drives",
            Self::Printers => "printers",
            Self::SmartCards => "smart-cards",
            Self::Ports => "ports",
            Self::Usb => "usb",
            Self::AudioOut => "audio-out",
            Self::AudioIn => "audio-in",
        }
    }

    pub fn from_name(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == s)
    }
}

/// A dynamic channel's name (MS-RDPEDYC 2.2.2.1), compared byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelName(String);

impl ChannelName {
    pub(super) fn new(name: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:{}".contains(c);
        (!name.is_empty() && name.len() <= 100 && name.chars().all(plain)).then(|| Self(name.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

//! What the policy is asked.
use anteroom_domain::{AccountName, Capabilities, Moment, Person, Posture, Target};
use std::{fmt, net::IpAddr, str::FromStr};
use time::Duration;

/// Cedar's action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ask {
    /// May they ask for it at all, and what will be asked in return?
    Request,
    /// May this connection, or this running session, be?
    Connect,
    /// May they take it without an approval, in an emergency?
    BreakGlass,
    /// May they watch sessions on it?
    Supervise,
}

impl Ask {
    pub const ALL: [Self; 4] = [Self::Request, Self::Connect, Self::BreakGlass, Self::Supervise];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Connect => "connect",
            Self::BreakGlass => "break_glass",
            Self::Supervise => "supervise",
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Ask {
    type Err = &'static str;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|a| a.as_str() == s).ok_or("there are request, connect, break_glass and supervise")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorKind {
    Passkey,
    Certificate,
    SecurityKey,
    Remembered,
    Card,
}

impl FactorKind {
    pub const ALL: [Self; 5] = [Self::Passkey, Self::Certificate, Self::SecurityKey, Self::Remembered, Self::Card];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passkey => "passkey",
            Self::Certificate => "certificate",
            Self::SecurityKey => "security_key",
            Self::Remembered => "remembered",
            Self::Card => "card",
        }
    }

    /// Such a factor is given for one connection: however old policy lets one be, no other is asked for.
    pub fn is_of_now(self) -> bool {
        matches!(self, Self::Passkey | Self::SecurityKey | Self::Card)
    }
}

impl FromStr for FactorKind {
    type Err = &'static str;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|k| k.as_str() == s).ok_or("there are passkey, certificate, security_key, remembered and card")
    }
}

/// A second factor and how long ago the person gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factor {
    pub kind: FactorKind,
    pub age: Duration,
}

impl Factor {
    /// A passkey that signs just now.
    pub const NEW_PASSKEY: Self = Self { kind: FactorKind::Passkey, age: Duration::ZERO };
}

/// Everything a policy can see.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    pub ask: Ask,
    pub person: &'a Person,
    pub target: &'a Target,
    pub account: &'a AccountName,
    pub capabilities: &'a Capabilities,
    /// How long it is asked for; of a grant, how long it is in all.
    pub lasts: Duration,
    pub source: Option<IpAddr>,
    pub factor: Option<Factor>,
    pub posture: Option<&'a Posture>,
    pub break_glass: bool,
    pub now: Moment,
}

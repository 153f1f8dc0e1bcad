//! What the menu is told and what it asks for, in plain texts and numbers.

/// Entries of a [`View`] that are shown; what comes after them in the vector is left out.
pub const MAX_ENTRIES: usize = 10_000;

/// Facts about one person at one moment. Each replaces the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Who has signed in, as they are addressed.
    pub person: String,
    /// What stands after the last `@` in an ssh command for this gateway.
    pub bastion: String,
    /// Of the gateway; 22 and 0 need no mention.
    pub port: u16,
    /// The wall clock when these facts were gathered: seconds since 1970-01-01 UTC. All moments below are in the same unit.
    pub unix_seconds: u64,
    /// In any order; at most one for each account of each target.
    pub entries: Vec<Entry>,
}

/// One account of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub target: String,
    pub account: String,
    /// For example: kind of device, ward, whether it is in clinical use.
    pub description: String,
    pub state: State,
    /// What may be asked for, as capability texts. Empty: nothing may, and the form does not open.
    pub capabilities: Vec<String>,
    /// The longest time that may be asked for.
    pub max_minutes: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// A grant is in force.
    Live {
        ends_at: u64,
        approved_by: Option<String>,
    },
    /// A grant that is approved and begins later.
    NotBegun {
        begins_at: u64,
        ends_at: u64,
        approved_by: Option<String>,
    },
    Pending {
        request: String,
        since: u64,
    },
    /// The last request was denied; another may be made.
    Denied {
        request: String,
        by: String,
        reason: String,
    },
    /// Nobody decided about the last request in time; another may be made.
    Expired {
        request: String,
    },
    /// There is neither a grant nor a request.
    Askable,
}

impl State {
    pub(crate) fn request(&self) -> Option<&str> {
        match self {
            Self::Pending { request, .. } | Self::Denied { request, .. } | Self::Expired { request } => Some(request),
            Self::Live { .. } | Self::NotBegun { .. } | Self::Askable => None,
        }
    }
}

/// A line for the person that no fact says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Something that was asked for did not happen. After [`Action::AskAccess`] it brings the form back.
    Error(String),
    Info(String),
}

/// What the driver has to do. Names are exactly those of the [`View`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The menu has left the screen; the terminal is the session's. [`crate::Menu::resume`] brings the menu back.
    Connect { account: String, target: String },
    /// To be answered by an update in which the entry has changed, or by a [`Notice::Error`].
    AskAccess { target: String, account: String, reason: String, minutes: u32, capabilities: Vec<String> },
    /// To be answered as [`Action::AskAccess`].
    Withdraw { request: String },
    /// The menu has left the screen for good.
    Leave,
}

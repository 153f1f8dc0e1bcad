//! The facts of the last view, in the order they are shown, and the wall clock that goes on from them.
use crate::{
    text,
    view::{Entry, MAX_ENTRIES, State, View},
};
use std::time::Duration;

/// Characters of a name or description that are shown or searched.
const MAX_SHOWN: usize = 200;

/// What tells one entry from all others, over every update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) target: String,
    pub(crate) account: String,
}

impl Key {
    pub(crate) fn of(entry: &Entry) -> Self {
        Self { target: entry.target.clone(), account: entry.account.clone() }
    }

    pub(crate) fn is(&self, entry: &Entry) -> bool {
        self.target == entry.target && self.account == entry.account
    }

    pub(crate) fn shown(&self) -> String {
        text::clean(&format!("{}@{}", self.account, self.target), MAX_SHOWN)
    }
}

#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) entry: Entry,
    /// `account@target`, fit for the screen.
    pub(crate) name: String,
    pub(crate) description: String,
    /// What a search looks at: the name, a space and the description, in lower case.
    pub(crate) searched: String,
    /// Bytes of `searched` that are the name.
    pub(crate) name_length: usize,
}

impl Known {
    fn new(entry: Entry) -> Self {
        let name = Key::of(&entry).shown();
        let description = text::clean(&entry.description, MAX_SHOWN);
        let lower = name.to_lowercase();
        let searched = format!("{lower} {}", description.to_lowercase());
        Self { name, description, searched, name_length: lower.len(), entry }
    }

    pub(crate) fn may_ask(&self) -> bool {
        !self.entry.capabilities.is_empty() && self.entry.max_minutes > 0
    }
}

#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) person: String,
    pub(crate) known: Vec<Known>,
    unix_seconds: u64,
    since: Duration,
}

impl Facts {
    /// `now` is the reading of the driver's monotonic clock that belongs to the view.
    pub(crate) fn new(mut view: View, now: Duration) -> Self {
        view.entries.truncate(MAX_ENTRIES);
        let mut known: Vec<Known> = view.entries.into_iter().map(Known::new).collect();
        known.sort_by(|a, b| {
            (order(&a.entry.state), &a.entry.target, &a.entry.account).cmp(&(order(&b.entry.state), &b.entry.target, &b.entry.account))
        });
        Self { person: text::clean(&view.person, MAX_SHOWN), known, unix_seconds: view.unix_seconds, since: now }
    }

    /// The view's moment is this reading of the clock.
    pub(crate) fn begin(&mut self, now: Duration) {
        self.since = now;
    }

    /// Seconds since 1970-01-01 UTC.
    pub(crate) fn unix(&self, now: Duration) -> u64 {
        self.unix_seconds.saturating_add(now.saturating_sub(self.since).as_secs())
    }

    pub(crate) fn find(&self, key: &Key) -> Option<&Known> {
        self.known.iter().find(|k| key.is(&k.entry))
    }
}

/// What is open comes first, then what will be, then what may be.
pub(crate) fn order(state: &State) -> u8 {
    match state {
        State::Live { .. } => 0,
        State::NotBegun { .. } => 1,
        State::Pending { .. } => 2,
        State::Denied { .. } | State::Expired { .. } | State::Askable => 3,
    }
}

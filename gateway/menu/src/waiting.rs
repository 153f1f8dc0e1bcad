//! What is between a request and its connection.
use crate::{
    facts::Key as Name,
    view::{Entry, State},
};
use std::time::Duration;

#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) name: Name,
    pub(crate) stage: Stage,
    /// The person is asked whether they mean to withdraw.
    pub(crate) confirm: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Asked for; the facts don't show it yet. Holds the request that the entry had before.
    Sent { before: Option<String> },
    /// The entry says where it stands.
    Open,
    /// It may be connected, and will be by itself at this moment unless a key was pressed.
    Approved { connects_at: Option<Duration> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Same,
    Approved,
    /// There is nothing to wait for any more.
    Gone,
}

impl Waiting {
    pub(crate) fn new(name: Name, stage: Stage) -> Self {
        Self { name, stage, confirm: false }
    }

    /// New facts have come. `connects_at` is for the case that they bring the approval.
    pub(crate) fn update(&mut self, entry: Option<&Entry>, connects_at: Duration) -> Turn {
        let Some(entry) = entry else { return Turn::Gone };
        if let Stage::Sent { before } = &self.stage
            && !answered(&entry.state, before.as_deref())
        {
            return Turn::Same;
        }
        if !matches!(entry.state, State::Pending { .. }) {
            self.confirm = false;
        }
        match (&entry.state, &self.stage) {
            (State::Live { .. }, Stage::Approved { .. }) => Turn::Same,
            (State::Live { .. }, _) => {
                self.stage = Stage::Approved { connects_at: Some(connects_at) };
                Turn::Approved
            }
            (State::Askable, _) => Turn::Gone,
            _ => {
                self.stage = Stage::Open;
                Turn::Same
            }
        }
    }
}

/// Whether an entry shows what became of a request made when it had the request `before`.
pub(crate) fn answered(state: &State, before: Option<&str>) -> bool {
    match state {
        State::Live { .. } | State::NotBegun { .. } => true,
        State::Askable => false,
        State::Pending { .. } | State::Denied { .. } | State::Expired { .. } => state.request() != before,
    }
}

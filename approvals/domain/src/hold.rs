//! Why a running session stands still. It goes on when nothing of this is left.
use crate::PersonId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One cause. Each is there once; who orders a pause first is who paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Hold {
    /// Somebody who watches said so.
    Order { by: PersonId },
    /// Nobody has come to watch yet.
    Lobby,
    /// Whoever watched is gone.
    Unwatched,
    /// Policy says to wait, and lets it go by itself.
    Policy,
    /// It showed more patients, or did something else, than rules let pass. Whoever watches sessions lets it go.
    Limit,
}

/// All causes of one session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Holds {
    pub order: Option<PersonId>,
    pub lobby: bool,
    pub unwatched: bool,
    pub policy: bool,
    pub limit: bool,
}

impl Holds {
    /// Whether that changed anything.
    pub fn put(&mut self, hold: Hold) -> bool {
        match hold {
            Hold::Order { by } => {
                let new = self.order.is_none();
                self.order.get_or_insert(by);
                new
            }
            Hold::Lobby => !std::mem::replace(&mut self.lobby, true),
            Hold::Unwatched => !std::mem::replace(&mut self.unwatched, true),
            Hold::Policy => !std::mem::replace(&mut self.policy, true),
            Hold::Limit => !std::mem::replace(&mut self.limit, true),
        }
    }

    /// Takes that cause away, by whomever it was ordered; whether that changed anything.
    pub fn take(&mut self, hold: Hold) -> bool {
        match hold {
            Hold::Order { .. } => self.order.take().is_some(),
            Hold::Lobby => std::mem::take(&mut self.lobby),
            Hold::Unwatched => std::mem::take(&mut self.unwatched),
            Hold::Policy => std::mem::take(&mut self.policy),
            Hold::Limit => std::mem::take(&mut self.limit),
        }
    }

    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    /// The person may still see what the target shows: all that was ordered is that they do nothing.
    pub fn shows(&self) -> bool {
        !(self.lobby || self.unwatched || self.policy || self.limit)
    }
}

/// For the person who is held.
impl fmt::Display for Holds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self { lobby: true, .. } => "waiting for a supervisor to join; nothing reaches the target before",
            Self { unwatched: true, .. } => "standing still: nobody watches this session; it goes on when a supervisor joins",
            Self { policy: true, .. } => "standing still: policy does not allow it to go on at the moment",
            Self { limit: true, .. } => "standing still: a rule stopped it; somebody who watches sessions has to let it go on",
            Self { order: Some(_), .. } => "paused by a supervisor: what you type goes nowhere until it is resumed",
            _ => "it goes on",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_goes_on_when_every_cause_is_gone_and_not_before() {
        let by = PersonId(Default::default());
        let all = [Hold::Order { by }, Hold::Lobby, Hold::Unwatched, Hold::Policy, Hold::Limit];
        for first in all {
            for second in all {
                let mut h = Holds::default();
                assert!(!h.any() && h.put(first) && h.any() && !h.put(first), "{first:?}");
                let two = h.put(second);
                assert_eq!(two, first != second);
                assert!(h.take(first) && !h.take(first));
                assert_eq!(h.any(), two, "{first:?} then {second:?}");
                assert_eq!(h.shows(), !two || matches!(second, Hold::Order { .. }));
            }
        }
    }
}

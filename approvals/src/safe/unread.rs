//! What was heard of and not read yet.
use super::Known;
use crate::Change;
use std::collections::BTreeSet;
use tokio::sync::broadcast::{
    Receiver,
    error::{RecvError, TryRecvError},
};

/// Changes that what is known does not hold yet.
#[derive(Debug, Default)]
pub(super) struct Unread {
    changes: BTreeSet<Change>,
    /// So much was said that some of it was missed, and it may have been anything.
    missed: bool,
}

impl Unread {
    /// Takes all that waits.
    pub(super) fn take(&mut self, changes: &mut Receiver<Change>) {
        loop {
            match changes.try_recv() {
                Ok(c) => self.hear(c),
                Err(TryRecvError::Lagged(_)) => self.missed = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    /// Returns when something was said that may be of use, or when some of it was missed.
    pub(super) async fn wait(&mut self, changes: &mut Receiver<Change>) {
        while self.is_empty() {
            match changes.recv().await {
                Ok(c) => self.hear(c),
                Err(RecvError::Lagged(_)) => self.missed = true,
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    fn hear(&mut self, change: Change) {
        if change.is_known_of() {
            self.changes.insert(change);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && !self.missed
    }

    /// It cannot be read: whatever stood on it stands no longer.
    pub(super) fn forget_in(self, known: &mut Known) {
        if self.missed {
            known.forget_grants();
        }
        self.changes.into_iter().for_each(|c| known.forget(c));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{super::known::sample, *};
    use anteroom_domain::PersonId;
    use tokio::sync::broadcast::channel;
    use uuid::Uuid;

    #[tokio::test]
    async fn of_what_was_missed_nothing_is_taken_to_be_as_it_was() {
        let (say, mut changes) = channel(2);
        let mut unread = Unread::default();
        unread.take(&mut changes);
        assert!(unread.is_empty());
        for n in 0..5 {
            say.send(Change::Person(PersonId(Uuid::from_u128(100 + n)))).unwrap();
        }
        unread.wait(&mut changes).await;
        unread.take(&mut changes);
        let mut known = sample();
        unread.forget_in(&mut known);
        assert!(known.grants.is_empty());
        assert_eq!(known.people.len(), 1, "a card still needs its person");
    }

    #[tokio::test]
    async fn what_is_no_part_of_it_is_not_waited_for() {
        let (say, mut changes) = channel(4);
        say.send(Change::Supervision(anteroom_domain::SessionId(Uuid::from_u128(1)))).unwrap();
        say.send(Change::GrantRevoked(sample().grants[0].id)).unwrap();
        let mut unread = Unread::default();
        unread.wait(&mut changes).await;
        let mut known = sample();
        unread.forget_in(&mut known);
        assert!(known.grants.is_empty() && known.targets.len() == 1);
    }
}

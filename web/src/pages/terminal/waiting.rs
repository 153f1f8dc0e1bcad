//! Terminals between the click and the connection: which passkey confirmation belongs to which browser, and only once.
use crate::guard::Viewer;
use anteroom_domain::{AccountName, PersonId, Secret, StepUpId, TargetName};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// As long as a passkey is waited for.
const LIFE: Duration = Duration::from_secs(120);
/// One that has this long to go is used again when the person cancelled and clicks once more.
const WORTH: Duration = Duration::from_secs(30);
/// More than people click in two minutes; beyond it somebody else does.
const MOST: usize = 1_000;

#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(super) person: PersonId,
    /// The web session that asked; no other may go on.
    pub(super) token: Secret<String>,
    pub(super) target: TargetName,
    pub(super) account: AccountName,
    pub(super) source: IpAddr,
    /// Stands for the SSH session identifier.
    pub(super) connection: [u8; 32],
    pub(super) confirmed: bool,
    pub(super) ends: Instant,
}

impl Waiting {
    pub(crate) fn new(viewer: &Viewer, place: &super::Place, source: IpAddr, connection: [u8; 32], now: Instant) -> Self {
        Self {
            person: viewer.person.id,
            token: viewer.token.clone(),
            target: place.target.clone(),
            account: place.account.clone(),
            source,
            connection,
            confirmed: false,
            ends: now + LIFE,
        }
    }

    fn is_of(&self, viewer: &Viewer, source: IpAddr, now: Instant) -> bool {
        now < self.ends && self.person == viewer.person.id && self.token == viewer.token && self.source == source
    }
}

#[derive(Debug, Default)]
pub(crate) struct Room(Mutex<HashMap<StepUpId, Waiting>>);

impl Room {
    fn all(&self) -> MutexGuard<'_, HashMap<StepUpId, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// False when too many wait.
    pub(crate) fn add(&self, id: StepUpId, waiting: Waiting, now: Instant) -> bool {
        let mut all = self.all();
        all.retain(|_, w| now < w.ends);
        let room = all.len() < MOST;
        if room {
            all.insert(id, waiting);
        }
        room
    }

    /// One that this browser asked for a moment ago and did not confirm.
    pub(crate) fn again(&self, viewer: &Viewer, place: &super::Place, source: IpAddr, now: Instant) -> Option<StepUpId> {
        let fits =
            |w: &Waiting| w.is_of(viewer, source, now + WORTH) && !w.confirmed && w.target == place.target && w.account == place.account;
        self.all().iter().find(|(_, w)| fits(w)).map(|(id, _)| *id)
    }

    pub(crate) fn is_of(&self, id: StepUpId, viewer: &Viewer, source: IpAddr, now: Instant) -> bool {
        self.all().get(&id).is_some_and(|w| w.is_of(viewer, source, now))
    }

    pub(crate) fn confirm(&self, id: StepUpId) {
        if let Some(w) = self.all().get_mut(&id) {
            w.confirmed = true;
        }
    }

    /// Hands it out, once, to the browser that asked and confirmed.
    pub(crate) fn take(&self, id: StepUpId, viewer: &Viewer, source: IpAddr, now: Instant) -> Option<Waiting> {
        let mut all = self.all();
        let ready = all.get(&id).is_some_and(|w| w.confirmed && w.is_of(viewer, source, now));
        if ready { all.remove(&id) } else { None }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use anteroom_domain::{DisplayName, Handle, Moment, Person, Roles};
    use uuid::Uuid;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 7));

    fn viewer(n: u128, token: &str) -> Viewer {
        let person = Person {
            id: PersonId(Uuid::from_u128(n)),
            handle: Handle::new("p").unwrap(),
            display_name: DisplayName::new("P").unwrap(),
            roles: Roles::default(),
            attributes: Default::default(),
            suspended_at: None,
            created_at: Moment::UNIX_EPOCH,
        };
        Viewer { person, token: Secret::new(token.into()) }
    }

    fn asked(room: &Room, now: Instant) -> (StepUpId, Viewer, super::super::Place) {
        let (id, ada) = (StepUpId(Uuid::new_v4()), viewer(1, "a"));
        let place = super::super::Place::read("root@db").unwrap();
        assert!(room.add(id, Waiting::new(&ada, &place, HERE, [1; 32], now), now));
        (id, ada, place)
    }

    #[test]
    fn only_what_was_confirmed_is_handed_out_and_only_once() {
        let (room, now) = (Room::default(), Instant::now());
        let (id, ada, _) = asked(&room, now);
        assert!(room.take(id, &ada, HERE, now).is_none());
        room.confirm(id);
        assert!(room.take(id, &ada, HERE, now).is_some());
        assert!(room.take(id, &ada, HERE, now).is_none());
    }

    #[test]
    fn another_person_session_address_or_time_gets_nothing_and_spoils_nothing() {
        let (room, now) = (Room::default(), Instant::now());
        let (id, ada, _) = asked(&room, now);
        room.confirm(id);
        let there = IpAddr::from([10, 0, 0, 8]);
        assert!(room.take(id, &viewer(2, "a"), HERE, now).is_none());
        assert!(room.take(id, &viewer(1, "b"), HERE, now).is_none());
        assert!(room.take(id, &ada, there, now).is_none());
        assert!(room.take(id, &ada, HERE, now + LIFE).is_none());
        assert!(room.take(id, &ada, HERE, now).is_some());
    }

    #[test]
    fn a_second_click_uses_the_first_ones_confirmation_if_it_still_waits() {
        let (room, now) = (Room::default(), Instant::now());
        let (id, ada, place) = asked(&room, now);
        assert_eq!(room.again(&ada, &place, HERE, now), Some(id));
        assert_eq!(room.again(&ada, &place, HERE, now + LIFE - WORTH), None);
        assert_eq!(room.again(&viewer(1, "b"), &place, HERE, now), None);
        room.confirm(id);
        assert_eq!(room.again(&ada, &place, HERE, now), None);
    }

    #[test]
    fn it_holds_so_many_and_forgets_the_old() {
        let (room, now) = (Room::default(), Instant::now());
        for _ in 0..MOST {
            asked(&room, now);
        }
        let place = super::super::Place::read("root@db").unwrap();
        let one = |at| Waiting::new(&viewer(1, "a"), &place, HERE, [1; 32], at);
        assert!(!room.add(StepUpId(Uuid::new_v4()), one(now), now));
        assert!(room.add(StepUpId(Uuid::new_v4()), one(now + LIFE), now + LIFE));
    }
}

//! What device managers report of people's machines: taken if it is signed, newer than what is known and theirs to say. Running sessions of the
//! person are judged again at once; a feed that falls silent lets its reports grow old, and policy says how old they may be.
use crate::{
    Approvals, Change, MachineRow, ManageError, StoreError,
    audit::record,
    clock,
    notify::{self, Alarm, KEEPERS, Notice},
    store,
};
use anteroom_domain::{AuditEvent, DeviceName, GroupName, Lockable, Machine, Moment, PersonId, Posture, audit::PostureEvent};
use anteroom_policy::Action;
use anteroom_posture::{Comes, Envelope, FeedKey, Report, ReportError, fitting};
use store::posture::Known;
use time::Duration;
use uuid::Uuid;

/// Keys that count at once: each message is tried with all of them.
const MOST_FEEDS: i64 = 16;
/// Of one person.
const MOST_MACHINES: i64 = 64;
/// Of a listing.
const MOST_LISTED: i64 = 10_000;
/// A device manager's clock may be ahead of ours by so much.
const AHEAD: Duration = Duration::minutes(1);

/// Why a report is not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostureError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// All that somebody without a key is told.
    #[error("sign the request as Standard Webhooks says (v1a), with a key that \"anteroom feed add\" let in")]
    NotSigned,
    #[error("it was signed more than five minutes ago, or by a clock that is as far ahead; sign it anew, and compare the clocks")]
    Stale,
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error("there is no person of this handle")]
    NoSuchPerson,
    #[error("reported_at is in the future; compare the clocks")]
    Future,
    #[error("there is a report of this machine that is as new or newer; this one changes nothing")]
    NotNewer,
    #[error("this machine is reported by another feed; revoke that one, or forget the machine with: anteroom feed forget")]
    OtherFeed,
    #[error("{MOST_MACHINES} machines are known of this person; forget one with: anteroom feed forget")]
    TooMany,
}

/// Whether a report that was signed by `feed` takes the place of what is known. Pure.
fn newer(known: Option<&Known>, feed: Uuid, m: &Machine, now: Moment) -> Result<(), PostureError> {
    let at = m.posture.reported_at;
    match known {
        _ if at > now + AHEAD => Err(PostureError::Future),
        Some(k) if k.feed == feed && at <= k.machine.posture.reported_at => Err(PostureError::NotNewer),
        // Otherwise the weakest of all feeds would speak for every machine.
        Some(k) if k.feed != feed && k.feed_counts => Err(PostureError::OtherFeed),
        _ => Ok(()),
    }
}

/// The same machine in the same state, looked at another time.
fn same(a: &Machine, b: &Machine) -> bool {
    let mut later = a.clone();
    later.posture.reported_at = b.posture.reported_at;
    later == *b
}

impl Approvals {
    /// Takes a report, or says why not. A message that was taken once is refused as not newer ever after.
    pub async fn report_posture(&self, m: Envelope<'_>) -> Result<(), PostureError> {
        let now = clock::now();
        let signers = store::feeds::signers(&self.inner.pool, MOST_FEEDS).await?;
        let feed = signers.into_iter().find(|f| m.signed_by(&f.key)).ok_or(PostureError::NotSigned)?;
        if !m.is_of(now) {
            return Err(PostureError::Stale);
        }
        let Report { person, machine } = Report::read(m.body)?;
        let mut tx = self.begin().await?;
        if !store::feeds::holds(&mut *tx, feed.id).await? {
            return Err(PostureError::NotSigned);
        }
        let found = store::people::by_handle(&mut *tx, person.as_str()).await?.ok_or(PostureError::NoSuchPerson)?;
        let (person, handle) = (found.id, found.handle);
        // One after the other, and no session of theirs begins meanwhile.
        store::locks::hold(&mut tx, Lockable::Person(person)).await?;
        let known = store::posture::known(&mut tx, person, &machine.device).await?;
        newer(known.as_ref(), feed.id, &machine, now)?;
        if known.is_none() && store::posture::count(&mut *tx, person).await? >= MOST_MACHINES {
            return Err(PostureError::TooMany);
        }
        store::posture::put(&mut *tx, person, feed.id, &machine, now).await?;
        if !known.is_some_and(|k| k.feed == feed.id && same(&k.machine, &machine)) {
            let p = machine.posture;
            if !(p.disk_encrypted && p.secure_boot && p.endpoint_protection) {
                notify::enqueue(&mut tx, &Notice::alarm(Alarm::Posture, &KEEPERS, Some(handle), None, None), now).await?;
            }
            let event = PostureEvent::Reported {
                feed: feed.name,
                person,
                device: machine.device.into(),
                disk_encrypted: p.disk_encrypted,
                secure_boot: p.secure_boot,
                endpoint_protection: p.endpoint_protection,
                os: p.os,
                reported_at: clock::text(p.reported_at),
                keys: machine.keys.len() as u64,
                addresses: machine.addresses.len() as u64,
            };
            record::write(&mut tx, AuditEvent::Posture(event), None, now).await?;
        }
        // Also if it says the same: running sessions go by how old it is.
        store::tell(&mut *tx, Change::Person(person)).await?;
        Ok(self.commit(tx).await?)
    }

    /// A device manager whose signatures count from now on.
    pub async fn add_posture_feed(&self, actor: Option<PersonId>, name: &str, key: &FeedKey) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManageTargets).await?;
        let name = GroupName::new(name).map_err(|e| ManageError::Invalid { what: "name", why: e.to_string() })?;
        let now = clock::now();
        let mut tx = self.begin().await?;
        let others = store::feeds::signers(&mut *tx, MOST_FEEDS).await?;
        if others.iter().any(|f| f.key == *key) {
            return Err(ManageError::Taken("key"));
        }
        if others.len() as i64 >= MOST_FEEDS {
            let why = format!("{MOST_FEEDS} device managers are let in already; revoke one with: anteroom feed revoke");
            return Err(ManageError::Invalid { what: "feed", why });
        }
        if !store::feeds::insert_key(&mut *tx, clock::new_id(), name.as_str(), key, actor, now).await? {
            return Err(ManageError::Taken("name"));
        }
        let event = PostureEvent::FeedAdded { feed: name.into(), public_key: key.text() };
        record::write(&mut tx, AuditEvent::Posture(event), actor, now).await?;
        Ok(self.commit(tx).await?)
    }

    /// What is known of a machine is gone until it is reported again.
    pub async fn forget_machine(&self, actor: Option<PersonId>, person: PersonId, device: &DeviceName) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManageTargets).await?;
        let mut tx = self.begin().await?;
        if !store::posture::forget(&mut *tx, person, device).await? {
            return Err(ManageError::NoSuch("machine"));
        }
        let event = PostureEvent::Forgotten { person, device: device.as_str().into() };
        record::write(&mut tx, AuditEvent::Posture(event), actor, clock::now()).await?;
        store::tell(&mut *tx, Change::Person(person)).await?;
        Ok(self.commit(tx).await?)
    }

    /// Machines of one person, or of all.
    pub async fn machines(&self, person: Option<PersonId>) -> Result<Vec<MachineRow>, StoreError> {
        store::posture::all(&self.inner.pool, person, MOST_LISTED).await
    }
}

/// Of the machine that this person comes from, if a report fits.
pub(super) async fn posture_of(db: impl sqlx::PgExecutor<'_>, person: PersonId, comes: Comes<'_>) -> Result<Option<Posture>, StoreError> {
    let machines = store::posture::of(db, &[person.0]).await?;
    Ok(fitting(machines.iter().map(|(_, m)| m), comes).map(|m| m.posture.clone()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOW: Moment = time::macros::datetime!(2026-11-26 12:00 UTC);

    fn machine(minutes: i64) -> Machine {
        let reported_at = NOW + Duration::minutes(minutes);
        let posture = Posture { disk_encrypted: true, secure_boot: true, endpoint_protection: true, os: "Linux".into(), reported_at };
        Machine { device: DeviceName::new("laptop-7").unwrap(), posture, keys: Default::default(), addresses: Default::default() }
    }

    #[test]
    fn only_what_is_newer_and_from_the_same_feed_takes_its_place() {
        let (own, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let known = |feed, feed_counts| Some(Known { feed, feed_counts, machine: machine(-10) });
        for (before, minutes, expected) in [
            (None, -60, Ok(())),
            (None, 1, Ok(())),
            (None, 2, Err(PostureError::Future)),
            (known(own, true), -9, Ok(())),
            (known(own, true), -10, Err(PostureError::NotNewer)),
            (known(own, true), -11, Err(PostureError::NotNewer)),
            (known(other, true), -9, Err(PostureError::OtherFeed)),
            (known(other, false), -60, Ok(())),
        ] {
            assert_eq!(newer(before.as_ref(), own, &machine(minutes), NOW), expected, "{minutes}");
        }
    }

    #[test]
    fn another_time_alone_is_no_news() {
        assert!(same(&machine(-10), &machine(-5)));
        let mut off = machine(-5);
        off.posture.endpoint_protection = false;
        assert!(!same(&machine(-10), &off));
    }
}

//! Carrying notices out: each to everybody it is for, tried again with growing pauses, given up after half a day.
use super::{Channels, Notice, To, Undelivered};
use crate::{
    Approvals, StoreError,
    audit::record,
    clock,
    store::{self, notices::Due},
};
use anteroom_domain::{AuditEvent, Moment, PersonId, audit::RequestsEvent};
use futures_util::future::join_all;
use std::{collections::BTreeSet, time::Duration};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(1);
/// Notices taken at once, and deliveries tried at the same time.
const AT_ONCE: i64 = 20;
/// After so many attempts it is given up; with the pauses below that is about eleven hours.
pub(crate) const ATTEMPTS: i32 = 20;
const FIRST_PAUSE: time::Duration = time::Duration::seconds(5);
const LONGEST_PAUSE: time::Duration = time::Duration::HOUR;
/// A delivery under way is nobody else's for so long; a process that died leaves it to others then.
const LEASE: time::Duration = time::Duration::minutes(2);
/// What was told is forgotten after this.
const KEEP: time::Duration = time::Duration::days(30);

/// 5 s, 10 s, 20 s, ... one hour.
pub(crate) fn pause(attempts: i32) -> time::Duration {
    let factor = 1_i32 << attempts.saturating_sub(1).clamp(0, 16);
    (FIRST_PAUSE * factor).min(LONGEST_PAUSE)
}

impl Approvals {
    /// Delivers until `stop`; what is not delivered then waits in the database. Any number of processes may do it.
    pub async fn deliver_notices(&self, channels: &Channels, stop: CancellationToken) {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                done = Box::pin(self.deliver_once(channels)) => if let Err(e) = done {
                    tracing::debug!(error = %e, "notices have to wait");
                }
            }
        }
    }

    /// Everything that is due, once. How many were tried.
    pub async fn deliver_once(&self, channels: &Channels) -> Result<usize, StoreError> {
        while self.spread(channels).await? > 0 {}
        let now = clock::now();
        let due = store::notices::take_due(&self.inner.pool, now, now + LEASE, AT_ONCE).await?;
        let n = due.len();
        for done in join_all(due.into_iter().map(|d| Box::pin(self.carry_out(channels, d)))).await {
            done?;
        }
        store::notices::sweep(&self.inner.pool, now - KEEP).await?;
        Ok(n)
    }

    /// A notice becomes a delivery for each mailbox and each webhook.
    async fn spread(&self, channels: &Channels) -> Result<usize, StoreError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        let notices = store::notices::unspread(&mut *tx, AT_ONCE).await?;
        for (id, notice) in &notices {
            if channels.mail.is_some() {
                for person in self.readers(&mut tx, notice, now).await? {
                    store::notices::insert_delivery(&mut *tx, clock::new_id(), *id, "mail", &person.to_string(), now).await?;
                }
            }
            for hook in &channels.webhooks {
                store::notices::insert_delivery(&mut *tx, clock::new_id(), *id, "webhook", &hook.name, now).await?;
            }
            store::notices::spread(&mut *tx, *id, now).await?;
        }
        self.commit(tx).await?;
        Ok(notices.len())
    }

    /// Whoever has a mail address and is not suspended; for those who are away their deputies too.
    async fn readers(&self, tx: &mut sqlx::PgConnection, notice: &Notice, now: Moment) -> Result<BTreeSet<PersonId>, StoreError> {
        let mut people = BTreeSet::new();
        for to in &notice.to {
            let (person, role, group) = match to {
                To::Person(id) => (Some(*id), None, None),
                To::Role(role) => (None, Some(role.as_str()), None),
                To::Approvers(group) => (None, Some("approver"), Some(group.as_str())),
            };
            people.extend(store::notices::readers(&mut *tx, person, role, group, now).await?);
        }
        Ok(people)
    }

    async fn carry_out(&self, channels: &Channels, d: Due) -> Result<(), StoreError> {
        let now = clock::now();
        let told = self.tell_one(channels, &d, now).await;
        let mut tx = self.begin().await?;
        match told {
            Ok(()) => store::notices::delivered(&mut *tx, d.id, clock::now()).await?,
            Err(Undelivered(why)) if d.attempts >= ATTEMPTS => {
                store::notices::give_up(&mut *tx, d.id, &why, now).await?;
                let event = RequestsEvent::NoticeGivenUp {
                    notice: d.notice.to_string(),
                    channel: d.channel.clone(),
                    recipient: d.recipient.clone(),
                };
                record::write(&mut tx, AuditEvent::Requests(event), None, now).await?;
                tracing::warn!(channel = d.channel, recipient = d.recipient, why, "a notice is given up; see: anteroom notify list");
            }
            Err(Undelivered(why)) => {
                if d.attempts == 1 {
                    tracing::warn!(channel = d.channel, recipient = d.recipient, why, "a notice is not delivered yet, and is tried again");
                }
                store::notices::later(&mut *tx, d.id, &why, clock::now() + pause(d.attempts)).await?;
            }
        }
        self.commit(tx).await
    }

    async fn tell_one(&self, channels: &Channels, d: &Due, now: Moment) -> Result<(), Undelivered> {
        let portal = &self.inner.options.origin;
        match d.channel.as_str() {
            "webhook" => {
                let hook = channels.webhooks.iter().find(|w| w.name == d.recipient);
                let hook = hook.ok_or_else(|| Undelivered("there is no such webhook in the configuration any more".into()))?;
                hook.post(&d.notice.to_string(), now, &super::payload(&d.body.what, d.at, portal)?).await
            }
            _ => {
                let server = channels.mail.as_ref().ok_or_else(|| Undelivered("no mail server is configured any more".into()))?;
                let reader = store::notices::reader(&self.inner.pool, &d.recipient).await.map_err(|e| Undelivered(e.to_string()))?;
                let none = || Undelivered("this person has no mail address, or it is none".into());
                let (address, roles) = reader.ok_or_else(none)?;
                let address = address.parse().map_err(|_| none())?;
                server.send(&d.id.to_string(), &address, &d.body.what, &super::link(&d.body.what, Some(&roles), portal)?).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_hour_and_end() {
        assert_eq!((pause(1), pause(2), pause(5)), (time::Duration::seconds(5), time::Duration::seconds(10), time::Duration::seconds(80)));
        assert_eq!((pause(0), pause(i32::MAX)), (FIRST_PAUSE, LONGEST_PAUSE));
        let all: time::Duration = (1..ATTEMPTS).map(pause).sum();
        assert!(all > time::Duration::hours(10) && all < time::Duration::hours(13), "{all}");
    }
}

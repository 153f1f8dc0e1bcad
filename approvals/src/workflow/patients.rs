//! How many patients a running session has shown, what is usual for its person, and what policy wants done about it.
use super::locks::lock;
use crate::{
    Approvals, StoreError,
    audit::record,
    clock,
    notify::{self, Alarm, Notice, WATCHERS},
    store,
};
use anteroom_domain::{AuditEvent, Lockable, Moment, PatientsSeen, PersonId, Reason, SessionId, audit::PatientsEvent};
use anteroom_policy::{Baseline, PatientLimits, Reaction};
use std::collections::HashMap;

/// Earlier sessions of a person that say what is usual.
const EARLIER: i64 = 30;

/// What is known of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPatients {
    pub seen: PatientsSeen,
    pub reaction: Reaction,
}

/// What is known of one person: the newest sessions that showed patients, and what is usual.
#[derive(Debug, Clone)]
pub struct PersonPatients {
    pub sessions: Vec<(SessionId, Moment, SessionPatients)>,
    pub usual: Option<Baseline>,
}

fn threshold(session: SessionId, person: PersonId, wanted: Reaction, seen: &PatientsSeen, usual: Option<Baseline>) -> AuditEvent {
    AuditEvent::Patients(PatientsEvent::Threshold {
        session,
        person,
        reaction: wanted.as_str().into(),
        patients: seen.patients(),
        identifiers: seen.identifiers.clone(),
        usual: usual.map(|u| u.median),
    })
}

fn too_many() -> Result<Reason, StoreError> {
    Reason::new("a rule about patients seen locked them: one session showed more than [patients] lets pass")
        .map_err(|_| StoreError::Damaged("the reason of a lock"))
}

impl Approvals {
    /// Keeps what a session has shown so far and judges it. What comes back is news: the same reaction twice is one. Counts never go
    /// down. A lock is set on the person in the same transaction.
    pub async fn patients_seen(
        &self,
        session: SessionId,
        person: PersonId,
        seen: &PatientsSeen,
        limits: &PatientLimits,
    ) -> Result<Reaction, StoreError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        let before = store::patients::held(&mut *tx, session).await?;
        let mut seen = seen.clone();
        let mut reached = Reaction::Nothing;
        if let Some(before) = before {
            for (kind, n) in before.seen.identifiers {
                let now = seen.identifiers.entry(kind).or_default();
                *now = n.max(*now);
            }
            reached = before.reaction;
        }
        let usual = Baseline::of(&store::patients::earlier(&mut *tx, person, session, EARLIER).await?);
        let wanted = limits.judge(&seen, usual);
        store::patients::put(&mut *tx, session, person, &seen, wanted.max(reached), now).await?;
        let news = wanted > reached;
        if news {
            record::write(&mut tx, threshold(session, person, wanted, &seen, usual), None, now).await?;
            let who = store::people::by_id(&mut *tx, person).await?.map(|p| p.handle);
            notify::enqueue(&mut tx, &Notice::alarm(Alarm::PatientsSeen, &WATCHERS, who, None, Some(session)), now).await?;
            if wanted == Reaction::Lock {
                lock(&mut tx, None, Lockable::Person(person), too_many()?, now).await?;
            }
        }
        self.commit(tx).await?;
        Ok(if news { wanted } else { Reaction::Nothing })
    }

    /// The same while the database does not answer: by the absolute limits alone, for what is usual is not known. `reached`: what came back
    /// before. A lock is one of this gateway until the database holds it.
    pub async fn patients_seen_meanwhile(
        &self,
        session: SessionId,
        person: PersonId,
        seen: &PatientsSeen,
        limits: &PatientLimits,
        reached: Reaction,
    ) -> Reaction {
        let wanted = limits.judge(seen, None);
        if wanted <= reached {
            return Reaction::Nothing;
        }
        self.note(threshold(session, person, wanted, seen, None), None).await;
        if wanted == Reaction::Lock
            && let Ok(reason) = too_many()
        {
            self.lock_meanwhile(Lockable::Person(person), reason).await;
        }
        wanted
    }

    /// Of these sessions those that showed anything.
    pub async fn patients_of(&self, sessions: &[SessionId]) -> Result<HashMap<SessionId, SessionPatients>, StoreError> {
        let ids: Vec<_> = sessions.iter().map(|s| s.0).collect();
        let found = store::patients::of_sessions(&self.inner.pool, &ids).await?;
        let found = found.into_iter().filter(|(_, kept)| !kept.seen.is_empty());
        Ok(found.map(|(id, kept)| (id, SessionPatients { seen: kept.seen, reaction: kept.reaction })).collect())
    }

    pub async fn patients_of_person(&self, person: PersonId) -> Result<PersonPatients, StoreError> {
        let found = store::patients::of_person(&self.inner.pool, person, EARLIER).await?;
        let numbers: Vec<u64> = found.iter().map(|(_, _, kept)| kept.seen.patients()).collect();
        let sessions = found.into_iter().map(|(id, at, kept)| (id, at, SessionPatients { seen: kept.seen, reaction: kept.reaction }));
        Ok(PersonPatients { sessions: sessions.collect(), usual: Baseline::of(&numbers) })
    }
}

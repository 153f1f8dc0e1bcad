//! Running sessions, judged again. Of many that ask at the same time, one asks the database for all: a changed policy concerns every
//! session of a gateway at once, and they share sixteen connections with those who sign in.
use super::{posture::posture_of, ruling::Connecting};
use crate::{Approvals, StoreError, clock, store};
use anteroom_domain::{EndReason, Grant, Moment, Person};
use anteroom_policy::{Circumstances, PolicySays, Ruling, Standing, Verdict};
use anteroom_posture::{Comes, fitting};
use std::{borrow::Cow, collections::HashMap, mem, sync::PoisonError};
use tokio::sync::{Mutex, oneshot};
use uuid::Uuid;

/// What somebody who asks is told: the verdict, and what it was made from unless that is gone.
pub type Rejudged = (Verdict, Option<Circumstances>);
type Answer = Result<Rejudged, StoreError>;

/// Those who ask, and whose turn it is to ask for all.
#[derive(Default)]
pub(crate) struct Asking {
    waiting: std::sync::Mutex<Vec<(Standing, oneshot::Sender<Answer>)>>,
    turn: Mutex<()>,
}

impl Asking {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<(Standing, oneshot::Sender<Answer>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Approvals {
    /// A fresh look at what a running session stands on. The error only says that nobody could look.
    pub async fn rejudge(&self, s: &Standing) -> Result<Rejudged, StoreError> {
        let asking = &self.inner.asking;
        loop {
            let (tell, mut told) = oneshot::channel();
            asking.waiting().push((s.clone(), tell));
            let turn = tokio::select! {
                biased;
                answer = &mut told => match answer {
                    Ok(answer) => return answer,
                    // Whoever asked for us ended in the middle of it.
                    Err(_) => continue,
                },
                turn = asking.turn.lock() => turn,
            };
            let all = mem::take(&mut *asking.waiting());
            self.answer(all).await;
            drop(turn);
            if let Ok(answer) = told.try_recv() {
                return answer;
            }
        }
    }

    async fn answer(&self, all: Vec<(Standing, oneshot::Sender<Answer>)>) {
        let standings: Vec<&Standing> = all.iter().map(|(s, _)| s).collect();
        match Box::pin(self.circumstances(&standings)).await {
            Ok(found) => {
                let now = clock::now();
                for ((s, tell), found) in all.into_iter().zip(found) {
                    // Nobody waits any more for a session that has ended.
                    let _ = tell.send(Ok(self.judged(&s, found, now)));
                }
            }
            Err(e) => all.into_iter().for_each(|(_, tell)| _ = tell.send(Err(e.clone()))),
        }
    }

    /// The same from what was known when somebody last looked: what only time changes. Asks nobody.
    pub fn judge_by_the_clock(&self, s: &Standing, known: &Circumstances) -> Verdict {
        let now = clock::now();
        let known = self.with_local_locks(known);
        anteroom_policy::rejudge(s, &known, self.policy_says(s, &known, now), now)
    }

    pub(crate) fn judged(&self, s: &Standing, found: Option<Circumstances>, now: Moment) -> Rejudged {
        match found {
            Some(c) => {
                let judged = self.with_local_locks(&c);
                (anteroom_policy::rejudge(s, &judged, self.policy_says(s, &judged, now), now), Some(c))
            }
            None => (Verdict::Ends(EndReason::GrantRevoked), None),
        }
    }

    /// A lock that was set on this machine counts before the database holds it.
    fn with_local_locks<'a>(&self, c: &'a Circumstances) -> Cow<'a, Circumstances> {
        let local = self.local_locks();
        if local.is_empty() {
            return Cow::Borrowed(c);
        }
        let mut c = c.clone();
        c.locks.extend(local);
        Cow::Owned(c)
    }

    /// The question of a connection, put to the policies again.
    fn policy_says(&self, s: &Standing, c: &Circumstances, now: Moment) -> PolicySays {
        let ruling = self.connect_ruling(&Connecting {
            person: &c.person,
            target: &c.target,
            grant: &c.grant,
            source: s.source,
            posture: c.posture.as_ref(),
            factor: s.second_factor,
            factor_at: s.factor_at,
            break_glass: c.emergency,
            now,
        });
        match ruling {
            Ruling::Permit { obligations, .. } => PolicySays::Permits(obligations),
            Ruling::Deny { reasons } if !reasons.is_empty() && reasons.iter().all(|r| r.pauses) => {
                PolicySays::Pauses(reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
            }
            Ruling::Deny { .. } => PolicySays::Denies,
        }
    }

    /// The same of one that begins: its person and grant are in hand, their rows held. None: its target is gone.
    pub(super) async fn circumstances_of(
        tx: &mut sqlx::PgConnection,
        person: Person,
        grant: Grant,
        comes: Comes<'_>,
    ) -> Result<Option<Circumstances>, StoreError> {
        let Some(target) = store::targets::by_id(&mut *tx, grant.target).await? else { return Ok(None) };
        let locks = store::locks::between(&mut *tx, &person, target.id).await?;
        let company = store::companies::of(&mut *tx, &person).await?;
        let emergency = !store::break_glass::among(&mut *tx, &[grant.id.0]).await?.is_empty();
        let posture = posture_of(&mut *tx, person.id, comes).await?;
        Ok(Some(Circumstances { person, grant, target, emergency, prolonged: false, locks, company, posture }))
    }

    /// In the order asked for; none where something of it is gone.
    async fn circumstances(&self, of: &[&Standing]) -> Result<Vec<Option<Circumstances>>, StoreError> {
        let ids = |get: fn(&Standing) -> Uuid| {
            let mut ids: Vec<Uuid> = of.iter().map(|s| get(s)).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let (people, grants, targets) = (ids(|s| s.person.0), ids(|s| s.grant.0), ids(|s| s.target.0));
        let mut db = self.inner.pool.acquire().await?;
        let found = store::people::by_ids(&mut *db, &people).await?;
        let found_people: HashMap<_, _> = found.into_iter().map(|p| (p.id, p)).collect();
        let found_grants: HashMap<_, _> = store::grants::by_ids(&mut *db, &grants).await?.into_iter().map(|g| (g.id, g)).collect();
        let found_targets: HashMap<_, _> = store::targets::by_ids(&mut *db, &targets).await?.into_iter().map(|t| (t.id, t)).collect();
        let locks = store::locks::of(&mut *db, &people, &targets).await?;
        let emergencies = store::break_glass::among(&mut *db, &grants).await?;
        let prolonged = store::supervision::prolonged(&mut *db, &ids(|s| s.session.0)).await?;
        let machines = store::posture::of(&mut *db, &people).await?;
        let mut companies = HashMap::new();
        for id in found_people.values().filter_map(|p| p.attributes.company) {
            if let std::collections::hash_map::Entry::Vacant(place) = companies.entry(id) {
                place.insert(store::companies::by_id(&mut *db, id).await?);
            }
        }
        let one = |s: &&Standing| {
            let (person, grant, target) = (found_people.get(&s.person)?, found_grants.get(&s.grant)?, found_targets.get(&s.target)?);
            let locks = locks.iter().filter(|l| l.keeps_out(person) || l.closes(target)).cloned().collect();
            let company = person.attributes.company.and_then(|id| companies.get(&id).cloned().flatten());
            let (emergency, prolonged) = (emergencies.contains(&grant.id), prolonged.contains(&s.session));
            let theirs = machines.iter().filter(|(whose, _)| *whose == s.person).map(|(_, m)| m);
            let comes = Comes { from: Some(s.source), key: s.key.as_deref() };
            Some(Circumstances {
                person: person.clone(),
                grant: grant.clone(),
                target: target.clone(),
                emergency,
                prolonged,
                locks,
                company,
                posture: fitting(theirs, comes).map(|m| m.posture.clone()),
            })
        };
        Ok(of.iter().map(one).collect())
    }
}

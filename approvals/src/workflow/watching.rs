//! Who may watch a session that may not run unwatched: the role and somebody else's session, and then policy has the last word.
use super::{posture::posture_of, ruling::Asked};
use crate::{
    Approvals, ManageError, StoreError, Watching, clock,
    notify::{Notice, To, What},
    store,
};
use anteroom_domain::{Grant, Moment, Person, PersonId, Posture, Role, SessionId, SessionRecord, Target};
use anteroom_policy::{Action, Ask, may, may_supervise};
use anteroom_posture::Comes;
use std::{collections::HashMap, net::IpAddr};

/// A running session that somebody has to watch.
#[derive(Debug, Clone)]
pub struct ToWatch {
    pub record: SessionRecord,
    pub person: Person,
    pub watching: Watching,
}

impl ToWatch {
    /// Nobody came yet.
    pub fn waits(&self) -> bool {
        self.watching == Watching::Lobby
    }
    pub fn unwatched(&self) -> bool {
        self.watching == Watching::Unwatched
    }
}

/// What a supervisor would watch.
struct Watched<'a> {
    supervisor: &'a Person,
    target: &'a Target,
    grant: &'a Grant,
    /// None: that they could is asked, and not from where.
    source: Option<IpAddr>,
    posture: Option<&'a Posture>,
    now: Moment,
}

impl Approvals {
    /// Whether this person, from there, may watch that session; if policy does not let them, why not.
    pub async fn may_watch(&self, session: SessionId, by: PersonId, source: IpAddr) -> Result<(), ManageError> {
        let mut tx = self.begin().await?;
        let person = store::people::by_id(&mut *tx, by).await?;
        Box::pin(self.check_watcher(&mut tx, session, person, source)).await
    }

    /// Not its own person, not a vendor's, not somebody who is locked; and policy lets them.
    pub(super) async fn check_watcher(
        &self,
        tx: &mut sqlx::PgConnection,
        session: SessionId,
        supervisor: Option<Person>,
        source: IpAddr,
    ) -> Result<(), ManageError> {
        const GONE: ManageError = ManageError::NoSuch("session");
        let row = store::sessions::by_id(&mut *tx, session).await?.ok_or(GONE)?;
        let of = store::people::by_id(&mut *tx, row.person).await?;
        let (Some(supervisor), Some(of)) = (supervisor, of) else { return Err(ManageError::NotAllowed) };
        let by = supervisor.id;
        if !may_supervise(&supervisor, &of) || store::locks::keeps_out(&mut *tx, by).await? {
            return Err(ManageError::NotAllowed);
        }
        let target = store::targets::by_id(&mut *tx, row.target).await?.ok_or(GONE)?;
        let grant = store::grants::by_id(&mut *tx, row.grant).await?.ok_or(GONE)?;
        let posture = posture_of(&mut *tx, by, Comes { from: Some(source), key: None }).await?;
        let watched = Watched {
            supervisor: &supervisor,
            target: &target,
            grant: &grant,
            source: Some(source),
            posture: posture.as_ref(),
            now: clock::now(),
        };
        self.lets_watch(&watched)
            .map_err(|why| ManageError::Invalid { what: "session", why: format!("policy does not let you watch it: {}", why.join(" ")) })
    }

    /// What policy says of it; why not, in words.
    fn lets_watch(&self, w: &Watched<'_>) -> Result<(), Vec<String>> {
        let asked = Asked {
            ask: Ask::Supervise,
            person: w.supervisor,
            target: w.target,
            account: &w.grant.account_name,
            capabilities: &w.grant.capabilities,
            lasts: w.grant.not_after - w.grant.not_before,
            source: w.source,
            posture: w.posture,
            now: w.now,
        };
        self.asked_ruling(&asked).map(drop)
    }

    /// The running sessions that this person may watch from there; who waits first.
    pub async fn to_watch(&self, person: &Person, source: IpAddr) -> Result<Vec<ToWatch>, StoreError> {
        let pool = &self.inner.pool;
        let running = if may(person, Action::Supervise) { self.to_supervise().await? } else { Vec::new() };
        if running.is_empty() {
            return Ok(Vec::new());
        }
        let states: HashMap<_, _> = running.iter().copied().collect();
        let ids: Vec<_> = running.iter().map(|(s, _)| s.0).collect();
        let records = store::sessions::by_ids(pool, &ids).await?;
        let of = |id: fn(&SessionRecord) -> uuid::Uuid| records.iter().map(id).collect::<Vec<_>>();
        let people = store::people::by_ids(pool, &of(|r| r.person.0)).await?;
        let targets = store::targets::by_ids(pool, &of(|r| r.target.0)).await?;
        let grants = store::grants::by_ids(pool, &of(|r| r.grant.0)).await?;
        let posture = posture_of(pool, person.id, Comes { from: Some(source), key: None }).await?;
        let people: HashMap<_, _> = people.into_iter().map(|p| (p.id, p)).collect();
        let targets: HashMap<_, _> = targets.into_iter().map(|t| (t.id, t)).collect();
        let grants: HashMap<_, _> = grants.into_iter().map(|g| (g.id, g)).collect();
        let now = clock::now();
        let one = |record: SessionRecord| {
            let (of, target, grant) = (people.get(&record.person)?, targets.get(&record.target)?, grants.get(&record.grant)?);
            let w = Watched { supervisor: person, target, grant, source: Some(source), posture: posture.as_ref(), now };
            let may = may_supervise(person, of) && self.lets_watch(&w).is_ok();
            let watching = *states.get(&record.id)?;
            may.then(|| ToWatch { record, person: of.clone(), watching })
        };
        let mut found: Vec<_> = records.into_iter().filter_map(one).collect();
        found.sort_by_key(|w| (w.watching == Watching::Watched, w.record.started_at));
        Ok(found)
    }

    /// That a session waits for somebody who watches, to those who could. From where they would, nobody knows; if policy lets nobody without
    /// knowing that, whoever has the role is told.
    pub(super) async fn session_waits(
        &self,
        tx: &mut sqlx::PgConnection,
        session: SessionId,
        (person, target, grant): (&Person, &Target, &Grant),
        now: Moment,
    ) -> Result<Notice, StoreError> {
        let approvers = store::people::with_role(&mut *tx, Role::Approver).await?;
        let could = |p: &&Person| {
            let w = Watched { supervisor: p, target, grant, source: None, posture: None, now };
            may_supervise(p, person) && self.lets_watch(&w).is_ok()
        };
        let mut to: Vec<_> = approvers.iter().filter(could).map(|p| To::Person(p.id)).collect();
        if to.is_empty() {
            to.push(To::Role(Role::Approver));
        }
        let what = What::SessionWaiting { session, person: person.handle.clone(), target: target.name.clone() };
        Ok(Notice { to, what })
    }
}

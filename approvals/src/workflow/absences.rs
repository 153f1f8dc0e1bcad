//! An approver is away and names a deputy. The deputy signs with their own passkey, and fills the place of whoever is away.
use crate::{
    AbsenceError, AbsenceView, Approvals, StoreError,
    audit::record,
    clock::{self, text},
    store::{self, absences::Absence},
};
use anteroom_domain::{AuditEvent, Handle, Moment, Person, PersonId, audit::RequestsEvent};
use anteroom_policy::{Action, may};

/// The longest absence.
const MAX_DAYS: i64 = 60;

impl Approvals {
    /// From now on until then; what was set before is over. A deputy's deputy fills no place: only who is named here does.
    pub async fn set_absence(&self, approver: &Person, deputy: &Handle, until: Moment) -> Result<(), AbsenceError> {
        let now = clock::now();
        if until <= now || until > now + time::Duration::days(MAX_DAYS) {
            return Err(AbsenceError::Window { days: MAX_DAYS });
        }
        let mut tx = self.begin().await?;
        let approver = store::people::held(&mut *tx, approver.id).await?.filter(|p| may(p, Action::ReviewRequests));
        let approver = approver.ok_or(AbsenceError::NotAllowed)?;
        let deputy = store::people::by_handle(&mut *tx, deputy.as_str()).await?;
        let deputy = deputy.filter(|d| d.id != approver.id && may(d, Action::ReviewRequests)).ok_or(AbsenceError::Deputy)?;
        store::absences::end(&mut *tx, approver.id, now).await?;
        let absence = Absence { approver: approver.id, deputy: deputy.id, from: now, until };
        store::absences::insert(&mut *tx, clock::new_id(), &absence, now).await?;
        let event = RequestsEvent::Absent { person: approver.id, deputy: deputy.id, from: text(now), until: text(until) };
        record::write(&mut tx, AuditEvent::Requests(event), Some(approver.id), now).await?;
        Ok(self.commit(tx).await?)
    }

    pub async fn end_absence(&self, approver: &Person) -> Result<(), AbsenceError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        if !store::absences::end(&mut *tx, approver.id, now).await? {
            return Err(AbsenceError::NotAway);
        }
        record::write(&mut tx, AuditEvent::Requests(RequestsEvent::Back { person: approver.id }), Some(approver.id), now).await?;
        Ok(self.commit(tx).await?)
    }

    /// What this approver has set and is not over.
    pub async fn absence(&self, approver: PersonId) -> Result<Option<AbsenceView>, StoreError> {
        let db = &self.inner.pool;
        let Some(a) = store::absences::of(db, approver, clock::now()).await? else { return Ok(None) };
        let (approver, deputy) = (store::people::by_id(db, a.approver).await?, store::people::by_id(db, a.deputy).await?);
        let (Some(approver), Some(deputy)) = (approver, deputy) else { return Err(StoreError::Damaged("absence")) };
        Ok(Some(AbsenceView { approver, deputy, from: a.from, until: a.until }))
    }

    /// The absent approvers whose place this person fills now.
    pub async fn deputy_of(&self, person: PersonId) -> Result<Vec<Person>, StoreError> {
        let db = &self.inner.pool;
        let mut people = Vec::new();
        for id in store::absences::deputised(db, person, clock::now()).await? {
            people.extend(store::people::by_id(db, id).await?);
        }
        Ok(people)
    }
}

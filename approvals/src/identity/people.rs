//! Keeping people. Suspending one takes everything away at once.
use crate::{Approvals, Change, Listing, ManageError, Page, StoreError, audit::record, clock, store};
use anteroom_domain::{AuditEvent, DisplayName, Handle, Moment, Person, PersonId, Roles, Secret, audit::AttributesEvent};
use anteroom_policy::{Action, may, unfit_roles};
use std::time::Duration;

/// Longest life of an enrolment link.
const MAX_LINK: time::Duration = time::Duration::days(7);

impl Approvals {
    /// Whether `actor` may do this now. None is the machine's own operator at the command line.
    pub(crate) async fn check_actor(&self, actor: Option<PersonId>, action: Action) -> Result<(), ManageError> {
        let Some(id) = actor else { return Ok(()) };
        match store::people::by_id(&self.inner.pool, id).await? {
            Some(p) if may(&p, action) && !store::locks::keeps_out(&self.inner.pool, id).await? => Ok(()),
            _ => Err(ManageError::NotAllowed),
        }
    }

    pub async fn add_person(
        &self,
        actor: Option<PersonId>,
        handle: Handle,
        display_name: DisplayName,
        roles: Roles,
    ) -> Result<Person, ManageError> {
        self.check_actor(actor, Action::ManagePeople).await?;
        let now = clock::now();
        let person = Person {
            id: clock::new_id(),
            handle,
            display_name,
            roles,
            attributes: Default::default(),
            suspended_at: None,
            created_at: now,
        };
        let mut tx = self.begin().await?;
        if !store::people::insert(&mut *tx, &person).await? {
            return Err(ManageError::Taken("handle"));
        }
        let event = AuditEvent::PersonAdded { person: person.id, handle: person.handle.clone(), roles: person.roles.names() };
        record::write(&mut tx, event, actor, now).await?;
        self.commit(tx).await?;
        Ok(person)
    }

    /// Out everywhere at once: web sessions and pending ceremonies end, links die, waiting step-ups are refused, certificates
    /// are taken back, running sessions are told, and no grant counts any longer. Suspending again changes nothing.
    pub async fn suspend_person(&self, actor: Option<PersonId>, person: PersonId) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManagePeople).await?;
        let now = clock::now();
        let mut tx = self.begin().await?;
        if !suspend(&mut tx, actor, person, now).await? {
            return self.person(person).await?.map(|_| ()).ok_or(ManageError::NoSuch("person"));
        }
        self.commit(tx).await?;
        Ok(())
    }

    /// Grants that have not ended count again; everything else has to be begun anew.
    pub async fn reinstate_person(&self, actor: Option<PersonId>, person: PersonId) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManagePeople).await?;
        let mut tx = self.begin().await?;
        if !store::people::set_suspended(&mut *tx, person, None).await? {
            return self.person(person).await?.map(|_| ()).ok_or(ManageError::NoSuch("person"));
        }
        record::write(&mut tx, AuditEvent::PersonReinstated { person }, actor, clock::now()).await?;
        self.commit(tx).await?;
        Ok(())
    }

    /// Replaces somebody's roles. Nobody changes their own, and a vendor's person is an admin or nothing. Running sessions of somebody who
    /// may no longer connect end.
    pub async fn set_roles(&self, actor: Option<PersonId>, person: PersonId, roles: Roles) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManagePeople).await?;
        if actor == Some(person) {
            return Err(ManageError::Invalid { what: "roles", why: "nobody changes their own; ask another operator".into() });
        }
        let mut tx = self.begin().await?;
        let before = store::people::taken(&mut *tx, person).await?.ok_or(ManageError::NoSuch("person"))?;
        let unfit = unfit_roles(&before.attributes, &roles);
        if unfit != Roles::default() {
            let (who, unfit) = (&before.handle, unfit.names().join(" or "));
            let why = format!(
                "{who} works for a vendor, and a vendor's person can be admin only, never {unfit}; if they are the hospital's own now: anteroom \
                 person set {who} --no-company"
            );
            return Err(ManageError::Invalid { what: "roles", why });
        }
        if before.roles != roles {
            store::people::set_roles(&mut *tx, person, &roles).await?;
            let event = AuditEvent::Attributes(AttributesEvent::Roles { person, roles: roles.names() });
            record::write(&mut tx, event, actor, clock::now()).await?;
            store::tell(&mut *tx, Change::Person(person)).await?;
        }
        Ok(self.commit(tx).await?)
    }

    pub async fn person(&self, id: PersonId) -> Result<Option<Person>, StoreError> {
        store::people::by_id(&self.inner.pool, id).await
    }

    pub async fn person_by_handle(&self, handle: &Handle) -> Result<Option<Person>, StoreError> {
        store::people::by_handle(&self.inner.pool, handle.as_str()).await
    }

    /// Searched by handle and name, ordered by handle.
    pub async fn people(&self, search: &str, page: Page) -> Result<Listing<Person>, StoreError> {
        store::people::list(&self.inner.pool, search, page).await
    }

    /// A one-time token for `{origin}/enrol#TOKEN`. A new one ends the earlier one of the same person. Lives `ttl`, a
    /// week at most.
    pub async fn make_enrol_link(&self, actor: Option<PersonId>, person: PersonId, ttl: Duration) -> Result<Secret<String>, ManageError> {
        self.check_actor(actor, Action::ManagePeople).await?;
        let now = clock::now();
        let ttl = time::Duration::try_from(ttl).unwrap_or(MAX_LINK).min(MAX_LINK);
        let mut tx = self.begin().await?;
        match store::people::held(&mut *tx, person).await? {
            Some(p) if !p.is_suspended() => {}
            Some(_) => return Err(ManageError::Invalid { what: "person", why: "is suspended".into() }),
            None => return Err(ManageError::NoSuch("person")),
        }
        let token = clock::new_token();
        store::people::insert_link(&mut tx, &clock::token_hash(token.expose()), person, now + ttl, now).await?;
        record::write(&mut tx, AuditEvent::EnrolLinkMade { person }, actor, now).await?;
        self.commit(tx).await?;
        Ok(token)
    }
}

/// Takes everything from a person. False: they were suspended already, or there is nobody.
async fn suspend(tx: &mut sqlx::PgConnection, actor: Option<PersonId>, person: PersonId, now: Moment) -> Result<bool, StoreError> {
    if !store::people::set_suspended(&mut *tx, person, Some(now)).await? {
        return Ok(false);
    }
    store::web_sessions::delete_of(&mut *tx, person).await?;
    store::ceremonies::delete_of(&mut *tx, person).await?;
    store::people::delete_links(&mut *tx, person).await?;
    for id in store::step_ups::refuse_all(&mut *tx, person, now).await? {
        store::tell(&mut *tx, Change::StepUp(id)).await?;
    }
    let count = store::certificates::revoke_all(&mut *tx, person, now).await?;
    if count > 0 {
        record::write(&mut *tx, AuditEvent::CertificatesRevoked { person, count }, actor, now).await?;
    }
    record::write(&mut *tx, AuditEvent::PersonSuspended { person }, actor, now).await?;
    store::tell(&mut *tx, Change::PersonSuspended(person)).await?;
    Ok(true)
}

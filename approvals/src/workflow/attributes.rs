//! What policies ask about: set by operators, told to every running session.
use crate::{Approvals, Change, ManageError, audit::record, clock, store};
use anteroom_domain::{
    AuditEvent, Lockable, Person, PersonAttributes, PersonId, Roles, Target, TargetAttributes, TargetId,
    attributes::{MAX_NAMES, MAX_WINDOWS},
    audit::AttributesEvent,
};
use anteroom_policy::{Action, unfit_roles};

fn bounded(names: usize, windows: usize) -> Result<(), ManageError> {
    let invalid = |what, why: String| Err(ManageError::Invalid { what, why });
    if names > MAX_NAMES {
        return invalid("attributes", format!("at most {MAX_NAMES} groups or labels"));
    }
    if windows > MAX_WINDOWS {
        return invalid("attributes", format!("at most {MAX_WINDOWS} times"));
    }
    Ok(())
}

impl Approvals {
    /// Nobody becomes a vendor's who has a role that no vendor's person may have.
    pub async fn set_person_attributes(
        &self,
        actor: Option<PersonId>,
        person: PersonId,
        attributes: PersonAttributes,
    ) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManagePeople).await?;
        let mut tx = self.begin().await?;
        let before = store::people::taken(&mut *tx, person).await?.ok_or(ManageError::NoSuch("person"))?;
        write_person(&mut tx, actor, &before, attributes).await?;
        Ok(self.commit(tx).await?)
    }

    pub async fn set_target_attributes(
        &self,
        actor: Option<PersonId>,
        target: TargetId,
        attributes: TargetAttributes,
    ) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManageTargets).await?;
        let mut tx = self.begin().await?;
        let before = take_target(&mut tx, target).await?;
        write_target(&mut tx, actor, &before, attributes).await?;
        Ok(self.commit(tx).await?)
    }
}

/// Nobody else changes it before our transaction ends.
pub(super) async fn take_target(tx: &mut sqlx::PgConnection, target: TargetId) -> Result<Target, ManageError> {
    store::locks::hold(&mut *tx, Lockable::Target(target)).await?;
    store::targets::by_id(&mut *tx, target).await?.ok_or(ManageError::NoSuch("target"))
}

/// `before` is taken, so that nothing that is written meanwhile is lost.
pub(super) async fn write_person(
    tx: &mut sqlx::PgConnection,
    actor: Option<PersonId>,
    before: &Person,
    attributes: PersonAttributes,
) -> Result<(), ManageError> {
    bounded(attributes.groups.len(), attributes.shifts.len())?;
    let unfit = unfit_roles(&attributes, &before.roles);
    // Who is both from before keeps no other attribute because of it; their roles count for nothing anyway.
    if unfit != Roles::default() && attributes.company != before.attributes.company {
        let (who, unfit) = (&before.handle, unfit.names().join(" and "));
        let why = format!(
            "{who} is {unfit}, and a vendor's person can be admin only; take that away first: anteroom person set {who} --role admin"
        );
        return Err(ManageError::Invalid { what: "company", why });
    }
    let person = before.id;
    store::people::set_attributes(&mut *tx, person, &attributes).await?;
    let event = AuditEvent::Attributes(AttributesEvent::Person { person, attributes });
    record::write(&mut *tx, event, actor, clock::now()).await?;
    Ok(store::tell(&mut *tx, Change::Person(person)).await?)
}

/// The same.
pub(super) async fn write_target(
    tx: &mut sqlx::PgConnection,
    actor: Option<PersonId>,
    before: &Target,
    attributes: TargetAttributes,
) -> Result<(), ManageError> {
    bounded(attributes.labels.len(), attributes.maintenance.len())?;
    let target = before.id;
    store::targets::set_attributes(&mut *tx, target, &attributes).await?;
    let event = AuditEvent::Attributes(AttributesEvent::Target { target, attributes });
    record::write(&mut *tx, event, actor, clock::now()).await?;
    Ok(store::tell(&mut *tx, Change::Target(target)).await?)
}

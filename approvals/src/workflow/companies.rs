//! Vendor companies: until when their contracts run, and whether their people are watched.
use crate::{
    Approvals, Change, ManageError, StoreError,
    audit::record,
    clock::{self, text},
    store,
};
use anteroom_domain::{AuditEvent, Company, CompanyId, DisplayName, Moment, PersonId, audit::CompanyEvent};
use anteroom_policy::Action;

impl Approvals {
    pub async fn add_company(
        &self,
        actor: Option<PersonId>,
        name: DisplayName,
        contract_ends: Moment,
        supervised: bool,
    ) -> Result<CompanyId, ManageError> {
        self.check_actor(actor, Action::ManagePeople).await?;
        let (now, company) = (clock::now(), Company { id: clock::new_id(), name, contract_ends, supervised });
        let mut tx = self.begin().await?;
        if !store::companies::insert(&mut *tx, &company, now).await? {
            return Err(ManageError::Taken("company name"));
        }
        let event =
            CompanyEvent::Added { company: company.id, name: company.name.to_string(), contract_ends: text(contract_ends), supervised };
        record::write(&mut tx, AuditEvent::Company(event), actor, now).await?;
        store::tell(&mut *tx, Change::Company(company.id)).await?;
        self.commit(tx).await?;
        Ok(company.id)
    }

    /// Running sessions of its people hear of it.
    pub async fn change_company(
        &self,
        actor: Option<PersonId>,
        id: CompanyId,
        contract_ends: Moment,
        supervised: bool,
    ) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManagePeople).await?;
        let mut tx = self.begin().await?;
        let before = store::companies::by_id(&mut *tx, id).await?.ok_or(ManageError::NoSuch("company"))?;
        let company = Company { contract_ends, supervised, ..before };
        store::companies::change(&mut *tx, &company).await?;
        let event = CompanyEvent::Changed { company: id, contract_ends: text(contract_ends), supervised };
        record::write(&mut tx, AuditEvent::Company(event), actor, clock::now()).await?;
        store::tell(&mut *tx, Change::Company(id)).await?;
        Ok(self.commit(tx).await?)
    }

    /// How long the contract of this person's company still runs; none: they are the hospital's own.
    pub async fn contract_left(&self, person: PersonId) -> Result<Option<std::time::Duration>, StoreError> {
        let Some(person) = store::people::by_id(&self.inner.pool, person).await? else { return Ok(None) };
        let Some(company) = person.attributes.company else { return Ok(None) };
        let ends = store::companies::by_id(&self.inner.pool, company).await?.map(|c| c.contract_ends);
        Ok(Some(ends.and_then(|at| (at - clock::now()).try_into().ok()).unwrap_or_default()))
    }

    /// By name.
    pub async fn companies(&self) -> Result<Vec<Company>, StoreError> {
        store::companies::list(&self.inner.pool).await
    }

    pub async fn company(&self, id: CompanyId) -> Result<Option<Company>, StoreError> {
        store::companies::by_id(&self.inner.pool, id).await
    }

    pub async fn company_by_name(&self, name: &str) -> Result<Option<Company>, StoreError> {
        store::companies::by_name(&self.inner.pool, name).await
    }
}

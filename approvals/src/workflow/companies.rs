//! Vendor companies: until when their contracts run, whether their people are watched, who works for them and what they keep.
use super::attributes;
use crate::{
    Approvals, Change, Listing, ManageError, Page, StoreError,
    audit::record,
    clock::{self, hex, text},
    store,
};
use anteroom_domain::{
    AuditEvent, Company, CompanyId, Contract, DisplayName, GroupName, Handle, Lockable, Moment, Person, PersonAttributes, PersonId, Reason,
    Target, TargetAttributes, TargetId, audit::CompanyEvent,
};
use anteroom_policy::Action;
use sha2::{Digest, Sha256};

/// A company as lists show it.
#[derive(Debug, Clone)]
pub struct CompanyRow {
    pub company: Company,
    pub people: u64,
    pub targets: u64,
    /// Sessions of its people that run, on every gateway.
    pub sessions: u64,
    pub locked: bool,
}

/// What its contract was from then on.
#[derive(Debug, Clone)]
pub struct CompanyTerm {
    pub contract_ends: Moment,
    pub supervised: bool,
    pub sponsors: Option<GroupName>,
    pub reason: Option<Reason>,
    /// Nobody: the operator at the command line.
    pub by: Option<Handle>,
    pub at: Moment,
}

/// Most people, targets and earlier terms of one company that its page shows.
const SHOWN: u32 = 200;

/// What a company's page shows; lists are cut at 200 rows, the row has how many there are.
#[derive(Debug, Clone)]
pub struct CompanyPage {
    pub row: CompanyRow,
    /// By handle.
    pub people: Vec<Person>,
    /// By name.
    pub targets: Vec<Target>,
    /// Newest first.
    pub terms: Vec<CompanyTerm>,
}

impl Approvals {
    pub async fn add_company(
        &self,
        actor: Option<PersonId>,
        name: DisplayName,
        contract_ends: Moment,
        supervised: bool,
    ) -> Result<CompanyId, ManageError> {
        self.check_actor(actor, Action::ManagePeople).await?;
        let (now, company) = (clock::now(), Company { id: clock::new_id(), name, contract_ends, supervised, sponsors: None });
        let mut tx = self.begin().await?;
        // Names are looked up whatever their capital letters.
        if store::companies::by_name(&mut *tx, company.name.as_str()).await?.is_some()
            || !store::companies::insert(&mut *tx, &company, now).await?
        {
            return Err(ManageError::Taken("company name"));
        }
        store::companies::add_term(&mut *tx, &company, None, actor, now).await?;
        let event =
            CompanyEvent::Added { company: company.id, name: company.name.to_string(), contract_ends: text(contract_ends), supervised };
        record::write(&mut tx, AuditEvent::Company(event), actor, now).await?;
        store::tell(&mut *tx, Change::Company(company.id)).await?;
        self.commit(tx).await?;
        Ok(company.id)
    }

    /// Running sessions of its people hear of it; whom its sponsors have to agree with is asked of what is asked for from now on. The reason is
    /// kept with the company; the log has its hash.
    pub async fn change_company(
        &self,
        actor: Option<PersonId>,
        id: CompanyId,
        contract: Contract,
        reason: Option<Reason>,
    ) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManagePeople).await?;
        let now = clock::now();
        let mut tx = self.begin().await?;
        if !store::locks::hold(&mut tx, Lockable::Company(id)).await? {
            return Err(ManageError::NoSuch("company"));
        }
        let before = store::companies::by_id(&mut *tx, id).await?.ok_or(ManageError::NoSuch("company"))?;
        let Contract { ends, supervised, sponsors } = contract;
        if let Some(group) = sponsors.as_ref().filter(|_| sponsors != before.sponsors)
            && !store::companies::anybody_in(&mut *tx, group).await?
        {
            let why = format!("no approver of the hospital is in the group {group}, so nobody could approve what its people ask for");
            return Err(ManageError::Invalid { what: "sponsors", why });
        }
        let company = Company { contract_ends: ends, supervised, sponsors, ..before };
        store::companies::change(&mut *tx, &company).await?;
        store::companies::add_term(&mut *tx, &company, reason.as_ref(), actor, now).await?;
        let reason_sha256 = reason.map(|r| hex(&Sha256::digest(r.as_str())));
        let event = CompanyEvent::Changed { company: id, contract_ends: text(ends), supervised, sponsors: company.sponsors, reason_sha256 };
        record::write(&mut tx, AuditEvent::Company(event), actor, now).await?;
        store::tell(&mut *tx, Change::Company(id)).await?;
        Ok(self.commit(tx).await?)
    }

    /// Makes somebody a person of this company, or the hospital's own. What else is known of them stays. Their running sessions hear of it.
    pub async fn set_employer(&self, actor: Option<PersonId>, person: PersonId, company: Option<CompanyId>) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManagePeople).await?;
        if actor == Some(person) {
            return Err(ManageError::Invalid { what: "company", why: "nobody changes their own; ask another operator".into() });
        }
        let mut tx = self.begin().await?;
        known(&mut tx, company).await?;
        let before = store::people::taken(&mut *tx, person).await?.ok_or(ManageError::NoSuch("person"))?;
        let after = PersonAttributes { company, ..before.attributes.clone() };
        attributes::write_person(&mut tx, actor, &before, after).await?;
        Ok(self.commit(tx).await?)
    }

    /// Says which company keeps a target: its people reach it. Running sessions on it hear of it.
    pub async fn set_keeper(&self, actor: Option<PersonId>, target: TargetId, company: Option<CompanyId>) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManageTargets).await?;
        let mut tx = self.begin().await?;
        known(&mut tx, company).await?;
        let before = attributes::take_target(&mut tx, target).await?;
        let after = TargetAttributes { vendor: company, ..before.attributes.clone() };
        attributes::write_target(&mut tx, actor, &before, after).await?;
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

    /// Searched by name, ordered by it.
    pub async fn company_rows(&self, search: &str, page: Page) -> Result<Listing<CompanyRow>, StoreError> {
        store::companies::rows(&self.inner.pool, search, page).await
    }

    pub async fn company_page(&self, id: CompanyId) -> Result<Option<CompanyPage>, StoreError> {
        let db = &self.inner.pool;
        let Some(row) = store::companies::row(db, id).await? else { return Ok(None) };
        let people = store::people::of_company(db, id, SHOWN.into()).await?;
        let targets = store::targets::of_company(db, id, SHOWN.into()).await?;
        let terms = store::companies::terms(db, id, SHOWN.into()).await?;
        Ok(Some(CompanyPage { row, people, targets, terms }))
    }

    pub async fn company(&self, id: CompanyId) -> Result<Option<Company>, StoreError> {
        store::companies::by_id(&self.inner.pool, id).await
    }

    pub async fn company_by_name(&self, name: &str) -> Result<Option<Company>, StoreError> {
        store::companies::by_name(&self.inner.pool, name).await
    }
}

async fn known(tx: &mut sqlx::PgConnection, company: Option<CompanyId>) -> Result<(), ManageError> {
    match company {
        Some(id) if store::companies::by_id(tx, id).await?.is_none() => Err(ManageError::NoSuch("company")),
        _ => Ok(()),
    }
}

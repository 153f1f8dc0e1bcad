use super::{Stands, day, stands};
use crate::{
    errors::Problem,
    page::{Frame, Id, html},
    state::App,
};
use anteroom_approvals::{CompanyPage, LockRow};
use anteroom_domain::{ClinicalUse, CompanyId, Lockable, Person, TargetKind};
use anteroom_policy::{Action, unfit_roles};
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "company.html")]
pub(super) struct Show {
    frame: Frame,
    c: CompanyPage,
    lock: Option<LockRow>,
    may_lock: bool,
    /// The contract and the people.
    may_people: bool,
    may_targets: bool,
    filled: Filled,
    wrong: Option<String>,
}

/// What is typed into the page's forms.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub(super) until: Option<String>,
    pub(super) watched: Option<bool>,
    pub(super) sponsors: Option<String>,
    pub(super) reason: String,
    pub(super) handle: String,
    pub(super) target: String,
}

impl Show {
    pub(super) async fn page(app: &App, frame: Frame, id: CompanyId, wrong: Option<String>, filled: Filled) -> Result<Self, Problem> {
        let c = app.approvals.company_page(id).await?.ok_or_else(Problem::not_found)?;
        let (lock, may_lock) = (app.approvals.lock_on(Lockable::Company(id)).await?, frame.may(Action::Lock));
        let (may_people, may_targets) = (frame.may(Action::ManagePeople), frame.may(Action::ManageTargets));
        Ok(Self { frame, c, lock, may_lock, may_people, may_targets, filled, wrong })
    }

    fn stands(&self) -> Stands {
        stands(&self.c.row.company.contract_ends, self.frame.now.moment())
    }

    fn sponsors(&self) -> String {
        let now = || self.c.row.company.sponsors.as_ref().map_or_else(String::new, ToString::to_string);
        self.filled.sponsors.clone().unwrap_or_else(now)
    }

    fn until(&self) -> String {
        self.filled.until.clone().unwrap_or_else(|| day(&self.c.row.company.contract_ends))
    }

    fn watched(&self) -> bool {
        self.filled.watched.unwrap_or(self.c.row.company.supervised)
    }

    /// Roles of theirs that count for nothing.
    fn unfit(&self, p: &Person) -> String {
        unfit_roles(&p.attributes, &p.roles).names().join(", ")
    }

    fn more_people(&self) -> u64 {
        self.c.row.people.saturating_sub(self.c.people.len() as u64)
    }

    fn more_targets(&self) -> u64 {
        self.c.row.targets.saturating_sub(self.c.targets.len() as u64)
    }
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Id(id): Id<CompanyId>) -> Result<Response, Problem> {
    html(&Show::page(&app, frame, id, None, Filled::default()).await?)
}

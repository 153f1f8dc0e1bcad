use crate::{
    errors::Problem,
    page::{Frame, Id, html},
    state::App,
};
use anteroom_approvals::{LockRow, MachineRow, PasskeyInfo, PersonPatients, SshKeyInfo};
use anteroom_domain::{Company, Lockable, Person, PersonId};
use anteroom_policy::Action;
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "person.html")]
pub(super) struct Show {
    frame: Frame,
    person: Person,
    /// Whom they work for, if not the hospital.
    company: Option<Company>,
    passkeys: Vec<PasskeyInfo>,
    ssh_keys: Vec<SshKeyInfo>,
    /// A link that was just made; shown once.
    link: Option<String>,
    own: bool,
    /// What their sessions showed of patients.
    patients: PersonPatients,
    lock: Option<LockRow>,
    may_lock: bool,
    /// What device managers reported of their machines.
    machines: Vec<MachineRow>,
}

impl Show {
    pub(super) async fn page(app: &App, frame: Frame, id: PersonId, link: Option<String>) -> Result<Self, Problem> {
        let person = app.approvals.person(id).await?.ok_or_else(Problem::not_found)?;
        let passkeys = app.approvals.passkeys(id).await?;
        let ssh_keys = app.approvals.ssh_keys(id).await?;
        let company = match person.attributes.company {
            Some(c) => app.approvals.company(c).await?,
            None => None,
        };
        let own = frame.person.id == id;
        let patients = app.approvals.patients_of_person(id).await?;
        let (lock, may_lock) = (app.approvals.lock_on(Lockable::Person(id)).await?, frame.may(Action::Lock));
        let machines = app.approvals.machines(Some(id)).await?;
        Ok(Self { frame, person, company, passkeys, ssh_keys, link, own, patients, lock, may_lock, machines })
    }
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Id(id): Id<PersonId>) -> Result<Response, Problem> {
    html(&Show::page(&app, frame, id, None).await?)
}

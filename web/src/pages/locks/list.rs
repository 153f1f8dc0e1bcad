use crate::{
    errors::Problem,
    page::{Asked, Frame, html},
    state::App,
};
use anteroom_approvals::LockRow;
use anteroom_domain::Lockable;
use anteroom_policy::Action;
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "locks.html")]
pub(super) struct Locks {
    frame: Frame,
    rows: Vec<LockRow>,
    /// What is typed into the form.
    filled: Fields,
    wrong: Option<String>,
    sees_people: bool,
    sees_targets: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fields {
    /// `person`, `target` or `company`.
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) reason: String,
}

impl Fields {
    fn is(&self, kind: &str) -> bool {
        if self.kind.is_empty() { kind == "person" } else { self.kind == kind }
    }
}

impl Locks {
    pub(super) async fn page(app: &App, frame: Frame, filled: Fields, wrong: Option<String>) -> Result<Self, Problem> {
        let rows = app.approvals.locks().await?;
        let (sees_people, sees_targets) = (frame.may(Action::ManagePeople), frame.may(Action::ManageTargets));
        Ok(Self { frame, rows, filled, wrong, sees_people, sees_targets })
    }

    /// As forms send it back.
    fn id(&self, on: &Lockable) -> String {
        match on {
            Lockable::Person(p) => p.to_string(),
            Lockable::Target(t) => t.to_string(),
            Lockable::Company(c) => c.to_string(),
        }
    }

    /// The page of what is locked, for those who may see it.
    fn place(&self, on: &Lockable) -> Option<String> {
        match on {
            Lockable::Person(p) if self.sees_people => Some(format!("/people/{p}")),
            Lockable::Target(t) if self.sees_targets => Some(format!("/targets/{t}")),
            Lockable::Company(c) => Some(format!("/companies/{c}")),
            Lockable::Person(_) | Lockable::Target(_) => None,
        }
    }
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Asked(filled): Asked<Fields>) -> Result<Response, Problem> {
    html(&Locks::page(&app, frame, filled, None).await?)
}

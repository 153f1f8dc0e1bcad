//! What the target and account fields offer while somebody types: of thousands a few, and of a vendor's person only what is theirs. The list is
//! a help; any name can be typed, and what may be asked for is decided elsewhere.
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Asked, html},
    state::App,
};
use anteroom_approvals::Page;
use anteroom_domain::{Person, Target};
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

/// More than that nobody reads in a field's list.
const SOME: Page = Page { number: 0, size: 50 };

/// Both lists, as the forms have them and as they are fetched again.
#[derive(Debug, Template)]
#[template(path = "offered.html")]
pub(crate) struct Offered {
    pub(crate) targets: Vec<Target>,
    accounts: Vec<String>,
    /// How many fit what was typed.
    total: u64,
}

impl Offered {
    /// `typed`: a target's name, or part of one or of a description.
    pub(crate) async fn of(app: &App, person: &Person, typed: &str) -> Result<Self, Problem> {
        let found = app.approvals.targets_for(person, typed, SOME).await?;
        // The one that is meant comes first, and then its accounts are those that fit.
        let meant = found.rows.first().filter(|t| t.name.as_str() == typed.trim());
        let whose = meant.map_or(&found.rows[..], std::slice::from_ref);
        let mut accounts: Vec<_> = whose.iter().flat_map(|t| &t.accounts).map(|a| a.name.as_str().to_owned()).collect();
        accounts.sort();
        accounts.dedup();
        Ok(Self { targets: found.rows, accounts, total: found.total })
    }

    fn is_cut(&self) -> bool {
        self.total > self.targets.len() as u64
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    target: String,
}

pub(crate) async fn show(State(app): State<App>, viewer: Viewer, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    html(&Offered::of(&app, &viewer.person, &q.target).await?)
}

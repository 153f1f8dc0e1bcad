//! The form. It works without scripts.
use super::wish::{Wish, Wrong};
use crate::{
    errors::Problem,
    page::{Asked, Frame, html},
    state::App,
};
use anteroom_approvals::Page;
use anteroom_domain::Target;
use askama::Template;
use axum::{extract::State, response::Response};

/// Targets offered in the field's list; any other name can be typed.
const OFFERED: Page = Page { number: 0, size: 200 };

#[derive(Template)]
#[template(path = "request_new.html")]
pub(super) struct New {
    pub(super) frame: Frame,
    pub(super) wish: Wish,
    pub(super) wrong: Vec<Wrong>,
    pub(super) targets: Vec<Target>,
    pub(super) accounts: Vec<String>,
}

impl New {
    pub(super) async fn form(app: &App, frame: Frame, mut wish: Wish, wrong: Vec<Wrong>) -> Result<Self, Problem> {
        if wish.window.is_empty() {
            wish.window = "1".into();
        }
        let targets = app.approvals.targets("", OFFERED).await?.rows;
        let speaks = targets.iter().find(|t| t.name.as_str() == wish.target).map(|t| t.protocol);
        wish.choice = wish.choice.usual(speaks);
        let mut accounts: Vec<_> = targets.iter().flat_map(|t| &t.accounts).map(|a| a.name.as_str().to_owned()).collect();
        accounts.sort();
        accounts.dedup();
        Ok(Self { frame, wish, wrong, targets, accounts })
    }

    fn error(&self, field: &str) -> Option<&str> {
        self.wrong.iter().find(|w| w.field == field).map(|w| w.text.as_str())
    }
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Asked(wish): Asked<Wish>) -> Result<Response, Problem> {
    html(&New::form(&app, frame, wish, Vec::new()).await?)
}

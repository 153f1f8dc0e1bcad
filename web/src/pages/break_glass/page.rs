//! The form. What will happen stands above the button.
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Asked, Frame, html},
    state::App,
};
use anteroom_approvals::Page;
use anteroom_domain::{
    Target,
    break_glass::USUAL,
    content::{BreakGlassContent, Signable},
};
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

/// Targets offered in the field's list; any other name can be typed.
const OFFERED: Page = Page { number: 0, size: 200 };
const MINUTES: [i64; 4] = [15, 30, 60, 240];

#[derive(Template)]
#[template(path = "break_glass.html")]
struct Form {
    frame: Frame,
    targets: Vec<Target>,
    accounts: Vec<String>,
    target: String,
    minutes: [i64; 4],
    usual: i64,
    domain: &'static str,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    target: String,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, _viewer: Viewer, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    let targets = app.approvals.targets("", OFFERED).await?.rows;
    let mut accounts: Vec<_> = targets.iter().flat_map(|t| &t.accounts).map(|a| a.name.as_str().to_owned()).collect();
    accounts.sort();
    accounts.dedup();
    let (minutes, usual, domain) = (MINUTES, USUAL.whole_minutes(), BreakGlassContent::DOMAIN);
    html(&Form { frame, targets, accounts, target: q.target, minutes, usual, domain })
}

//! The form. What will happen stands above the button.
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Asked, Frame, html},
    pages::offered::Offered,
    state::App,
};
use anteroom_domain::{
    break_glass::USUAL,
    content::{BreakGlassContent, Signable},
};
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

const MINUTES: [i64; 4] = [15, 30, 60, 240];

#[derive(Template)]
#[template(path = "break_glass.html")]
struct Form {
    frame: Frame,
    offered: Offered,
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

pub(crate) async fn show(State(app): State<App>, frame: Frame, viewer: Viewer, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    let offered = Offered::of(&app, &viewer.person, &q.target).await?;
    let (minutes, usual, domain) = (MINUTES, USUAL.whole_minutes(), BreakGlassContent::DOMAIN);
    html(&Form { frame, offered, target: q.target, minutes, usual, domain })
}

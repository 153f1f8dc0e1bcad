//! Which devices have it? Software components by name and version, from the bills of materials of all devices.
use crate::{
    errors::Problem,
    page::{Asked, Frame, html},
    state::App,
};
use anteroom_approvals::FoundComponent;
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Lines that are shown; who looks for more narrows the search.
const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "components.html")]
struct Components {
    frame: Frame,
    q: Query,
    found: Vec<FoundComponent>,
    devices: usize,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    name: String,
    version: String,
}

impl Components {
    fn asked(&self) -> bool {
        !self.q.name.is_empty() || !self.q.version.is_empty()
    }
    fn shown(&self) -> &[FoundComponent] {
        &self.found[..self.found.len().min(SHOWN)]
    }
    fn more(&self) -> usize {
        self.found.len().saturating_sub(SHOWN)
    }
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    let q = Query { name: q.name.trim().to_owned(), version: q.version.trim().to_owned() };
    let asked = !q.name.is_empty() || !q.version.is_empty();
    let found = if asked { app.approvals.find_component(&q.name, &q.version).await? } else { Vec::new() };
    let devices = found.iter().map(|f| &f.target).collect::<BTreeSet<_>>().len();
    html(&Components { frame, q, found, devices })
}

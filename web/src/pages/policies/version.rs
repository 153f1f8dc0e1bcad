//! One version: who set it, why, what it says, and what it changed.
use super::diff::{self, FileDiff, Line};
use crate::{
    errors::Problem,
    page::{Frame, html},
    pages::names::Names,
    state::App,
};
use anteroom_approvals::PolicyVersion;
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};

#[derive(Template)]
#[template(path = "policy_version.html")]
struct Page<'a> {
    frame: Frame,
    version: &'a PolicyVersion,
    /// What it is compared with; none: with those that came with the program.
    before: Option<i64>,
    changes: Vec<FileDiff<'a>>,
    names: Names,
    counts: bool,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Path(version): Path<String>) -> Result<Response, Problem> {
    let version: i64 = version.parse().map_err(|_| Problem::not_found())?;
    let (version, before) = app.approvals.policy_version_and_before(version).await?.ok_or_else(Problem::not_found)?;
    let names = Names::of(&app, version.set_by.into_iter().collect()).await?;
    let counts = app.approvals.policy_version() == version.version;
    let (number, files) = before.map_or_else(|| (None, anteroom_approvals::shipped_policies()), |b| (Some(b.version), b.files));
    let changes = diff::files(&files, &version.files);
    html(&Page { frame, before: number, changes, names, counts, version: &version })
}

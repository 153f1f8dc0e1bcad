//! What counts now, and what counted before.
use crate::{
    errors::Problem,
    page::{Frame, html},
    pages::names::Names,
    state::App,
};
use anteroom_approvals::PolicyVersion;
use anteroom_policy::{Action, Policy, PolicyFile};
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "policies.html")]
struct Policies {
    frame: Frame,
    files: Vec<PolicyFile>,
    /// 0: the ones that came with the program.
    counts: i64,
    versions: Vec<PolicyVersion>,
    names: Names,
    may_edit: bool,
    schema: &'static str,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame) -> Result<Response, Problem> {
    let versions = app.approvals.policy_versions().await?;
    let names = Names::of(&app, versions.iter().filter_map(|v| v.set_by).collect()).await?;
    let (files, counts) = (app.approvals.policy().files().to_vec(), app.approvals.policy_version());
    let may_edit = frame.may(Action::ManagePolicies);
    html(&Policies { frame, files, counts, versions, names, may_edit, schema: Policy::schema_text() })
}

//! Which targets a company keeps.
use super::show::{Filled, Show};
use crate::{
    errors::{Explain, Problem},
    guard::Viewer,
    page::{FormOf, Frame, Id, html_again},
    state::App,
};
use anteroom_approvals::ManageError;
use anteroom_domain::{CompanyId, Target, TargetName};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(crate) struct Kept {
    target: String,
    /// It is no longer the company's.
    #[serde(default)]
    no_longer: Option<String>,
}

/// A target that can be given or taken, or why not, in words.
async fn find(app: &App, id: CompanyId, f: &Kept) -> Result<Result<Target, String>, Problem> {
    let found = match TargetName::new(f.target.trim()) {
        Ok(name) => app.approvals.target_by_name(&name).await?,
        Err(_) => None,
    };
    Ok(match found {
        None => Err("there is no target of this name; add it under Targets first".into()),
        Some(t) => match (t.attributes.vendor, f.no_longer.is_some()) {
            (Some(of), true) if of == id => Ok(t),
            (_, true) => Err(format!("this company does not keep {}", t.name)),
            (None, false) => Ok(t),
            (Some(of), false) if of == id => Err(format!("this company keeps {} already", t.name)),
            (Some(_), false) => Err(format!("another company keeps {}; take it away there first", t.name)),
        },
    })
}

pub(crate) async fn set(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Id(id): Id<CompanyId>,
    FormOf(f): FormOf<Kept>,
) -> Result<Response, Problem> {
    let (company, done) = if f.no_longer.is_some() { (None, "kept-no-longer") } else { (Some(id), "kept") };
    let wrong = match find(&app, id, &f).await? {
        Ok(target) => match app.approvals.set_keeper(Some(viewer.person.id), target.id, company).await {
            Ok(()) => return Ok(Redirect::to(&format!("/companies/{id}?done={done}")).into_response()),
            Err(ManageError::NoSuch(_)) => return Err(Problem::not_found()),
            Err(e @ ManageError::Invalid { .. }) => e.failure().text,
            Err(e) => return Err(e.into()),
        },
        Err(wrong) => wrong,
    };
    let target = if f.no_longer.is_some() { String::new() } else { f.target };
    html_again(&Show::page(&app, frame, id, Some(wrong), Filled { target, ..Filled::default() }).await?)
}

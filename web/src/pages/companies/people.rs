//! Who works for a company.
use super::show::{Filled, Show};
use crate::{
    errors::{Explain, Problem},
    guard::Viewer,
    page::{FormOf, Frame, Id, html_again},
    state::App,
};
use anteroom_approvals::ManageError;
use anteroom_domain::{CompanyId, Handle, Person};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(crate) struct Employed {
    handle: String,
    /// They are the hospital's own from now on.
    #[serde(default)]
    leaves: Option<String>,
}

/// Somebody who can be asked for, or why not, in words. Nobody is taken from another company by a slip of the finger.
async fn find(app: &App, id: CompanyId, f: &Employed) -> Result<Result<Person, String>, Problem> {
    let found = match Handle::new(f.handle.trim()) {
        Ok(handle) => app.approvals.person_by_handle(&handle).await?,
        Err(_) => None,
    };
    Ok(match found {
        None => Err("there is no person of this handle; add them under People first".into()),
        Some(p) => match (p.attributes.company, f.leaves.is_some()) {
            (Some(of), true) if of == id => Ok(p),
            (_, true) => Err(format!("{} does not work for this company", p.handle)),
            (None, false) => Ok(p),
            (Some(of), false) if of == id => Err(format!("{} works for this company already", p.handle)),
            (Some(_), false) => Err(format!("{} works for another company; take them away there first", p.handle)),
        },
    })
}

pub(crate) async fn set(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Id(id): Id<CompanyId>,
    FormOf(f): FormOf<Employed>,
) -> Result<Response, Problem> {
    let (company, done) = if f.leaves.is_some() { (None, "left") } else { (Some(id), "employed") };
    let wrong = match find(&app, id, &f).await? {
        Ok(person) => match app.approvals.set_employer(Some(viewer.person.id), person.id, company).await {
            Ok(()) => return Ok(Redirect::to(&format!("/companies/{id}?done={done}")).into_response()),
            Err(ManageError::NoSuch(_)) => return Err(Problem::not_found()),
            Err(e @ ManageError::Invalid { .. }) => e.failure().text,
            Err(e) => return Err(e.into()),
        },
        Err(wrong) => wrong,
    };
    let handle = if f.leaves.is_some() { String::new() } else { f.handle };
    html_again(&Show::page(&app, frame, id, Some(wrong), Filled { handle, ..Filled::default() }).await?)
}

//! Who works for a company.
use super::{
    belonging::{Form, Unfit, Wish, answer},
    show::Filled,
};
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{FormOf, Frame, Id},
    state::App,
};
use anteroom_domain::{CompanyId, Handle, Person};
use axum::{extract::State, response::Response};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(crate) struct Employed {
    handle: String,
    /// They are the hospital's own from now on.
    #[serde(default)]
    leaves: Option<String>,
}

/// Somebody who can be asked for, or why not, in words.
async fn find(app: &App, id: CompanyId, handle: &str, wish: Wish) -> Result<Result<Person, String>, Problem> {
    let found = match Handle::new(handle.trim()) {
        Ok(handle) => app.approvals.person_by_handle(&handle).await?,
        Err(_) => None,
    };
    let Some(p) = found else { return Ok(Err("there is no person of this handle; add them under People first".into())) };
    Ok(match wish.fits(p.attributes.company, id) {
        Ok(()) => Ok(p),
        Err(Unfit::NotTheirs) => Err(format!("{} does not work for this company", p.handle)),
        Err(Unfit::Already) => Err(format!("{} works for this company already", p.handle)),
        Err(Unfit::Elsewhere) => Err(format!("{} works for another company; take them away there first", p.handle)),
    })
}

pub(crate) async fn set(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Id(id): Id<CompanyId>,
    FormOf(f): FormOf<Employed>,
) -> Result<Response, Problem> {
    let wish = Wish::of(f.leaves.as_ref());
    let came_of_it = match find(&app, id, &f.handle, wish).await? {
        Ok(person) => Ok(app.approvals.set_employer(Some(viewer.person.id), person.id, wish.owner(id)).await),
        Err(wrong) => Err(wrong),
    };
    let (done, handle) = match wish {
        Wish::Give => ("employed", f.handle),
        Wish::Take => ("left", String::new()),
    };
    answer(&app, Form { company: id, frame, done, filled: Filled { handle, ..Filled::default() } }, came_of_it).await
}

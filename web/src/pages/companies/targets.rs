//! Which targets a company keeps.
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
use anteroom_domain::{CompanyId, Target, TargetName};
use axum::{extract::State, response::Response};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(crate) struct Kept {
    target: String,
    /// It is no longer the company's.
    #[serde(default)]
    no_longer: Option<String>,
}

/// A target that can be given or taken, or why not, in words.
async fn find(app: &App, id: CompanyId, name: &str, wish: Wish) -> Result<Result<Target, String>, Problem> {
    let found = match TargetName::new(name.trim()) {
        Ok(name) => app.approvals.target_by_name(&name).await?,
        Err(_) => None,
    };
    let Some(t) = found else { return Ok(Err("there is no target of this name; add it under Targets first".into())) };
    Ok(match wish.fits(t.attributes.vendor, id) {
        Ok(()) => Ok(t),
        Err(Unfit::NotTheirs) => Err(format!("this company does not keep {}", t.name)),
        Err(Unfit::Already) => Err(format!("this company keeps {} already", t.name)),
        Err(Unfit::Elsewhere) => Err(format!("another company keeps {}; take it away there first", t.name)),
    })
}

pub(crate) async fn set(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Id(id): Id<CompanyId>,
    FormOf(f): FormOf<Kept>,
) -> Result<Response, Problem> {
    let wish = Wish::of(f.no_longer.as_ref());
    let came_of_it = match find(&app, id, &f.target, wish).await? {
        Ok(target) => Ok(app.approvals.set_keeper(Some(viewer.person.id), target.id, wish.owner(id)).await),
        Err(wrong) => Err(wrong),
    };
    let (done, target) = match wish {
        Wish::Give => ("kept", f.target),
        Wish::Take => ("kept-no-longer", String::new()),
    };
    answer(&app, Form { company: id, frame, done, filled: Filled { target, ..Filled::default() } }, came_of_it).await
}

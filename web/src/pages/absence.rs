//! An approver says that they are away, and who fills their place.
use crate::{
    errors::{Failure, Problem},
    guard::Viewer,
    page::{FormOf, Frame, html},
    state::App,
};
use anteroom_approvals::AbsenceView;
use anteroom_domain::{Handle, Person};
use askama::Template;
use axum::{
    extract::State,
    response::{Redirect, Response},
};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "absence.html")]
struct Page {
    frame: Frame,
    away: Option<AbsenceView>,
    fills_for: Vec<Person>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wish {
    deputy: String,
    days: String,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, viewer: Viewer) -> Result<Response, Problem> {
    let away = app.approvals.absence(viewer.person.id).await?;
    let fills_for = app.approvals.deputy_of(viewer.person.id).await?;
    html(&Page { frame, away, fills_for })
}

pub(crate) async fn set(State(app): State<App>, frame: Frame, viewer: Viewer, FormOf(w): FormOf<Wish>) -> Result<Redirect, Problem> {
    let deputy = Handle::new(w.deputy.trim()).map_err(|e| Failure::unprocessable(e.to_string()))?;
    let days: i64 = w.days.trim().parse().map_err(|_| Failure::unprocessable("say for how many days you are away"))?;
    let until = frame.now.0 + time::Duration::days(days.clamp(0, 1_000));
    app.approvals.set_absence(&viewer.person, &deputy, until).await?;
    Ok(Redirect::to("/absence?done=away"))
}

pub(crate) async fn end(State(app): State<App>, viewer: Viewer) -> Result<Redirect, Problem> {
    app.approvals.end_absence(&viewer.person).await?;
    Ok(Redirect::to("/absence?done=back"))
}

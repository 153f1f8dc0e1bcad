//! Locking, with a reason, and lifting it.
use super::list::{Fields, Locks};
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{FormOf, Frame, html_again},
    state::App,
};
use anteroom_approvals::ManageError;
use anteroom_domain::{CompanyId, Handle, Lockable, PersonId, Reason, TargetId, TargetName};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

/// By the name that people know it by; or what is wrong, in words.
async fn find(app: &App, f: &Fields) -> Result<Result<Lockable, String>, Problem> {
    let name = f.name.trim();
    let found = match f.kind.as_str() {
        "person" => match Handle::new(name) {
            Ok(handle) => app.approvals.person_by_handle(&handle).await?.map(|p| Lockable::Person(p.id)),
            Err(_) => None,
        },
        "target" => match TargetName::new(name) {
            Ok(name) => app.approvals.target_by_name(&name).await?.map(|t| Lockable::Target(t.id)),
            Err(_) => None,
        },
        "company" => app.approvals.company_by_name(name).await?.map(|c| Lockable::Company(c.id)),
        _ => return Ok(Err("Choose what it is: a person, a target or a company.".into())),
    };
    Ok(found.ok_or_else(|| format!("There is no {} of this name.", f.kind)))
}

pub(crate) async fn lock(State(app): State<App>, frame: Frame, viewer: Viewer, FormOf(f): FormOf<Fields>) -> Result<Response, Problem> {
    let reason = match Reason::new(f.reason.trim()) {
        Ok(reason) => reason,
        Err(e) => return html_again(&Locks::page(&app, frame, f, Some(e.to_string())).await?),
    };
    let on = match find(&app, &f).await? {
        Ok(on) => on,
        Err(wrong) => return html_again(&Locks::page(&app, frame, f, Some(wrong)).await?),
    };
    if on == Lockable::Person(viewer.person.id) {
        // Who is locked can lift nothing, and might be the last who could.
        return Err(Problem::status(StatusCode::CONFLICT, "That is you", "You cannot lock yourself. Ask somebody else."));
    }
    app.approvals.lock(Some(viewer.person.id), on, reason).await?;
    Ok(Redirect::to("/locks?done=locked").into_response())
}

#[derive(Debug, Deserialize)]
pub(crate) struct Lift {
    kind: String,
    id: String,
}

pub(crate) async fn lift(State(app): State<App>, viewer: Viewer, FormOf(l): FormOf<Lift>) -> Result<Redirect, Problem> {
    let id: uuid::Uuid = l.id.parse().map_err(|_| Problem::not_found())?;
    let on = match l.kind.as_str() {
        "person" => Lockable::Person(PersonId(id)),
        "target" => Lockable::Target(TargetId(id)),
        "company" => Lockable::Company(CompanyId(id)),
        _ => return Err(Problem::not_found()),
    };
    match app.approvals.unlock(Some(viewer.person.id), on).await {
        Ok(()) => Ok(Redirect::to("/locks?done=unlocked")),
        Err(ManageError::NoSuch(_)) => Err(Problem::not_found()),
        Err(e) => Err(e.into()),
    }
}

//! May this person reach that target then, and why (not)? Asked of the policies that count; nobody is told, nothing is changed.
use super::question::Fields;
use crate::{
    errors::{Explain, Problem},
    page::{Asked, Frame, html, html_again},
    state::App,
};
use anteroom_approvals::{ManageError, WhatIfAnswer};
use anteroom_policy::Policy;
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "policy_what_if.html")]
struct Page {
    frame: Frame,
    q: Fields,
    answer: Option<WhatIfAnswer>,
    wrong: Option<String>,
}

/// The answer, or what is wrong with the question, in words.
pub(super) async fn answer(app: &App, q: &Fields, policy: &Policy) -> Result<Result<WhatIfAnswer, String>, Problem> {
    let asked = match q.read() {
        Ok(asked) => asked,
        Err(wrong) => return Ok(Err(wrong)),
    };
    match app.approvals.what_if(&asked, policy).await {
        Ok(answer) => Ok(Ok(answer)),
        Err(ManageError::NoSuch(what)) => Ok(Err(format!("There is no such {what}."))),
        Err(e) => Err(e.failure().into()),
    }
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Asked(q): Asked<Fields>) -> Result<Response, Problem> {
    if q.is_empty() {
        return html(&Page { frame, q, answer: None, wrong: None });
    }
    match answer(&app, &q, &app.approvals.policy()).await? {
        Ok(answer) => html(&Page { frame, q, answer: Some(answer), wrong: None }),
        Err(wrong) => html_again(&Page { frame, q, answer: None, wrong: Some(wrong) }),
    }
}

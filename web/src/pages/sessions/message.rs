//! A supervisor's words in somebody's terminal. What was written stands in the recording; that somebody wrote, in the audit log.
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{FormOf, Frame, Id, html, html_again},
    pages::names::Names,
    state::App,
};
use anteroom_approvals::MessageFate;
use anteroom_domain::{MessageText, SessionId, SessionRecord};
use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "session_message.html")]
struct Write {
    frame: Frame,
    session: SessionRecord,
    names: Names,
    text: String,
    wrong: Option<&'static str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Words {
    text: String,
}

impl Write {
    async fn page(app: &App, frame: Frame, id: SessionId, text: String, wrong: Option<&'static str>) -> Result<Self, Problem> {
        let session = app.approvals.session(id).await?.ok_or_else(Problem::not_found)?;
        let names = Names::of(app, vec![session.person]).await?;
        Ok(Self { frame, session, names, text, wrong })
    }
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Id(id): Id<SessionId>) -> Result<Response, Problem> {
    html(&Write::page(&app, frame, id, String::new(), None).await?)
}

pub(crate) async fn send(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Id(id): Id<SessionId>,
    FormOf(words): FormOf<Words>,
) -> Result<Response, Problem> {
    let again = Write::page(&app, frame, id, words.text, None).await?;
    let wrong = match MessageText::new(&again.text) {
        Err(wrong) => wrong,
        // By way of the database: whichever gateway runs the session says what became of it, and writes it down.
        Ok(line) => match app.approvals.send_message(id, viewer.person.id, &line).await? {
            MessageFate::Shown => return Ok(Redirect::to("/sessions?done=message-sent").into_response()),
            MessageFate::NobodyReads => "nobody read it: the session has no terminal open",
            MessageFate::NoAnswer => "nobody read it: no gateway answered for this session within five seconds",
            MessageFate::SessionOver => "nobody read it: the session is over",
        },
    };
    html_again(&Write { wrong: Some(wrong), ..again })
}

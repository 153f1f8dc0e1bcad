//! The form, for one recording. It works without scripts.
use super::{
    clock_up,
    wish::{Wish, Wrong, wrong},
};
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Asked, FormOf, Frame, Id, html, html_again},
    pages::names::Names,
    state::App,
};
use anteroom_approvals::UnmaskError;
use anteroom_domain::{RecordingState, SessionId, SessionRecord, unmask::USES_HOURS};
use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};

#[derive(Template)]
#[template(path = "unmask_ask.html")]
struct Ask {
    frame: Frame,
    session: SessionRecord,
    names: Names,
    wish: Wish,
    wrong: Vec<Wrong>,
    /// The recording's, where it can be read.
    length: Option<String>,
    set_up: bool,
}

impl Ask {
    async fn form(app: &App, frame: Frame, id: SessionId, wish: Wish, wrong: Vec<Wrong>) -> Result<Self, Problem> {
        let session = app.approvals.session(id).await?.ok_or_else(Problem::not_found)?;
        let names = Names::of(app, vec![session.person]).await?;
        let length = match app.replayer.clone() {
            Some(r) => tokio::task::spawn_blocking(move || r.info(id)).await.ok().and_then(Result::ok),
            None => None,
        };
        let length = length.map(|i| clock_up(&u64::try_from(i.duration.as_micros()).unwrap_or(u64::MAX)));
        Ok(Self { frame, session, names, wish, wrong, length, set_up: app.unsealer.is_some() })
    }
    fn sealed(&self) -> bool {
        self.session.recording != RecordingState::Recording
    }
    fn error(&self, field: &str) -> Option<&str> {
        self.wrong.iter().find(|w| w.field == field).map(|w| w.text.as_str())
    }
}

pub(crate) async fn show(
    State(app): State<App>,
    frame: Frame,
    Id(id): Id<SessionId>,
    Asked(wish): Asked<Wish>,
) -> Result<Response, Problem> {
    html(&Ask::form(&app, frame, id, wish, Vec::new()).await?)
}

pub(crate) async fn ask(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Id(id): Id<SessionId>,
    FormOf(wish): FormOf<Wish>,
) -> Result<Response, Problem> {
    let form = match wish.read(id) {
        Ok(form) => form,
        Err(bad) => return html_again(&Ask::form(&app, frame, id, wish, bad).await?),
    };
    let bad = match app.approvals.ask_unmask(&viewer.person, form).await {
        Ok(asked) => return Ok(Redirect::to(&format!("/unmask/{}?done=unmask-asked", asked.id)).into_response()),
        Err(e @ UnmaskError::Interval(_)) => wrong("until", e.to_string()),
        Err(e @ UnmaskError::Hours) => wrong("hours", e.to_string()),
        Err(e @ (UnmaskError::TooMany { .. } | UnmaskError::NotSealed)) => wrong("reason", e.to_string()),
        Err(e) => return Err(e.into()),
    };
    html_again(&Ask::form(&app, frame, id, wish, vec![bad]).await?)
}

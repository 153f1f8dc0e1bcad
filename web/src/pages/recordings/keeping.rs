//! Legal holds on one recording: what holds it, what held it, and the forms that place and lift. Keys are destroyed where they lie, with
//! `anteroom recording shred`, not from a browser.
use crate::{
    errors::Problem,
    guard::Viewer,
    moments::exact,
    page::{FormOf, Frame, Id, html, html_again},
    pages::names::Names,
    state::App,
};
use anteroom_approvals::{KeepError, Keeping};
use anteroom_domain::{HoldId, LegalHold, Reason, SessionId, SessionRecord, Shredding};
use anteroom_policy::Action;
use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "recording_hold.html")]
struct Hold {
    frame: Frame,
    session: SessionRecord,
    names: Names,
    keeping: Keeping,
    /// What was written, to be filled in again.
    said: Said,
    wrong: Option<String>,
}

/// A form: placing has no hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Said {
    reason: String,
    hold: String,
}

impl Hold {
    async fn page(app: &App, frame: Frame, id: SessionId, said: Said, wrong: Option<String>) -> Result<Self, Problem> {
        let session = app.approvals.session(id).await?.ok_or_else(Problem::not_found)?;
        let keeping = app.approvals.keeping(id).await?;
        let mut people = vec![session.person];
        people.extend(keeping.holds.iter().flat_map(|h| [Some(h.placed_by), h.lifted.as_ref().map(|l| l.by)]).flatten());
        people.extend(keeping.shredding.as_ref().and_then(|d| d.by));
        let names = Names::of(app, people).await?;
        Ok(Self { frame, session, names, keeping, said, wrong })
    }
    fn gone(&self) -> Option<String> {
        self.keeping.shredding.as_ref().map(|d| words(d, &self.names))
    }
    /// What stands in the reason's field of this form.
    fn again(&self, hold: Option<&LegalHold>) -> &str {
        let of = hold.map(|h| h.id.to_string()).unwrap_or_default();
        if self.said.hold == of { &self.said.reason } else { "" }
    }
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Id(id): Id<SessionId>) -> Result<Response, Problem> {
    html(&Hold::page(&app, frame, id, Said::default(), None).await?)
}

pub(crate) async fn place(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Id(id): Id<SessionId>,
    FormOf(said): FormOf<Said>,
) -> Result<Response, Problem> {
    let said = Said { hold: String::new(), ..said };
    let done = match reason(&said) {
        Ok(why) => app.approvals.place_hold(viewer.person.id, id, why).await.map(|_| "hold-placed"),
        Err(wrong) => return html_again(&Hold::page(&app, frame, id, said, Some(wrong)).await?),
    };
    answer(&app, frame, id, said, done).await
}

pub(crate) async fn lift(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Id(id): Id<SessionId>,
    FormOf(said): FormOf<Said>,
) -> Result<Response, Problem> {
    let Ok(hold) = said.hold.parse::<HoldId>() else { return Err(Problem::not_found()) };
    let done = match reason(&said) {
        Ok(why) => app.approvals.lift_hold(viewer.person.id, id, Some(hold), why).await.map(|_| "hold-lifted"),
        Err(wrong) => return html_again(&Hold::page(&app, frame, id, said, Some(wrong)).await?),
    };
    answer(&app, frame, id, said, done).await
}

async fn answer(app: &App, frame: Frame, id: SessionId, said: Said, done: Result<&'static str, KeepError>) -> Result<Response, Problem> {
    match done {
        Ok(done) => Ok(Redirect::to(&format!("/recordings/{id}/hold?done={done}")).into_response()),
        Err(e @ (KeepError::TooMany { .. } | KeepError::NoHold | KeepError::Shredded)) => {
            html_again(&Hold::page(app, frame, id, said, Some(e.to_string())).await?)
        }
        Err(e) => Err(e.into()),
    }
}

fn reason(said: &Said) -> Result<Reason, String> {
    // Forms send line breaks as CR LF.
    Reason::new(said.reason.replace("\r\n", "\n").trim()).map_err(|e| match e {
        anteroom_domain::NameError::Empty { .. } => "say why".into(),
        e => e.to_string(),
    })
}

/// What stands where a recording would play.
pub(in crate::pages) fn words(d: &Shredding, names: &Names) -> String {
    let by = match &d.by {
        Some(by) => format!("by {}", names.get(by)),
        None => "because its time was over".into(),
    };
    let reason = d.reason.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
    format!(
        "This recording was shredded on {} {by}: {reason}. Its keys are destroyed, so nobody can watch it any more, masked or not. \
         That it was not changed can still be verified.",
        exact(d.at)
    )
}

/// The same, looked up; none of a recording that was not shredded.
pub(in crate::pages) async fn shredded(app: &App, session: &SessionRecord) -> Result<Option<String>, anteroom_approvals::StoreError> {
    if session.shredded_at.is_none() {
        return Ok(None);
    }
    let Some(d) = app.approvals.keeping(session.id).await?.shredding else { return Ok(None) };
    let names = Names::of(app, d.by.into_iter().collect()).await?;
    Ok(Some(words(&d, &names)))
}

//! One request: what its requester sees of it, and where a key-holder answers it.
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Frame, Id, html},
    pages::names::Names,
    state::App,
};
use anteroom_approvals::UnmaskView;
use anteroom_domain::{
    SessionRecord, UnmaskId, UnmaskStage,
    content::{Signable, UnmaskContent, UnmaskOpening, Verdict},
};
use anteroom_policy::Action;
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "unmask.html")]
struct Show {
    frame: Frame,
    view: UnmaskView,
    session: Option<SessionRecord>,
    names: Names,
    own: bool,
    /// May be answered by the viewer, now.
    answers: bool,
    /// The viewer has answered it.
    answered: bool,
    stage: UnmaskStage,
    said: Vec<String>,
    /// The keys are here: it can be watched without another touch.
    released: bool,
    set_up: bool,
    review: &'static str,
    opening: &'static str,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, viewer: Viewer, Id(id): Id<UnmaskId>) -> Result<Response, Problem> {
    let view = app.approvals.unmask(id).await?.ok_or_else(Problem::not_found)?;
    let me = viewer.person.id;
    let own = view.request.requester == me;
    if !own && !frame.may(Action::ReviewUnmask) {
        return Err(Problem::not_found());
    }
    let session = app.approvals.session(view.request.session).await?;
    let mut people = vec![view.request.requester];
    people.extend(session.as_ref().map(|s| s.person));
    people.extend(view.answers.iter().map(|a| a.holder));
    let names = Names::of(&app, people).await?;
    let stage = view.request.stage(frame.now.0);
    let answered = view.answers.iter().any(|a| a.holder == me);
    let answers = !own && !answered && stage == UnmaskStage::Waiting && frame.may(Action::ReviewUnmask);
    let said = view.request.reason.as_str().lines().map(str::to_owned).collect();
    let released = own && stage == UnmaskStage::Open && app.held.get(id, me, &viewer.token).is_some();
    html(&Show {
        frame,
        view,
        session,
        names,
        own,
        answers,
        answered,
        stage,
        said,
        released,
        set_up: app.unsealer.is_some(),
        review: UnmaskContent::DOMAIN,
        opening: UnmaskOpening::DOMAIN,
    })
}

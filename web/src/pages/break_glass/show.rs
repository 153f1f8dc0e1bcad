//! One emergency: what its person sees of it, and where somebody else looks at it afterwards.
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Frame, Id, html},
    pages::names::Names,
    state::{App, SshAddress},
};
use anteroom_domain::{
    BreakGlass, RequestId, SessionRecord,
    content::{BreakGlassReview, Finding, Signable},
};
use anteroom_policy::Action;
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "break_glass_one.html")]
struct Show<'a> {
    frame: Frame,
    ssh: &'a SshAddress,
    glass: BreakGlass,
    sessions: Vec<SessionRecord>,
    names: Names,
    own: bool,
    live: bool,
    /// May be reviewed by the viewer, now.
    reviews: bool,
    said: Vec<String>,
    domain: &'static str,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, viewer: Viewer, Id(id): Id<RequestId>) -> Result<Response, Problem> {
    let glass = app.approvals.break_glass(id).await?.ok_or_else(Problem::not_found)?;
    let own = glass.person == viewer.person.id;
    if !own && !frame.may(Action::ReviewBreakGlass) {
        return Err(Problem::not_found());
    }
    let mut sessions = Vec::with_capacity(glass.sessions.len());
    for id in &glass.sessions {
        sessions.extend(app.approvals.session(*id).await?);
    }
    let mut people = vec![glass.person];
    people.extend(glass.review.as_ref().map(|r| r.by));
    let names = Names::of(&app, people).await?;
    let live = glass.is_live(frame.now.0);
    let reviews = !own && glass.review.is_none() && !live && frame.may(Action::ReviewBreakGlass);
    let said = glass.reason.as_str().lines().map(str::to_owned).collect();
    html(&Show { frame, ssh: &app.ssh, glass, sessions, names, own, live, reviews, said, domain: BreakGlassReview::DOMAIN })
}

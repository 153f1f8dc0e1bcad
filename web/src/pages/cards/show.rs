//! One card: what it opens, who signed it, and what can be done about it.
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Frame, Id, html},
    state::App,
};
use anteroom_domain::{
    Card, CardId, CardState,
    content::{CardContent, Signable},
};
use anteroom_policy::Action;
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "card.html")]
struct Show {
    frame: Frame,
    card: Card,
    /// Its code waits here to be printed.
    prints: bool,
    /// The viewer may be the second officer.
    signs: bool,
    revokes: bool,
    own: bool,
    domain: &'static str,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, viewer: Viewer, Id(id): Id<CardId>) -> Result<Response, Problem> {
    let card = app.approvals.card(id).await?.ok_or_else(Problem::not_found)?;
    let own = card.begun.officer == viewer.person.id;
    let officer = frame.may(Action::IssueCards);
    let open = matches!(card.state, CardState::Begun | CardState::Valid);
    let prints = open && app.codes.waits(id, &viewer.token);
    let signs = officer && !own && card.state == CardState::Begun;
    html(&Show { frame, card, prints, signs, revokes: officer && open, own, domain: CardContent::DOMAIN })
}

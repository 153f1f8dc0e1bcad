use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Frame, Id, html},
    state::App,
};
use anteroom_domain::{Card, CardId, CardState};
use askama::Template;
use axum::{
    extract::State,
    response::{Redirect, Response},
};

#[derive(Template)]
#[template(path = "card_revoke.html")]
struct Confirm {
    frame: Frame,
    card: Card,
    over: bool,
}

pub(crate) async fn confirm(State(app): State<App>, frame: Frame, Id(id): Id<CardId>) -> Result<Response, Problem> {
    let card = app.approvals.card(id).await?.ok_or_else(Problem::not_found)?;
    let over = !matches!(card.state, CardState::Begun | CardState::Valid);
    html(&Confirm { frame, card, over })
}

pub(crate) async fn revoke(State(app): State<App>, viewer: Viewer, Id(id): Id<CardId>) -> Result<Redirect, Problem> {
    app.approvals.revoke_card(Some(viewer.person.id), id).await?;
    Ok(Redirect::to(&format!("/cards/{id}?done=card-revoked")))
}

//! The card itself, shown once, made for paper. A post: nothing that fetches pages ahead can use it up, and no address leads back to it.
use super::qr;
use crate::{
    errors::Problem,
    guard::Viewer,
    moments::exact,
    page::{Frame, Id, html},
    state::{App, SshAddress},
};
use anteroom_domain::{Card, CardId, CardState, Secret};
use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};

#[derive(Template)]
#[template(path = "card_print.html")]
struct Print<'a> {
    frame: Frame,
    ssh: &'a SshAddress,
    card: Card,
    printed: Secret<String>,
    qr: qr::Picture,
    from: String,
    until: String,
}

pub(crate) async fn print(State(app): State<App>, frame: Frame, viewer: Viewer, Id(id): Id<CardId>) -> Result<Response, Problem> {
    let card = app.approvals.card(id).await?.ok_or_else(Problem::not_found)?;
    let gone = || {
        let text = "The code of this card was shown already, or too long ago. Nobody can show it again. If you have no good print of it, \
                    revoke the card and make another.";
        Problem::status(StatusCode::GONE, "The code is gone", text)
    };
    if !matches!(card.state, CardState::Begun | CardState::Valid) {
        return Ok(gone().into_response());
    }
    let code = app.codes.take(id, &viewer.token).ok_or_else(gone)?;
    let printed = code.printed();
    let qr = qr::picture(&printed).ok_or_else(gone)?;
    let (from, until) = (exact(card.terms.from), exact(card.terms.until));
    html(&Print { frame, ssh: &app.ssh, card, printed, qr, from, until })
}

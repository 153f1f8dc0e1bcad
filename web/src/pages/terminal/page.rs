use super::{Place, grant};
use crate::{
    errors::Problem,
    guard::{Source, Viewer},
    layers::Styles,
    page::{Frame, html},
    state::App,
};
use anteroom_domain::{
    Grant,
    content::{Signable, StepUpContent},
};
use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};

#[derive(Template)]
#[template(path = "terminal.html")]
struct Terminal {
    frame: Frame,
    grant: Grant,
    source: String,
    /// Of this page: for begin.
    path: String,
    nonce: String,
    domain: &'static str,
}

pub(crate) async fn show(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Source(source): Source,
    Path(place): Path<String>,
) -> Result<Response, Problem> {
    let place = Place::read(&place).ok_or_else(Problem::not_found)?;
    let grant = grant(&app, &viewer, &place).await?.ok_or_else(|| {
        let text = "You have no open grant for a terminal there. Ask for access, or look at what you may reach on the start page.";
        Problem::status(StatusCode::NOT_FOUND, "No access now", text)
    })?;
    let styles = Styles::new();
    let path = super::path(&place.account, &place.target);
    let page = Terminal { frame, grant, source: source.to_string(), path, nonce: styles.nonce().to_owned(), domain: StepUpContent::DOMAIN };
    let mut response = html(&page)?;
    response.extensions_mut().insert(styles);
    Ok(response)
}

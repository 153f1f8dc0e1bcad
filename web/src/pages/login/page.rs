use crate::{
    errors::Problem,
    guard::{Source, Viewer},
    page::{Frame, Id, html},
    state::App,
};
use anteroom_approvals::{CertificateAskView, CertificateState};
use anteroom_domain::{
    CertificateAskId,
    content::{CertificateContent, Signable},
};
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "login.html")]
struct Show {
    frame: Frame,
    view: CertificateAskView,
    /// The browser is at another address than the program.
    elsewhere: Option<String>,
    domain: &'static str,
}

pub(crate) async fn show(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Source(source): Source,
    Id(id): Id<CertificateAskId>,
) -> Result<Response, Problem> {
    let view = app.approvals.certificate_ask(&viewer.person, id).await?.ok_or_else(Problem::not_found)?;
    let elsewhere = Some(source.to_string()).filter(|here| *here != view.source);
    html(&Show { frame, view, elsewhere, domain: CertificateContent::DOMAIN })
}

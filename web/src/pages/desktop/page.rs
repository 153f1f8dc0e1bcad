use super::{grant, path};
use crate::{
    errors::Problem,
    guard::{Source, Viewer},
    page::{Frame, Id, html},
    state::App,
};
use anteroom_domain::{
    Grant, GrantId,
    content::{Signable, StepUpContent},
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

#[derive(Template)]
#[template(path = "desktop.html")]
struct Desktop {
    frame: Frame,
    grant: Grant,
    source: String,
    /// Of this page: for begin and finish.
    path: String,
    domain: &'static str,
    /// Host and port of the gateway.
    place: String,
    /// As openssl prints it.
    fingerprint: Option<String>,
    /// What to type, but for the user name at its end.
    xfreerdp: String,
}

pub(crate) async fn show(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Source(source): Source,
    Id(id): Id<GrantId>,
) -> Result<Response, Problem> {
    let (grant, rdp) = grant(&app, &viewer, id).await?.ok_or_else(|| {
        let text = "You have no open grant for this desktop. Ask for access, or look at what you may reach on the start page.";
        Problem::status(StatusCode::NOT_FOUND, "No access now", text)
    })?;
    let fingerprint = rdp.certificate.map(|c| c.to_string());
    let (place, allows) = (rdp.place(), super::file::options(&grant.capabilities));
    // It trusts this certificate and no other, or what the machine trusts.
    let trusts = fingerprint.as_deref().map_or_else(|| "deny".into(), |f| format!("fingerprint:{}", f.to_lowercase()));
    let xfreerdp =
        format!("xfreerdp /v:{place} /sec:nla /cert:{trusts}{allows} /gfx:RFX /dynamic-resolution +auto-reconnect /from-stdin /u:");
    html(&Desktop {
        source: source.to_string(),
        path: path(grant.id),
        domain: StepUpContent::DOMAIN,
        place,
        fingerprint,
        xfreerdp,
        frame,
        grant,
    })
}

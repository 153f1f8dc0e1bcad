use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Frame, html},
    state::App,
};
use anteroom_approvals::{PasskeyInfo, SshKeyInfo};
use anteroom_domain::content::{CertificateContent, Signable, SshKeyContent};
use anteroom_policy::Action;
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "keys.html")]
struct Keys {
    frame: Frame,
    passkeys: Vec<PasskeyInfo>,
    ssh_keys: Vec<SshKeyInfo>,
    domain: &'static str,
    certificate_domain: &'static str,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, viewer: Viewer) -> Result<Response, Problem> {
    let passkeys = app.approvals.passkeys(viewer.person.id).await?;
    let ssh_keys = app.approvals.ssh_keys(viewer.person.id).await?;
    html(&Keys { frame, passkeys, ssh_keys, domain: SshKeyContent::DOMAIN, certificate_domain: CertificateContent::DOMAIN })
}

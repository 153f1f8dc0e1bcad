use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Frame, html},
    state::App,
};
use anteroom_approvals::{PasskeyInfo, PasskeyKey, SshKeyInfo};
use anteroom_domain::content::{CertificateContent, Signable, SshKeyContent};
use anteroom_policy::Action;
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "keys.html")]
struct Keys {
    frame: Frame,
    passkeys: Vec<PasskeyInfo>,
    /// In the same order, for who compares them with the unsealer's list.
    public: Vec<PasskeyKey>,
    ssh_keys: Vec<SshKeyInfo>,
    domain: &'static str,
    certificate_domain: &'static str,
}

impl Keys {
    fn sha256(&self, at: &usize) -> Option<&str> {
        self.public.get(*at).map(|p| p.sha256.as_str())
    }
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, viewer: Viewer) -> Result<Response, Problem> {
    let passkeys = app.approvals.passkeys(viewer.person.id).await?;
    let public = if frame.may(Action::ReviewUnmask) { app.approvals.passkeys_of(viewer.person.id).await? } else { Vec::new() };
    let ssh_keys = app.approvals.ssh_keys(viewer.person.id).await?;
    html(&Keys { frame, passkeys, public, ssh_keys, domain: SshKeyContent::DOMAIN, certificate_domain: CertificateContent::DOMAIN })
}

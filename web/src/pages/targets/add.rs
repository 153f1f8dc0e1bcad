use super::list::{Query, Targets};
use crate::{
    errors::{Explain, Problem},
    guard::Viewer,
    page::{FormOf, Frame, html_again},
    state::App,
};
use anteroom_approvals::{ManageError, NewTarget};
use anteroom_domain::{TargetKind, TargetName};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NewTargetForm {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) host: String,
    pub(crate) port: String,
    pub(crate) description: String,
}

impl NewTargetForm {
    fn read(&self) -> Result<NewTarget, String> {
        let name = TargetName::new(self.name.trim()).map_err(|e| e.to_string())?;
        let kind = TargetKind::from_name(&self.kind).ok_or("choose what kind of target it is")?;
        let host = self.host.trim().to_owned();
        if host.is_empty() || host.len() > 253 || !host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':')) {
            return Err("host: enter a host name or an IP address".into());
        }
        let port = self.port.trim();
        let port =
            if port.is_empty() { 22 } else { port.parse::<u16>().ok().filter(|p| *p > 0).ok_or("port: a number from 1 to 65535")? };
        let description = self.description.trim().to_owned();
        if description.chars().count() > 500 || description.chars().any(char::is_control) {
            return Err("description: at most 500 characters on one line".into());
        }
        Ok(NewTarget { description, ..NewTarget::ssh(name, kind, host, port) })
    }
}

pub(crate) async fn add(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    FormOf(new): FormOf<NewTargetForm>,
) -> Result<Response, Problem> {
    let wrong = match new.read() {
        Ok(target) => match app.approvals.add_target(Some(viewer.person.id), target).await {
            Ok(target) => return Ok(Redirect::to(&format!("/targets/{}?done=target-added", target.id)).into_response()),
            Err(e @ (ManageError::Taken(_) | ManageError::Invalid { .. })) => e.failure().text,
            Err(e) => return Err(e.into()),
        },
        Err(wrong) => wrong,
    };
    html_again(&Targets::page(&app, frame, Query::default(), new, Some(wrong)).await?)
}

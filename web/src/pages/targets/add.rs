use super::{
    list::{Query, Targets},
    reach::Reach,
};
use crate::{
    errors::{Explain, Problem},
    guard::Viewer,
    page::{FormOf, Frame, html_again},
    state::App,
};
use anteroom_approvals::{ManageError, NewTarget};
use anteroom_domain::{Protocol, TargetKind, TargetName};
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
    pub(crate) protocol: String,
    pub(crate) description: String,
    #[serde(flatten)]
    pub(crate) reach: Reach,
}

impl NewTargetForm {
    fn read(&self) -> Result<NewTarget, String> {
        let name = TargetName::new(self.name.trim()).map_err(|e| e.to_string())?;
        let kind = TargetKind::from_name(&self.kind).ok_or("choose what kind of target it is")?;
        let protocol = match self.protocol.as_str() {
            "" => Protocol::Ssh,
            p => Protocol::from_name(p).ok_or("choose what the target speaks")?,
        };
        let r = self.reach.read(protocol.default_port())?;
        let description = self.description.trim().to_owned();
        if description.chars().count() > 500 || description.chars().any(char::is_control) {
            return Err("description: at most 500 characters on one line".into());
        }
        Ok(NewTarget {
            name,
            kind,
            host: r.host,
            port: r.port,
            description,
            protocol,
            more_hosts: r.more_hosts,
            profile: r.profile,
            via: r.via,
            pinned_host_cas: r.host_cas,
            pinned_certificates: Vec::new(),
        })
    }
}

pub(crate) async fn add(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    FormOf(new): FormOf<NewTargetForm>,
) -> Result<Response, Problem> {
    let wrong = match new.read() {
        Ok(target) => match Box::pin(app.approvals.add_target(Some(viewer.person.id), target)).await {
            Ok(target) => return Ok(Redirect::to(&format!("/targets/{}?done=target-added", target.id)).into_response()),
            Err(e @ (ManageError::Taken(_) | ManageError::Invalid { .. } | ManageError::NoSuch("relay" | "account on the relay"))) => {
                e.failure().text
            }
            Err(e) => return Err(e.into()),
        },
        Err(wrong) => wrong,
    };
    html_again(&Targets::page(&app, frame, Query::default(), new, Some(wrong)).await?)
}

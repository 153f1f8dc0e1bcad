use super::{reach::Reach, show::Show};
use crate::{
    errors::{Explain, Problem},
    guard::Viewer,
    page::{FormOf, Frame, Id, html_again},
    state::App,
};
use anteroom_approvals::{ManageError, TargetChange};
use anteroom_domain::TargetId;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};

pub(crate) async fn change(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Id(id): Id<TargetId>,
    FormOf(reach): FormOf<Reach>,
) -> Result<Response, Problem> {
    let target = app.approvals.target(id).await?.ok_or_else(Problem::not_found)?;
    let wrong = match reach.read(target.protocol.default_port()) {
        Err(wrong) => wrong,
        Ok(r) => {
            // Only what differs, so that the audit line names what was changed.
            let via = target.via.map(|v| (v.target_name, v.account));
            let change = TargetChange {
                host: Some(r.host).filter(|h| *h != target.host),
                port: Some(r.port).filter(|p| *p != target.port),
                more_hosts: Some(r.more_hosts).filter(|m| *m != target.more_hosts),
                profile: Some(r.profile).filter(|p| *p != target.profile),
                via: Some(r.via).filter(|v| *v != via),
                pinned_host_cas: Some(r.host_cas).filter(|c| *c != target.pinned_host_cas),
            };
            match Box::pin(app.approvals.change_target(Some(viewer.person.id), id, change)).await {
                Ok(_) => return Ok(Redirect::to(&format!("/targets/{id}?done=changed")).into_response()),
                Err(e @ (ManageError::Invalid { .. } | ManageError::NoSuch("relay" | "account on the relay"))) => e.failure().text,
                Err(e) => return Err(e.into()),
            }
        }
    };
    html_again(&Show::page(&app, frame, id, Some(wrong), Some(reach)).await?)
}

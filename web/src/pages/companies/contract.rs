//! Until when a contract runs and whether somebody watches, with a reason. Running sessions are judged again.
use super::{
    read_day,
    show::{Filled, Show},
};
use crate::{
    errors::{Explain, Problem},
    guard::Viewer,
    page::{FormOf, Frame, Id, html_again},
    state::App,
};
use anteroom_approvals::ManageError;
use anteroom_domain::{CompanyId, GroupName, Moment, PersonId, Reason};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(crate) struct Contract {
    until: String,
    /// `no`: its people work unwatched. All else means that somebody watches.
    watched: String,
    /// A group; empty: none.
    #[serde(default)]
    sponsors: String,
    reason: String,
}

impl Contract {
    fn read(&self) -> Result<(Moment, Option<GroupName>, Reason), String> {
        let sponsors = Some(self.sponsors.trim()).filter(|s| !s.is_empty()).map(GroupName::new).transpose();
        let sponsors = sponsors.map_err(|e| format!("The sponsors' group: {e}"))?;
        Ok((read_day(&self.until)?, sponsors, Reason::new(self.reason.trim()).map_err(|e| e.to_string())?))
    }
}

pub(crate) async fn change(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Id(id): Id<CompanyId>,
    FormOf(f): FormOf<Contract>,
) -> Result<Response, Problem> {
    let watched = f.watched != "no";
    let wrong = match f.read() {
        Ok(read) => match change_both(&app, viewer.person.id, id, read, watched).await {
            Ok(()) => return Ok(Redirect::to(&format!("/companies/{id}?done=contract-changed")).into_response()),
            Err(ManageError::NoSuch(_)) => return Err(Problem::not_found()),
            Err(e @ ManageError::Invalid { .. }) => e.failure().text,
            Err(e) => return Err(e.into()),
        },
        Err(wrong) => wrong,
    };
    let filled = Filled { until: Some(f.until), watched: Some(watched), sponsors: Some(f.sponsors), reason: f.reason, ..Filled::default() };
    html_again(&Show::page(&app, frame, id, Some(wrong), filled).await?)
}

/// Sponsors first: of the two only they can be wrong in themselves.
async fn change_both(
    app: &App,
    by: PersonId,
    id: CompanyId,
    (until, sponsors, reason): (Moment, Option<GroupName>, Reason),
    watched: bool,
) -> Result<(), ManageError> {
    app.approvals.set_sponsors(Some(by), id, sponsors, Some(reason.clone())).await?;
    app.approvals.change_company(Some(by), id, until, watched, Some(reason)).await
}

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
use anteroom_domain::{CompanyId, Contract, GroupName, Reason};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(crate) struct Changed {
    until: String,
    /// `no`: its people work unwatched. All else means that somebody watches.
    watched: String,
    /// A group; empty: none.
    #[serde(default)]
    sponsors: String,
    reason: String,
}

impl Changed {
    fn watched(&self) -> bool {
        self.watched != "no"
    }

    fn read(&self) -> Result<(Contract, Reason), String> {
        let sponsors = Some(self.sponsors.trim()).filter(|s| !s.is_empty()).map(GroupName::new).transpose();
        let sponsors = sponsors.map_err(|e| format!("The sponsors' group: {e}"))?;
        let contract = Contract { ends: read_day(&self.until)?, supervised: self.watched(), sponsors };
        Ok((contract, Reason::new(self.reason.trim()).map_err(|e| e.to_string())?))
    }
}

pub(crate) async fn change(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Id(id): Id<CompanyId>,
    FormOf(f): FormOf<Changed>,
) -> Result<Response, Problem> {
    let watched = f.watched();
    let wrong = match f.read() {
        Ok((contract, reason)) => match app.approvals.change_company(Some(viewer.person.id), id, contract, Some(reason)).await {
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

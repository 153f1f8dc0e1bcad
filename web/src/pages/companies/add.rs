use super::{
    list::{Companies, Query},
    read_day,
};
use crate::{
    errors::{Explain, Problem},
    guard::Viewer,
    page::{FormOf, Frame, html_again},
    state::App,
};
use anteroom_approvals::ManageError;
use anteroom_domain::{DisplayName, Moment};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NewCompany {
    pub(super) name: String,
    /// The contract's last day.
    pub(super) until: String,
    /// `no`: its people work unwatched. All else means that somebody watches.
    pub(super) watched: String,
}

impl NewCompany {
    fn read(&self) -> Result<(DisplayName, Moment), String> {
        let name = DisplayName::new(self.name.trim()).map_err(|e| e.to_string())?;
        Ok((name, read_day(&self.until)?))
    }
}

pub(crate) async fn add(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    FormOf(new): FormOf<NewCompany>,
) -> Result<Response, Problem> {
    let wrong = match new.read() {
        Ok((name, until)) => match app.approvals.add_company(Some(viewer.person.id), name, until, new.watched != "no").await {
            Ok(id) => return Ok(Redirect::to(&format!("/companies/{id}?done=company-added")).into_response()),
            Err(e @ (ManageError::Taken(_) | ManageError::Invalid { .. })) => e.failure().text,
            Err(e) => return Err(e.into()),
        },
        Err(wrong) => wrong,
    };
    html_again(&Companies::page(&app, frame, Query::default(), new, Some(wrong)).await?)
}

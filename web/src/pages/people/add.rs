use super::list::{People, Query};
use crate::{
    errors::{Explain, Problem},
    guard::Viewer,
    page::{FormOf, Frame, html_again},
    state::App,
};
use anteroom_approvals::ManageError;
use anteroom_domain::{DisplayName, Handle, Role, Roles};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

/// Each role is a field of its own: the form decoder reads no repeated names.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NewPerson {
    pub(crate) handle: String,
    pub(crate) display_name: String,
    admin: Option<String>,
    approver: Option<String>,
    auditor: Option<String>,
    operator: Option<String>,
    key_holder: Option<String>,
}

impl NewPerson {
    pub(crate) fn has(&self, role: &Role) -> bool {
        match role {
            Role::Admin => self.admin.is_some(),
            Role::Approver => self.approver.is_some(),
            Role::Auditor => self.auditor.is_some(),
            Role::Operator => self.operator.is_some(),
            Role::KeyHolder => self.key_holder.is_some(),
        }
    }

    fn read(&self) -> Result<(Handle, DisplayName, Roles), String> {
        let handle = Handle::new(self.handle.trim()).map_err(|e| e.to_string())?;
        let name = DisplayName::new(self.display_name.trim()).map_err(|e| e.to_string())?;
        let roles: Roles = Role::ALL.into_iter().filter(|r| self.has(r)).collect();
        if roles.0.is_empty() {
            return Err("choose at least one role".into());
        }
        Ok((handle, name, roles))
    }
}

pub(crate) async fn add(State(app): State<App>, frame: Frame, viewer: Viewer, FormOf(new): FormOf<NewPerson>) -> Result<Response, Problem> {
    let wrong = match new.read() {
        Ok((handle, name, roles)) => match app.approvals.add_person(Some(viewer.person.id), handle, name, roles).await {
            Ok(person) => return Ok(Redirect::to(&format!("/people/{}?done=person-added", person.id)).into_response()),
            Err(e @ (ManageError::Taken(_) | ManageError::Invalid { .. })) => e.failure().text,
            Err(e) => return Err(e.into()),
        },
        Err(wrong) => wrong,
    };
    html_again(&People::page(&app, frame, Query::default(), new, Some(wrong)).await?)
}

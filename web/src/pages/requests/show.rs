//! One request: what its requester sees of it, and where an approver answers it.
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Frame, Id, html},
    state::{App, SshAddress},
};
use anteroom_approvals::{GrantFilter, Page};
use anteroom_domain::{
    AccessRequest, Grant, GrantState, Person, RequestId, RequestState, Target,
    content::{ApprovalContent, Signable},
};
use anteroom_policy::Action;
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "request.html")]
struct Show<'a> {
    frame: Frame,
    request: AccessRequest,
    requester: Option<Person>,
    target: Option<Target>,
    grant: Option<Grant>,
    grant_state: Option<GrantState>,
    ssh: &'a SshAddress,
    own: bool,
    /// May be answered by the viewer, now.
    open: bool,
    over: bool,
    domain: &'static str,
    said: Vec<String>,
    terminals: bool,
}

impl Show<'_> {
    fn opens_here(&self) -> bool {
        self.terminals && self.grant_state == Some(GrantState::Live) && self.request.capabilities.shell()
    }
    fn is_usable(&self) -> bool {
        matches!(self.grant_state, Some(GrantState::Live | GrantState::NotYet))
    }
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, viewer: Viewer, Id(id): Id<RequestId>) -> Result<Response, Problem> {
    let request = app.approvals.request(id).await?.ok_or_else(Problem::not_found)?;
    let own = request.requester == viewer.person.id;
    if !own && !frame.may(Action::ReviewRequests) {
        return Err(Problem::not_found());
    }
    let requester = app.approvals.person(request.requester).await?;
    let target = app.approvals.target(request.target).await?;
    let grant = grant_of(&app, &request).await?;
    let grant_state = grant.as_ref().map(|g| g.state(frame.now.0));
    let over = request.until <= frame.now.0;
    let open = !own && !over && request.state == RequestState::Pending && frame.may(Action::ReviewRequests);
    let said = request.reason.as_str().lines().map(str::to_owned).collect();
    html(&Show {
        frame,
        request,
        requester,
        target,
        grant,
        grant_state,
        ssh: &app.ssh,
        own,
        open,
        over,
        domain: ApprovalContent::DOMAIN,
        said,
        terminals: app.terminals.is_some(),
    })
}

async fn grant_of(app: &App, request: &AccessRequest) -> Result<Option<Grant>, Problem> {
    if request.state != RequestState::Approved {
        return Ok(None);
    }
    let filter = GrantFilter { person: Some(request.requester), live_only: false, search: request.target_name.as_str().to_owned() };
    let grants = app.approvals.grants(filter, Page { number: 0, size: 500 }).await?.rows;
    Ok(grants.into_iter().find(|g| g.request == request.id))
}

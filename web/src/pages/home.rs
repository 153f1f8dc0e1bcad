//! "What can I do now?" per role.
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Frame, html},
    state::{App, SshAddress},
};
use anteroom_approvals::{Page, RequestFilter, UnmaskFilter};
use anteroom_domain::{AccessRequest, Grant, LiveSession, RequestState, UnmaskRequest, UnmaskStage};
use anteroom_policy::Action;
use askama::Template;
use axum::{extract::State, response::Response};

const FEW: Page = Page { number: 0, size: 5 };

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    frame: Frame,
    ssh: &'a SshAddress,
    reachable: Vec<Grant>,
    mine: Vec<AccessRequest>,
    waiting: u64,
    /// Emergencies that nobody has looked at yet.
    emergencies: u64,
    sessions: Vec<LiveSession>,
    ssh_keys: usize,
    passkeys: usize,
    /// For a key-holder: how many wait for them.
    to_unmask: u64,
    /// For an auditor: their own newest ones.
    unmasks: Vec<UnmaskRequest>,
    /// Terminals open in the browser too.
    terminals: bool,
    /// Desktops can be reached.
    desktops: bool,
    /// Everything that may be reached is a desktop, so no SSH key is missed.
    only_desktops: bool,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, viewer: Viewer) -> Result<Response, Problem> {
    let me = viewer.person.id;
    let asks = frame.may(Action::RequestAccess);
    let reachable = if asks { app.approvals.reachable(me, frame.now.0).await? } else { Vec::new() };
    let pending = |requester| RequestFilter { state: Some(RequestState::Pending), requester, ..Default::default() };
    let mine = if asks { app.approvals.requests(pending(Some(me)), FEW).await?.rows } else { Vec::new() };
    let waiting = if frame.may(Action::ReviewRequests) { app.approvals.requests(pending(None), FEW).await?.total } else { 0 };
    let emergencies = if frame.may(Action::ReviewBreakGlass) { app.approvals.broken_glass(true, FEW).await?.total } else { 0 };
    let sessions = if frame.may(Action::SeeSessions) { app.control.list() } else { Vec::new() };
    let ssh_keys = if asks { app.approvals.ssh_keys(me).await?.len() } else { 0 };
    let passkeys = app.approvals.passkeys(me).await?.len();
    let waits = UnmaskFilter { waits_for: Some(me), ..Default::default() };
    let to_unmask = if frame.may(Action::ReviewUnmask) { app.approvals.unmasks(waits, FEW).await?.total } else { 0 };
    let own = UnmaskFilter { requester: Some(me), ..Default::default() };
    let mut unmasks = if frame.may(Action::AskUnmask) { app.approvals.unmasks(own, FEW).await?.rows } else { Vec::new() };
    unmasks.retain(|u| matches!(u.stage(frame.now.0), UnmaskStage::Waiting | UnmaskStage::Open));
    let terminals = app.terminals.is_some();
    let desktops = app.rdp.is_some();
    let only_desktops = !reachable.is_empty() && reachable.iter().all(|g| g.capabilities.desktop());
    html(&Home {
        frame,
        ssh: &app.ssh,
        reachable,
        mine,
        waiting,
        emergencies,
        sessions,
        ssh_keys,
        passkeys,
        to_unmask,
        unmasks,
        terminals,
        desktops,
        only_desktops,
    })
}

//! One request: what its requester sees of it, and where an approver answers it.
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Frame, Id, html},
    state::{App, SshAddress},
};
use anteroom_approvals::{ApprovalView, Progress};
use anteroom_domain::{
    AccessRequest, Grant, GrantState, Obligations, Person, RequestId, RequestState, Target,
    content::{ApprovalContent, Signable, Verdict},
};
use anteroom_policy::{Action, listed};
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "request.html")]
struct Show<'a> {
    frame: Frame,
    request: AccessRequest,
    requester: Option<Person>,
    target: Option<Target>,
    progress: Progress,
    ssh: &'a SshAddress,
    own: bool,
    /// May be answered by the viewer, now.
    open: bool,
    over: bool,
    /// The viewer has signed already.
    signed: bool,
    domain: &'static str,
    said: Vec<String>,
    owed: Vec<String>,
    terminals: bool,
}

impl Show<'_> {
    fn opens_here(&self, g: &Grant) -> bool {
        self.terminals && g.state(self.frame.now.0) == GrantState::Live && self.request.capabilities.shell()
    }
    fn is_usable(&self, g: &Grant) -> bool {
        matches!(g.state(self.frame.now.0), GrantState::Live | GrantState::NotYet)
    }
    fn state_of(&self, g: &Grant) -> GrantState {
        g.state(self.frame.now.0)
    }
    fn missing(&self) -> String {
        listed(&self.progress.missing)
    }
    fn needed(&self) -> String {
        listed(&self.progress.needed)
    }
    /// All that have to have signed, and nobody has made the grant of it: somebody's signature counts again that did not in between.
    fn complete(&self) -> bool {
        let p = &self.progress;
        self.request.state == RequestState::Pending && p.missing.is_empty() && p.given.iter().any(|g| g.counts)
    }
    /// Whether there is anything to tell beside "one approver".
    fn several(&self) -> bool {
        !self.progress.given.is_empty()
            || self.progress.needed.len() > 1
            || self.progress.needed.iter().any(|q| q.count > 1 || q.group.is_some())
    }
    fn denied<'p>(&self, a: &'p ApprovalView) -> Option<&'p str> {
        (a.verdict == Verdict::Deny).then(|| a.comment.as_ref().map_or("", |c| c.as_str()))
    }
}

/// What a grant will owe, in words.
fn owed(o: &Obligations) -> Vec<String> {
    let mut all = Vec::new();
    if o.supervise {
        all.push("somebody watches, all the time".into());
    }
    if o.live_mask {
        all.push("patient data is masked in what they see".into());
    }
    if let Some(seconds) = o.factor_age {
        all.push(if seconds == 0 {
            "a passkey for each connection".into()
        } else {
            format!("a passkey at most {} minutes old", seconds.div_ceil(60))
        });
    }
    if let Some(n) = o.at_once {
        all.push(format!("at most {n} session{} at the same time", if n == 1 { "" } else { "s" }));
    }
    all
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, viewer: Viewer, Id(id): Id<RequestId>) -> Result<Response, Problem> {
    let request = app.approvals.request(id).await?.ok_or_else(Problem::not_found)?;
    let own = request.requester == viewer.person.id;
    if !own && !frame.may(Action::ReviewRequests) {
        return Err(Problem::not_found());
    }
    let requester = app.approvals.person(request.requester).await?;
    let target = app.approvals.target(request.target).await?;
    let progress = app.approvals.progress(id).await?.ok_or_else(Problem::not_found)?;
    let over = request.last_until() <= frame.now.0 || request.expires_at.is_some_and(|at| at <= frame.now.0);
    let signed = progress.given.iter().any(|g| g.approver.id == viewer.person.id);
    let open = !own && !over && !signed && request.state == RequestState::Pending && frame.may(Action::ReviewRequests);
    let said = request.reason.as_str().lines().map(str::to_owned).collect();
    let owed = owed(&request.obligations);
    html(&Show {
        frame,
        request,
        requester,
        target,
        progress,
        ssh: &app.ssh,
        own,
        open,
        over,
        signed,
        domain: ApprovalContent::DOMAIN,
        said,
        owed,
        terminals: app.terminals.is_some(),
    })
}

//! One request: what its requester sees of it, and where an approver answers it.
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Frame, Id, html},
    pages::allowed::briefly,
    state::{App, SshAddress},
};
use anteroom_approvals::{ApprovalView, Progress};
use anteroom_domain::{
    AccessRequest, AtEnd, Grant, GrantState, Obligations, Person, RequestId, RequestState, Target,
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

/// What a grant will owe, in words: everything of it that is signed and not said elsewhere on the page.
fn owed(o: &Obligations) -> Vec<String> {
    // Taken apart, so that what is added to it is added here.
    let Obligations { supervise, live_mask, ticket, approvals: _, ordered: _, factor_age, longest, capabilities, at_end, at_once } = o;
    let mut all = Vec::new();
    if *supervise {
        all.push("somebody watches, all the time".into());
    }
    if *live_mask {
        all.push("patient data is masked in what they see".into());
    }
    if *ticket {
        all.push("with the number of a ticket".into());
    }
    if let Some(seconds) = factor_age {
        all.push(if *seconds == 0 {
            "a passkey for each connection".into()
        } else {
            format!("a passkey at most {} minutes old", seconds.div_ceil(60))
        });
    }
    if let Some(minutes) = longest {
        all.push(format!("for at most {} at a time", long(u64::from(*minutes))));
    }
    if let Some(most) = capabilities {
        let words = briefly(most);
        all.push(if words.is_empty() { "nothing that they ask for here".into() } else { format!("nothing beyond: {words}") });
    }
    match at_end {
        Some(AtEnd::SupervisorDecides { minutes }) => {
            all.push(format!("whoever watches may let it go on for {} after its end, once", long(u64::from(*minutes))));
        }
        Some(AtEnd::Cut) => all.push("it is cut at its end, in the middle of work too".into()),
        None => {}
    }
    if let Some(n) = at_once {
        all.push(format!("at most {n} session{} at the same time", if *n == 1 { "" } else { "s" }));
    }
    all
}

/// "4 hours", "90 minutes".
fn long(minutes: u64) -> String {
    let (n, unit) = if minutes >= 60 && minutes.is_multiple_of(60) { (minutes / 60, "hour") } else { (minutes, "minute") };
    format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
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

#[cfg(test)]
mod tests {
    use super::*;
    use anteroom_domain::Capabilities;

    #[test]
    fn what_is_signed_is_said_in_words() {
        assert!(owed(&Obligations::default()).is_empty());
        let o = Obligations {
            longest: Some(240),
            capabilities: Some(Capabilities::interactive()),
            at_end: Some(AtEnd::SupervisorDecides { minutes: 10 }),
            ticket: true,
            at_once: Some(1),
            ..Obligations::default()
        };
        let said = owed(&o).join("; ");
        for words in [
            "for at most 4 hours at a time",
            "nothing beyond: ",
            "whoever watches may let it go on for 10 minutes after its end, once",
            "with the number of a ticket",
            "at most 1 session at the same time",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        let cut = Obligations { at_end: Some(AtEnd::Cut), longest: Some(90), ..Obligations::default() };
        assert_eq!(owed(&cut), ["for at most 90 minutes at a time", "it is cut at its end, in the middle of work too"]);
        assert_eq!((long(60), long(1)), ("1 hour".into(), "1 minute".into()));
    }
}

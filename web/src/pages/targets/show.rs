use super::{reach::Reach, test::Tested};
use crate::{
    errors::Problem,
    page::{Frame, Id, html},
    state::App,
};
use anteroom_approvals::{AuthorityInfo, Purpose};
use anteroom_domain::{ProbeOutcome, Profile, Protocol, Target, TargetId};
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "target.html")]
pub(super) struct Show {
    frame: Frame,
    target: Target,
    /// What the form about reaching it holds.
    reach: Reach,
    /// Our authorities that targets may believe in, the one that signs now first. Empty where they cannot.
    authorities: Vec<AuthorityInfo>,
    wrong: Option<String>,
    may_test: bool,
    tested: Option<Tested>,
}

impl Show {
    /// `filled` is what somebody typed that was not taken.
    pub(super) async fn page(app: &App, frame: Frame, id: TargetId, wrong: Option<String>, filled: Option<Reach>) -> Result<Self, Problem> {
        let target = app.approvals.target(id).await?.ok_or_else(Problem::not_found)?;
        let reach = filled.unwrap_or_else(|| Reach::of(&target));
        let authorities = if target.protocol == Protocol::Ssh { app.approvals.authorities(Purpose::Target).await? } else { Vec::new() };
        let authorities = authorities.into_iter().filter(|a| a.retired_at.is_none()).collect();
        Ok(Self { frame, target, reach, authorities, wrong, may_test: app.probe.is_some(), tested: None })
    }

    pub(super) fn with(self, tested: Tested) -> Self {
        Self { tested: Some(tested), ..self }
    }
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Id(id): Id<TargetId>) -> Result<Response, Problem> {
    html(&Show::page(&app, frame, id, None, None).await?)
}

use super::{reach::Reach, test::Tested};
use crate::{
    errors::Problem,
    page::{Frame, Id, html},
    pages::names::Names,
    state::App,
};
use anteroom_approvals::{AuthorityInfo, Inventory, LockRow, Purpose, SbomInfo, Turned};
use anteroom_domain::{ClinicalUse, Company, Lockable, ProbeOutcome, Profile, Protocol, Target, TargetId, TargetKind};
use anteroom_policy::Action;
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "target.html")]
pub(super) struct Show {
    frame: Frame,
    target: Target,
    /// Who keeps it, if not the hospital.
    keeper: Option<Company>,
    /// What the form about reaching it holds.
    reach: Reach,
    /// Our authorities that targets may believe in, the one that signs now first. Empty where they cannot.
    authorities: Vec<AuthorityInfo>,
    wrong: Option<String>,
    may_test: bool,
    tested: Option<Tested>,
    lock: Option<LockRow>,
    may_lock: bool,
    inventory: Inventory,
    sbom: Option<SbomInfo>,
    /// Who turned the switch of clinical use last.
    turned: Option<Turned>,
    names: Names,
}

impl Show {
    /// `filled` is what somebody typed that was not taken.
    pub(super) async fn page(app: &App, frame: Frame, id: TargetId, wrong: Option<String>, filled: Option<Reach>) -> Result<Self, Problem> {
        let target = app.approvals.target(id).await?.ok_or_else(Problem::not_found)?;
        let reach = filled.unwrap_or_else(|| Reach::of(&target));
        let authorities = if target.protocol == Protocol::Ssh { app.approvals.authorities(Purpose::Target).await? } else { Vec::new() };
        let authorities = authorities.into_iter().filter(|a| a.retired_at.is_none()).collect();
        let (lock, may_lock) = (app.approvals.lock_on(Lockable::Target(id)).await?, frame.may(Action::Lock));
        let (inventory, sbom) = app.approvals.device(id).await?;
        let turned = app.approvals.clinical_use_turned(id).await?;
        let names = Names::of(app, turned.iter().filter_map(|t| t.by).collect()).await?;
        let keeper = match target.attributes.vendor {
            Some(c) => app.approvals.company(c).await?,
            None => None,
        };
        let may_test = app.probe.is_some();
        Ok(Self {
            frame,
            target,
            keeper,
            reach,
            authorities,
            wrong,
            may_test,
            tested: None,
            lock,
            may_lock,
            inventory,
            sbom,
            turned,
            names,
        })
    }

    pub(super) fn with(self, tested: Tested) -> Self {
        Self { tested: Some(tested), ..self }
    }
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Id(id): Id<TargetId>) -> Result<Response, Problem> {
    html(&Show::page(&app, frame, id, None, None).await?)
}

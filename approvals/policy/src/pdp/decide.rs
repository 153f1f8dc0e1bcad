//! A question in, a ruling out.
use super::{
    ask::Question,
    load::{Policy, PolicyName},
    question::{self, Asked, uid},
};
use anteroom_domain::Obligations;
use cedar_policy::{AuthorizationError, Authorizer, Decision, EntityUid, PolicySet, Request, Response};
use std::fmt;

/// Why: which policy, and what it says to people.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Ground {
    /// None if there is none that could say so.
    pub policy: Option<PolicyName>,
    pub says: String,
    /// What it denies may pass: a session that runs stands still meanwhile instead of ending.
    #[serde(skip)]
    pub pauses: bool,
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)
    }
}

#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    Permit { obligations: Obligations, reasons: Vec<Ground> },
    Deny { reasons: Vec<Ground> },
}

impl Ruling {
    pub fn permits(&self) -> bool {
        matches!(self, Self::Permit { .. })
    }

    pub fn reasons(&self) -> &[Ground] {
        match self {
            Self::Permit { reasons, .. } | Self::Deny { reasons } => reasons,
        }
    }

    fn deny(says: impl Into<String>) -> Self {
        Self::Deny { reasons: vec![Ground { policy: None, says: says.into(), pauses: false }] }
    }
}

impl Policy {
    /// Permit only if a permit is satisfied, no forbid is, and every policy could be evaluated.
    pub fn decide(&self, q: &Question<'_>) -> Ruling {
        let asked = match question::asked(&self.names, q) {
            Ok(a) => a,
            Err(e) => return Ruling::deny(format!("the facts could not be put to the policy: {e}")),
        };
        let answer = match self.put(&asked, question::action(&self.names, q.ask), &self.all) {
            Ok(a) => a,
            Err(ruling) => return ruling,
        };
        let reasons = self.grounds(&answer);
        match answer.decision() {
            Decision::Deny if reasons.is_empty() => return Ruling::deny(format!("no policy permits {} here", saying(q))),
            Decision::Deny => return Ruling::Deny { reasons },
            Decision::Allow => {}
        }
        let more = match self.put(&asked, uid(&self.names.action, "oblige"), &self.permits) {
            Ok(a) => a,
            Err(ruling) => return ruling,
        };
        let owed = answer.diagnostics().reason().chain(more.diagnostics().reason()).filter_map(|id| self.details.get(id));
        // In a fixed order: quorums may be asked one after the other.
        let mut owed: Vec<_> = owed.collect();
        owed.sort_by_key(|d| &d.name);
        let obligations = owed.iter().fold(Obligations::default(), |o, d| o.and(d.obligations.clone()));
        let reasons = [reasons, self.grounds(&more)].concat();
        Ruling::Permit { obligations, reasons }
    }

    fn put(&self, a: &Asked, action: EntityUid, policies: &PolicySet) -> Result<Response, Ruling> {
        let wrong = |e: String| Ruling::deny(format!("the facts do not fit the policy's schema: {e}"));
        let request = Request::new(a.principal.clone(), action, a.resource.clone(), a.context.clone(), Some(&self.schema));
        let answer = Authorizer::new().is_authorized(&request.map_err(|e| wrong(e.to_string()))?, policies, &a.entities);
        // A forbid that cannot be evaluated would be one that does not count.
        let failed: Vec<_> =
            answer.diagnostics().errors().map(|AuthorizationError::PolicyEvaluationError(e)| e.policy_id().clone()).collect();
        if failed.is_empty() {
            return Ok(answer);
        }
        let says = |id| match self.details.get(id) {
            Some(d) => {
                Ground { policy: Some(d.name.clone()), says: format!("policy {:?} could not be evaluated", d.name.as_str()), pauses: false }
            }
            None => Ground { policy: None, says: "a policy could not be evaluated".into(), pauses: false },
        };
        Err(Ruling::Deny { reasons: failed.iter().map(says).collect() })
    }

    fn grounds(&self, answer: &Response) -> Vec<Ground> {
        let mut all: Vec<Ground> = answer.diagnostics().reason().filter_map(|id| self.details.get(id)).map(ground).collect();
        all.sort_by(|a, b| a.policy.cmp(&b.policy));
        all
    }
}

fn ground(d: &super::load::Detail) -> Ground {
    let says = d.says.clone().unwrap_or_else(|| format!("policy {:?}", d.name.as_str()));
    Ground { policy: Some(d.name.clone()), says, pauses: d.pauses }
}

fn saying(q: &Question<'_>) -> &'static str {
    match q.ask {
        super::Ask::Request => "asking for this",
        super::Ask::Connect => "connecting",
        super::Ask::BreakGlass => "breaking the glass",
        super::Ask::Supervise => "supervising",
    }
}

//! What policy says of a request, a connection or an emergency.
use crate::Approvals;
use anteroom_domain::{AccountName, Capabilities, Grant, Moment, Obligations, Person, Posture, Target};
use anteroom_policy::{
    Ask, Question, Ruling, SecondFactor,
    pdp::{Factor, FactorKind},
};
use std::net::IpAddr;
use time::Duration;

impl Approvals {
    /// Of something that is asked before anybody gave a second factor for it. What it asks in return; or why not, in words.
    pub(crate) fn asked_ruling(&self, a: &Asked<'_>) -> Result<Obligations, Vec<String>> {
        let ruling = self.policy().decide(&Question {
            ask: a.ask,
            person: a.person,
            target: a.target,
            account: a.account,
            capabilities: a.capabilities,
            lasts: a.lasts,
            source: a.source,
            // Nobody has given one yet.
            factor: None,
            posture: a.posture,
            break_glass: a.ask == Ask::BreakGlass,
            now: a.now,
        });
        in_words(ruling)
    }

    /// Of a connection under this grant.
    pub(crate) fn connect_ruling(&self, c: &Connecting<'_>) -> Ruling {
        self.policy().decide(&Question {
            ask: Ask::Connect,
            person: c.person,
            target: c.target,
            account: &c.grant.account_name,
            capabilities: &c.grant.capabilities,
            lasts: c.grant.not_after - c.grant.not_before,
            source: Some(c.source),
            factor: factor(c.factor, c.now - c.factor_at),
            posture: c.posture,
            break_glass: c.break_glass,
            now: c.now,
        })
    }
}

/// The obligations, or why not.
pub(super) fn in_words(ruling: Ruling) -> Result<Obligations, Vec<String>> {
    match ruling {
        Ruling::Permit { obligations, .. } => Ok(obligations),
        Ruling::Deny { reasons } => Err(reasons.iter().map(ToString::to_string).collect()),
    }
}

fn factor(f: SecondFactor, age: Duration) -> Option<Factor> {
    let kind = match f {
        SecondFactor::Missing => return None,
        SecondFactor::Passed(_) => FactorKind::Passkey,
        SecondFactor::SecurityKey => FactorKind::SecurityKey,
        SecondFactor::Certificate { .. } => FactorKind::Certificate,
        SecondFactor::Remembered => FactorKind::Remembered,
        SecondFactor::Card(_) => FactorKind::Card,
    };
    // A clock that was set back makes nothing younger than new.
    Some(Factor { kind, age: age.max(Duration::ZERO) })
}

pub(crate) struct Asked<'a> {
    pub(crate) ask: Ask,
    pub(crate) person: &'a Person,
    pub(crate) target: &'a Target,
    pub(crate) account: &'a AccountName,
    pub(crate) capabilities: &'a Capabilities,
    pub(crate) lasts: Duration,
    /// None: that is not known.
    pub(crate) source: Option<IpAddr>,
    /// Of the machine they come from, if a report fits.
    pub(crate) posture: Option<&'a Posture>,
    pub(crate) now: Moment,
}

pub(crate) struct Connecting<'a> {
    pub(crate) person: &'a Person,
    pub(crate) target: &'a Target,
    pub(crate) grant: &'a Grant,
    pub(crate) source: IpAddr,
    pub(crate) posture: Option<&'a Posture>,
    pub(crate) factor: SecondFactor,
    /// When that was proven.
    pub(crate) factor_at: Moment,
    pub(crate) break_glass: bool,
    pub(crate) now: Moment,
}

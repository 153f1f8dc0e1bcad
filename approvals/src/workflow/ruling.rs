//! What policy says of a request, a connection or an emergency.
use crate::Approvals;
use anteroom_domain::{AccountName, Capabilities, Grant, Moment, Obligations, Person, Target};
use anteroom_policy::{
    Ask, Question, Ruling, SecondFactor,
    pdp::{Factor, FactorKind},
};
use std::net::IpAddr;
use time::Duration;

impl Approvals {
    /// Of something that is asked for. What it asks in return; or why not, in words.
    pub(super) fn asked_ruling(&self, a: &Asked<'_>) -> Result<Obligations, Vec<String>> {
        let ruling = self.policy().decide(&Question {
            ask: a.ask,
            person: a.person,
            target: a.target,
            account: a.account,
            capabilities: a.capabilities,
            lasts: a.lasts,
            source: Some(a.source),
            factor: None,
            posture: None,
            break_glass: a.ask == Ask::BreakGlass,
            now: a.now,
        });
        let words = |reasons: &[anteroom_policy::pdp::Ground]| reasons.iter().map(ToString::to_string).collect();
        match ruling {
            Ruling::Permit { obligations, .. } => Ok(obligations),
            Ruling::Deny { reasons } => Err(words(&reasons)),
        }
    }

    /// Of a connection under this grant.
    pub(super) fn connect_ruling(&self, c: &Connecting<'_>) -> Ruling {
        self.policy().decide(&Question {
            ask: Ask::Connect,
            person: c.person,
            target: c.target,
            account: &c.grant.account_name,
            capabilities: &c.grant.capabilities,
            lasts: c.grant.not_after - c.grant.not_before,
            source: Some(c.source),
            factor: self.factor(c.factor),
            posture: None,
            break_glass: c.break_glass,
            now: c.now,
        })
    }

    /// How old a second factor is, rather too old than too young where nothing better is known.
    fn factor(&self, f: SecondFactor) -> Option<Factor> {
        let longest = |d: std::time::Duration| Duration::try_from(d).unwrap_or(Duration::MAX);
        let (kind, age) = match f {
            SecondFactor::Missing => return None,
            SecondFactor::Passed(_) => (FactorKind::Passkey, Duration::ZERO),
            SecondFactor::SecurityKey => (FactorKind::SecurityKey, Duration::ZERO),
            SecondFactor::Certificate { .. } => (FactorKind::Certificate, longest(self.inner.options.certificate_lifetime)),
            SecondFactor::Remembered => (FactorKind::Remembered, longest(self.remembers())),
        };
        Some(Factor { kind, age })
    }
}

pub(super) struct Asked<'a> {
    pub(super) ask: Ask,
    pub(super) person: &'a Person,
    pub(super) target: &'a Target,
    pub(super) account: &'a AccountName,
    pub(super) capabilities: &'a Capabilities,
    pub(super) lasts: Duration,
    pub(super) source: IpAddr,
    pub(super) now: Moment,
}

pub(super) struct Connecting<'a> {
    pub(super) person: &'a Person,
    pub(super) target: &'a Target,
    pub(super) grant: &'a Grant,
    pub(super) source: IpAddr,
    pub(super) factor: SecondFactor,
    pub(super) break_glass: bool,
    pub(super) now: Moment,
}

//! Tests beside policies: who, where and when, and what the policy has to say. TOML; a company is a name that stands for one.
use super::{Ask, Factor, FactorKind, Policy, Question, Ruling};
use anteroom_domain::{
    AccountName, Capabilities, ClinicalUse, CompanyId, Criticality, DisplayName, GroupName, Handle, Label, Moment, Obligations, Person,
    PersonAttributes, PersonId, Posture, Profile, Protocol, Role, Roles, Target, TargetAttributes, TargetId, TargetKind, TargetName,
    UnitName, Weekly, ZoneName,
};
use serde::Deserialize;
use std::{collections::BTreeSet, net::IpAddr};
use time::Duration;
use uuid::Uuid;

/// A file of tests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What it shows, in words.
    says: String,
    action: String,
    #[serde(default)]
    person: Who,
    #[serde(default)]
    target: Where,
    #[serde(default)]
    account: Option<AccountName>,
    #[serde(default)]
    capabilities: Option<Vec<String>>,
    /// How long it is asked for.
    #[serde(default)]
    minutes: Option<u32>,
    #[serde(default)]
    source: Option<IpAddr>,
    #[serde(with = "time::serde::rfc3339")]
    at: Moment,
    #[serde(default)]
    factor: Option<String>,
    #[serde(default)]
    factor_age_seconds: u32,
    #[serde(default)]
    posture: Option<Posture>,
    expect: Expect,
    /// Part of a reason that has to be given.
    #[serde(default)]
    because: Option<String>,
    /// Those that have to be owed, and exactly so; what is not named here is not looked at.
    #[serde(default)]
    owes: Option<serde_json::Map<String, serde_json::Value>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Expect {
    Permit,
    Deny,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Who {
    handle: Option<Handle>,
    roles: Vec<Role>,
    groups: BTreeSet<GroupName>,
    unit: Option<UnitName>,
    company: Option<String>,
    shifts: Vec<Weekly>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Where {
    name: Option<TargetName>,
    kind: Option<TargetKind>,
    protocol: Option<Protocol>,
    quarantine: bool,
    labels: BTreeSet<Label>,
    criticality: Criticality,
    zone: Option<ZoneName>,
    vendor: Option<String>,
    clinical_use: ClinicalUse,
    maintenance: Vec<Weekly>,
}

/// What a case came to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Tried {
    pub says: String,
    /// None: as expected. Otherwise what is different, for people.
    pub wrong: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CasesError {
    #[error("{0}")]
    Toml(String),
    #[error("case {says:?}: {what}")]
    Case { says: String, what: String },
}

/// Asks the policy every case of a file.
pub fn try_cases(policy: &Policy, text: &str) -> Result<Vec<Tried>, CasesError> {
    let file: File = toml::from_str(text).map_err(|e| CasesError::Toml(e.to_string()))?;
    file.case.into_iter().map(|c| one(policy, c)).collect()
}

/// The same name is the same company within a test.
fn company(name: &str) -> CompanyId {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut h = DefaultHasher::new();
    name.hash(&mut h);
    CompanyId(Uuid::from_u128(u128::from(h.finish())))
}

fn person(w: Who) -> Option<Person> {
    Some(Person {
        id: PersonId(Uuid::from_u128(1)),
        handle: w.handle.or_else(|| Handle::new("somebody").ok())?,
        display_name: DisplayName::new("Somebody").ok()?,
        roles: Roles(w.roles.into_iter().collect()),
        attributes: PersonAttributes { groups: w.groups, unit: w.unit, company: w.company.as_deref().map(company), shifts: w.shifts },
        suspended_at: None,
        created_at: Moment::UNIX_EPOCH,
    })
}

fn target(w: Where) -> Option<Target> {
    Some(Target {
        id: TargetId(Uuid::from_u128(2)),
        name: w.name.or_else(|| TargetName::new("somewhere").ok())?,
        kind: w.kind.unwrap_or(TargetKind::Server),
        protocol: w.protocol.unwrap_or(Protocol::Ssh),
        host: "localhost".into(),
        port: 22,
        more_hosts: Vec::new(),
        profile: if w.quarantine { Profile::Quarantine } else { Profile::Modern },
        via: None,
        description: String::new(),
        attributes: TargetAttributes {
            labels: w.labels,
            criticality: w.criticality,
            zone: w.zone,
            vendor: w.vendor.as_deref().map(company),
            clinical_use: w.clinical_use,
            maintenance: w.maintenance,
        },
        accounts: Vec::new(),
        pinned_host_keys: Vec::new(),
        pinned_host_cas: Vec::new(),
        pinned_certificates: Vec::new(),
        created_at: Moment::UNIX_EPOCH,
    })
}

fn one(policy: &Policy, c: Case) -> Result<Tried, CasesError> {
    let bad = |what: String| CasesError::Case { says: c.says.clone(), what };
    let ask: Ask = c.action.parse().map_err(|e: &str| bad(format!("action {:?}: {e}", c.action)))?;
    let (Some(person), Some(target)) = (person(c.person), target(c.target)) else { return Err(bad("a name is missing".into())) };
    let capabilities = match c.capabilities {
        Some(texts) => Capabilities::parse(texts).map_err(|e| bad(e.to_string()))?,
        None => Capabilities::usual(target.protocol),
    };
    let Some(account) = c.account.or_else(|| AccountName::new("root").ok()) else { return Err(bad("a name is missing".into())) };
    let kind = match &c.factor {
        Some(name) => {
            let found = FactorKind::ALL.into_iter().find(|k| k.as_str() == name);
            Some(found.ok_or_else(|| bad(format!("factor {name:?}: there are passkey, certificate, security_key, remembered and card")))?)
        }
        None => None,
    };
    let ruling = policy.decide(&Question {
        ask,
        person: &person,
        target: &target,
        account: &account,
        capabilities: &capabilities,
        lasts: Duration::minutes(c.minutes.unwrap_or(60).into()),
        source: c.source,
        factor: kind.map(|kind| Factor { kind, age: Duration::seconds(c.factor_age_seconds.into()) }),
        posture: c.posture.as_ref(),
        break_glass: ask == Ask::BreakGlass,
        now: c.at,
    });
    let wrong = different(&ruling, c.expect, c.because.as_deref(), c.owes.as_ref()).err();
    Ok(Tried { says: c.says, wrong })
}

fn different(
    ruling: &Ruling,
    expect: Expect,
    because: Option<&str>,
    owes: Option<&serde_json::Map<String, serde_json::Value>>,
) -> Result<(), String> {
    let reasons = ruling.reasons().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let got = if ruling.permits() { Expect::Permit } else { Expect::Deny };
    if got != expect {
        return Err(format!("expected {expect:?}, the policy says {got:?}: {reasons}"));
    }
    if let Some(part) = because.filter(|p| !reasons.contains(*p)) {
        return Err(format!("expected a reason with {part:?}; there is: {reasons}"));
    }
    let (Some(owes), Ruling::Permit { obligations, .. }) = (owes, ruling) else { return Ok(()) };
    let there = serde_json::to_value(obligations).map_err(|e| e.to_string())?;
    let known = serde_json::to_value(Obligations::default()).map_err(|e| e.to_string())?;
    for (key, value) in owes {
        if known.get(key).is_none() {
            return Err(format!("owes.{key}: there is no such obligation"));
        }
        let is = there.get(key).unwrap_or(&serde_json::Value::Null);
        if is != value {
            return Err(format!("expected {key} = {value}, it is {is}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::PolicyFile;

    fn hospital() -> Policy {
        let text = include_str!("../../policies/hospital.cedar").to_owned();
        Policy::load(vec![PolicyFile { name: "hospital.cedar".into(), text }]).unwrap()
    }

    #[test]
    fn the_hospitals_own_tests_pass() {
        let tried = try_cases(&hospital(), include_str!("../../policies/hospital.toml")).unwrap();
        let wrong: Vec<_> = tried.iter().filter(|t| t.wrong.is_some()).collect();
        assert!(tried.len() >= 10 && wrong.is_empty(), "{wrong:?}");
    }

    /// It stands beside the other one and takes away: what either file's tests expect is asked of both together.
    #[test]
    fn the_strict_ones_tests_pass_beside_the_hospitals_own() {
        let file = |name: &str, text: &str| PolicyFile { name: name.into(), text: text.into() };
        let strict = file("hospital-strict.cedar", include_str!("../../policies/hospital-strict.cedar"));
        let both = Policy::load(vec![file("hospital.cedar", include_str!("../../policies/hospital.cedar")), strict.clone()]).unwrap();
        let (own, other) = (include_str!("../../policies/hospital-strict.toml"), include_str!("../../policies/hospital.toml"));
        for (cases, least) in [(own, 12), (other, 10)] {
            let tried = try_cases(&both, cases).unwrap();
            let wrong: Vec<_> = tried.iter().filter(|t| t.wrong.is_some()).collect();
            assert!(tried.len() >= least && wrong.is_empty(), "{wrong:?}");
        }
        // What is tested is in the strict file: without it the tests fail, and alone it permits nothing.
        assert!(try_cases(&hospital(), own).unwrap().iter().filter(|t| t.wrong.is_some()).count() >= 8);
        assert!(try_cases(&Policy::load(vec![strict]).unwrap(), own).unwrap()[0].wrong.is_some());
    }

    #[test]
    fn a_case_that_is_wrong_says_what_is_different() {
        let case = "[[case]]\nsays = \"x\"\naction = \"request\"\nat = 2026-11-26T02:00:00Z\nexpect = \"permit\"\n";
        let tried = try_cases(&hospital(), &case.replace("2026-11-26T02:00:00Z", "\"2026-11-26T02:00:00Z\"")).unwrap();
        assert!(tried[0].wrong.as_ref().unwrap().contains("expected Permit, the policy says Deny"), "{tried:?}");
    }

    #[test]
    fn a_file_that_is_no_test_is_refused() {
        for bad in ["[[case]]\nsays = 1", "[[case]]\nsay = \"x\"", "nothing"] {
            assert!(matches!(try_cases(&hospital(), bad), Err(CasesError::Toml(_))), "{bad}");
        }
        let case = "[[case]]\nsays = \"x\"\naction = \"fly\"\nat = \"2026-11-26T02:00:00Z\"\nexpect = \"permit\"\n";
        assert!(matches!(try_cases(&hospital(), case), Err(CasesError::Case { .. })));
    }
}

//! The shipped policy, asked again and again; and everything that is judged around it, without any policy text.
use anteroom_domain::{
    Account, AccountId, AccountName, Capabilities, DisplayName, Grant, GrantId, Handle, Moment, Obligations, Person, PersonId, Profile,
    Protocol, RequestId, Role, Roles, SessionId, Target, TargetId, TargetKind, TargetName,
};
use anteroom_policy::{
    Ask, Decision, Facts, Policy, PolicyFile, Question, Ruling, SecondFactor, judge,
    pdp::{Factor, FactorKind},
};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long each is measured.
const SPAN: Duration = Duration::from_secs(2);

pub(crate) fn measure() -> Result<serde_json::Value> {
    let file = PolicyFile { name: "hospital.cedar".into(), text: anteroom_approvals::HOSPITAL.into() };
    let policy = Policy::load(vec![file])?;
    let now = Moment::now_utc();
    let person = Person {
        id: PersonId(Uuid::from_u128(1)),
        handle: Handle::new("ada")?,
        display_name: DisplayName::new("Ada")?,
        roles: Roles::from_iter([Role::Admin]),
        attributes: Default::default(),
        suspended_at: None,
        created_at: now,
    };
    let target = Target {
        id: TargetId(Uuid::from_u128(2)),
        name: TargetName::new("mri-3")?,
        kind: TargetKind::MedicalDevice,
        protocol: Protocol::Ssh,
        host: "10.0.0.9".into(),
        port: 22,
        more_hosts: vec![],
        profile: Profile::Modern,
        via: None,
        description: String::new(),
        attributes: Default::default(),
        accounts: vec![Account { id: AccountId(Uuid::from_u128(3)), name: AccountName::new("service")? }],
        pinned_host_keys: vec![],
        pinned_host_cas: vec![],
        pinned_certificates: vec![],
        created_at: now,
    };
    let account = AccountName::new("service")?;
    let grant = Grant {
        id: GrantId(Uuid::from_u128(4)),
        request: RequestId(Uuid::from_u128(5)),
        person: person.id,
        target: target.id,
        target_name: target.name.clone(),
        account: AccountId(Uuid::from_u128(3)),
        account_name: account.clone(),
        capabilities: Capabilities::interactive(),
        obligations: Obligations::default(),
        not_before: now - time::Duration::HOUR,
        not_after: now + time::Duration::HOUR,
        revoked_at: None,
    };
    let asked = |_: &Target, grant: &Grant| {
        policy.decide(&Question {
            ask: Ask::Connect,
            person: &person,
            target: &target,
            account: &account,
            capabilities: &grant.capabilities,
            lasts: grant.not_after - grant.not_before,
            source: "10.0.0.7".parse().ok(),
            factor: Some(Factor { kind: FactorKind::Passkey, age: time::Duration::ZERO }),
            posture: None,
            break_glass: false,
            now,
        })
    };
    let grants = [grant];
    let facts = Facts {
        session: SessionId(Uuid::from_u128(6)),
        person: &person,
        target: Some(&target),
        company: None,
        account: &account,
        grants: &grants,
        emergencies: &[],
        locks: &[],
        source: "10.0.0.7".parse()?,
        key: None,
        posture: None,
        second_factor: SecondFactor::SecurityKey,
        factor_at: now,
        now,
    };
    ensure!(matches!(judge(&facts, asked), Decision::Permit(_)), "what is measured is a permit");
    let free = |_: &Target, _: &Grant| Ruling::Permit { obligations: Obligations::default(), reasons: vec![] };
    let (with, without) = (rate(|| drop(judge(&facts, asked))), rate(|| drop(judge(&facts, free))));
    Ok(serde_json::json!({ "policies": policy.len(), "per_second": with, "without_policy_per_second": without }))
}

/// On one core.
fn rate(mut once: impl FnMut()) -> f64 {
    let (began, mut times) = (Instant::now(), 0_u32);
    while began.elapsed() < SPAN {
        for _ in 0..16 {
            once();
        }
        times += 16;
    }
    f64::from(times) / began.elapsed().as_secs_f64()
}

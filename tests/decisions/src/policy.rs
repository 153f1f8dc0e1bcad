//! The shipped policy, asked again and again; and everything that is judged around it, without any policy text.
use anteroom_domain::{AccountName, Grant, Moment, Obligations, SessionId, Target};
use anteroom_policy::{
    Ask, Decision, Facts, Policy, PolicyFile, Question, Ruling, SecondFactor, judge,
    pdp::{Factor, FactorKind},
};
use anteroom_test_samples as samples;
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long each is measured.
const SPAN: Duration = Duration::from_secs(2);

pub(crate) fn measure() -> Result<serde_json::Value> {
    let file = PolicyFile { name: "hospital.cedar".into(), text: anteroom_approvals::HOSPITAL.into() };
    let policy = Policy::load(vec![file])?;
    let now = Moment::now_utc();
    let person = samples::person();
    let target = samples::target();
    let account = AccountName::new("service")?;
    let grant = Grant { not_before: now - time::Duration::HOUR, not_after: now + time::Duration::HOUR, ..samples::grant(&person, &target) };
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
        alone: false,
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

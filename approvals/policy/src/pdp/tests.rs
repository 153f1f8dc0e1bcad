#![allow(clippy::unwrap_used)]
use super::*;
use anteroom_domain::{
    AccountName, Capabilities, ClinicalUse, CompanyId, Criticality, GroupName, Moment, Obligations, Person, Quorum, Role, Roles, Target,
    TargetKind,
};
use anteroom_test_samples as samples;
use time::{Duration, macros::datetime};
use uuid::Uuid;

const NOW: Moment = datetime!(2026-11-26 02:00 UTC);

fn load(text: &str) -> Result<Policy, PolicyErrors> {
    Policy::load(vec![PolicyFile { name: "a.cedar".into(), text: text.into() }])
}
fn hospital() -> Policy {
    load(include_str!("../../policies/hospital.cedar")).unwrap()
}
fn person(role: Role) -> Person {
    Person { roles: Roles::from_iter([role]), ..samples::person() }
}
fn target(kind: TargetKind) -> Target {
    Target { kind, accounts: vec![], ..samples::target() }
}
fn ask(p: &Policy, ask: Ask, person: &Person, target: &Target) -> Ruling {
    p.decide(&Question {
        ask,
        person,
        target,
        account: &AccountName::new("root").unwrap(),
        capabilities: &Capabilities::interactive(),
        lasts: Duration::HOUR,
        source: "10.1.2.3".parse().ok(),
        factor: None,
        posture: None,
        break_glass: ask == Ask::BreakGlass,
        now: NOW,
    })
}
fn owed(r: Ruling) -> Obligations {
    match r {
        Ruling::Permit { obligations, .. } => obligations,
        Ruling::Deny { reasons } => panic!("{reasons:?}"),
    }
}
fn why(r: &Ruling) -> String {
    assert!(!r.permits(), "{r:?}");
    r.reasons().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
fn acme() -> CompanyId {
    CompanyId(Uuid::from_u128(99))
}

#[test]
fn an_admin_may_ask_for_a_server_and_owes_nothing_beyond_the_one_approver() {
    assert_eq!(owed(ask(&hospital(), Ask::Request, &person(Role::Admin), &target(TargetKind::Server))), Obligations::default());
}

#[test]
fn whoever_is_no_admin_is_told_that_nothing_permits_it() {
    let r = ask(&hospital(), Ask::Request, &person(Role::Auditor), &target(TargetKind::Server));
    assert!(why(&r).contains("nothing permits") || why(&r).contains("no policy"), "{r:?}");
}

#[test]
fn two_approvers_for_what_is_critical() {
    let mut t = target(TargetKind::Server);
    t.attributes.criticality = Criticality::High;
    let o = owed(ask(&hospital(), Ask::Request, &person(Role::Admin), &t));
    assert_eq!((o.approvals, o.longest), (vec![Quorum { group: None, count: 2 }], Some(480)));
}

#[test]
fn a_vendor_reaches_its_own_devices_watched_and_no_others() {
    let (mut v, mut t) = (person(Role::Admin), target(TargetKind::MedicalDevice));
    v.attributes.company = Some(acme());
    assert!(why(&ask(&hospital(), Ask::Connect, &v, &t)).contains("only what their company keeps"));
    t.attributes.vendor = Some(acme());
    let o = owed(ask(&hospital(), Ask::Connect, &v, &t));
    assert!(o.supervise && o.ticket && o.at_once == Some(1) && o.factor_age == Some(0) && o.longest == Some(240), "{o:?}");
    t.attributes.clinical_use = ClinicalUse::InUse;
    assert!(why(&ask(&hospital(), Ask::Connect, &v, &t)).contains("in clinical use"));
    assert!(why(&ask(&hospital(), Ask::BreakGlass, &v, &t)).contains("hospital's own people"));
}

#[test]
fn a_medical_device_has_its_maintenance_window_and_an_emergency_does_not_wait_for_it() {
    let mut t = target(TargetKind::MedicalDevice);
    t.attributes.maintenance = vec!["sat 22:00-04:00 +00:00".parse().unwrap()];
    let ada = person(Role::Admin);
    assert!(why(&ask(&hospital(), Ask::Connect, &ada, &t)).contains("maintenance windows"));
    assert!(ask(&hospital(), Ask::BreakGlass, &ada, &t).permits());
    t.attributes.maintenance = vec!["thu 00:00-04:00 +00:00".parse().unwrap()];
    assert!(ask(&hospital(), Ask::Connect, &ada, &t).permits());
}

#[test]
fn groups_count_and_the_strictest_of_all_satisfied_permits() {
    let p = load(
        r#"@id("a") @longest("4h") permit (principal in Group::"clinical-engineering", action == Action::"connect", resource);
           @id("b") @longest("1h") @approvals("1 of security, 2") permit (principal, action == Action::"oblige", resource);"#,
    )
    .unwrap();
    let (mut ada, t) = (person(Role::Admin), target(TargetKind::Server));
    assert!(!ask(&p, Ask::Connect, &ada, &t).permits());
    ada.attributes.groups.insert(GroupName::new("clinical-engineering").unwrap());
    let o = owed(ask(&p, Ask::Connect, &ada, &t));
    assert_eq!(o.longest, Some(60));
    assert_eq!(o.approvals.iter().map(ToString::to_string).collect::<Vec<_>>(), ["1 of security", "2 approvers"]);
}

#[test]
fn what_does_not_type_check_is_refused_with_file_line_and_hint() {
    for (bad, said) in [
        (
            "permit (principal, action, resource)\nwhen { principal.rolls.contains(Role::\"admin\") };",
            "a.cedar:2:8: policy \"a.cedar:1\": attribute `rolls`",
        ),
        (
            "permit (principal, action, resource)\nwhen { principal.kind == PersonKind::\"vender\" };",
            "valid entity eids: \"workforce\", \"vendor\"",
        ),
        ("permit (principal, action, resource)\nwhen { principal.company == resource.vendor };", "testing for the attribute's presence"),
        ("permit (principal, action == Action::\"conect\", resource);", "did you mean `Action::\"connect\"`?"),
        ("permit (principal, action, resource)", "a.cedar:1:37: unexpected end of input"),
        ("\n\n@superwise permit (principal, action, resource);", "a.cedar:3:1: unknown annotation @superwise"),
        ("\n\n@longest(\"4 hours\")\npermit (principal, action, resource);", "for example @longest(\"4h\")"),
        ("@supervise forbid (principal, action, resource);", "it asks for nothing in return"),
        ("permit (principal == ?principal, action, resource);", "templates"),
        (
            "@id(\"a\") permit (principal, action, resource);\n@id(\"a\") permit (principal, action, resource);",
            "a.cedar:2:1: a second policy is called \"a\"",
        ),
        ("", "holds no policy"),
    ] {
        let e = load(bad).unwrap_err().to_string();
        assert!(e.contains(said), "{bad}\n{e}");
    }
}

proptest::proptest! {
    /// Whatever text comes, loading ends with an answer, and what is permitted was permitted by some policy.
    #[test]
    fn hostile_text_is_an_error_and_no_panic(text in "\\PC{0,300}") {
        if let Ok(p) = load(&text) {
            proptest::prop_assert!(!p.is_empty());
        }
    }
}

//! Everything that a policy can ask about is put to it as it is: a mapping that is wrong, or missing, is seen here.
#![allow(clippy::unwrap_used)]
use anteroom_policy::{Policy, PolicyFile, pdp::try_cases};
use std::collections::BTreeSet;

fn policy(text: String) -> Policy {
    Policy::load(vec![PolicyFile { name: "facts.cedar".into(), text }]).unwrap_or_else(|e| panic!("{e}"))
}

const TEXT: &str = include_str!("facts.cedar");
const CASES: &str = include_str!("facts.toml");

#[test]
fn every_fact_is_what_it_is_called() {
    let tried = try_cases(&policy(TEXT.into()), CASES).unwrap();
    let wrong: Vec<_> = tried.iter().filter(|t| t.wrong.is_some()).collect();
    assert!(tried.len() >= 50 && wrong.is_empty(), "{} tried: {wrong:#?}", tried.len());
}

/// No policy of the file is idle: without it at least one case is answered otherwise.
#[test]
fn each_policy_of_it_is_needed_by_its_cases() {
    let all: Vec<&str> = TEXT.split("@id(").skip(1).collect();
    assert!(all.len() >= 20);
    for left_out in 0..all.len() {
        let rest: String = all.iter().enumerate().filter(|(n, _)| *n != left_out).map(|(_, p)| format!("@id({p}")).collect();
        let wrong = try_cases(&policy(rest), CASES).unwrap().into_iter().filter(|t| t.wrong.is_some()).count();
        assert!(wrong > 0, "no case asks {}", all[left_out]);
    }
}

/// What the schema lets policies ask about is asked here, or said why not.
#[test]
fn what_the_schema_names_is_asked_about() {
    // In the hospital's own tests: company, vendor, kind and clinical use; disk, boot and protection in the strict ones.
    let elsewhere = ["company", "vendor", "kind", "clinical_use", "disk_encrypted", "secure_boot", "endpoint_protection"];
    let names: BTreeSet<&str> = Policy::schema_text()
        .lines()
        .filter_map(|l| l.trim().split_once(':'))
        .map(|(name, _)| name.trim_end_matches('?'))
        .filter(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .filter(|n| !["principal", "resource", "context"].contains(n))
        .collect();
    assert!(names.len() >= 25, "{names:?}");
    for name in names {
        assert!(TEXT.contains(name) || elsewhere.contains(&name), "nothing asks about {name}");
    }
}

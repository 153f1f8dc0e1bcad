//! What `policy explain` and "What if?" say is what would happen: locks, contracts and approvals that policy asks for by now stand in the way too.
use crate::companies::contract;
use crate::world::{HERE, Someone, World, account, now};
use anteroom_approvals::{Explained, WhatIf, Why, shipped_policies};
use anteroom_domain::{DisplayName, Lockable, Reason, Role};
use anteroom_policy::{Ask, PolicyFile, pdp::Factor};
use anteroom_posture::Comes;
use std::net::IpAddr;

const TWO: &str = r#"@id("two") @approvals("2") permit (principal, action == Action::"oblige", resource);"#;
const INSIDE: &str = r#"@id("inside") @reason("From the hospital's own network only.")
forbid (principal, action == Action::"connect", resource) unless { context has source && context.source.isInRange(ip("10.0.0.0/8")) };"#;

async fn set(w: &World, more: &[&str]) {
    let mut files = shipped_policies();
    files.extend(more.iter().enumerate().map(|(n, t)| PolicyFile { name: format!("{n}.cedar"), text: (*t).into() }));
    w.approvals.set_policy(None, files, "to explain").await.unwrap();
}

async fn explain(w: &World, who: &Someone, from: Option<IpAddr>) -> (Explained, String) {
    let person = w.approvals.person(who.person.id).await.unwrap().unwrap();
    let (target, root) = (w.target.name.clone(), account("root"));
    let e = w.approvals.explain(Why::usual(&person, &target, &root, Comes { from, key: None })).await.unwrap().unwrap();
    let said = e.sentences.join("\n");
    (e, said)
}

/// May ask, may connect, may in an emergency.
fn may(e: &Explained) -> (bool, bool, bool) {
    (e.may_ask, e.may_connect, e.may_break_glass)
}

async fn what_if(w: &World, who: &Someone, ask: Ask, minutes: u32) -> Vec<String> {
    let q = WhatIf {
        ask,
        person: who.person.handle.clone(),
        target: w.target.name.clone(),
        account: account("root"),
        at: None,
        comes_from: Some(HERE),
        key: None,
        factor: Some(Factor::NEW_PASSKEY),
        capabilities: None,
        minutes,
        emergency: false,
    };
    w.approvals.what_if(&q, &w.approvals.policy()).await.unwrap().besides
}

#[tokio::test]
async fn a_lock_stands_in_the_way_of_everything_and_is_said() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.grant(&ada, &mut bob).await;
    let (e, said) = explain(&w, &ada, Some(HERE)).await;
    assert_eq!((may(&e), e.has_grant), ((true, true, true), true), "{said}");
    assert!(said.contains("In an emergency ada could take root@ehr-db-1 without an approval, for 60 minutes at most"), "{said}");
    for (on, words) in [(Lockable::Person(ada.person.id), "ada is locked"), (Lockable::Target(w.target.id), "ehr-db-1 is locked")] {
        w.approvals.lock(None, on, Reason::new("laptop stolen").unwrap()).await.unwrap();
        let (e, said) = explain(&w, &ada, Some(HERE)).await;
        assert_eq!(may(&e), (false, false, false), "{said}");
        assert!(said.contains(words) && said.contains("Policy alone would let ada ask"), "{said}");
        assert!(what_if(&w, &ada, Ask::Connect, 60).await.iter().any(|b| b.contains(words)));
        w.approvals.unlock(None, on).await.unwrap();
    }
    assert_eq!(may(&explain(&w, &ada, Some(HERE)).await.0), (true, true, true));
}

#[tokio::test]
async fn a_contract_that_is_over_and_a_target_that_is_not_theirs_are_said() {
    let w = World::new().await;
    let a = &w.approvals;
    let vera = w.somebody("vera", Role::Admin).await;
    let ends = now() + time::Duration::DAY;
    let company = a.add_company(None, DisplayName::new("Made-up Imaging").unwrap(), ends, false).await.unwrap();
    a.set_employer(None, vera.person.id, Some(company)).await.unwrap();
    let (e, said) = explain(&w, &vera, Some(HERE)).await;
    assert!(may(&e) == (false, false, false) && said.contains("vera's company does not keep ehr-db-1."), "{said}");
    a.set_keeper(None, w.target.id, Some(company)).await.unwrap();
    let (e, said) = explain(&w, &vera, Some(HERE)).await;
    assert_eq!(may(&e), (true, true, false), "{said}");
    assert!(said.contains("emergencies are for the hospital's own people"), "{said}");
    a.change_company(None, company, contract(now() - time::Duration::SECOND, false), None).await.unwrap();
    let (e, said) = explain(&w, &vera, Some(HERE)).await;
    assert!(may(&e) == (false, false, false) && said.contains("The contract of vera's company is over then."), "{said}");
}

#[tokio::test]
async fn a_grant_with_fewer_approvals_than_policy_asks_by_now_opens_nothing_and_that_is_said() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.grant(&ada, &mut bob).await;
    assert!(what_if(&w, &ada, Ask::Connect, 60).await.is_empty());
    set(&w, &[TWO]).await;
    let (e, said) = explain(&w, &ada, Some(HERE)).await;
    assert!(e.has_grant && !e.may_connect && said.contains("policy asks for 2 approvers by now, and it has fewer"), "{said}");
    let besides = what_if(&w, &ada, Ask::Connect, 60).await;
    assert!(besides.iter().any(|b| b.contains("has fewer approvals than policy asks by now (2 approvers)")), "{besides:?}");
}

#[tokio::test]
async fn an_address_that_is_not_said_is_not_known_and_is_no_address_of_zeros() {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    let everywhere = r#"@id("zeros") @reason("Not from nowhere.")
forbid (principal, action == Action::"connect", resource) when { context has source && context.source == ip("0.0.0.0") };"#;
    set(&w, &[everywhere]).await;
    let (e, said) = explain(&w, &ada, None).await;
    assert!(e.may_connect && said.contains("From which address is not said"), "{said}");
    set(&w, &[INSIDE]).await;
    let (e, said) = explain(&w, &ada, None).await;
    assert!(
        !e.may_connect && !e.may_break_glass && said.contains("own network only"),
        "an emergency's connection is judged as well: {said}"
    );
    let (e, said) = explain(&w, &ada, Some(HERE)).await;
    assert!(e.may_connect && e.may_break_glass && !said.contains("is not said"), "{said}");
    set(&w, &[]).await;
    assert!(!explain(&w, &ada, None).await.1.contains("is not said"), "nobody asks for it");
}

#[tokio::test]
async fn what_if_says_how_long_and_how_often_an_emergency_may_be() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    assert!(what_if(&w, &ada, Ask::BreakGlass, 60).await.is_empty());
    let long = what_if(&w, &ada, Ask::BreakGlass, 90).await;
    assert!(long.iter().any(|b| b.contains("an emergency lasts from 5 to 60 minutes")), "{long:?}");
    for _ in 0..5 {
        crate::break_glass::smash(&w, &mut ada, crate::break_glass::form(5)).await.unwrap();
    }
    let often = what_if(&w, &ada, Ask::BreakGlass, 60).await;
    assert!(often.iter().any(|b| b.contains("5 times within a day")), "{often:?}");
    let (e, said) = explain(&w, &ada, Some(HERE)).await;
    assert!(!e.may_break_glass && said.contains("5 times within a day"), "{said}");
    // Who watches: approvers.
    let otto = w.somebody("otto", Role::Operator).await;
    assert!(what_if(&w, &otto, Ask::Supervise, 60).await.iter().any(|b| b.contains("otto is no approver")));
    let bob = w.somebody("bob", Role::Approver).await;
    assert!(what_if(&w, &bob, Ask::Supervise, 60).await.is_empty());
}

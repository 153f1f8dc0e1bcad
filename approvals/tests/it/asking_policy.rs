//! What would policy say? Asked with other capabilities and another second factor than the usual ones.
use crate::world::{HERE, World, account};
use anteroom_approvals::{WhatIf, Why};
use anteroom_domain::{Capabilities, Role};
use anteroom_policy::{
    Ask, PolicyFile,
    pdp::{Factor, FactorKind},
};
use anteroom_posture::Comes;
use time::Duration;

/// Files need a certificate or better; nothing beyond a shell and files of one folder; a second factor of ten minutes at most.
const TEXT: &str = r#"
@id("asks") @capabilities("shell, download:/var/log/**") @factor_age("10m")
permit (principal, action in [Action::"request", Action::"connect"], resource);
@id("no-remembered-files") @reason("Files want a second factor that was not remembered.")
forbid (principal, action == Action::"connect", resource)
when { context.capabilities.contains("download") && context has factor && context.factor == Factor::"remembered" };
"#;

fn set(texts: &[&str]) -> Option<Capabilities> {
    Some(Capabilities::parse(texts).unwrap())
}

fn factor(kind: FactorKind, minutes: i64) -> Option<Factor> {
    Some(Factor { kind, age: Duration::minutes(minutes) })
}

async fn world() -> World {
    let w = World::new().await;
    let files = vec![PolicyFile { name: "a.cedar".into(), text: TEXT.into() }];
    w.approvals.set_policy(None, files, "for a question").await.unwrap();
    w
}

#[tokio::test]
async fn an_explanation_is_of_what_was_asked_for_and_of_the_factor_that_was_given() {
    let w = world().await;
    let ada = w.somebody("ada", Role::Admin).await.person;
    let (target, root) = (w.target.name.clone(), account("root"));
    let comes = Comes { from: Some(HERE), key: None };
    let ask = async |capabilities, factor| {
        let why = Why { capabilities, factor, ..Why::usual(&ada, &target, &root, comes) };
        let e = w.approvals.explain(why).await.unwrap().unwrap();
        (e.may_ask, e.may_connect, e.sentences.join("\n"))
    };
    // As it was: shell and exec, and a new passkey.
    let (may_ask, may_connect, said) = ask(None, Some(Factor::NEW_PASSKEY)).await;
    assert!(!may_ask && may_connect && said.contains("nothing beyond shell, download:/var/log/**, and exec is more"), "{said}");
    assert!(said.contains("the session would have shell only"), "{said}");

    let log = || set(&["download:/var/log/app.log"]);
    let (may_ask, may_connect, said) = ask(log(), Some(Factor::NEW_PASSKEY)).await;
    assert!(may_ask && may_connect && said.contains("ada may ask for root@ehr-db-1,"), "{said}");
    let (may_ask, may_connect, said) = ask(log(), factor(FactorKind::Remembered, 5)).await;
    assert!(may_ask && !may_connect && said.contains("was not remembered"), "{said}");
    let (_, may_connect, said) = ask(set(&["shell"]), factor(FactorKind::Remembered, 5)).await;
    assert!(may_connect && !said.contains("new passkey"), "{said}");
    let (.., said) = ask(set(&["shell"]), factor(FactorKind::Certificate, 10)).await;
    assert!(said.contains("A new passkey would be asked for: policy wants one that is less than 10 minutes old."), "{said}");
    let (.., said) = ask(set(&["shell"]), factor(FactorKind::Passkey, 10)).await;
    assert!(!said.contains("new passkey"), "a passkey is of this connection: {said}");
    let (.., said) = ask(set(&["shell"]), None).await;
    assert!(said.contains("A second factor is always asked."), "{said}");
    let (may_ask, may_connect, said) = ask(set(&["desktop"]), Some(Factor::NEW_PASSKEY)).await;
    assert!(!may_ask && !may_connect && said.contains("speaks SSH, which knows no desktop"), "{said}");
}

#[tokio::test]
async fn what_if_takes_the_same_choices() {
    let w = world().await;
    w.somebody("ada", Role::Admin).await;
    let ask = async |ask, capabilities, factor| {
        let q = WhatIf {
            ask,
            person: "ada".parse().unwrap(),
            target: w.target.name.clone(),
            account: account("root"),
            at: None,
            comes_from: None,
            key: None,
            factor,
            capabilities,
            minutes: 60,
            emergency: false,
        };
        let a = w.approvals.what_if(&q, &w.approvals.policy()).await.unwrap();
        (a.permits, a.besides.join("\n"))
    };
    let (permits, besides) = ask(Ask::Connect, None, Some(Factor::NEW_PASSKEY)).await;
    assert!(permits && besides.contains("session would have shell only"), "{besides}");
    let (permits, besides) = ask(Ask::Request, None, None).await;
    assert!(permits && besides.contains("exec is more"), "{besides}");
    let log = || set(&["download:/var/log/**"]);
    assert!(!ask(Ask::Connect, log(), factor(FactorKind::Remembered, 0)).await.0);
    let (permits, besides) = ask(Ask::Connect, log(), factor(FactorKind::Certificate, 11)).await;
    assert!(permits && besides.contains("new passkey would be asked for"), "{besides}");
    let (_, besides) = ask(Ask::Connect, set(&["desktop"]), None).await;
    assert!(besides.contains("knows no desktop") && besides.contains("always asked"), "{besides}");
}

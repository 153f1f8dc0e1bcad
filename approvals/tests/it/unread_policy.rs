//! The policy that counts cannot be read: by a program that is older than the one that set it, or because somebody damaged it. Nobody is let in
//! by another one in its place.
use crate::{
    cluster::{self, Cluster},
    world::{HERE, Someone, World, options},
};
use anteroom_approvals::{Approvals, Change, HOSPITAL, OpenError, PolicySetError, policy_sha256, shipped_policies};
use anteroom_domain::{AuditEvent, Role, SessionId, audit::PolicyEvent};
use anteroom_policy::{Decision, PolicyFile, Refusal, SecondFactor};
use sqlx::PgPool;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// As a newer program might write it: this one does not know what it says.
fn newer() -> Vec<PolicyFile> {
    vec![PolicyFile { name: "newer.cedar".into(), text: "@teleport permit (principal, action, resource);".into() }]
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

/// Its version.
pub(crate) async fn set_by_another_program(owner: &PgPool) -> i64 {
    set(owner, &serde_json::to_string(&newer()).unwrap(), &policy_sha256(&newer())).await
}

async fn set(owner: &PgPool, files: &str, sha256: &str) -> i64 {
    sqlx::query_scalar(
        "with new as (insert into policy_version (files, sha256, note, set_at) values ($1::jsonb, $2, 'by another program', now()) returning version)
         select version from new, pg_notify('anteroom', '\"policy\"')",
    )
    .bind(files)
    .bind(bytes(sha256))
    .fetch_one(owner)
    .await
    .unwrap()
}

async fn database(w: &World) -> String {
    sqlx::query_scalar("select current_database()").fetch_one(&w.owner).await.unwrap()
}

async fn ask(a: &Approvals, who: &Someone) -> Decision {
    let s = SessionId(Uuid::now_v7());
    a.authorize(&who.person, s, "ehr-db-1", "root", HERE, SecondFactor::SecurityKey).await.unwrap()
}

async fn world() -> (World, Someone) {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.grant(&ada, &mut bob).await;
    (w, ada)
}

#[tokio::test]
async fn nothing_starts_under_another_policy_than_the_one_that_counts_and_whoever_comes_to_mend_it_can() {
    let (w, ada) = world().await;
    let on: &Cluster = cluster::shared();
    let name = database(&w).await;
    let good = serde_json::to_string(&shipped_policies()).unwrap();
    let damaged = good.replace("admins-ask", "admins-may");
    assert_ne!(good, damaged);
    for (what, files, sha256) in [
        ("a newer program's", serde_json::to_string(&newer()).unwrap(), policy_sha256(&newer())),
        ("a changed row", damaged, policy_sha256(&shipped_policies())),
        ("no policy at all", "{\"v\": 2}".into(), policy_sha256(&[])),
    ] {
        let version = set(&w.owner, &files, &sha256).await;
        let refused = Approvals::open(on.app(&name).await, options(&w.dir, Duration::ZERO)).await.unwrap_err();
        let OpenError::UnreadPolicy(unread) = &refused else { panic!("{what}: {refused:?}") };
        assert_eq!(unread.version, version, "{what}");
        let said = refused.to_string();
        assert!(said.contains(&format!("version {version} of the policies")) && said.contains("anteroom policy set"), "{what}: {said}");

        // Not the one that came with the program either.
        let command = Approvals::open_for_command(on.app(&name).await, options(&w.dir, Duration::ZERO)).await.unwrap();
        let Decision::Deny(Refusal::Policy(why)) = ask(&command, &ada).await else { panic!("{what}: somebody was let in") };
        assert!(why.join(" ").contains("cannot be read by this program"), "{what}: {why:?}");
        let mended = command.set_policy(None, shipped_policies(), "as it was").await.unwrap();
        let starts = Approvals::open(on.app(&name).await, options(&w.dir, Duration::ZERO)).await.unwrap();
        assert_eq!(starts.policy_version(), mended, "{what}");
        assert!(matches!(ask(&starts, &ada).await, Decision::Permit(_)), "{what}");
    }
}

#[tokio::test]
async fn while_it_serves_the_one_before_stays_and_those_who_keep_the_gateway_are_told_once() {
    let (w, ada) = world().await;
    let a = &w.approvals;
    let files = vec![PolicyFile { name: "own.cedar".into(), text: HOSPITAL.into() }];
    let own = a.set_policy(None, files, "ours").await.unwrap();
    let stop = CancellationToken::new();
    let mut changes = a.changes();
    let running = tokio::spawn({
        let (a, stop) = (a.clone(), stop.clone());
        async move { a.run(stop).await }
    });
    let mut heard = async |wanted: Change| {
        let all = async { while changes.recv().await.unwrap() != wanted {} };
        tokio::time::timeout(Duration::from_secs(10), all).await.unwrap_or_else(|_| panic!("{wanted:?} was not heard"));
    };
    heard(Change::Resync).await;
    // The second is no policy at all: that must not stop anybody from hearing the rest.
    let newer = set_by_another_program(&w.owner).await;
    heard(Change::Policy).await;
    let damaged = set(&w.owner, "[]", &policy_sha256(&newer_of(7))).await;
    heard(Change::Policy).await;
    sqlx::query("select pg_notify('anteroom', '\"policy\"')").execute(&w.owner).await.unwrap();
    heard(Change::Policy).await;
    a.suspend_person(None, ada.person.id).await.unwrap();
    heard(Change::PersonSuspended(ada.person.id)).await;
    a.reinstate_person(None, ada.person.id).await.unwrap();

    assert_eq!(a.policy_version(), own);
    assert!(matches!(ask(a, &ada).await, Decision::Permit(_)));
    let told: Vec<_> = w.alarms().await.into_iter().filter(|n| n["alarm"] == "policy_unread").collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0]["to"].to_string().contains("operator") && told[0]["to"].to_string().contains("auditor"), "{told:?}");
    let log = w.log().await;
    let unread = |e: &AuditEvent| match e {
        AuditEvent::Policy(PolicyEvent::Unread { version, instead }) => Some((*version, *instead)),
        _ => None,
    };
    assert_eq!(log.iter().filter_map(unread).collect::<Vec<_>>(), [(newer, own), (damaged, own)]);

    // By the portal's form, which shows the one that is in force here.
    let mended = a.set_policy_over(None, shipped_policies(), "mended", Some(own)).await.unwrap();
    assert_eq!(a.policy_version(), mended);
    let late = a.set_policy_over(None, shipped_policies(), "late", Some(own)).await.unwrap_err();
    assert_eq!(late, PolicySetError::Meanwhile { version: mended });
    stop.cancel();
    running.await.unwrap();
}

fn newer_of(n: u8) -> Vec<PolicyFile> {
    vec![PolicyFile { name: "newer.cedar".into(), text: n.to_string() }]
}

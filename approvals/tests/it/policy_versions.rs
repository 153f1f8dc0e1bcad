//! Setting policies: of two who do it at the same moment nobody overwrites what they have not seen.
use crate::{
    cluster,
    world::{World, options},
};
use anteroom_approvals::{Approvals, PolicySetError, shipped_policies};
use anteroom_policy::PolicyFile;
use std::time::Duration;

fn text(n: u32) -> Vec<PolicyFile> {
    let mut files = shipped_policies();
    files.push(PolicyFile {
        name: "more.cedar".into(),
        text: format!("@id(\"m{n}\") permit (principal, action == Action::\"oblige\", resource);"),
    });
    files
}

#[tokio::test]
async fn of_two_who_set_it_at_the_same_moment_the_second_is_told_and_sees_what_counts() {
    let w = World::new().await;
    let a = &w.approvals;
    let base = a.policy_version();
    let (first, second) =
        tokio::join!(a.set_policy_over(None, text(1), "one", Some(base)), a.set_policy_over(None, text(2), "two", Some(base)));
    let (set, refused): (Vec<_>, Vec<_>) = [first, second].into_iter().partition(Result::is_ok);
    assert_eq!((set.len(), refused.len()), (1, 1), "{set:?} {refused:?}");
    let version = *set[0].as_ref().unwrap();
    assert_eq!(refused[0], Err(PolicySetError::Meanwhile { version }));
    assert_eq!((a.policy_version(), a.policy_versions().await.unwrap().len()), (version, 1));
    // The command line sets what it is given.
    a.set_policy(None, text(3), "three").await.unwrap();
    assert!(matches!(a.set_policy_over(None, text(4), "four", Some(version)).await, Err(PolicySetError::Meanwhile { .. })));
    a.set_policy_over(None, text(4), "four", Some(a.policy_version())).await.unwrap();
}

#[tokio::test]
async fn a_version_that_another_gateway_set_is_seen_before_it_was_heard_of() {
    let cluster = cluster::shared();
    let database = cluster.database().await;
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let east = Box::pin(Approvals::open(cluster.app(&database).await, options(&dirs[0], Duration::ZERO))).await.unwrap();
    let west = Box::pin(Approvals::open(cluster.app(&database).await, options(&dirs[1], Duration::ZERO))).await.unwrap();
    let (base, version) = (west.policy_version(), east.set_policy(None, text(1), "east").await.unwrap());
    assert_eq!(west.policy_version(), base, "nobody told west");
    let refused = west.set_policy_over(None, text(2), "west", Some(base)).await.unwrap_err();
    assert_eq!(refused, PolicySetError::Meanwhile { version });
    assert_eq!(west.policy_version(), version, "and now it knows");
    assert_eq!(west.policy().files(), text(1));
    west.set_policy_over(None, text(2), "west", Some(version)).await.unwrap();
}

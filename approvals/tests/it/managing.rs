//! Keeping people and targets, and the role the program runs as.
use crate::{
    cluster,
    world::{World, account, options},
};
use anteroom_approvals::{Approvals, Credential, ManageError, NewTarget, OpenError, Page};
use anteroom_domain::{DisplayName, Handle, PersonId, Role, Roles, Secret, TargetId, TargetKind, TargetName};
use std::time::Duration;
use url::Url;

#[tokio::test]
async fn only_an_operator_keeps_people_and_targets() {
    let w = World::new().await;
    let a = &w.approvals;
    let new = |n: &str| NewTarget::ssh(TargetName::new(n).unwrap(), TargetKind::MedicalDevice, "mri.example", 22);
    for role in [Role::Admin, Role::Approver, Role::Auditor] {
        let who = w.somebody(role.as_str(), role).await;
        let me = Some(who.person.id);
        let name = DisplayName::new("X").unwrap();
        assert_eq!(a.add_person(me, Handle::new("x").unwrap(), name, Roles::default()).await.unwrap_err(), ManageError::NotAllowed);
        assert_eq!(a.suspend_person(me, who.person.id).await.unwrap_err(), ManageError::NotAllowed);
        assert_eq!(a.add_target(me, new("mri")).await.unwrap_err(), ManageError::NotAllowed);
        assert_eq!(a.make_enrol_link(me, who.person.id, Duration::from_secs(60)).await.unwrap_err(), ManageError::NotAllowed);
    }
    let olga = w.somebody("olga", Role::Operator).await;
    let target = a.add_target(Some(olga.person.id), new("mri")).await.unwrap();
    assert_eq!(a.add_target(Some(olga.person.id), new("mri")).await.unwrap_err(), ManageError::Taken("target name"));
    assert_eq!(a.suspend_person(None, PersonId(Default::default())).await.unwrap_err(), ManageError::NoSuch("person"));
    assert_eq!(a.targets("mri", Page::default()).await.unwrap().rows[0].id, target.id);
    assert_eq!(a.people("OLG", Page::default()).await.unwrap().rows[0].id, olga.person.id);
}

#[tokio::test]
async fn a_target_is_pinned_to_keys_that_can_be_read() {
    let w = World::new().await;
    let pin = |lines: &[&str]| w.approvals.pin_target(None, w.target.id, lines.iter().map(|l| (*l).to_owned()).collect());
    pin(&[crate::world::KEY]).await.unwrap();
    let pinned = w.approvals.target(w.target.id).await.unwrap().unwrap().pinned_host_keys;
    assert_eq!(pinned, [crate::world::KEY.strip_suffix(" ada@laptop").unwrap()]);
    assert!(matches!(pin(&["nonsense"]).await, Err(ManageError::Invalid { .. })));
    assert!(matches!(pin(&[]).await, Err(ManageError::Invalid { .. })));
    let nowhere = w.approvals.pin_target(None, TargetId(Default::default()), vec![crate::world::KEY.into()]).await;
    assert_eq!(nowhere.unwrap_err(), ManageError::NoSuch("target"));
}

#[tokio::test]
async fn a_credential_is_sealed_in_the_database_and_a_bad_key_is_refused() {
    let w = World::new().await;
    let plain: i64 = sqlx::query_scalar("select count(*) from credential where position(convert_to('s3cret', 'utf8') in sealed) > 0")
        .fetch_one(&w.owner)
        .await
        .unwrap();
    assert_eq!(plain, 0);
    let key = Credential::PrivateKey(Secret::new("not a key".into()));
    let refused = w.approvals.set_credential(None, w.target.id, account("root"), key).await;
    assert!(matches!(refused, Err(ManageError::Invalid { .. })));
}

#[tokio::test]
async fn the_program_refuses_to_run_as_a_role_that_could_rewrite_the_log() {
    let c = cluster::shared();
    let database = c.database().await;
    let dir = tempfile::tempdir().unwrap();
    let refused = Approvals::open(c.owner(&database).await, options(&dir, Duration::ZERO)).await.unwrap_err();
    assert!(matches!(&refused, OpenError::CanRewriteAudit { role } if role == "anteroom_owner"), "{refused}");
}

#[tokio::test]
async fn an_empty_database_is_not_opened_but_told_to_migrate() {
    let c = cluster::shared();
    let (dir, admin) = (tempfile::tempdir().unwrap(), c.owner("postgres").await);
    sqlx::query("create database empty_one").execute(&admin).await.unwrap();
    let refused = Approvals::open(c.owner("empty_one").await, options(&dir, Duration::ZERO)).await.unwrap_err();
    assert!(matches!(refused, OpenError::NotMigrated), "{refused}");
    let owner = c.owner("empty_one").await;
    anteroom_approvals::migrate(&owner).await.unwrap();
    anteroom_approvals::migrate(&owner).await.unwrap();
    Approvals::open(c.app("empty_one").await, options(&dir, Duration::ZERO)).await.unwrap();
}

#[tokio::test]
async fn an_origin_that_passkeys_do_not_work_on_is_refused() {
    let c = cluster::shared();
    let database = c.database().await;
    let dir = tempfile::tempdir().unwrap();
    for (origin, good) in [
        ("https://gate.example", true),
        ("https://a.gate.example:8443", true),
        ("http://gate.example", false),
        ("https://other.example", false),
        ("https://evilgate.example", false),
        ("https://gate.example/portal", false),
    ] {
        let mut o = options(&dir, Duration::ZERO);
        o.origin = Url::parse(origin).unwrap();
        let opened = Approvals::open(c.app(&database).await, o).await;
        assert_eq!(opened.is_ok(), good, "{origin}: {opened:?}");
    }
}

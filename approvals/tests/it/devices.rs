//! Medical devices: what they are made of, and the switch that says whether a patient depends on one.
use crate::world::World;
use anteroom_approvals::{Change, Inventory, ManageError};
use anteroom_domain::{AuditEvent, ClinicalUse, Role, TargetAttributes, TargetName, audit::DeviceEvent};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const SBOM: &[u8] = br#"{"bomFormat":"CycloneDX","components":[{"group":"org.apache.logging.log4j","name":"log4j-core","version":"2.14.1",
 "purl":"pkg:maven/log4j-core@2.14.1"},{"name":"100%_pure","version":"1"}]}"#;
const NEWER: &[u8] = br#"{"spdxVersion":"SPDX-2.3","packages":[{"name":"log4j-core","versionInfo":"2.24.0"}]}"#;

#[tokio::test]
async fn which_devices_have_log4j_2_14() {
    let w = World::new().await;
    let a = &w.approvals;
    assert_eq!(a.put_sbom(None, w.target.id, SBOM).await.unwrap(), 2);
    let found = a.find_component("LOG4J", "2.14").await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].target.as_str(), found[0].version.as_str()), ("ehr-db-1", "2.14.1"));
    assert!(a.find_component("log4j", "2.15").await.unwrap().is_empty());
    assert_eq!(a.find_component("100%_", "").await.unwrap().len(), 1, "signs of a pattern are only signs");
    assert!(a.find_component("1000_", "").await.unwrap().is_empty());

    // A bomb changes nothing.
    let refused = a.put_sbom(None, w.target.id, &vec![b'['; 1_000_000]).await.unwrap_err();
    assert_eq!(refused.to_string(), "SBOM: brackets are nested deeper than 64 at byte 64");
    assert_eq!(a.find_component("log4j", "2.14").await.unwrap().len(), 1);
    let (_, info) = a.device(w.target.id).await.unwrap();
    assert_eq!(info.map(|i| (i.format, i.components)), Some(("cyclonedx".into(), 2)));

    a.put_sbom(None, w.target.id, NEWER).await.unwrap();
    assert!(a.find_component("log4j", "2.14").await.unwrap().is_empty(), "the newer file replaces the former");
    let stored = |e: &AuditEvent| matches!(e, AuditEvent::Device(DeviceEvent::SbomStored { components, .. }) if *components > 0);
    assert_eq!(w.log().await.iter().filter(|e| stored(e)).count(), 2);
}

#[tokio::test]
async fn the_switch_is_told_to_every_gateway_and_a_program_needs_its_token() {
    let w = World::new().await;
    let a = &w.approvals;
    let label = anteroom_domain::Label::new("modality=mr").unwrap();
    let attributes = TargetAttributes { labels: [label].into(), ..Default::default() };
    a.set_target_attributes(None, w.target.id, attributes.clone()).await.unwrap();
    let stop = CancellationToken::new();
    let mut changes = a.endings();
    let running = tokio::spawn({
        let (a, stop) = (a.clone(), stop.clone());
        async move { a.run(stop).await }
    });
    while changes.recv().await.unwrap() != Change::Resync {}

    let token = a.add_feed(None, "nurses-4b").await.unwrap();
    assert_eq!(a.add_feed(None, "nurses-4b").await.unwrap_err(), ManageError::Taken("name"));
    let name = w.target.name.clone();
    a.report_clinical_use(token.expose(), &name, ClinicalUse::InUse).await.unwrap();
    let told =
        tokio::time::timeout(Duration::from_secs(2), async { while changes.recv().await.unwrap() != Change::Target(w.target.id) {} });
    told.await.expect("every gateway hears of it");
    let now = a.target(w.target.id).await.unwrap().unwrap().attributes;
    assert_eq!(now, TargetAttributes { clinical_use: ClinicalUse::InUse, ..attributes }, "nothing else changed");

    // The same again is no news.
    a.report_clinical_use(token.expose(), &name, ClinicalUse::InUse).await.unwrap();
    let other = TargetName::new("mri-9").unwrap();
    assert_eq!(a.report_clinical_use(token.expose(), &other, ClinicalUse::Idle).await.unwrap_err(), ManageError::NoSuch("target"));
    assert_eq!(a.report_clinical_use("guess", &other, ClinicalUse::Idle).await.unwrap_err(), ManageError::NotAllowed);
    a.revoke_feed(None, "nurses-4b").await.unwrap();
    assert_eq!(a.report_clinical_use(token.expose(), &name, ClinicalUse::Idle).await.unwrap_err(), ManageError::NotAllowed);
    let olga = w.somebody("olga", Role::Operator).await;
    a.set_clinical_use(Some(olga.person.id), w.target.id, ClinicalUse::Idle).await.unwrap();
    let said: Vec<_> = w
        .log()
        .await
        .into_iter()
        .filter_map(|e| match e {
            AuditEvent::Device(DeviceEvent::ClinicalUse { state, feed, .. }) => Some((state, feed)),
            _ => None,
        })
        .collect();
    assert_eq!(said, [(ClinicalUse::InUse, Some("nurses-4b".into())), (ClinicalUse::Idle, None)]);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn only_an_operator_keeps_devices() {
    let w = World::new().await;
    let a = &w.approvals;
    let ada = w.somebody("ada", Role::Admin).await;
    let me = Some(ada.person.id);
    let inventory = Inventory { maker: "Acme".into(), serial: "4711".into(), ..Default::default() };
    assert_eq!(a.set_inventory(me, w.target.id, inventory.clone()).await.unwrap_err(), ManageError::NotAllowed);
    assert_eq!(a.put_sbom(me, w.target.id, SBOM).await.unwrap_err(), ManageError::NotAllowed);
    assert_eq!(a.set_clinical_use(me, w.target.id, ClinicalUse::Idle).await.unwrap_err(), ManageError::NotAllowed);
    assert_eq!(a.add_feed(me, "x").await.unwrap_err(), ManageError::NotAllowed);
    a.set_inventory(None, w.target.id, inventory.clone()).await.unwrap();
    assert_eq!(a.device(w.target.id).await.unwrap().0, inventory);
    let lines = Inventory { model: "a\nb".into(), ..Default::default() };
    assert!(matches!(a.set_inventory(None, w.target.id, lines).await, Err(ManageError::Invalid { .. })));
}

//! How a target is reached, and every kind of credential.
use super::{Answer, Site};
use crate::world::{KEY, Someone};
use anteroom_domain::{Profile, Protocol, Role, Target};
use axum::http::StatusCode;

async fn add(site: &Site, op: &Someone, fields: &[(&str, &str)]) -> Answer {
    site.form("/targets", &[&[("kind", "medical_device"), ("host", "10.1.2.3")], fields].concat(), Some(op)).await
}

fn page(added: &Answer) -> String {
    let page = added.header("location").trim_end_matches("?done=target-added").to_owned();
    assert!(page.starts_with("/targets/"), "{} {}", added.status, added.text);
    page
}

async fn target(site: &Site, name: &str) -> Target {
    site.world.approvals.target_by_name(&name.parse().unwrap()).await.unwrap().unwrap()
}

#[tokio::test]
async fn telnet_is_taken_only_with_quarantine_and_the_page_says_what_it_means() {
    let site = Site::new().await;
    let op = site.world.somebody("op", Role::Operator).await;
    let refused = add(&site, &op, &[("name", "pump-1"), ("protocol", "telnet")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("quarantine profile") && refused.text.contains("value=\"pump-1\""), "{}", refused.text);
    let added = add(&site, &op, &[("name", "pump-1"), ("protocol", "telnet"), ("profile", "quarantine")]).await;
    let text = site.get(&page(&added), Some(&op)).await.text;
    assert!(text.contains("10.1.2.3:23") && text.contains("encrypts nothing") && text.contains("Quarantine"), "{text}");
    assert!(!text.contains("Pin host keys") && !text.contains("value=\"prompts\""), "telnet has neither: {text}");
    let t = target(&site, "pump-1").await;
    assert_eq!((t.protocol, t.profile, t.port), (Protocol::Telnet, Profile::Quarantine, 23));
}

#[tokio::test]
async fn a_relay_further_hosts_and_host_authorities_are_set_and_changed() {
    let site = Site::new().await;
    let op = site.world.somebody("op", Role::Operator).await;
    let fields = [("name", "mri-3"), ("via", "root@ehr-db-1"), ("more_hosts", "10.1.2.4\r\n10.1.2.5:2222"), ("host_cas", KEY)];
    let path = page(&add(&site, &op, &fields).await);
    let text = site.get(&path, Some(&op)).await.text;
    for shown in [">ehr-db-1</a> as root", "10.1.2.5:2222", "ssh-ed25519 AAAA", "authorities certifies"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert!(!text.contains("Not pinned"), "a host authority is as good as a key");

    let same = [
        ("host", "10.1.2.3"),
        ("port", "22"),
        ("via", "root@ehr-db-1"),
        ("more_hosts", "10.1.2.4\r\n10.1.2.5:2222"),
        ("profile", "modern"),
    ];
    let reach = format!("{path}/reach");
    let nowhere = site.form(&reach, &[&same[..2], &[("via", "nobody@ehr-db-1")]].concat(), Some(&op)).await;
    assert!(nowhere.status == StatusCode::UNPROCESSABLE_ENTITY && nowhere.text.contains("nobody@ehr-db-1"), "{}", nowhere.text);
    assert_eq!(target(&site, "mri-3").await.more_hosts.len(), 2, "nothing of a refused form is kept");
    let changed = site.form(&reach, &[&same[..], &[("host_cas", "")]].concat(), Some(&op)).await;
    assert_eq!(changed.header("location"), format!("{path}?done=changed"), "{}", changed.text);
    let t = target(&site, "mri-3").await;
    assert!(t.via.is_some() && t.pinned_host_cas.is_empty() && t.more_hosts.len() == 2);
    let ada = site.world.somebody("ada", Role::Admin).await;
    assert_eq!(site.form(&reach, &same, Some(&ada)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn each_kind_of_credential_goes_in_and_none_comes_out() {
    let site = Site::new().await;
    let op = site.world.somebody("op", Role::Operator).await;
    let path = page(&add(&site, &op, &[("name", "mri-3")]).await);
    let store = async |fields: &[(&str, &str)]| {
        site.form(&format!("{path}/credential"), &[&[("account", "service")], fields].concat(), Some(&op)).await
    };
    for good in [
        &[("kind", "prompts"), ("prompt1", "Passcode:"), ("answer1", "hunter2hunter2"), ("prompt3", "Menu"), ("answer3", "1")][..],
        &[("kind", "gateway_ca")],
        &[("kind", "password"), ("password", "hunter2hunter2")],
    ] {
        let stored = store(good).await;
        assert_eq!(stored.header("location"), format!("{path}?done=stored"), "{good:?}: {}", stored.text);
    }
    for (bad, word) in [
        (&[("kind", "prompts")][..], "answers to prompts"),
        (&[("kind", "prompts"), ("answer1", "hunter2hunter2")], "the prompt that each answer belongs to"),
        (&[("kind", "private_key"), ("private_key", "hunter2hunter2")], "not an OpenSSH private key"),
        (&[("kind", "other")], "enter a password"),
    ] {
        let refused = store(bad).await;
        assert!(refused.status == StatusCode::UNPROCESSABLE_ENTITY && refused.text.contains(word), "{bad:?}: {}", refused.text);
        assert!(!refused.text.contains("hunter2"), "a secret is not written back");
    }
    assert!(!site.get(&path, Some(&op)).await.text.contains("hunter2"));
}

#[tokio::test]
async fn an_operator_asks_which_devices_have_a_component() {
    let site = Site::new().await;
    let op = site.world.somebody("op", Role::Operator).await;
    let sbom = br#"{"bomFormat":"CycloneDX","components":[{"name":"log4j-<core>","version":"2.14.1","purl":"pkg:maven/log4j"}]}"#;
    site.world.approvals.put_sbom(None, site.world.target.id, sbom).await.unwrap();
    let page = site.get("/components", Some(&op)).await.text;
    assert!(page.contains("Which devices have it?") && !page.contains("2.14.1"), "{page}");
    let page = site.get("/components?name=LOG4J&version=2.14", Some(&op)).await.text;
    assert!(page.contains("1 device<") && page.contains("ehr-db-1") && page.contains("log4j-&#60;core&#62;"), "{page}");
    let page = site.get("/components?name=log4j&version=2.15", Some(&op)).await.text;
    assert!(page.contains("No device") && !page.contains("ehr-db-1"), "{page}");
    let ada = site.world.somebody("ada", Role::Admin).await;
    assert_eq!(site.get("/components?name=log4j", Some(&ada)).await.status, StatusCode::NOT_FOUND);
}

//! What pages that ask for access name: of a vendor's person nothing but what their company keeps, and for everybody a way to one of thousands.
use super::Site;
use crate::world::{Someone, account, now};
use anteroom_approvals::{Credential, NewTarget};
use anteroom_domain::{DisplayName, Role, Secret, TargetKind, TargetName};
use axum::http::StatusCode;
use serde_json::json;

/// `mri-3` with the account service is her company's.
async fn vendor(site: &Site) -> Someone {
    let a = &site.world.approvals;
    let company = a.add_company(None, DisplayName::new("Made-up Imaging").unwrap(), now() + time::Duration::DAY, true).await.unwrap();
    let new = NewTarget::ssh(TargetName::new("mri-3").unwrap(), TargetKind::MedicalDevice, "127.0.0.1", 22);
    let mri = a.add_target(None, NewTarget { description: "MRI, ward 4".into(), ..new }).await.unwrap();
    a.set_credential(None, mri.id, account("service"), Credential::Password(Secret::new("of-the-mri".into()))).await.unwrap();
    a.set_keeper(None, mri.id, Some(company)).await.unwrap();
    let mut vera = site.world.somebody("vera", Role::Admin).await;
    a.set_employer(None, vera.person.id, Some(company)).await.unwrap();
    vera.person = a.person(vera.person.id).await.unwrap().unwrap();
    vera
}

#[tokio::test]
async fn no_page_names_a_target_or_account_to_a_vendors_person_that_is_not_theirs() {
    let site = Site::new().await;
    let (vera, ada) = (vendor(&site).await, site.world.somebody("ada", Role::Admin).await);
    let foreign = ["ehr-db-1", "patient database", "root"];
    for page in
        ["/requests/new", "/requests/new?target=mri-3", "/offered", "/offered?target=m", "/requests/targets", "/requests/targets?q=mri"]
    {
        let hers = site.get(page, Some(&vera)).await;
        assert!(hers.status == StatusCode::OK && hers.text.contains("mri-3") && hers.text.contains("service"), "{page}: {}", hers.text);
        assert!(
            !foreign.iter().any(|f| hers.text.contains(&format!("\"{f}\"")) || hers.text.contains("ehr-db-1")),
            "{page}: {}",
            hers.text
        );
    }
    for page in ["/", "/requests", "/offered?target=ehr-db", "/offered?target=patient", "/requests/targets?q=patient"] {
        let hers = site.get(page, Some(&vera)).await;
        assert!(hers.status == StatusCode::OK && !hers.text.contains(">ehr-db-1") && !hers.text.contains("patient database"), "{page}");
        assert!(!hers.text.contains("value=\"root\"") && !hers.text.contains("value=\"ehr-db-1\""), "{page}: {}", hers.text);
    }
    let theirs = site.get("/requests/new", Some(&ada)).await.text;
    assert!(theirs.contains("ehr-db-1") && theirs.contains("value=\"root\"") && theirs.contains("mri-3"), "{theirs}");
}

#[tokio::test]
async fn what_is_not_theirs_gets_the_answer_of_what_is_not_there() {
    let site = Site::new().await;
    let vera = vendor(&site).await;
    let ask = async |target: &str| {
        let fields = [("target", target), ("account", "root"), ("reason", "update"), ("window", "1"), ("ticket", "CHG-1")];
        let answer = site.form("/requests", &fields, Some(&vera)).await;
        (answer.status, answer.text.replace(target, "TARGET"))
    };
    let (known, unknown) = (ask("ehr-db-1").await, ask("no-such").await);
    assert_eq!(known, unknown);
    assert!(known.0 == StatusCode::UNPROCESSABLE_ENTITY && known.1.contains("no such account on such a target for you"), "{}", known.1);
    // An emergency is none of theirs, whatever they name, and the page is not there for them.
    assert_eq!(site.get("/break-glass", Some(&vera)).await.status, StatusCode::NOT_FOUND);
    assert!(!site.get("/", Some(&vera)).await.text.contains("/break-glass"));
    let smash = async |target: &str| {
        let wish = json!({ "target": target, "account": "root", "reason": "update", "minutes": "30" });
        let answer = site.json("/break-glass/begin", &wish, Some(&vera)).await;
        (answer.status, answer.text)
    };
    let (known, unknown, hers) = (smash("ehr-db-1").await, smash("no-such").await, smash("mri-3").await);
    assert_eq!((&known, known.0), (&unknown, StatusCode::NOT_FOUND));
    assert_eq!(known, hers);
}

#[tokio::test]
async fn the_forms_offer_what_fits_what_was_typed_and_its_accounts() {
    let site = Site::new().await;
    vendor(&site).await;
    let ada = site.world.somebody("ada", Role::Admin).await;
    let kim = site.world.somebody("kim", Role::KeyHolder).await;
    site.world
        .sql(
            "insert into target (id, name, kind, protocol, host, port, description, pinned_host_keys, created_at)
             select gen_random_uuid(), 'pump-' || n, 'medical_device', 'ssh', '10.1.0.1', 22, 'bed ' || n, '{}', now() from generate_series(1, 300) n",
        )
        .await;
    let all = site.get("/offered", Some(&ada)).await.text;
    assert!(all.contains("The field offers 50 of 302 targets") && all.contains("value=\"ehr-db-1\""), "{all}");
    for who in [&ada, &kim] {
        let one = site.get("/offered?target=pump-299", Some(who)).await.text;
        assert!(
            one.contains("value=\"pump-299\"") && one.matches("data-protocol").count() == 1 && !one.contains("The field offers"),
            "{one}"
        );
    }
    let one = site.get("/offered?target=mri-3", Some(&ada)).await.text;
    assert!(one.contains("value=\"service\"") && !one.contains("value=\"root\""), "the accounts of what is meant: {one}");
    // And without scripts: a page to search and turn.
    let page = site.get("/requests/targets?q=pump&page=2", Some(&ada)).await.text;
    assert!(page.contains("26 to 50 of 300") && page.contains("q=pump&#38;page=3"), "{page}");
    let page = site.get("/requests/targets?q=ward", Some(&ada)).await.text;
    assert!(page.contains("/requests/new?target=mri-3&#38;account=service") && page.contains("/break-glass?target=mri-3"), "{page}");
    for form in ["/requests/new", "/break-glass"] {
        let shown = site.get(form, Some(&ada)).await.text;
        assert!(shown.contains("hx-get=\"/offered\"") && shown.contains("href=\"/requests/targets\""), "{form}");
    }
    let max = site.world.somebody("max", Role::Auditor).await;
    assert_eq!(site.get("/offered", Some(&max)).await.status, StatusCode::NOT_FOUND);
}

//! Locks in the portal, and the switch of clinical use.
use super::Site;
use anteroom_domain::{AuditEvent, ClinicalUse, Role, audit::DeviceEvent};
use axum::http::StatusCode;

#[tokio::test]
async fn a_person_is_locked_on_their_page_and_let_in_again_from_the_list() {
    let site = Site::new().await;
    let (op, ada) = (site.world.somebody("op", Role::Operator).await, site.world.somebody("ada", Role::Admin).await);
    let bob = site.world.somebody("bob", Role::Approver).await;
    let page = format!("/people/{}", ada.person.id);
    assert!(site.get(&page, Some(&op)).await.text.contains("Lock ada"), "the button is there");
    let fields = [("kind", "person"), ("name", "ada"), ("reason", "laptop <stolen>")];
    let silent = site.form("/locks", &[fields[0], fields[1], ("reason", " ")], Some(&op)).await;
    assert!(silent.status == StatusCode::UNPROCESSABLE_ENTITY && silent.text.contains("reason is empty"), "{}", silent.text);
    let nobody = site.form("/locks", &[fields[0], ("name", "nobody"), fields[2]], Some(&op)).await;
    assert!(nobody.status == StatusCode::UNPROCESSABLE_ENTITY && nobody.text.contains("no person of this name"), "{}", nobody.text);
    assert_eq!(site.form("/locks", &[fields[0], ("name", "op"), fields[2]], Some(&op)).await.status, StatusCode::CONFLICT, "not oneself");

    assert_eq!(site.form("/locks", &fields, Some(&op)).await.header("location"), "/locks?done=locked");
    assert_eq!(site.get("/", Some(&ada)).await.header("location"), "/sign-in", "signed out at once");
    let locked = site.get(&page, Some(&op)).await.text;
    assert!(locked.contains("Lift the lock") && locked.contains("laptop &#60;stolen&#62;") && !locked.contains("Lock ada"), "{locked}");
    // An approver may lock and lift, and sees no page of people.
    let list = site.get("/locks", Some(&bob)).await.text;
    assert!(list.contains("<b>ada</b>") && !list.contains("/people/") && list.contains(">op<"), "{list}");
    let lift = [("kind", "person"), ("id", &*ada.person.id.to_string())];
    assert_eq!(site.form("/locks/lift", &lift, Some(&bob)).await.header("location"), "/locks?done=unlocked");
    assert!(site.get("/locks", Some(&bob)).await.text.contains("Nothing is locked."));
    assert_eq!(site.get("/", Some(&ada)).await.status, StatusCode::OK, "nothing of theirs was lost");
    assert_eq!(site.form("/locks", &fields, Some(&ada)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.form("/locks/lift", &[("kind", "person"), ("id", "x")], Some(&op)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_devices_switch_says_who_turned_it() {
    let site = Site::new().await;
    let op = site.world.somebody("op", Role::Operator).await;
    let fields = [("kind", "medical_device"), ("host", "10.1.2.3"), ("name", "mri-3")];
    let page = site.form("/targets", &fields, Some(&op)).await.header("location").trim_end_matches("?done=target-added").to_owned();
    assert!(site.get(&page, Some(&op)).await.text.contains("Not tracked"));
    let turn = format!("{page}/clinical-use");
    let turned = site.form(&turn, &[("state", "in_use")], Some(&op)).await;
    assert_eq!(turned.header("location"), format!("{page}?done=turned"), "{}", turned.text);
    let text = site.get(&page, Some(&op)).await.text;
    assert!(text.contains("A patient depends on it now.") && text.contains("by OP"), "{text}");
    let name = "mri-3".parse().unwrap();
    assert_eq!(site.world.approvals.target_by_name(&name).await.unwrap().unwrap().attributes.clinical_use, ClinicalUse::InUse);

    let token = site.world.approvals.add_feed(None, "nurses-4b").await.unwrap();
    site.world.approvals.report_clinical_use(token.expose(), &name, ClinicalUse::Idle).await.unwrap();
    assert!(site.get(&page, Some(&op)).await.text.contains("by the program nurses-4b"));
    assert_eq!(site.form(&turn, &[("state", "asleep")], Some(&op)).await.status, StatusCode::BAD_REQUEST);
    let ada = site.world.somebody("ada", Role::Admin).await;
    assert_eq!(site.form(&turn, &[("state", "in_use")], Some(&ada)).await.status, StatusCode::NOT_FOUND);
    let turns = site.world.log().await.into_iter().filter(|e| matches!(e, AuditEvent::Device(DeviceEvent::ClinicalUse { .. }))).count();
    assert_eq!(turns, 2);
    // A server has no such switch.
    let server = site.get(&format!("/targets/{}", site.world.target.id), Some(&op)).await.text;
    assert!(!server.contains("Clinical use") && server.contains("Lock ehr-db-1"), "{server}");
}

//! Two key-holders make a card in the browser; its code is shown once, to the one who began it.
use super::{Answer, Site};
use crate::world::Someone;
use anteroom_domain::{CardCode, Role};
use axum::http::StatusCode;
use serde_json::json;

async fn ceremony(site: &Site, who: &mut Someone, begin: &str, finish: &str, body: serde_json::Value) -> Answer {
    let begun = site.json(begin, &body, Some(who)).await;
    if begun.status != StatusCode::OK {
        return begun;
    }
    assert!(!begun.text.contains("\"code\""), "the browser gets no code to sign");
    let begun = begun.json();
    let credential = who.passkey.get(&serde_json::from_value(begun["options"].clone()).unwrap()).unwrap();
    site.json(finish, &json!({ "ceremony": begun["ceremony"], "credential": credential }), Some(who)).await
}

fn wish() -> serde_json::Value {
    json!({ "gateway": "east", "target": "ehr-db-1", "account": "root", "minutes": "60", "days": "90" })
}

async fn begun(site: &Site, kim: &mut Someone) -> String {
    let done = ceremony(site, kim, "/cards/begin", "/cards/finish", wish()).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    format!("/cards/{}", done.json()["card"].as_str().unwrap())
}

/// What stands on the paper.
fn code_on(page: &str) -> CardCode {
    let text = page.split("id=\"code\">").nth(1).unwrap().split('<').next().unwrap();
    CardCode::parse(text).unwrap()
}

#[tokio::test]
async fn a_card_is_made_printed_once_countersigned_and_revoked() {
    let site = Site::new().await;
    let (mut kim, mut lee) = (site.world.somebody("kim", Role::KeyHolder).await, site.world.somebody("lee", Role::KeyHolder).await);
    let none = site.get("/cards/new", Some(&kim)).await.text;
    assert!(none.contains("No gateway keeps cards yet"), "{none}");
    site.world.approvals.offline_cards("east").await.unwrap();
    assert!(site.get("/cards/new", Some(&kim)).await.text.contains("<option value=\"east\">"));

    let path = begun(&site, &mut kim).await;
    let print = format!("{path}/print");
    assert!(site.get(&path, Some(&kim)).await.text.contains(&print), "whoever began it is asked to print it");
    assert!(!site.get(&path, Some(&lee)).await.text.contains(&print));
    assert_eq!(site.form(&print, &[], Some(&lee)).await.status, StatusCode::GONE, "not for somebody else");
    let paper = site.form(&print, &[], Some(&kim)).await;
    assert_eq!(paper.status, StatusCode::OK, "{}", paper.text);
    assert!(paper.text.contains("<svg ") && paper.text.contains("Single use") && paper.text.contains("through the gateway <b>east</b>"));
    assert_eq!(paper.header("cache-control"), "no-store");
    let code = code_on(&paper.text);
    assert_eq!(&super::scanner::read(&paper.text), code.printed().expose(), "the picture says what the letters say");
    assert_eq!(site.form(&print, &[], Some(&kim)).await.status, StatusCode::GONE, "once");
    for page in [&path, "/cards", "/cards/new"] {
        assert!(!site.get(page, Some(&kim)).await.text.contains(code.printed().expose()));
    }

    let shown = site.get(&path, Some(&lee)).await.text;
    assert!(shown.contains("Countersign with passkey") && shown.contains("waits for a second officer"), "{shown}");
    assert!(!site.get(&path, Some(&kim)).await.text.contains("Countersign with passkey"), "not by the same");
    assert!(site.get("/", Some(&lee)).await.text.contains("<span class=\"count\">1"), "it waits for lee");
    let refused = site.json(&format!("{path}/sign/begin"), &json!({}), Some(&kim)).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let done = ceremony(&site, &mut lee, &format!("{path}/sign/begin"), &format!("{path}/sign/finish"), json!({})).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert!(site.get(&path, Some(&kim)).await.text.contains("not yet at its gateway"));

    // What was printed is what the gateway takes.
    let kept = site.world.approvals.offline_cards("east").await.unwrap();
    assert!(
        kept[0]
            .check(&code, anteroom_domain::PersonId(uuid::Uuid::from_u128(7)), "east", crate::world::now(), &site.world.approvals.site())
            .is_ok()
    );
    assert!(site.get("/cards", Some(&lee)).await.text.contains(">valid<"));

    let revoke = format!("{path}/revoke");
    assert!(site.get(&revoke, Some(&kim)).await.text.contains("What will happen"));
    assert_eq!(site.form(&revoke, &[], Some(&kim)).await.status, StatusCode::SEE_OTHER);
    assert!(site.world.approvals.offline_cards("east").await.unwrap().is_empty());
    assert!(site.get("/cards?show=all", Some(&kim)).await.text.contains(">revoked<"));
    assert_eq!(site.form(&revoke, &[], Some(&lee)).await.status, StatusCode::CONFLICT, "twice");
}

#[tokio::test]
async fn what_is_ticked_is_signed_shown_and_printed() {
    let site = Site::new().await;
    let mut kim = site.world.somebody("kim", Role::KeyHolder).await;
    let lee = site.world.somebody("lee", Role::KeyHolder).await;
    site.world.somebody("ada", Role::Admin).await;
    site.world.approvals.offline_cards("east").await.unwrap();
    let form = site.get("/cards/new", Some(&kim)).await.text;
    assert_eq!(form.matches(" checked> ").count() - 2, 2, "shell and exec, beside minutes and days: {form}");
    assert!(form.contains("name=\"shell\" checked") && form.contains("name=\"exec\" checked"));
    let mut wish = wish();
    for (field, value) in
        [("chosen", "yes"), ("shell", "on"), ("download", "on"), ("download_path", "/var/log/**"), ("more", "exec:uptime")]
    {
        wish[field] = json!(value);
    }
    let mut wrong = wish.clone();
    wrong["download_path"] = json!("log");
    let refused = site.json("/cards/begin", &wrong, Some(&kim)).await;
    assert!(refused.status == StatusCode::UNPROCESSABLE_ENTITY && refused.text.contains("download"), "{}", refused.text);
    wrong["download_path"] = json!("");
    wrong["more"] = json!("unmask");
    let refused = site.json("/cards/begin", &wrong, Some(&kim)).await;
    assert!(refused.status == StatusCode::UNPROCESSABLE_ENTITY && refused.text.contains("lifts no masking"), "{}", refused.text);
    let nothing = json!({ "chosen": "yes", "gateway": "east", "target": "ehr-db-1", "account": "root", "minutes": "60", "days": "90" });
    assert_eq!(site.json("/cards/begin", &nothing, Some(&kim)).await.status, StatusCode::UNPROCESSABLE_ENTITY);

    let content = site.json("/cards/begin", &wish, Some(&kim)).await.text;
    assert!(content.contains("download:/var/log/**") && content.contains("exec:uptime"), "what is signed says it: {content}");
    let done = ceremony(&site, &mut kim, "/cards/begin", "/cards/finish", wish).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    let path = format!("/cards/{}", done.json()["card"].as_str().unwrap());
    let paper = site.form(&format!("{path}/print"), &[], Some(&kim)).await.text;
    let allows = paper.split("id=\"allows\">").nth(1).unwrap().split("</ul>").next().unwrap();
    assert_eq!(allows.matches("<li>").count(), 3, "{allows}");
    assert!(allows.contains("/var/log/**") && allows.contains("uptime"), "{allows}");
    let shown = site.get(&path, Some(&lee)).await.text;
    assert!(shown.contains("/var/log/**") && shown.contains("Countersign"), "the second officer compares: {shown}");
}

#[tokio::test]
async fn whoever_signs_out_before_printing_takes_the_code_with_them() {
    let site = Site::new().await;
    let mut kim = site.world.somebody("kim", Role::KeyHolder).await;
    site.world.approvals.offline_cards("east").await.unwrap();
    let path = begun(&site, &mut kim).await;
    site.app.codes.signed_out(&kim.token);
    let gone = site.form(&format!("{path}/print"), &[], Some(&kim)).await;
    assert_eq!(gone.status, StatusCode::GONE);
    assert!(gone.text.contains("revoke the card and make another"), "{}", gone.text);
}

#[tokio::test]
async fn who_is_no_key_holder_makes_none_and_reviewers_see_them() {
    let site = Site::new().await;
    let (ada, max) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("max", Role::Auditor).await);
    let mut kim = site.world.somebody("kim", Role::KeyHolder).await;
    site.world.approvals.offline_cards("east").await.unwrap();
    let path = begun(&site, &mut kim).await;
    for page in ["/cards", "/cards/new", path.as_str()] {
        assert_eq!(site.get(page, Some(&ada)).await.status, StatusCode::NOT_FOUND, "{page}");
    }
    assert_eq!(site.json("/cards/begin", &wish(), Some(&ada)).await.status, StatusCode::NOT_FOUND);
    let seen = site.get(&path, Some(&max)).await;
    assert!(seen.status == StatusCode::OK && !seen.text.contains("Revoke this card"), "{}", seen.text);
    assert_eq!(site.form(&format!("{path}/revoke"), &[], Some(&max)).await.status, StatusCode::NOT_FOUND);
    let odd = site
        .json(
            "/cards/begin",
            &json!({ "gateway": "west", "target": "ehr-db-1", "account": "root", "minutes": "60", "days": "90" }),
            Some(&kim),
        )
        .await;
    assert!(odd.status == StatusCode::UNPROCESSABLE_ENTITY && odd.text.contains("no gateway named west"), "{}", odd.text);
}

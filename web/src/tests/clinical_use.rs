//! A nurses' station says whether a patient depends on a device, over HTTP.
use super::{Answer, Site};
use anteroom_domain::ClinicalUse;
use axum::{body::Body, http::StatusCode};

async fn put(site: &Site, device: &str, token: Option<&str>, body: &str) -> Answer {
    // No page of ours sends it: neither origin nor cookie.
    let path = format!("/api/v1/devices/{device}/clinical-use");
    let request = axum::http::Request::builder().method("PUT").uri(path).header("host", "gate.example");
    let request = match token {
        Some(t) => request.header("authorization", format!("Bearer {t}")),
        None => request,
    };
    site.send(request.header("content-type", "application/json").body(Body::from(body.to_owned())).unwrap()).await
}

const IN_USE: &str = r#"{"state":"in_use"}"#;

#[tokio::test]
async fn a_program_with_its_token_turns_the_switch_and_others_learn_nothing() {
    let site = Site::new().await;
    let a = &site.world.approvals;
    let token = a.add_feed(None, "nurses-4b").await.unwrap();
    let state = async || a.target(site.world.target.id).await.unwrap().unwrap().attributes.clinical_use;
    let done = put(&site, "ehr-db-1", Some(token.expose()), IN_USE).await;
    assert_eq!((done.status, done.text.as_str(), state().await), (StatusCode::NO_CONTENT, "", ClinicalUse::InUse));
    let done = put(&site, "ehr-db-1", Some(token.expose()), r#"{"state":"idle"}"#).await;
    assert_eq!((done.status, state().await), (StatusCode::NO_CONTENT, ClinicalUse::Idle));

    // Without a token that counts: the same words, whether there is such a device or not.
    for token in [None, Some(""), Some("x"), Some("Bearer"), Some("feed_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")] {
        for device in ["ehr-db-1", "no-such"] {
            let refused = put(&site, device, token, IN_USE).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{token:?} {device}: {}", refused.text);
            assert!(refused.text.contains("Authorization: Bearer TOKEN"), "{}", refused.text);
        }
    }
    assert_eq!(state().await, ClinicalUse::Idle);
    let unknown = put(&site, "no-such", Some(token.expose()), IN_USE).await;
    assert!(unknown.status == StatusCode::NOT_FOUND && unknown.text.contains("no such device"), "{}", unknown.text);
    for body in ["", "{", "[]", r#"{"state":"perhaps"}"#, r#"{"state":"in_use","more":1}"#] {
        assert_eq!(put(&site, "ehr-db-1", Some(token.expose()), body).await.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(state().await, ClinicalUse::Idle);
    a.revoke_feed(None, "nurses-4b").await.unwrap();
    assert_eq!(put(&site, "ehr-db-1", Some(token.expose()), IN_USE).await.status, StatusCode::UNAUTHORIZED, "a token that was taken back");
}

#[tokio::test]
async fn whoever_asks_too_often_is_slowed_down_before_their_token_is_looked_at() {
    let site = Site::new().await;
    let token = site.world.approvals.add_feed(None, "nurses-4b").await.unwrap();
    for n in 0..1_200 {
        let refused = put(&site, "ehr-db-1", None, IN_USE).await.status;
        assert_eq!(refused, StatusCode::UNAUTHORIZED, "{n}");
    }
    let slow = put(&site, "ehr-db-1", Some(token.expose()), IN_USE).await;
    assert!(slow.status == StatusCode::TOO_MANY_REQUESTS && slow.text.contains("wait a minute"), "{}", slow.text);
    assert!(!slow.header("retry-after").is_empty());
    let state = site.world.approvals.target(site.world.target.id).await.unwrap().unwrap().attributes.clinical_use;
    assert_eq!(state, ClinicalUse::Untracked);
}

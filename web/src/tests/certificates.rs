//! Certificates: asked for by a program that nobody believes, confirmed by a passkey, fetched once.
use super::{Answer, Site};
use crate::world::{KEY, KEY_FINGERPRINT, Someone};
use anteroom_domain::Role;
use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use serde_json::{Value, json};

/// As `anteroom login` does it: no cookie, no origin.
async fn program(site: &Site, path: &str, body: &Value) -> Answer {
    let r = Request::post(path).header("host", "gate.example").header("content-type", "application/json");
    site.send(r.body(Body::from(body.to_string())).unwrap()).await
}

async fn asked(site: &Site) -> Value {
    let answer = program(site, "/api/login", &json!({ "public_key": KEY })).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

async fn poll(site: &Site, asked: &Value, token: &Value) -> Value {
    let path = format!("/api/login/{}/poll", asked["id"].as_str().unwrap());
    let answer = program(site, &path, &json!({ "token": token })).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

fn page(asked: &Value) -> &str {
    asked["link"].as_str().unwrap().strip_prefix("https://gate.example").unwrap()
}

#[tokio::test]
async fn a_program_asks_its_person_confirms_and_it_fetches_once() {
    let site = Site::new().await;
    let mut ada = site.world.somebody("ada", Role::Admin).await;
    let a = asked(&site).await;
    assert_eq!(poll(&site, &a, &a["token"]).await, json!({ "state": "pending" }));
    let shown = site.get(page(&a), Some(&ada)).await.text;
    for text in [a["number"].as_str().unwrap(), KEY_FINGERPRINT, "10.0.0.7", "Confirm with passkey", "Refuse"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(!shown.contains(a["token"].as_str().unwrap()), "who has only the link gets nothing");
    let done = site.sign(&format!("{}/begin", page(&a)), &format!("{}/finish", page(&a)), json!({}), &mut ada).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert!(site.get(page(&a), Some(&ada)).await.text.contains("Go back to your program"));
    assert_eq!(poll(&site, &a, &json!("guessed")).await["state"], "expired");
    let ready = poll(&site, &a, &a["token"]).await;
    assert!(ready["certificate"].as_str().unwrap().starts_with("ssh-ed25519-cert-v01@openssh.com "), "{ready}");
    assert!(ready["until"].as_str().unwrap().ends_with('Z'));
    assert_eq!(poll(&site, &a, &a["token"]).await, json!({ "state": "expired" }));
}

#[tokio::test]
async fn refused_is_told_and_who_may_not_connect_sees_nothing() {
    let site = Site::new().await;
    let (ada, max) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("max", Role::Auditor).await);
    let a = asked(&site).await;
    assert_eq!(site.get(page(&a), Some(&max)).await.status, StatusCode::NOT_FOUND);
    assert!(site.get(page(&a), None).await.header("location").starts_with("/sign-in?next=%2Flogin%2F"));
    assert_eq!(site.form(&format!("{}/refuse", page(&a)), &[], Some(&ada)).await.header("location"), page(&a));
    assert_eq!(poll(&site, &a, &a["token"]).await, json!({ "state": "refused" }));
}

#[tokio::test]
async fn the_programs_door_acts_on_no_cookie_and_opens_to_no_other_site() {
    let site = Site::new().await;
    let ada = site.world.somebody("ada", Role::Admin).await;
    let body = json!({ "public_key": KEY }).to_string();
    let with_cookie = Request::post("/api/login").header("host", "gate.example").header("content-type", "application/json");
    let with_cookie = with_cookie.header("cookie", format!("__Host-anteroom={}", ada.token.expose()));
    let a = site.send(with_cookie.body(Body::from(body.clone())).unwrap()).await.json();
    assert_eq!(poll(&site, &a, &a["token"]).await["state"], "pending", "being signed in confirms nothing");
    let foreign = Request::post("/api/login").header("host", "gate.example").header("content-type", "application/json");
    let foreign = foreign.header("origin", "https://evil.example").body(Body::from(body)).unwrap();
    assert_eq!(site.send(foreign).await.status, StatusCode::FORBIDDEN);
    for bad in ["", "hello", "-----BEGIN OPENSSH PRIVATE KEY-----"] {
        let refused = program(&site, "/api/login", &json!({ "public_key": bad })).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    }
    let mut last = StatusCode::OK;
    for _ in 0..310 {
        last = program(&site, "/api/login", &json!({ "public_key": "x" })).await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(poll(&site, &a, &a["token"]).await["state"], "pending", "who waits is not kept out by who asks");
}

#[tokio::test]
async fn a_pasted_key_gets_its_certificate_on_the_page() {
    let site = Site::new().await;
    let mut ada: Someone = site.world.somebody("ada", Role::Admin).await;
    assert!(site.get("/keys", Some(&ada)).await.text.contains("Get a certificate"));
    let start = site.json("/keys/certificate/begin", &json!({ "line": KEY }), Some(&ada)).await.json();
    let options = serde_json::from_value(start["options"].clone()).unwrap();
    let credential = ada.passkey.get(&options).unwrap();
    let finish = json!({ "ceremony": start["ceremony"], "credential": credential, "keep": start["keep"] });
    let done = site.json("/keys/certificate/finish", &finish, Some(&ada)).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert!(done.json()["show"].as_str().unwrap().starts_with("ssh-ed25519-cert-v01@openssh.com "));
    let bob = site.world.somebody("bob", Role::Approver).await;
    assert!(!site.get("/keys", Some(&bob)).await.text.contains("Get a certificate"));
}

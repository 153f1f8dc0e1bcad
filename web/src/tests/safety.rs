//! Redirects, other sites, headers, cookies, sizes (THREATS 4, 5).
use super::Site;
use crate::world::origin;
use anteroom_domain::Role;
use anteroom_test_authenticator::Authenticator;
use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_post_from_another_site_changes_nothing() {
    let site = Site::new().await;
    let ada = site.world.somebody("ada", Role::Admin).await;
    let request = site.world.request(&ada).await;
    let path = format!("/requests/{}/withdraw", request.id);
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example"), ("origin", "null")]
    {
        let r = Request::post(&path).header("host", "gate.example").header("cookie", format!("__Host-anteroom={}", ada.token.expose()));
        let answer = site.send(r.header(name, value).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}: {value}");
    }
    let still = site.world.approvals.request(request.id).await.unwrap().unwrap();
    assert_eq!(still.state.as_str(), "pending");
    assert_eq!(site.form(&path, &[], Some(&ada)).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn sign_in_leads_nowhere_else() {
    let site = Site::new().await;
    for (next, shown) in
        [("/requests/new?target=a", "/requests/new?target=a"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil", "/")]
    {
        let q: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        let page = site.get(&format!("/sign-in?next={q}"), None).await;
        assert!(page.text.contains(&format!("name=\"next\" value=\"{shown}\"")), "{next}");
    }
    let mut ada = site.world.somebody("ada", Role::Admin).await;
    let start = site.json("/sign-in/begin", &json!({}), None).await.json();
    let options = serde_json::from_value(start["options"].clone()).unwrap();
    let credential = ada.passkey.get(&options).unwrap();
    let finish = json!({ "ceremony": start["ceremony"], "credential": credential, "next": "//evil.example" });
    let answer = site.json("/sign-in/finish", &finish, None).await;
    assert_eq!((answer.status, answer.json()["next"].as_str()), (StatusCode::OK, Some("/")));
}

#[tokio::test]
async fn another_host_name_is_not_us() {
    let site = Site::new().await;
    let get = Request::get("/keys?x=1").header("host", "127.0.0.1:8443").body(Body::empty()).unwrap();
    let answer = site.send(get).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::TEMPORARY_REDIRECT, "https://gate.example/keys?x=1"));
    let get = Request::get("//evil.example").header("host", "rebound.example").body(Body::empty()).unwrap();
    assert_eq!(site.send(get).await.status, StatusCode::MISDIRECTED_REQUEST);
    let post = Request::post("/sign-in/begin").header("host", "rebound.example").body(Body::empty()).unwrap();
    assert_eq!(site.send(post).await.status, StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let site = Site::new().await;
    let ada = site.world.somebody("ada", Role::Admin).await;
    for (path, who) in
        [("/sign-in", None), ("/", None), ("/", Some(&ada)), ("/nothing", Some(&ada)), ("/healthz", None), ("/assets/none.js", None)]
    {
        let a = site.get(path, who).await;
        let csp = a.header("content-security-policy");
        assert!(
            csp.starts_with("default-src 'none';") && csp.contains("frame-ancestors 'none'") && !csp.contains("unsafe"),
            "{path}: {csp}"
        );
        assert_eq!(a.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(a.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(a.header("cache-control"), "no-store", "{path}");
        assert!(a.header("strict-transport-security").contains("max-age="), "{path}");
    }
    let asset = site.get(crate::assets::url("app.js"), None).await;
    assert_eq!((asset.status, asset.header("content-type")), (StatusCode::OK, "text/javascript; charset=utf-8"));
    assert!(asset.header("cache-control").contains("immutable"));
}

#[tokio::test]
async fn no_page_holds_inline_scripts_or_styles() {
    let site = Site::new().await;
    for role in Role::ALL {
        let p = site.world.somebody(role.as_str(), role).await;
        for route in crate::routes::table() {
            if route.path.contains('{') || route.method != axum::http::Method::GET || route.path == "/live" {
                continue;
            }
            let page = site.get(route.path, Some(&p)).await.text;
            for bad in [" style=", "<style", " onclick=", " onload=", "javascript:", "https://"] {
                assert!(!page.contains(bad), "{}: {bad}", route.path);
            }
            assert!(page.matches("<script").count() == page.matches("<script type=\"module\" src=\"/assets/").count(), "{}", route.path);
        }
    }
}

#[tokio::test]
async fn enrolment_signs_in_with_a_cookie_that_only_this_host_gets() {
    let site = Site::new().await;
    let w = &site.world;
    let ada = w.approvals.add_person(None, "ada".parse().unwrap(), "Ada".parse().unwrap(), Default::default()).await.unwrap();
    let token = w.approvals.make_enrol_link(None, ada.id, Duration::from_secs(60)).await.unwrap();
    let start = site.json("/enrol/begin", &json!({ "token": token.expose() }), None).await;
    assert_eq!(start.status, StatusCode::OK, "{}", start.text);
    let start = start.json();
    let options = serde_json::from_value(start["options"].clone()).unwrap();
    let credential = Authenticator::new(origin()).create(&options).unwrap();
    let finish = json!({ "ceremony": start["ceremony"], "credential": credential, "label": "laptop", "token": token.expose() });
    let answer = site.json("/enrol/finish", &finish, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-anteroom="), "{cookie}");
    for flag in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(cookie.contains(flag), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    // Used once, whoever tries again.
    let again = site.json("/enrol/begin", &json!({ "token": token.expose() }), None).await;
    assert_eq!(again.status, StatusCode::GONE);
    assert!(again.json()["error"].as_str().unwrap().contains("ask for a new one"));
}

#[tokio::test]
async fn signing_out_ends_the_session_on_the_server() {
    let site = Site::new().await;
    let ada = site.world.somebody("ada", Role::Admin).await;
    let answer = site.form("/sign-out", &[], Some(&ada)).await;
    assert_eq!(answer.header("location"), "/sign-in?done=signed-out");
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(site.get("/", Some(&ada)).await.header("location"), "/sign-in");
}

#[tokio::test]
async fn a_ten_megabyte_reason_is_refused_in_words() {
    let site = Site::new().await;
    let ada = site.world.somebody("ada", Role::Admin).await;
    let huge = "x".repeat(10 << 20);
    let answer =
        site.form("/requests", &[("target", "ehr-db-1"), ("account", "root"), ("window", "1"), ("reason", &huge)], Some(&ada)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text.contains("A reason may have 2,000 characters"));
    let long = "x".repeat(2_001);
    let answer =
        site.form("/requests", &[("target", "ehr-db-1"), ("account", "root"), ("window", "1"), ("reason", &long)], Some(&ada)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains("at most 2000 are allowed"));
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused_in_words() {
    let site = Site::new().await;
    let op = site.world.somebody("op", Role::Operator).await;
    let r = site.request("POST", "/people", Some(&op)).header("content-type", "application/x-www-form-urlencoded");
    let answer = site.send(r.body(Body::from("handle=eve&display_name=%ff%fe&admin=yes")).unwrap()).await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
    assert_eq!(site.world.approvals.people("eve", Default::default()).await.unwrap().total, 0);
}

#[tokio::test]
async fn an_address_that_hammers_is_slowed_down() {
    let site = Site::new().await;
    let mut last = StatusCode::OK;
    for _ in 0..310 {
        last = site.json("/enrol/begin", &json!({ "token": "guess" }), None).await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

//! A device manager speaks to the portal: signed as Standard Webhooks says, or told nothing.
use super::{Answer, Site};
use crate::world::now;
use anteroom_domain::Role;
use anteroom_posture::FeedSecret;
use axum::{body::Body, http::StatusCode};
use time::format_description::well_known::Rfc3339;

async fn post(site: &Site, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    // No page of ours sends it: neither origin nor cookie.
    let request = axum::http::Request::builder().method("POST").uri("/api/v1/posture").header("host", "gate.example");
    let request = headers.iter().fold(request, |r, (name, value)| r.header(*name, *value));
    site.send(request.header("content-type", "application/json").body(Body::from(body)).unwrap()).await
}

async fn signed(site: &Site, secret: &FeedSecret, body: &str) -> Answer {
    let at = now().unix_timestamp();
    let signature = secret.sign("msg_1", at, body.as_bytes());
    let headers = [("webhook-id", "msg_1"), ("webhook-timestamp", &*at.to_string()), ("webhook-signature", &*signature)];
    post(site, &headers, body.as_bytes().to_vec()).await
}

fn report(person: &str) -> String {
    let at = now().format(&Rfc3339).unwrap();
    format!(
        r#"{{"person":"{person}","device":"LAPTOP-7","reported_at":"{at}","disk_encrypted":true,"secure_boot":true,
 "endpoint_protection":true,"os":"Windows 11 24H2","addresses":["10.0.0.7"]}}"#
    )
}

#[tokio::test]
async fn a_signed_report_is_taken_and_whoever_has_no_key_learns_nothing() {
    let site = Site::new().await;
    let ada = site.world.somebody("ada", Role::Admin).await;
    let (feed, stranger) = (FeedSecret::of([7; 32]), FeedSecret::of([8; 32]));
    let a = &site.world.approvals;
    a.add_posture_feed(None, "device-manager", &feed.public()).await.unwrap();

    let taken = signed(&site, &feed, &report("ada")).await;
    assert_eq!((taken.status, taken.text.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(a.machines(Some(ada.person.id)).await.unwrap()[0].machine.device.as_str(), "LAPTOP-7");

    // The same words whether the person exists, the JSON is none, the headers are missing or there twice.
    let told = |a: &Answer| (a.status, a.text.clone());
    let nothing = told(&signed(&site, &stranger, &report("ada")).await);
    assert_eq!(nothing.0, StatusCode::UNAUTHORIZED);
    assert!(nothing.1.contains("Standard Webhooks"), "{nothing:?}");
    assert_eq!(told(&signed(&site, &stranger, &report("nobody")).await), nothing);
    assert_eq!(told(&signed(&site, &stranger, "{").await), nothing);
    assert_eq!(told(&post(&site, &[], report("ada").into_bytes()).await), nothing);
    let (body, at) = (report("ada"), now().unix_timestamp());
    let signature = feed.sign("msg_1", at, body.as_bytes());
    let twice =
        [("webhook-id", "msg_1"), ("webhook-timestamp", &*at.to_string()), ("webhook-signature", &*signature), ("webhook-id", "msg_2")];
    assert_eq!(told(&post(&site, &twice, body.into_bytes()).await), nothing);

    // Whoever has one is told what is wrong.
    for (body, status, said) in [
        (report("nobody"), StatusCode::UNPROCESSABLE_ENTITY, "no person of this handle"),
        (report("ada").replace("secure_boot", "secure_boots"), StatusCode::UNPROCESSABLE_ENTITY, "unknown field"),
        (report("ada").replace("true", "1"), StatusCode::UNPROCESSABLE_ENTITY, "expected a boolean"),
    ] {
        let refused = signed(&site, &feed, &body).await;
        assert_eq!(refused.status, status, "{}", refused.text);
        assert!(refused.json()["error"].as_str().unwrap().contains(said), "{}", refused.text);
    }
    let late = report("ada");
    assert_eq!(signed(&site, &feed, &late).await.status, StatusCode::NO_CONTENT);
    assert_eq!(signed(&site, &feed, &late).await.status, StatusCode::CONFLICT, "a replay");
}

#[tokio::test]
async fn a_megabyte_and_a_flood_are_refused() {
    let site = Site::new().await;
    let feed = FeedSecret::of([7; 32]);
    site.world.approvals.add_posture_feed(None, "device-manager", &feed.public()).await.unwrap();
    let big = signed(&site, &feed, &" ".repeat(1 << 20)).await;
    assert_eq!(big.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(big.json()["error"].as_str().unwrap().contains("16 KiB"), "{}", big.text);
    let mut slowed = None;
    for n in 0..1300 {
        if post(&site, &[], vec![]).await.status == StatusCode::TOO_MANY_REQUESTS {
            slowed = Some(n);
            break;
        }
    }
    assert!(slowed.is_some_and(|n| n > 1000), "{slowed:?}");
}

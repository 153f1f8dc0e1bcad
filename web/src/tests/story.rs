//! Asking and answering, as forms and scripts do it.
use super::{Answer, Site};
use crate::world::Someone;
use anteroom_approvals::AskStepUp;
use anteroom_domain::{Role, TargetName};
use axum::{body::Body, http::StatusCode};
use futures_util::StreamExt;
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

impl Site {
    pub(super) async fn sign(&self, begin: &str, finish: &str, body: serde_json::Value, who: &mut Someone) -> Answer {
        let start = self.json(begin, &body, Some(who)).await;
        assert_eq!(start.status, StatusCode::OK, "{}", start.text);
        let start = start.json();
        let options = serde_json::from_value(start["options"].clone()).unwrap();
        let credential = who.passkey.get(&options).unwrap();
        self.json(finish, &json!({ "ceremony": start["ceremony"], "credential": credential }), Some(who)).await
    }
}

#[tokio::test]
async fn asked_in_a_form_and_approved_with_a_passkey() {
    let site = Site::new().await;
    let (ada, mut bob) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
    let fields =
        [("target", "ehr-db-1"), ("account", "root"), ("reason", "vacuum full"), ("window", "1"), ("from_utc", ""), ("until_utc", "")];
    let sent = site.form("/requests", &fields, Some(&ada)).await;
    let page = sent.header("location").trim_end_matches("?done=requested").to_owned();
    assert!(page.starts_with("/requests/"), "{} {}", sent.status, sent.text);

    let inbox = site.get("/approvals", Some(&bob)).await.text;
    assert!(inbox.contains("wants root on ehr-db-1") && inbox.contains("vacuum full"));
    let asked = site.get(&page, Some(&bob)).await.text;
    assert!(asked.contains("Approve with passkey") && asked.contains("10.0.0.7"));
    let own = site.get(&page, Some(&ada)).await.text;
    assert!(!own.contains("Approve with passkey") && own.contains("Withdraw request"));

    let review = |end| format!("{page}/review/{end}");
    let done = site.sign(&review("begin"), &review("finish"), json!({ "verdict": "approve" }), &mut bob).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert!(done.json()["next"].as_str().unwrap().ends_with("?done=approved"));
    let home = site.get("/", Some(&ada)).await.text;
    assert!(home.contains("ssh -p 2222 root@ehr-db-1@bastion"), "{home}");
}

#[tokio::test]
async fn what_is_ticked_is_what_the_approver_reads_and_what_the_grant_says() {
    let site = Site::new().await;
    let (ada, mut bob) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
    let form = site.get("/requests/new?target=ehr-db-1", Some(&ada)).await.text;
    assert!(form.contains("id=\"shell\" name=\"shell\" checked") && form.contains("id=\"exec\" name=\"exec\" checked"), "{form}");
    let mut fields = vec![("target", "ehr-db-1"), ("account", "root"), ("reason", "logs"), ("window", "1"), ("chosen", "yes")];
    let nothing = site.form("/requests", &fields, Some(&ada)).await;
    assert!(nothing.status == StatusCode::UNPROCESSABLE_ENTITY && nothing.text.contains("choose at least one thing"), "{}", nothing.text);
    fields.extend([("download", "on"), ("download_path", "/var/log/**"), ("download_max", "10"), ("more", "local-forward:*")]);
    let wrong = site.form("/requests", &[fields.clone(), vec![("upload", "on"), ("upload_path", "srv")]].concat(), Some(&ada)).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    for kept in ["upload: a path begins with", "value=\"/var/log/**\"", "value=\"srv\"", "local-forward:*</textarea>"] {
        assert!(wrong.text.contains(kept), "{kept}: {}", wrong.text);
    }
    assert!(!wrong.text.contains("name=\"shell\" checked"), "what was not ticked is not ticked again");
    let sent = site.form("/requests", &fields, Some(&ada)).await;
    let page = sent.header("location").trim_end_matches("?done=requested").to_owned();
    let asked = site.get(&page, Some(&bob)).await.text;
    for words in [
        "download files: /var/log/**, each at most 10 MiB",
        "forward to any host and port",
        "Wide",
        "Leads to whatever the target can reach",
    ] {
        assert!(asked.contains(words), "{words}: {asked}");
    }
    assert!(!asked.contains("interactive shell"));
    let review = |end| format!("{page}/review/{end}");
    let done = site.sign(&review("begin"), &review("finish"), json!({ "verdict": "approve" }), &mut bob).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    let grants = site.get("/grants", Some(&bob)).await.text;
    assert!(grants.contains("may download files: /var/log/**") && grants.contains("Wide"), "{grants}");
}

#[tokio::test]
async fn a_mistake_in_the_form_is_said_and_nothing_typed_is_lost() {
    let site = Site::new().await;
    let ada = site.world.somebody("ada", Role::Admin).await;
    let fields = [("target", "no-such"), ("account", "root"), ("reason", "because of ward 4"), ("window", "1")];
    let again = site.form("/requests", &fields, Some(&ada)).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    for text in ["There is a problem", "there is no such account", "because of ward 4", "value=\"no-such\""] {
        assert!(again.text.contains(text), "{text}");
    }
}

#[tokio::test]
async fn a_grant_is_revoked_after_reading_what_it_means() {
    let site = Site::new().await;
    let (ada, mut bob) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
    let grant = site.world.grant(&ada, &mut bob).await;
    let path = format!("/grants/{}/revoke", grant.id);
    let confirm = site.get(&path, Some(&bob)).await.text;
    assert!(confirm.contains("What will happen") && confirm.contains("ADA"));
    assert!(site.world.approvals.grant(grant.id).await.unwrap().unwrap().revoked_at.is_none());
    assert_eq!(site.form(&path, &[], Some(&bob)).await.header("location"), "/grants?done=revoked");
    assert!(site.world.approvals.grant(grant.id).await.unwrap().unwrap().revoked_at.is_some());
}

#[tokio::test]
async fn a_connection_is_confirmed_only_by_its_own_person() {
    let site = Site::new().await;
    let (mut ada, eve) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("eve", Role::Admin).await);
    let asked = site
        .world
        .approvals
        .ask_step_up(AskStepUp {
            person: ada.person.id,
            ssh_session_id: vec![7; 32],
            fingerprint: "SHA256:x".into(),
            target: TargetName::new("ehr-db-1").unwrap(),
            account: crate::world::account("root"),
            source: "192.0.2.9".parse().unwrap(),
        })
        .await
        .unwrap();
    let path = format!("/step-up/{}", asked.id);
    assert_eq!(site.get(&path, Some(&eve)).await.status, StatusCode::NOT_FOUND);
    let page = site.get(&path, Some(&ada)).await.text;
    for text in [asked.number.as_str(), "192.0.2.9", "this browser at <b>10.0.0.7</b>", "Confirm with passkey", "Refuse"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let done = site.sign(&format!("{path}/begin"), &format!("{path}/finish"), json!({}), &mut ada).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert!(site.get(&path, Some(&ada)).await.text.contains("Go back to your terminal"));
}

#[tokio::test]
async fn an_ssh_key_becomes_mine_by_a_signature_and_goes_by_a_click() {
    let site = Site::new().await;
    let mut ada = site.world.somebody("ada", Role::Admin).await;
    let body = json!({ "line": crate::world::KEY, "label": "laptop" });
    let done = site.sign("/keys/ssh/begin", "/keys/ssh/finish", body, &mut ada).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert!(site.get("/keys", Some(&ada)).await.text.contains(crate::world::KEY_FINGERPRINT));
    let key = site.world.approvals.ssh_keys(ada.person.id).await.unwrap().remove(0);
    site.form(&format!("/keys/ssh/{}/remove", key.id), &[], Some(&ada)).await;
    assert!(!site.get("/keys", Some(&ada)).await.text.contains(crate::world::KEY_FINGERPRINT));
    let private = site.json("/keys/ssh/begin", &json!({ "line": "-----BEGIN OPENSSH PRIVATE KEY-----", "label": "" }), Some(&ada)).await;
    assert_eq!(private.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(private.json()["error"].as_str().unwrap().contains("private key"));
}

#[tokio::test]
async fn the_operator_adds_people_and_targets_and_sees_no_secret_again() {
    let site = Site::new().await;
    let op = site.world.somebody("op", Role::Operator).await;
    let added = site.form("/people", &[("handle", "nina"), ("display_name", "Nina"), ("admin", "yes")], Some(&op)).await;
    let person = added.header("location").trim_end_matches("?done=person-added").to_owned();
    assert!(person.starts_with("/people/"), "{}", added.text);
    let linked = site.form(&format!("{person}/link"), &[], Some(&op)).await.text;
    assert!(linked.contains("https://gate.example/enrol#"));
    assert!(!site.get(&person, Some(&op)).await.text.contains("/enrol#"), "shown once");
    let nobody = site.form("/people", &[("handle", "x"), ("display_name", "X")], Some(&op)).await;
    assert!(nobody.text.contains("choose at least one role"));

    let fields = [("name", "mri-3"), ("kind", "medical_device"), ("host", "10.1.2.3"), ("port", ""), ("description", "MRI, ward 4")];
    let target = site.form("/targets", &fields, Some(&op)).await;
    let target = target.header("location").trim_end_matches("?done=target-added").to_owned();
    let pinned = site.form(&format!("{target}/pin"), &[("host_keys", &format!("mri-3 {}", crate::world::KEY))], Some(&op)).await;
    assert_eq!(pinned.status, StatusCode::SEE_OTHER, "{}", pinned.text);
    let stored = site
        .form(&format!("{target}/credential"), &[("account", "service"), ("kind", "password"), ("password", "hunter2hunter2")], Some(&op))
        .await;
    assert_eq!(stored.status, StatusCode::SEE_OTHER, "{}", stored.text);
    let page = site.get(&target, Some(&op)).await.text;
    assert!(page.contains("service") && page.contains("ssh-ed25519 AAAA") && !page.contains("hunter2"));
}

#[tokio::test]
async fn the_audit_log_is_searched_by_url() {
    let site = Site::new().await;
    let (ada, max) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("max", Role::Auditor).await);
    site.world.request(&ada).await;
    let found = site.get("/audit?kind=request_submitted&person=ada", Some(&max)).await.text;
    assert!(found.contains("<b>request submitted</b>") && !found.contains("<b>signed in</b>"), "{found}");
    let none = site.get("/audit?person=nobody-here", Some(&max)).await.text;
    assert!(none.contains("There is nobody with the handle"));
}

#[tokio::test]
async fn an_open_inbox_hears_of_a_new_request_at_once() {
    let site = Site::new().await;
    let (ada, bob) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
    let stop = CancellationToken::new();
    let background = tokio::spawn({
        let (approvals, stop) = (site.world.approvals.clone(), stop.clone());
        async move { approvals.run(stop).await }
    });
    let ask = site.request("GET", "/live", Some(&bob)).body(Body::empty()).unwrap();
    let response = site.router.clone().oneshot(ask).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut events = response.into_body().into_data_stream();
    let hears = async |events: &mut axum::body::BodyDataStream, what: &str| {
        while let Some(Ok(chunk)) = events.next().await {
            if String::from_utf8_lossy(&chunk).contains(what) {
                return true;
            }
        }
        false
    };
    assert!(hears(&mut events, "ready").await);
    // Listening may begin a moment after the stream did; asking again is what people do too.
    let asking = async {
        loop {
            site.world.request(&ada).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    let heard = tokio::time::timeout(Duration::from_secs(10), hears(&mut events, "event: requests"));
    tokio::select! {
        heard = heard => assert_eq!(heard, Ok(true)),
        () = asking => {}
    }
    // Whoever is suspended hears no more.
    site.world.approvals.suspend_person(None, bob.person.id).await.unwrap();
    let silence = async { while events.next().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(10), silence).await.unwrap();
    stop.cancel();
    background.await.unwrap();
}

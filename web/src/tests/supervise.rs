//! A supervisor's page: who is offered, who may join, and what a seat lets somebody see.
use super::{
    Site,
    replay::{begun, studio},
};
use crate::world::{Someone, now};
use anteroom_approvals::shipped_policies;
use anteroom_domain::{AuditEvent, DisplayName, EndReason, PersonAttributes, Role, TargetAttributes, audit::SupervisionEvent};
use anteroom_policy::PolicyFile;
use anteroom_recorder::{Event, EventKind, Pty};
use axum::http::StatusCode;
use serde_json::json;
use std::time::Duration;

/// The person and the target are a company's from now on.
async fn vendor(site: &Site, who: &mut Someone) {
    let a = &site.world.approvals;
    let company = a.add_company(None, DisplayName::new("Made-up Imaging").unwrap(), now() + time::Duration::DAY, true).await.unwrap();
    let theirs = PersonAttributes { company: Some(company), ..Default::default() };
    a.set_person_attributes(None, who.person.id, theirs).await.unwrap();
    let kept = TargetAttributes { vendor: Some(company), ..Default::default() };
    a.set_target_attributes(None, site.world.target.id, kept).await.unwrap();
    who.person = a.person(who.person.id).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_seat_is_taken_kept_seen_from_and_given_up() {
    let studio = studio();
    let site = Site::with(Some(studio.replayer.clone())).await;
    let (mut vera, mut bob) = (site.world.somebody("vera", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
    let (nora, max) = (site.world.somebody("nora", Role::Approver).await, site.world.somebody("max", Role::Auditor).await);
    vendor(&site, &mut vera).await;
    site.world.grant(&vera, &mut bob).await;
    assert!(site.get("/supervise", Some(&nora)).await.text.contains("Nobody waits for a supervisor"));
    let (id, recording) = Box::pin(begun(&site, &studio, &mut vera)).await;
    let (list, page) = (site.get("/supervise", Some(&nora)).await.text, format!("/supervise/{id}"));
    assert!(list.contains("Waits for a supervisor") && list.contains(&page) && list.contains("VERA"), "{list}");
    for stranger in [&vera, &max] {
        assert_eq!(site.get(&page, Some(stranger)).await.status, StatusCode::NOT_FOUND, "{}", stranger.person.handle);
        assert_eq!(site.json(&format!("{page}/join"), &json!({}), Some(stranger)).await.status, StatusCode::NOT_FOUND);
    }
    let shown = site.get(&page, Some(&nora)).await.text;
    assert!(shown.contains("Join and watch") && shown.contains("src=\"/assets/supervise.") && !shown.contains("style="), "{shown}");

    let seat = site.json(&format!("{page}/join"), &json!({}), Some(&nora)).await;
    assert_eq!(seat.status, StatusCode::OK, "{}", seat.text);
    let seat = json!({ "seat": seat.json()["seat"], "looks": true });
    let renew = async |who| site.json(&format!("{page}/renew"), &seat, Some(who)).await.json();
    let answer = renew(&nora).await;
    assert_eq!((&answer["watching"], &answer["over"], &answer["channel"]), (&json!(true), &json!(false), &json!(null)), "{answer}");
    assert_eq!(renew(&bob).await["watching"], false, "a seat is one person's");
    assert!(site.get("/supervise", Some(&bob)).await.text.contains("Watched"));

    let pty = Pty { cols: 80, rows: 24, term: "xterm".into() };
    for (ms, kind) in [(0, EventKind::Open { pty: Some(pty), command: None }), (10, EventKind::Output("coil driver\r\n".into()))] {
        recording.record(Event { at: Duration::from_millis(ms), channel: 0, kind }).await.unwrap();
    }
    for _ in 0..50 {
        if renew(&nora).await["channel"]["id"] == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(renew(&nora).await["channel"]["desktop"], false);
    let live = format!("/recordings/{id}/channels/0/live");
    assert_eq!(site.get(&live, Some(&bob)).await.status, StatusCode::NOT_FOUND, "who has no seat sees nothing");
    let cast = format!("/recordings/{id}/channels/0/cast");
    assert_eq!(site.get(&cast, Some(&nora)).await.status, StatusCode::NOT_FOUND, "a seat shows what runs, and no replay");

    let note = site.json(&format!("{page}/note"), &json!({ "text": "replaced <b>it</b>" }), Some(&nora)).await;
    assert_eq!(note.status, StatusCode::NO_CONTENT, "{}", note.text);
    let empty = site.json(&format!("{page}/note"), &json!({ "text": " " }), Some(&nora)).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", empty.text);
    let shown = site.get(&page, Some(&nora)).await.text;
    assert!(shown.contains("Who watched") && shown.contains("NORA") && !shown.contains("<b>it</b>"), "{shown}");

    // What she sees while she has it: the stream ends with the session.
    let session = async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        recording.record(Event { at: Duration::from_secs(1), channel: 0, kind: EventKind::Close }).await.unwrap();
        recording.finish().await.unwrap();
        site.world.approvals.session_ended(id, &EndReason::ClientClosed).await;
    };
    let _ = renew(&nora).await;
    let (seen, ()) = tokio::join!(site.get(&live, Some(&nora)), session);
    assert!(seen.status == StatusCode::OK && seen.text.contains("coil driver"), "{} {}", seen.status, seen.text);
    assert_eq!(renew(&nora).await["over"], true);
    assert_eq!(site.json(&format!("{page}/leave"), &seat, Some(&nora)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(renew(&nora).await["watching"], false);
    assert_eq!(site.get(&live, Some(&nora)).await.status, StatusCode::NOT_FOUND, "it was given up");
    assert!(site.get(&page, Some(&nora)).await.text.contains("This session has ended"));
    let log = site.world.log().await;
    let told = |f: &dyn Fn(&SupervisionEvent) -> bool| log.iter().filter(|e| matches!(e, AuditEvent::Supervision(s) if f(s))).count();
    assert_eq!(told(&|s| matches!(s, SupervisionEvent::Joined { .. })), 1);
    assert_eq!(told(&|s| matches!(s, SupervisionEvent::Left { by, .. } if *by == nora.person.id)), 1);
}

/// The menu says how many wait, to those who may watch them.
#[tokio::test]
async fn the_menu_counts_who_waits_for_a_supervisor_and_the_list_follows_policy() {
    let studio = studio();
    let site = Site::with(Some(studio.replayer.clone())).await;
    let a = &site.world.approvals;
    let (mut vera, mut bob) = (site.world.somebody("vera", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
    let (nora, op) = (site.world.somebody("nora", Role::Approver).await, site.world.somebody("op", Role::Operator).await);
    vendor(&site, &mut vera).await;
    site.world.grant(&vera, &mut bob).await;
    let waiting = "Supervise <span class=\"count\">1<";
    assert!(!site.get("/", Some(&nora)).await.text.contains("Supervise <span"));
    let (id, recording) = Box::pin(begun(&site, &studio, &mut vera)).await;
    let page = format!("/supervise/{id}");
    assert!(site.get("/", Some(&nora)).await.text.contains(waiting));
    for stranger in [&vera, &op] {
        assert!(!site.get("/", Some(stranger)).await.text.contains("/supervise"), "{}", stranger.person.handle);
    }
    site.json(&format!("{page}/join"), &json!({}), Some(&nora)).await;
    assert!(!site.get("/", Some(&bob)).await.text.contains(waiting), "somebody watches");
    site.world.sql("update supervision set renewed_at = renewed_at - interval '5 seconds'").await;
    assert!(site.get("/", Some(&bob)).await.text.contains(waiting), "and is gone");

    let mut files = shipped_policies();
    let text = "@id(\"bob\") @reason(\"Only bob watches.\") forbid (principal, action == Action::\"supervise\", resource)
        unless { principal.handle == \"bob\" };";
    files.push(PolicyFile { name: "bob.cedar".into(), text: text.into() });
    a.set_policy(None, files, "only bob").await.unwrap();
    assert!(site.get("/", Some(&bob)).await.text.contains(waiting) && !site.get("/", Some(&nora)).await.text.contains(waiting));
    assert!(site.get("/supervise", Some(&nora)).await.text.contains("Nobody waits for a supervisor"));
    let why = site.get(&page, Some(&nora)).await;
    assert!(why.status == StatusCode::UNPROCESSABLE_ENTITY && why.text.contains("Only bob watches."), "{}", why.text);
    let why = site.json(&format!("{page}/join"), &json!({}), Some(&nora)).await;
    assert!(why.status == StatusCode::UNPROCESSABLE_ENTITY && why.text.contains("Only bob watches."), "{}", why.text);
    assert_eq!(site.get(&page, Some(&bob)).await.status, StatusCode::OK);
    drop(recording);
}

//! What people write below a request: who may, how much, who hears of it, and what the log has of it.
use crate::world::{Someone, World};
use anteroom_approvals::RequestError;
use anteroom_domain::{AuditEvent, Comment, RequestId, Role, audit::RequestsEvent};
use uuid::Uuid;

fn text(t: &str) -> Comment {
    Comment::new(t).unwrap()
}

async fn told(w: &World) -> Vec<(serde_json::Value, String)> {
    let rows: Vec<serde_json::Value> =
        sqlx::query_scalar("select body from notice where body ->> 'type' = 'request.commented' order by at, id")
            .fetch_all(&w.owner)
            .await
            .unwrap();
    rows.into_iter().map(|b| (b["to"].clone(), b["by"].as_str().unwrap().to_owned())).collect()
}

#[tokio::test]
async fn whoever_asked_and_approvers_write_and_nobody_else_learns_that_there_is_a_request() {
    let w = World::new().await;
    let (ada, bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let r = w.request(&ada).await;
    let write = async |who: &Someone, t: &str| w.approvals.comment_request(&who.person, r.id, text(t)).await;
    write(&bob, "which of the two databases?").await.unwrap();
    write(&ada, "the one of ward 4").await.unwrap();
    for role in [Role::Admin, Role::Auditor, Role::Operator, Role::KeyHolder] {
        let other = w.somebody(&format!("no-{role}").replace('_', "-"), role).await;
        assert_eq!(write(&other, "hello").await.unwrap_err(), RequestError::NoSuchRequest, "{role}");
    }
    let nothing = w.approvals.comment_request(&bob.person, RequestId(Uuid::now_v7()), text("x")).await.unwrap_err();
    assert_eq!(nothing, RequestError::NoSuchRequest, "the same for one that is not there");
    w.approvals.suspend_person(None, bob.person.id).await.unwrap();
    assert_eq!(write(&bob, "and now?").await.unwrap_err(), RequestError::NoSuchRequest, "suspended");

    let comments = w.approvals.progress(r.id).await.unwrap().unwrap().comments;
    let said: Vec<_> = comments.iter().map(|c| (c.name.as_str(), c.text.as_str())).collect();
    assert_eq!(said, [("BOB", "which of the two databases?"), ("ADA", "the one of ward 4")]);
    // The requester hears of others' words; their own tell nobody.
    assert_eq!(told(&w).await, [(serde_json::json!([{ "person": ada.person.id }]), "bob".to_owned())]);
    let log: Vec<_> = w
        .log()
        .await
        .into_iter()
        .filter_map(|e| match e {
            AuditEvent::Requests(RequestsEvent::Commented { request, person, comment_sha256 }) => Some((request, person, comment_sha256)),
            _ => None,
        })
        .collect();
    assert_eq!(log.iter().map(|(r, p, _)| (*r, *p)).collect::<Vec<_>>(), [(r.id, bob.person.id), (r.id, ada.person.id)]);
    assert!(log.iter().all(|(.., hash)| hash.len() == 64), "the log has the hash and not the words: {log:?}");
}

#[tokio::test]
async fn a_request_has_fifty_comments_at_most() {
    let w = World::new().await;
    let (ada, bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let (r, other) = (w.request(&ada).await, w.request(&ada).await);
    for n in 0..50 {
        w.approvals.comment_request(&bob.person, r.id, text(&format!("{n}"))).await.unwrap();
    }
    let full = w.approvals.comment_request(&ada.person, r.id, text("one more")).await.unwrap_err();
    assert_eq!(full, RequestError::TooManyComments { max: 50 });
    w.approvals.comment_request(&ada.person, other.id, text("here there is room")).await.unwrap();
    assert_eq!(w.approvals.progress(r.id).await.unwrap().unwrap().comments.len(), 50);
}

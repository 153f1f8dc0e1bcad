//! Who watches: policy has the last word, also while somebody does; and those who could are told that somebody waits.
use crate::{
    connecting::permit,
    world::{HERE, Someone, World},
};
use anteroom_approvals::{ManageError, Watching, shipped_policies};
use anteroom_domain::{AuditEvent, GroupName, Lockable, MessageText, PersonAttributes, Reason, Role, SessionId, audit::SupervisionEvent};
use anteroom_policy::PolicyFile;
use std::net::IpAddr;
use uuid::Uuid;

const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));

/// Everything is watched.
const WATCHED: &str = r#"@id("all") @supervise permit (principal, action == Action::"oblige", resource);"#;
/// By engineers.
const ENGINEERS: &str = r#"@id("engineers-watch") @reason("Here clinical engineering watches.")
forbid (principal, action == Action::"supervise", resource) unless { principal in Group::"clinical-engineering" };"#;
/// From inside.
const INSIDE: &str = r#"@id("from-inside") @reason("Watch from the hospital's own network.")
forbid (principal, action == Action::"supervise", resource) unless { context has source && context.source.isInRange(ip("10.0.0.0/8")) };"#;

async fn set(w: &World, more: &[&str]) {
    let mut files = shipped_policies();
    files.extend(more.iter().enumerate().map(|(n, text)| PolicyFile { name: format!("{n}.cedar"), text: (*text).into() }));
    w.approvals.set_policy(None, files, "who watches").await.unwrap();
}

async fn engineer(w: &World, who: &Someone, yes: bool) {
    let groups = yes.then(|| GroupName::new("clinical-engineering").unwrap()).into_iter().collect();
    let attributes = PersonAttributes { groups, ..Default::default() };
    w.approvals.set_person_attributes(None, who.person.id, attributes).await.unwrap();
}

/// ada's session, which waits; nora and emma could watch.
async fn waiting(more: &[&str]) -> (World, Someone, Someone, SessionId) {
    let w = World::new().await;
    set(&w, &[&[WATCHED], more].concat()).await;
    let (mut ada, mut nora) = (w.somebody("ada", Role::Admin).await, w.somebody("nora", Role::Approver).await);
    let mut emma = w.somebody("emma", Role::Approver).await;
    engineer(&w, &emma, true).await;
    emma.person = w.approvals.person(emma.person.id).await.unwrap().unwrap();
    w.grant(&ada, &mut nora).await;
    let s = SessionId(Uuid::now_v7());
    let p = permit(&w, &mut ada, s).await;
    w.approvals.session_started(&p, [0; 32], "gw").await.unwrap();
    (w, nora, emma, s)
}

async fn offered(w: &World, who: &Someone, from: IpAddr) -> Vec<SessionId> {
    let person = w.approvals.person(who.person.id).await.unwrap().unwrap();
    w.approvals.to_watch(&person, from).await.unwrap().into_iter().map(|t| t.record.id).collect()
}

/// Whom the notice that somebody waits is for.
async fn told(w: &World) -> Vec<serde_json::Value> {
    let found = sqlx::query_scalar::<_, serde_json::Value>("select body from notice where body ->> 'type' = 'session.waiting' order by at");
    found.fetch_all(&w.owner).await.unwrap()
}

#[tokio::test]
async fn whom_policy_does_not_let_watch_is_offered_nothing_joins_nothing_and_reads_why() {
    let (w, nora, emma, s) = Box::pin(waiting(&[ENGINEERS])).await;
    let a = &w.approvals;
    assert_eq!((offered(&w, &nora, HERE).await, offered(&w, &emma, HERE).await), (vec![], vec![s]));
    let no = |e: ManageError| {
        assert!(matches!(&e, ManageError::Invalid { what: "session", .. }), "{e:?}");
        assert!(e.to_string().contains("policy does not let you watch it: Here clinical engineering watches."), "{e}");
    };
    no(a.may_watch(s, nora.person.id, HERE).await.unwrap_err());
    no(a.join_supervision(s, nora.person.id, HERE).await.unwrap_err());
    no(a.note_supervision(s, nora.person.id, HERE, &MessageText::new("hello").unwrap()).await.unwrap_err());
    no(a.prolong_session(s, nora.person.id, HERE).await.unwrap_err());
    assert_eq!(a.watched(s).await.unwrap(), None);
    a.join_supervision(s, emma.person.id, HERE).await.unwrap();
    assert!(a.watched(s).await.unwrap().is_some());
    assert_eq!(a.watchers(s).await.unwrap(), ["EMMA"]);
    let person = a.person(emma.person.id).await.unwrap().unwrap();
    assert_eq!(a.to_watch(&person, HERE).await.unwrap()[0].watching, Watching::Watched);
}

#[tokio::test]
async fn whoever_watches_stops_when_policy_the_person_or_a_lock_changes() {
    let (w, nora, emma, s) = Box::pin(waiting(&[])).await;
    let a = &w.approvals;
    let sits = async |who: &Someone| {
        let seat = a.join_supervision(s, who.person.id, HERE).await.unwrap();
        assert!(a.renew_supervision(seat, who.person.id, HERE).await.unwrap() && a.watched(s).await.unwrap().is_some());
        seat
    };
    let gone = async |seat, who: &Someone| {
        assert!(!a.renew_supervision(seat, who.person.id, HERE).await.unwrap());
        assert_eq!(a.watched(s).await.unwrap(), None, "nobody watches: it stands still");
    };
    let seat = sits(&nora).await;
    set(&w, &[WATCHED, ENGINEERS]).await;
    gone(seat, &nora).await;
    let seat = sits(&emma).await;
    engineer(&w, &emma, false).await;
    gone(seat, &emma).await;
    engineer(&w, &emma, true).await;
    let seat = sits(&emma).await;
    a.lock(None, Lockable::Person(emma.person.id), Reason::new("phone stolen").unwrap()).await.unwrap();
    gone(seat, &emma).await;
    let left = w.log().await.into_iter().filter(|e| matches!(e, AuditEvent::Supervision(SupervisionEvent::Left { .. }))).count();
    assert_eq!(left, 3);
}

#[tokio::test]
async fn from_where_somebody_watches_is_asked_too_and_all_the_time() {
    let (w, nora, _, s) = Box::pin(waiting(&[INSIDE])).await;
    let a = &w.approvals;
    assert_eq!((offered(&w, &nora, ELSEWHERE).await, offered(&w, &nora, HERE).await), (vec![], vec![s]));
    assert!(a.join_supervision(s, nora.person.id, ELSEWHERE).await.unwrap_err().to_string().contains("own network"));
    let seat = a.join_supervision(s, nora.person.id, HERE).await.unwrap();
    assert!(a.renew_supervision(seat, nora.person.id, HERE).await.unwrap());
    assert!(!a.renew_supervision(seat, nora.person.id, ELSEWHERE).await.unwrap());
    assert_eq!(a.watched(s).await.unwrap(), None);
    // The notice cannot know from where; rather everybody with the role than nobody.
    assert_eq!(told(&w).await[0]["to"], serde_json::json!([{ "role": "approver" }]));
}

#[tokio::test]
async fn those_who_could_watch_are_told_that_somebody_waits_and_nobody_else() {
    let (w, _, emma, s) = Box::pin(waiting(&[ENGINEERS])).await;
    let expected = serde_json::json!({
        "to": [{ "person": emma.person.id }], "type": "session.waiting", "session": s, "person": "ada", "target": "ehr-db-1"
    });
    assert_eq!(told(&w).await, [expected]);
    // A session that nobody has to watch tells nobody.
    set(&w, &[]).await;
    let mut ben = w.somebody("ben", Role::Admin).await;
    let mut nora = w.somebody("nelly", Role::Approver).await;
    w.grant(&ben, &mut nora).await;
    let p = permit(&w, &mut ben, SessionId(Uuid::now_v7())).await;
    w.approvals.session_started(&p, [0; 32], "gw").await.unwrap();
    assert_eq!(told(&w).await.len(), 1);
}

//! Asking and answering. The passkey signs exactly what the request says, and nobody answers their own.
use crate::world::{HERE, World, account, deny, now};
use anteroom_approvals::{Answer, Page, RequestError, RequestFilter, ReviewError, SignError};
use anteroom_domain::{
    AuditEvent, RequestState, Role, TargetName,
    content::{ApprovalContent, Signable, Verdict, challenge},
    request::WindowError,
};
use time::Duration;

#[tokio::test]
async fn a_request_is_approved_by_somebody_else_and_becomes_a_grant() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let r = w.request(&ada).await;
    let start = w.approvals.begin_review(&bob.person, r.id, Answer::Approve).await.unwrap();
    // What is shown is canonical, says everything, and is what the passkey is asked to sign.
    let c: ApprovalContent = serde_json::from_str(&start.content).unwrap();
    assert_eq!(c.canonical().unwrap(), start.content.as_bytes());
    assert_eq!((c.requester_handle.as_str(), c.account.as_str(), &c.reason), ("ada", "root", &r.reason));
    assert_eq!(start.options.public_key.challenge, challenge(ApprovalContent::DOMAIN, start.content.as_bytes()));

    let answer = bob.passkey.get(&start.options).unwrap();
    let g = w.approvals.finish_review(&bob.person, start.ceremony, &answer).await.unwrap().into_grant().unwrap();
    assert_eq!((g.person, g.target, g.not_before, g.not_after), (ada.person.id, w.target.id, r.from, r.until));
    assert_eq!(w.approvals.request(r.id).await.unwrap().unwrap().state, RequestState::Approved);
    assert_eq!(w.approvals.reachable(ada.person.id, now()).await.unwrap().len(), 1);
    let log = w.log().await;
    assert!(log.iter().any(|e| matches!(e, AuditEvent::RequestApproved { approver, .. } if *approver == bob.person.id)));
    assert!(log.iter().any(|e| matches!(e, AuditEvent::GrantMade { grant, .. } if *grant == g.id)));
}

#[tokio::test]
async fn a_denied_request_gives_nothing() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let r = w.request(&ada).await;
    assert!(w.review(&mut bob, &r, Verdict::Deny).await.unwrap().is_none());
    assert_eq!(w.approvals.request(r.id).await.unwrap().unwrap().state, RequestState::Denied);
    assert!(w.approvals.reachable(ada.person.id, now()).await.unwrap().is_empty());
}

#[tokio::test]
async fn nobody_answers_their_own_request_whatever_their_roles() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    w.sql("update person set roles = '{admin,approver,auditor,operator}'").await;
    let r = w.request(&ada).await;
    for v in [Verdict::Approve, Verdict::Deny] {
        assert_eq!(w.review(&mut ada, &r, v).await.unwrap_err(), ReviewError::OwnRequest);
    }
    assert!(w.log().await.iter().any(|e| matches!(e, AuditEvent::ReviewRefused { .. })));
}

#[tokio::test]
async fn a_passkey_of_the_requester_does_not_approve_for_the_approver() {
    let w = World::new().await;
    let (mut ada, bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let r = w.request(&ada).await;
    let mut start = w.approvals.begin_review(&bob.person, r.id, Answer::Approve).await.unwrap();
    start.options.public_key.allow_credentials.clear();
    let answer = ada.passkey.get(&start.options).unwrap();
    let refused = w.approvals.finish_review(&bob.person, start.ceremony, &answer).await.unwrap_err();
    assert_eq!(refused, ReviewError::Sign(SignError::PasskeyRefused("it is not yours")));
}

#[tokio::test]
async fn the_database_itself_refuses_an_approval_by_the_requester() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.grant(&ada, &mut bob).await;
    let e = sqlx::query("update approval set approver = requester").execute(&w.owner).await.unwrap_err();
    assert_eq!(e.as_database_error().unwrap().code().unwrap(), "23514");
}

#[tokio::test]
async fn only_approvers_answer() {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    let r = w.request(&ada).await;
    for role in [Role::Admin, Role::Auditor, Role::Operator] {
        let who = w.somebody(role.as_str(), role).await;
        assert_eq!(w.approvals.begin_review(&who.person, r.id, Answer::Approve).await.unwrap_err(), ReviewError::NotAllowed);
    }
}

#[tokio::test]
async fn a_request_that_changed_between_showing_and_signing_is_refused() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    for change in [
        "update access_request set reason = 'something else entirely'",
        "update access_request set ends_at = ends_at + interval '1 hour'",
        "update access_request set capabilities = '{exec}'",
        "update access_request set source = '203.0.113.9'",
    ] {
        let r = w.request(&ada).await;
        let start = w.approvals.begin_review(&bob.person, r.id, Answer::Approve).await.unwrap();
        w.sql(change).await;
        let answer = bob.passkey.get(&start.options).unwrap();
        let refused = w.approvals.finish_review(&bob.person, start.ceremony, &answer).await.unwrap_err();
        assert_eq!(refused, ReviewError::Changed, "{change}");
        assert_eq!(w.approvals.request(r.id).await.unwrap().unwrap().state, RequestState::Pending);
        w.approvals.withdraw_request(&ada.person, r.id).await.unwrap();
    }
}

#[tokio::test]
async fn content_changed_in_the_waiting_ceremony_is_refused() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let r = w.request(&ada).await;
    // Request and ceremony are changed in step, as somebody with the database could: the signature is over the old text.
    let start = w.approvals.begin_review(&bob.person, r.id, Answer::Approve).await.unwrap();
    w.sql("update access_request set reason = 'evil'").await;
    w.sql("update ceremony set content = replace(content, 'vacuum full, ticket 4711', 'evil')").await;
    let answer = bob.passkey.get(&start.options).unwrap();
    let refused = w.approvals.finish_review(&bob.person, start.ceremony, &answer).await.unwrap_err();
    assert!(matches!(refused, ReviewError::Sign(SignError::PasskeyRefused(_))), "{refused:?}");
}

#[tokio::test]
async fn a_deny_can_not_be_turned_into_an_approval() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let r = w.request(&ada).await;
    let deny = w.approvals.begin_review(&bob.person, r.id, deny()).await.unwrap();
    let approve = w.approvals.begin_review(&bob.person, r.id, Answer::Approve).await.unwrap();
    let answer = bob.passkey.get(&deny.options).unwrap();
    assert!(w.approvals.finish_review(&bob.person, approve.ceremony, &answer).await.is_err());
}

#[tokio::test]
async fn an_assertion_counts_once() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let r = w.request(&ada).await;
    let start = w.approvals.begin_review(&bob.person, r.id, Answer::Approve).await.unwrap();
    let answer = bob.passkey.get(&start.options).unwrap();
    w.approvals.finish_review(&bob.person, start.ceremony, &answer).await.unwrap();
    let again = w.approvals.finish_review(&bob.person, start.ceremony, &answer).await.unwrap_err();
    assert_eq!(again, ReviewError::Sign(SignError::CeremonyGone));
    // Replayed under another ceremony for another request of the same kind.
    let other = w.request(&ada).await;
    let start = w.approvals.begin_review(&bob.person, other.id, Answer::Approve).await.unwrap();
    let replayed = w.approvals.finish_review(&bob.person, start.ceremony, &answer).await.unwrap_err();
    assert!(matches!(replayed, ReviewError::Sign(SignError::PasskeyRefused(_))), "{replayed:?}");
}

#[tokio::test]
async fn an_approval_without_user_verification_is_refused() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let r = w.request(&ada).await;
    bob.passkey.set_user_verification(false);
    let refused = w.review(&mut bob, &r, Verdict::Approve).await.unwrap_err();
    assert!(matches!(refused, ReviewError::Sign(SignError::PasskeyRefused(_))), "{refused:?}");
}

#[tokio::test]
async fn withdrawn_while_the_approver_reads_is_refused() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let r = w.request(&ada).await;
    let start = w.approvals.begin_review(&bob.person, r.id, Answer::Approve).await.unwrap();
    w.approvals.withdraw_request(&ada.person, r.id).await.unwrap();
    let answer = bob.passkey.get(&start.options).unwrap();
    assert_eq!(w.approvals.finish_review(&bob.person, start.ceremony, &answer).await.unwrap_err(), ReviewError::Answered);
    assert_eq!(w.approvals.withdraw_request(&ada.person, r.id).await.unwrap_err(), RequestError::NotPending);
    assert_eq!(w.approvals.withdraw_request(&bob.person, r.id).await.unwrap_err(), RequestError::NoSuchRequest);
}

#[tokio::test]
async fn two_approvers_at_the_same_moment_make_one_grant() {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    let (mut bob, mut eve) = (w.somebody("bob", Role::Approver).await, w.somebody("eve", Role::Approver).await);
    for _ in 0..5 {
        let r = w.request(&ada).await;
        let (b, e) = tokio::join!(w.review(&mut bob, &r, Verdict::Approve), w.review(&mut eve, &r, Verdict::Approve));
        let (won, lost) = if b.is_ok() { (b, e) } else { (e, b) };
        assert!(won.unwrap().is_some());
        assert_eq!(lost.unwrap_err(), ReviewError::Answered);
    }
    let grants: i64 = sqlx::query_scalar("select count(*) from access_grant").fetch_one(&w.owner).await.unwrap();
    assert_eq!(grants, 5);
}

#[tokio::test]
async fn one_ceremony_finished_twice_at_the_same_moment_makes_one_grant() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let r = w.request(&ada).await;
    let start = w.approvals.begin_review(&bob.person, r.id, Answer::Approve).await.unwrap();
    let answer = bob.passkey.get(&start.options).unwrap();
    let finish = || w.approvals.finish_review(&bob.person, start.ceremony, &answer);
    let (a, b, c) = tokio::join!(finish(), finish(), finish());
    assert_eq!([a, b, c].iter().filter(|x| x.is_ok()).count(), 1);
}

#[tokio::test]
async fn a_suspended_approver_or_requester_stops_a_review_half_way() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let r = w.request(&ada).await;
    let start = w.approvals.begin_review(&bob.person, r.id, Answer::Approve).await.unwrap();
    w.approvals.suspend_person(None, ada.person.id).await.unwrap();
    let answer = bob.passkey.get(&start.options).unwrap();
    assert_eq!(w.approvals.finish_review(&bob.person, start.ceremony, &answer).await.unwrap_err(), ReviewError::RequesterSuspended);
    assert!(w.review(&mut bob, &r, Verdict::Approve).await.is_err());
    w.approvals.reinstate_person(None, ada.person.id).await.unwrap();

    let start = w.approvals.begin_review(&bob.person, r.id, Answer::Approve).await.unwrap();
    w.approvals.suspend_person(None, bob.person.id).await.unwrap();
    let answer = bob.passkey.get(&start.options).unwrap();
    assert!(w.approvals.finish_review(&bob.person, start.ceremony, &answer).await.is_err());
}

#[tokio::test]
async fn a_grant_in_the_past_is_neither_asked_for_nor_made() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let ask = |from, until| {
        let mut f = w.form(60);
        (f.from, f.until) = (from, until);
        w.approvals.submit_request(&ada.person, f, HERE)
    };
    let h = Duration::HOUR;
    assert_eq!(ask(Some(now() - 2 * h), now() - h).await.unwrap_err(), RequestError::Window(WindowError::EndInPast));
    assert_eq!(ask(Some(now() - 2 * h), now() + h).await.unwrap_err(), RequestError::Window(WindowError::StartInPast));
    assert_eq!(ask(None, now() + 30 * h).await.unwrap_err(), RequestError::Window(WindowError::TooLong));
    // Asked in time, answered too late.
    let r = w.request(&ada).await;
    w.sql("update access_request set starts_at = now() - interval '2 hours', ends_at = now() - interval '1 second'").await;
    assert_eq!(w.review(&mut bob, &r, Verdict::Approve).await.unwrap_err(), ReviewError::Over);
}

#[tokio::test]
async fn an_unknown_target_and_an_unknown_account_get_one_answer() {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    let mut unknown = w.form(60);
    unknown.target = TargetName::new("nowhere").unwrap();
    let mut forbidden = w.form(60);
    forbidden.account = account("oracle");
    for f in [unknown, forbidden] {
        assert_eq!(w.approvals.submit_request(&ada.person, f, HERE).await.unwrap_err(), RequestError::NoSuchTarget);
    }
    let bob = w.somebody("bob", Role::Approver).await;
    assert_eq!(w.approvals.submit_request(&bob.person, w.form(60), HERE).await.unwrap_err(), RequestError::NotAllowed);
}

#[tokio::test]
async fn a_list_is_searched_and_paged() {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    for _ in 0..5 {
        w.request(&ada).await;
    }
    let list = |search: &str, page| {
        let f = RequestFilter { state: Some(RequestState::Pending), requester: None, search: search.into() };
        w.approvals.requests(f, page)
    };
    let page = list("4711", Page { number: 1, size: 2 }).await.unwrap();
    assert_eq!((page.rows.len(), page.total), (2, 5));
    assert_eq!(list("%", Page::default()).await.unwrap().total, 0, "a percent sign is only a percent sign");
    assert_eq!(list("ADA", Page::default()).await.unwrap().total, 5);
}

//! Requests that several people have to answer: who counts, in what order, and what makes the grant.
use crate::world::{HERE, Someone, World, account, deny, now};
use anteroom_approvals::{Also, Answer, Answered, NewTarget, RequestError, ReviewError};
use anteroom_domain::{
    AccessRequest, AuditEvent, GroupName, PersonAttributes, Quorum, RequestState, Role, TargetKind, TargetName, audit::RequestsEvent,
    content::Verdict,
};
use anteroom_policy::NoVoice;
use time::Duration;

fn group(name: &str) -> GroupName {
    GroupName::new(name).unwrap()
}

impl World {
    pub async fn in_groups(&self, who: &Someone, groups: &[&str]) {
        let attributes = PersonAttributes { groups: groups.iter().map(|g| group(g)).collect(), ..PersonAttributes::default() };
        self.approvals.set_person_attributes(None, who.person.id, attributes).await.unwrap();
    }

    /// A request that owes `obligations`, as policy would have written them.
    pub async fn owing(&self, who: &Someone, obligations: &str) -> AccessRequest {
        let r = self.request(who).await;
        sqlx::query("update access_request set obligations = $1::jsonb where id = $2")
            .bind(obligations)
            .bind(r.id.0)
            .execute(&self.owner)
            .await
            .unwrap();
        self.approvals.request(r.id).await.unwrap().unwrap()
    }

    async fn grants(&self) -> i64 {
        sqlx::query_scalar("select count(*) from access_grant").fetch_one(&self.owner).await.unwrap()
    }
}

pub(crate) const TWO: &str = r#"{"approvals":[{"group":null,"count":2}]}"#;
const ENGINEER_AND_ONE: &str = r#"{"approvals":[{"group":"clinical-engineering","count":1},{"group":null,"count":1}]}"#;
const IN_ORDER: &str = r#"{"approvals":[{"group":"sponsor","count":1},{"group":"clinical-engineering","count":1}],"ordered":true}"#;

async fn hospital() -> (World, Someone, Someone, Someone) {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    let (bob, eve) = (w.somebody("bob", Role::Approver).await, w.somebody("eve", Role::Approver).await);
    (w, ada, bob, eve)
}

#[tokio::test]
async fn two_of_two_make_one_grant_and_one_alone_none() {
    let (w, ada, mut bob, mut eve) = Box::pin(hospital()).await;
    let r = w.owing(&ada, TWO).await;
    let first = w.answer(&mut bob, &r, Answer::Approve).await.unwrap();
    assert!(matches!(first, Answered::Waiting(m) if m == [Quorum { group: None, count: 1 }]));
    assert_eq!((w.grants().await, w.approvals.request(r.id).await.unwrap().unwrap().state), (0, RequestState::Pending));
    let again = w.answer(&mut bob, &r, Answer::Approve).await.unwrap_err();
    assert_eq!(again, ReviewError::NoVoice(NoVoice::Twice));
    let progress = w.approvals.progress(r.id).await.unwrap().unwrap();
    assert_eq!((progress.given.len(), progress.missing.len(), progress.grants.len()), (1, 1, 0));
    let Answered::Granted(grants) = w.answer(&mut eve, &r, Answer::Approve).await.unwrap() else { panic!("not granted") };
    assert_eq!((grants.len(), w.grants().await, &grants[0].obligations), (1, 1, &r.obligations));
    assert_eq!(w.approvals.request(r.id).await.unwrap().unwrap().state, RequestState::Approved);
}

#[tokio::test]
async fn one_ceremony_begun_before_and_finished_after_somebody_elses_counts_beside_it() {
    let (w, ada, mut bob, mut eve) = Box::pin(hospital()).await;
    let r = w.owing(&ada, TWO).await;
    let start = w.approvals.begin_review(&bob.person, r.id, Answer::Approve).await.unwrap();
    w.answer(&mut eve, &r, Answer::Approve).await.unwrap();
    let answer = bob.passkey.get(&start.options).unwrap();
    assert!(w.approvals.finish_review(&bob.person, start.ceremony, &answer).await.unwrap().into_grant().is_some());
}

#[tokio::test]
async fn a_group_is_asked_for_and_whoever_is_in_two_fills_one_place() {
    let (w, ada, mut bob, mut eve) = Box::pin(hospital()).await;
    w.in_groups(&bob, &["clinical-engineering"]).await;
    let r = w.owing(&ada, ENGINEER_AND_ONE).await;
    w.answer(&mut eve, &r, Answer::Approve).await.unwrap();
    let mut dan = w.somebody("dan", Role::Approver).await;
    let refused = w.answer(&mut dan, &r, Answer::Approve).await.unwrap_err();
    assert!(refused.to_string().contains("waits for 1 of clinical-engineering"), "{refused}");
    assert!(w.answer(&mut bob, &r, Answer::Approve).await.unwrap().into_grant().is_some());
}

#[tokio::test]
async fn in_order_the_second_group_waits_for_the_first() {
    let (w, ada, mut bob, mut eve) = Box::pin(hospital()).await;
    w.in_groups(&bob, &["sponsor"]).await;
    w.in_groups(&eve, &["clinical-engineering"]).await;
    let r = w.owing(&ada, IN_ORDER).await;
    assert!(matches!(w.answer(&mut eve, &r, Answer::Approve).await, Err(ReviewError::NoVoice(NoVoice::NotNeeded(_)))));
    w.answer(&mut bob, &r, Answer::Approve).await.unwrap();
    assert!(w.answer(&mut eve, &r, Answer::Approve).await.unwrap().into_grant().is_some());
}

#[tokio::test]
async fn one_deny_ends_it_and_its_reason_is_kept() {
    let (w, ada, mut bob, mut eve) = Box::pin(hospital()).await;
    let r = w.owing(&ada, TWO).await;
    w.answer(&mut bob, &r, Answer::Approve).await.unwrap();
    assert!(matches!(w.answer(&mut eve, &r, deny()).await.unwrap(), Answered::Denied));
    let progress = w.approvals.progress(r.id).await.unwrap().unwrap();
    assert_eq!(progress.given[1].comment.as_ref().unwrap().as_str(), "not in the window of ward 4");
    let mut dan = w.somebody("dan", Role::Approver).await;
    assert_eq!(w.answer(&mut dan, &r, Answer::Approve).await.unwrap_err(), ReviewError::Answered);
    assert_eq!(w.grants().await, 0);
}

#[tokio::test]
async fn what_was_approved_before_the_content_changed_does_not_count() {
    let (w, ada, mut bob, mut eve) = Box::pin(hospital()).await;
    let r = w.owing(&ada, TWO).await;
    w.answer(&mut bob, &r, Answer::Approve).await.unwrap();
    // By the program it cannot be changed; somebody with the database could.
    w.sql("update access_request set ends_at = ends_at + interval '1 hour'").await;
    assert!(matches!(w.answer(&mut eve, &r, Answer::Approve).await.unwrap(), Answered::Waiting(_)), "one of two over these words");
    let progress = w.approvals.progress(r.id).await.unwrap().unwrap();
    assert_eq!(progress.given.iter().map(|g| g.counts).collect::<Vec<_>>(), [false, true]);
    assert_eq!(w.answer(&mut bob, &r, Answer::Approve).await.unwrap_err(), ReviewError::NoVoice(NoVoice::Twice));
    assert_eq!(w.grants().await, 0);
}

#[tokio::test]
async fn a_suspended_approvers_signature_stops_counting() {
    let (w, ada, mut bob, mut eve) = Box::pin(hospital()).await;
    let r = w.owing(&ada, TWO).await;
    w.answer(&mut bob, &r, Answer::Approve).await.unwrap();
    w.approvals.suspend_person(None, bob.person.id).await.unwrap();
    assert!(matches!(w.answer(&mut eve, &r, Answer::Approve).await.unwrap(), Answered::Waiting(_)));
    let mut dan = w.somebody("dan", Role::Approver).await;
    assert!(w.answer(&mut dan, &r, Answer::Approve).await.unwrap().into_grant().is_some());
}

#[tokio::test]
async fn a_vendors_person_never_counts_be_it_a_colleague_or_of_another_company() {
    let (w, ada, mut bob, mut eve) = Box::pin(hospital()).await;
    w.sql("insert into company (id, name, contract_ends, created_at) values ('00000000-0000-7000-8000-000000000001', 'Acme', now() + interval '1 year', now())").await;
    w.sql(r#"update person set attributes = '{"company": "00000000-0000-7000-8000-000000000001"}' where handle in ('ada', 'bob')"#).await;
    w.sql(r#"update target set attributes = '{"vendor": "00000000-0000-7000-8000-000000000001"}'"#).await;
    let r = w.request(&ada).await;
    for said in [Answer::Approve, deny()] {
        assert_eq!(w.answer(&mut bob, &r, said).await.unwrap_err(), ReviewError::NotAllowed);
    }
    w.sql("insert into company (id, name, contract_ends, created_at) values ('00000000-0000-7000-8000-000000000002', 'Other', now() + interval '1 year', now())").await;
    w.sql(r#"update person set attributes = '{"company": "00000000-0000-7000-8000-000000000002"}' where handle = 'bob'"#).await;
    assert_eq!(w.answer(&mut bob, &r, Answer::Approve).await.unwrap_err(), ReviewError::NotAllowed);
    assert!(w.answer(&mut eve, &r, Answer::Approve).await.unwrap().into_grant().is_some());
}

#[tokio::test]
async fn several_logins_and_weeks_become_one_grant_each() {
    let (w, ada, mut bob, _) = Box::pin(hospital()).await;
    let name = TargetName::new("ehr-db-2").unwrap();
    let second = w.approvals.add_target(None, NewTarget::ssh(name.clone(), TargetKind::Server, "127.0.0.1", 23)).await.unwrap();
    let password = anteroom_approvals::Credential::Password(anteroom_domain::Secret::new("x".into()));
    w.approvals.set_credential(None, second.id, account("root"), password).await.unwrap();
    let mut form = w.form(60);
    form.also = Also { more: vec![(name.clone(), account("root"))], weeks: 2, ..Also::default() };
    let r = w.approvals.submit_request(&ada.person, form.clone(), HERE).await.unwrap();
    let Answered::Granted(grants) = w.answer(&mut bob, &r, Answer::Approve).await.unwrap() else { panic!("not granted") };
    assert_eq!(grants.len(), 6);
    assert_eq!(grants.iter().filter(|g| g.target == second.id).count(), 3);
    let last = grants.iter().map(|g| g.not_before).max().unwrap();
    assert_eq!(last, r.from + Duration::weeks(2), "the same time, two weeks later");
    let now_open = w.approvals.reachable(ada.person.id, now()).await.unwrap();
    assert_eq!(now_open.len(), 2, "only the first week's are open");

    form.also.more.push((name, account("root")));
    assert!(matches!(w.approvals.submit_request(&ada.person, form.clone(), HERE).await, Err(RequestError::SamePlace { .. })));
    form.also = Also { weeks: 13, ..Also::default() };
    assert_eq!(w.approvals.submit_request(&ada.person, form.clone(), HERE).await.unwrap_err(), RequestError::Weeks { max: 12 });
    form.also = Also { more: vec![(TargetName::new("nowhere").unwrap(), account("root"))], ..Also::default() };
    assert_eq!(w.approvals.submit_request(&ada.person, form, HERE).await.unwrap_err(), RequestError::NoSuchTarget);
}

#[tokio::test]
async fn an_extension_is_a_request_of_its_own_and_needs_approval_again() {
    let (w, ada, mut bob, _) = Box::pin(hospital()).await;
    let g = w.grant(&ada, &mut bob).await;
    let ask = |minutes| {
        let mut form = w.form(minutes);
        form.also.extends = Some(g.id);
        w.approvals.submit_request(&ada.person, form, HERE)
    };
    assert_eq!(ask(30).await.unwrap_err(), RequestError::NothingToExtend, "it has to end later");
    let r = ask(120).await.unwrap();
    assert_eq!(w.approvals.grant(g.id).await.unwrap().unwrap().not_after, g.not_after, "asking moves nothing");
    let longer = w.review(&mut bob, &r, Verdict::Approve).await.unwrap().unwrap();
    assert!(longer.not_after > g.not_after && longer.id != g.id);
    w.approvals.revoke_grant(None, g.id).await.unwrap();
    assert_eq!(ask(180).await.unwrap_err(), RequestError::NothingToExtend, "what was revoked is not extended");
    let dan = w.somebody("dan", Role::Admin).await;
    let mut form = w.form(300);
    form.also.extends = Some(longer.id);
    assert_eq!(w.approvals.submit_request(&dan.person, form, HERE).await.unwrap_err(), RequestError::NothingToExtend, "nor is another's");
}

#[tokio::test]
async fn nobody_answers_what_nobody_answered_in_time() {
    let (w, ada, mut bob, _) = Box::pin(hospital()).await;
    w.approvals.set_unanswered_for(std::time::Duration::from_secs(1));
    let r = w.request(&ada).await;
    let start = w.approvals.begin_review(&bob.person, r.id, Answer::Approve).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    // Judged by its moment, whether the sweep has run or not.
    let answer = bob.passkey.get(&start.options).unwrap();
    assert_eq!(w.approvals.finish_review(&bob.person, start.ceremony, &answer).await.unwrap_err(), ReviewError::Expired);
    w.approvals.sweep_now().await.unwrap();
    assert_eq!(w.approvals.request(r.id).await.unwrap().unwrap().state, RequestState::Expired);
    assert_eq!(w.review(&mut bob, &r, Verdict::Approve).await.unwrap_err(), ReviewError::Expired);
    assert!(w.log().await.iter().any(|e| matches!(e, AuditEvent::Requests(RequestsEvent::Expired { request }) if *request == r.id)));
}

#[tokio::test]
async fn a_deputy_fills_the_place_of_whoever_is_away_and_no_other() {
    let (w, ada, mut bob, mut eve) = Box::pin(hospital()).await;
    w.in_groups(&bob, &["clinical-engineering"]).await;
    let engineer = r#"{"approvals":[{"group":"clinical-engineering","count":1}]}"#;
    let r = w.owing(&ada, engineer).await;
    assert!(w.answer(&mut eve, &r, Answer::Approve).await.is_err(), "eve is no engineer");
    let week = now() + Duration::days(7);
    let a = &w.approvals;
    assert!(a.set_absence(&bob.person, &ada.person.handle, week).await.is_err(), "an admin is no deputy");
    assert!(a.set_absence(&bob.person, &bob.person.handle, week).await.is_err());
    assert!(a.set_absence(&ada.person, &eve.person.handle, week).await.is_err(), "only approvers have deputies");
    assert!(a.set_absence(&bob.person, &eve.person.handle, now() + Duration::days(61)).await.is_err());
    a.set_absence(&bob.person, &eve.person.handle, week).await.unwrap();
    assert_eq!(a.absence(bob.person.id).await.unwrap().unwrap().deputy.id, eve.person.id);
    // No chains: eve's deputy does not stand for bob.
    let mut dan = w.somebody("dan", Role::Approver).await;
    a.set_absence(&eve.person, &dan.person.handle, week).await.unwrap();
    assert!(w.answer(&mut dan, &r, Answer::Approve).await.is_err());
    let grant = w.answer(&mut eve, &r, Answer::Approve).await.unwrap().into_grant();
    assert!(grant.is_some());
    let given = a.progress(r.id).await.unwrap().unwrap().given;
    assert_eq!(given[0].stands_for.as_ref().unwrap().id, bob.person.id);

    a.end_absence(&bob.person).await.unwrap();
    let r = w.owing(&ada, engineer).await;
    assert!(w.answer(&mut eve, &r, Answer::Approve).await.is_err(), "bob is back");
    assert!(w.answer(&mut bob, &r, Answer::Approve).await.unwrap().into_grant().is_some());
    let log = w.log().await;
    assert!(log.iter().any(|e| matches!(e, AuditEvent::Requests(RequestsEvent::Absent { person, .. }) if *person == bob.person.id)));
}

#[tokio::test]
async fn a_deputy_and_whom_they_stand_for_are_one_of_two() {
    let (w, ada, mut bob, mut eve) = Box::pin(hospital()).await;
    w.in_groups(&bob, &["clinical-engineering"]).await;
    w.approvals.set_absence(&bob.person, &eve.person.handle, now() + Duration::days(1)).await.unwrap();
    let r = w.owing(&ada, r#"{"approvals":[{"group":"clinical-engineering","count":2}]}"#).await;
    w.answer(&mut eve, &r, Answer::Approve).await.unwrap();
    assert_eq!(w.answer(&mut bob, &r, Answer::Approve).await.unwrap_err(), ReviewError::NoVoice(NoVoice::Twice));
    assert_eq!(w.grants().await, 0);
}

#[tokio::test]
async fn a_thousand_requests_change_nothing_else() {
    let (w, ada, mut bob, _) = Box::pin(hospital()).await;
    let dan = w.somebody("dan", Role::Admin).await;
    let before = w.request(&dan).await;
    let flood = (0..1_000).map(|_| w.approvals.submit_request(&ada.person, w.form(60), HERE));
    let done = futures_util::future::join_all(flood).await;
    let made = done.iter().filter(|r| r.is_ok()).count();
    let told = done.iter().filter(|r| matches!(r, Err(RequestError::TooFast { .. }))).count();
    assert_eq!((made, told), (30, 970));
    assert!(done[999].as_ref().unwrap_err().to_string().contains("wait a minute"));
    let throttled = w.log().await.iter().filter(|e| matches!(e, AuditEvent::Requests(RequestsEvent::Throttled { .. }))).count();
    assert_eq!(throttled, 1, "one line, not a thousand");
    // Everybody else asks and is answered as before.
    assert!(w.review(&mut bob, &before, Verdict::Approve).await.unwrap().is_some());
    let next = w.request(&dan).await;
    assert!(w.review(&mut bob, &next, Verdict::Approve).await.unwrap().is_some());
    let others: i64 = sqlx::query_scalar("select count(*) from access_request where requester <> $1")
        .bind(ada.person.id.0)
        .fetch_one(&w.owner)
        .await
        .unwrap();
    assert_eq!((others, w.grants().await), (2, 2));
}

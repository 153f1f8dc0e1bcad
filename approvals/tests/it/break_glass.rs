//! Access in an emergency: at once, short, known to everybody, looked at by somebody else.
use crate::{
    connecting,
    world::{HERE, Someone, World, account},
};
use anteroom_approvals::{
    BreakGlassError, BreakGlassForm, Page,
    verify::{all_good, verify_evidence},
};
use anteroom_domain::{
    AuditEvent, BreakGlass, Capabilities, EndReason, Grant, PersonAttributes, Reason, RequestId, Role, SessionId, TargetName,
    audit::BreakGlassEvent, content::Finding,
};
use anteroom_policy::{Decision, PolicyFile, Refusal, SecondFactor, Verdict, aftermath::NoReview, break_glass::NoGlass};
use uuid::Uuid;

pub(crate) fn form(minutes: i64) -> BreakGlassForm {
    BreakGlassForm {
        target: TargetName::new("ehr-db-1").unwrap(),
        account: account("root"),
        reason: Reason::new("the ward's list is empty, no approver answers").unwrap(),
        length: time::Duration::minutes(minutes),
        capabilities: Capabilities::interactive(),
    }
}

pub(crate) async fn smash(w: &World, who: &mut Someone, form: BreakGlassForm) -> Result<Grant, BreakGlassError> {
    let start = Box::pin(w.approvals.begin_break_glass(&who.person, form, HERE)).await?;
    let answer = who.passkey.get(&start.options).unwrap();
    Box::pin(w.approvals.finish_break_glass(&who.person, start.ceremony, &answer, HERE)).await
}

pub(crate) async fn look(w: &World, who: &mut Someone, id: RequestId) -> Result<RequestId, BreakGlassError> {
    let findings = Reason::new("watched the recording: two services restarted, as said").unwrap();
    let start = Box::pin(w.approvals.begin_glass_review(&who.person, id, Finding::Justified, findings)).await?;
    let answer = who.passkey.get(&start.options).unwrap();
    Box::pin(w.approvals.finish_glass_review(&who.person, start.ceremony, &answer)).await
}

async fn one(w: &World, id: RequestId) -> BreakGlass {
    w.approvals.break_glass(id).await.unwrap().unwrap()
}

#[tokio::test]
async fn one_passkey_opens_the_way_at_once_and_the_log_says_so() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    let grant = smash(&w, &mut ada, form(30)).await.unwrap();
    assert_eq!(grant.not_after - grant.not_before, time::Duration::minutes(30));
    let s = SessionId(Uuid::now_v7());
    let permit = Box::pin(connecting::permit(&w, &mut ada, s)).await;
    assert_eq!(permit.grant(), grant.id, "a second factor is asked all the same, and then it lets in");
    w.approvals.session_started(&permit, [3; 32], "gw").await.unwrap();
    assert_eq!(one(&w, grant.request).await.sessions, [s]);
    let told = w.log().await.into_iter().any(
        |e| matches!(e, AuditEvent::BreakGlass(BreakGlassEvent::Broken { person, grant: g, .. }) if person == ada.person.id && g == grant.id),
    );
    assert!(told);
    assert_eq!(w.approvals.broken_glass(true, Page::default()).await.unwrap().total, 1);
}

/// A grant that somebody approved does not count now; the emergency does, and for its session it stays the one that counts.
#[tokio::test]
async fn an_emergency_counts_beside_an_older_grant_that_policy_does_not_let_now() {
    let w = World::new().await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let older = w.grant(&ada, &mut bob).await;
    let person = ada.person.clone();
    let connect = async || {
        let (s, key) = (SessionId(Uuid::now_v7()), SecondFactor::SecurityKey);
        w.approvals.authorize(&person, s, "ehr-db-1", "root", HERE, key).await.unwrap()
    };
    let window = "@id(\"window\") @reason(\"In its maintenance window only.\")
                  forbid (principal, action == Action::\"connect\", resource) unless { context.break_glass };";
    w.policy_with(window).await;
    let refused = connect().await;
    assert!(matches!(&refused, Decision::Deny(Refusal::Policy(why)) if why.join("").contains("window")), "{refused:?}");

    let grant = smash(&w, &mut ada, form(30)).await.unwrap();
    for (what, more) in [
        ("denied", window),
        ("needs more approvers", "@id(\"two\") @approvals(\"2\") permit (principal, action == Action::\"oblige\", resource);"),
        (
            "has to be watched",
            "@id(\"watched\") @supervise permit (principal, action == Action::\"oblige\", resource) unless { context.break_glass };",
        ),
        ("would do", ""),
    ] {
        w.policy_with(more).await;
        let Decision::Permit(permit) = connect().await else { panic!("the older {what}") };
        assert_eq!((permit.grant(), permit.obligations().supervise), (grant.id, false), "the older {what}");
        w.approvals.session_started(&permit, [3; 32], "gw").await.unwrap();
        let (verdict, known) = w.approvals.rejudge(&permit.standing()).await.unwrap();
        assert!(matches!(verdict, Verdict::Stays { deadline, .. } if deadline == grant.not_after), "the older {what}: {verdict:?}");
        assert!(known.unwrap().emergency);
    }
    assert_eq!(one(&w, grant.request).await.sessions.len(), 4, "each of them is looked at afterwards");
    // It stands on its own grant to its end, whatever else would let somebody in.
    let Decision::Permit(running) = connect().await else { panic!() };
    w.approvals.revoke_grant(Some(bob.person.id), grant.id).await.unwrap();
    let (verdict, _) = w.approvals.rejudge(&running.standing()).await.unwrap();
    assert_eq!(verdict, Verdict::Ends(EndReason::GrantRevoked));
    let Decision::Permit(anew) = connect().await else { panic!() };
    assert_eq!(anew.grant(), older.id);
}

#[tokio::test]
async fn who_may_not_cannot_and_it_is_written_down() {
    let w = World::new().await;
    let mut bob = w.somebody("bob", Role::Approver).await;
    assert_eq!(smash(&w, &mut bob, form(30)).await.unwrap_err(), BreakGlassError::NotAllowed, "no admin");
    let mut ada = w.somebody("ada", Role::Admin).await;
    let long = smash(&w, &mut ada, form(300)).await.unwrap_err();
    assert!(matches!(long, BreakGlassError::Refused(NoGlass::Length { .. })), "{long:?}");
    let nowhere = BreakGlassForm { target: TargetName::new("no-such").unwrap(), ..form(30) };
    assert_eq!(smash(&w, &mut ada, nowhere).await.unwrap_err(), BreakGlassError::NoSuchTarget);
    let refused = w.log().await.into_iter().filter(|e| matches!(e, AuditEvent::BreakGlass(BreakGlassEvent::Refused { .. }))).count();
    assert_eq!(refused, 3);
    assert_eq!(w.approvals.broken_glass(false, Page::default()).await.unwrap().total, 0);
}

#[tokio::test]
async fn a_vendors_person_never_breaks_the_glass() {
    let w = World::new().await;
    let mut vera = w.somebody("vera", Role::Admin).await;
    let company = Uuid::now_v7();
    sqlx::query("insert into company (id, name, contract_ends, created_at) values ($1, 'acme', now() + interval '1 year', now())")
        .bind(company)
        .execute(&w.owner)
        .await
        .unwrap();
    let of_acme = PersonAttributes { company: Some(company.into()), ..Default::default() };
    w.approvals.set_person_attributes(None, vera.person.id, of_acme).await.unwrap();
    w.approvals.set_keeper(None, w.target.id, Some(company.into())).await.unwrap();
    vera.person = w.approvals.person(vera.person.id).await.unwrap().unwrap();
    // Code says so, before it looks at what they name: no policy lets them, and the answer tells nothing of what exists.
    let text = "@id(\"all\") permit (principal, action, resource);".into();
    w.approvals.set_policy(None, vec![PolicyFile { name: "all.cedar".into(), text }], "everybody everything").await.unwrap();
    for target in ["ehr-db-1", "no-such"] {
        let form = BreakGlassForm { target: TargetName::new(target).unwrap(), ..form(30) };
        assert_eq!(smash(&w, &mut vera, form).await.unwrap_err(), BreakGlassError::NotAllowed, "{target}");
    }
}

#[tokio::test]
async fn another_address_or_another_person_cannot_finish_it() {
    let w = World::new().await;
    let (mut ada, mut eve) = (w.somebody("ada", Role::Admin).await, w.somebody("eve", Role::Admin).await);
    let start = Box::pin(w.approvals.begin_break_glass(&ada.person, form(30), HERE)).await.unwrap();
    let answer = ada.passkey.get(&start.options).unwrap();
    let elsewhere = "10.0.0.99".parse().unwrap();
    let moved = Box::pin(w.approvals.finish_break_glass(&ada.person, start.ceremony, &answer, elsewhere)).await.unwrap_err();
    assert_eq!(moved, BreakGlassError::Moved);
    let start = Box::pin(w.approvals.begin_break_glass(&ada.person, form(30), HERE)).await.unwrap();
    let answer = eve.passkey.get(&start.options);
    assert!(answer.is_err(), "eve's passkey is not asked");
    let answer = ada.passkey.get(&start.options).unwrap();
    assert!(Box::pin(w.approvals.finish_break_glass(&eve.person, start.ceremony, &answer, HERE)).await.is_err());
    assert_eq!(w.approvals.broken_glass(false, Page::default()).await.unwrap().total, 0);
}

#[tokio::test]
async fn the_sixth_in_a_day_is_refused() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    for _ in 0..5 {
        smash(&w, &mut ada, form(5)).await.unwrap();
    }
    assert_eq!(smash(&w, &mut ada, form(5)).await.unwrap_err(), BreakGlassError::Refused(NoGlass::TooOften));
}

#[tokio::test]
async fn somebody_else_closes_the_look_at_it_once_it_is_over() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    let (mut max, mut bob) = (w.somebody("max", Role::Auditor).await, w.somebody("bob", Role::Approver).await);
    let grant = smash(&w, &mut ada, form(30)).await.unwrap();
    assert_eq!(look(&w, &mut max, grant.request).await.unwrap_err(), BreakGlassError::Review(NoReview::Live), "it counts still");
    w.approvals.revoke_grant(Some(ada.person.id), grant.id).await.unwrap();
    w.sql("update person set roles = '{admin,auditor}' where handle = 'ada'").await;
    assert_eq!(look(&w, &mut ada, grant.request).await.unwrap_err(), BreakGlassError::Review(NoReview::Own));
    let mut kim = w.somebody("kim", Role::KeyHolder).await;
    assert_eq!(look(&w, &mut kim, grant.request).await.unwrap_err(), BreakGlassError::NotAllowed);
    look(&w, &mut max, grant.request).await.unwrap();
    let review = one(&w, grant.request).await.review.unwrap();
    assert_eq!((review.by, review.finding), (max.person.id, Finding::Justified));
    assert_eq!(look(&w, &mut bob, grant.request).await.unwrap_err(), BreakGlassError::Review(NoReview::Reviewed));
    assert_eq!(w.approvals.broken_glass(true, Page::default()).await.unwrap().total, 0);
}

#[tokio::test]
async fn who_may_review_is_reminded_once_a_day_until_somebody_has() {
    let w = World::new().await;
    let (mut ada, mut max) = (w.somebody("ada", Role::Admin).await, w.somebody("max", Role::Auditor).await);
    let grant = smash(&w, &mut ada, form(30)).await.unwrap();
    let reminders = async || {
        w.approvals.sweep_now().await.unwrap();
        let told = "select count(*) from notice where body ->> 'alarm' = 'break_glass_unreviewed'";
        sqlx::query_scalar::<_, i64>(told).fetch_one(&w.owner).await.unwrap()
    };
    assert_eq!(reminders().await, 0, "it counts still");
    w.sql("update access_grant set not_before = now() - interval '24 hours', not_after = now() - interval '23 hours'").await;
    assert_eq!(reminders().await, 0, "there is time");
    w.sql("update access_grant set not_before = now() - interval '26 hours', not_after = now() - interval '25 hours'").await;
    assert_eq!(reminders().await, 1);
    assert_eq!(reminders().await, 1, "once");
    let body: String = sqlx::query_scalar("select body::text from notice where body ->> 'alarm' = 'break_glass_unreviewed'")
        .fetch_one(&w.owner)
        .await
        .unwrap();
    assert!(body.contains("\"approver\"") && body.contains("\"auditor\"") && !body.contains("list is empty"), "{body}");
    w.sql("update notice set at = at - interval '25 hours'").await;
    assert_eq!(reminders().await, 2, "and a day later");
    look(&w, &mut max, grant.request).await.unwrap();
    w.sql("update notice set at = at - interval '25 hours'").await;
    assert_eq!(reminders().await, 2, "somebody has");
}

#[tokio::test]
async fn a_session_that_comes_up_while_it_is_reviewed_has_to_be_looked_at_too() {
    let w = World::new().await;
    let (mut ada, mut max) = (w.somebody("ada", Role::Admin).await, w.somebody("max", Role::Auditor).await);
    let grant = smash(&w, &mut ada, form(30)).await.unwrap();
    let s = SessionId(Uuid::now_v7());
    let permit = Box::pin(connecting::permit(&w, &mut ada, s)).await;
    w.sql("update access_grant set revoked_at = now()").await;
    let findings = Reason::new("nothing ran").unwrap();
    let start = Box::pin(w.approvals.begin_glass_review(&max.person, grant.request, Finding::Justified, findings)).await.unwrap();
    w.sql("update access_grant set revoked_at = null").await;
    w.approvals.session_started(&permit, [3; 32], "gw").await.unwrap();
    w.approvals.session_ended(s, &EndReason::ClientClosed).await;
    w.sql("update access_grant set revoked_at = now()").await;
    let answer = max.passkey.get(&start.options).unwrap();
    let changed = Box::pin(w.approvals.finish_glass_review(&max.person, start.ceremony, &answer)).await.unwrap_err();
    assert_eq!(changed, BreakGlassError::Changed);
}

#[tokio::test]
async fn the_evidence_of_an_emergency_says_that_nobody_approved_it_and_cannot_be_changed() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    smash(&w, &mut ada, form(30)).await.unwrap();
    let s = SessionId(Uuid::now_v7());
    let permit = Box::pin(connecting::permit(&w, &mut ada, s)).await;
    w.approvals.session_started(&permit, [3; 32], "gw").await.unwrap();
    w.settle().await;
    let good = w.approvals.evidence(s).await.unwrap().unwrap();
    let findings = verify_evidence(&good, Some(&w.approvals.log_public_key()));
    assert!(all_good(&findings), "{findings:?}");
    assert!(findings.iter().any(|f| f.detail.contains("nobody approved it: ada broke the glass")), "{findings:?}");
    let mut longer = good.clone();
    longer.request.until += time::Duration::HOUR;
    longer.grant.not_after += time::Duration::HOUR;
    assert!(!all_good(&verify_evidence(&longer, None)));
    // Without its entry in the log it is nothing.
    let mut silent = good;
    silent.records.retain(|r| !r.record.contains("\"kind\":\"break_glass\""));
    assert!(!all_good(&verify_evidence(&silent, None)));
}

//! A vendor's person asks for access and uses it. They are given no other role, and one from before counts for nothing.
use crate::{
    connecting::permit,
    unmask::Scene,
    world::{HERE, Someone, World, now},
};
use anteroom_approvals::{AbsenceError, Answer, Answered, BreakGlassError, CardError, CardForm, ManageError, ReviewError, UnmaskError};
use anteroom_domain::{
    AuditEvent, Capabilities, CompanyId, DisplayName, GatewayName, GroupName, PersonAttributes, Reason, RequestId, Role, Roles, SessionId,
    TargetAttributes, TargetName,
    audit::AttributesEvent,
    content::{Finding, Verdict},
};
use uuid::Uuid;

async fn company(w: &World) -> CompanyId {
    let name = DisplayName::new("Made-up Imaging").unwrap();
    w.approvals.add_company(None, name, now() + time::Duration::days(30), true).await.unwrap()
}

fn of(company: CompanyId) -> PersonAttributes {
    PersonAttributes { company: Some(company), ..Default::default() }
}

/// As somebody is who was both before the rule came.
async fn was_a_vendors(w: &World, who: &mut Someone) {
    let done = sqlx::query("update person set attributes = jsonb_build_object('company', (select id from company)) where id = $1")
        .bind(who.person.id.0)
        .execute(&w.owner)
        .await
        .unwrap();
    assert_eq!(done.rows_affected(), 1);
    who.person = w.approvals.person(who.person.id).await.unwrap().unwrap();
    assert!(who.person.attributes.company.is_some());
}

fn refused(e: ManageError) -> String {
    assert!(matches!(e, ManageError::Invalid { .. }), "{e:?}");
    e.to_string()
}

#[tokio::test]
async fn a_vendors_person_is_given_no_role_but_admin_and_the_answer_says_what_to_do() {
    let w = World::new().await;
    let a = &w.approvals;
    let theirs = company(&w).await;
    let vera = w.somebody("vera", Role::Admin).await.person.id;
    a.set_person_attributes(None, vera, of(theirs)).await.unwrap();
    for role in [Role::Approver, Role::Auditor, Role::Operator, Role::KeyHolder] {
        let why = refused(a.set_roles(None, vera, Roles::from_iter([Role::Admin, role])).await.unwrap_err());
        assert!(why.contains(&format!("never {role}")) && why.contains("anteroom person set vera --no-company"), "{why}");
    }
    a.set_roles(None, vera, Roles::from_iter([])).await.unwrap();
    a.set_roles(None, vera, Roles::from_iter([Role::Admin])).await.unwrap();

    let bob = w.somebody("bob", Role::Approver).await.person.id;
    let why = refused(a.set_person_attributes(None, bob, of(theirs)).await.unwrap_err());
    assert!(why.contains("bob is approver") && why.contains("anteroom person set bob --role admin"), "{why}");
    assert_eq!(a.person(bob).await.unwrap().unwrap().attributes, PersonAttributes::default());
    a.set_roles(None, bob, Roles::from_iter([Role::Admin])).await.unwrap();
    a.set_person_attributes(None, bob, of(theirs)).await.unwrap();

    // And back: who leaves the company may be anything again.
    a.set_person_attributes(None, bob, PersonAttributes::default()).await.unwrap();
    a.set_roles(None, bob, Roles::from_iter([Role::Approver])).await.unwrap();
    let roles: Vec<_> = w
        .log()
        .await
        .into_iter()
        .filter_map(|e| if let AuditEvent::Attributes(AttributesEvent::Roles { roles, .. }) = e { Some(roles.join(",")) } else { None })
        .collect();
    assert_eq!(roles, ["", "admin", "admin", "approver"], "what was refused is not written down as done");
}

#[tokio::test]
async fn who_was_both_before_keeps_their_groups_changeable_and_approves_nothing() {
    let w = World::new().await;
    company(&w).await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let mut eve = w.somebody("eve", Role::Approver).await;
    was_a_vendors(&w, &mut bob).await;
    let grouped = PersonAttributes { groups: [GroupName::new("on-call").unwrap()].into(), ..bob.person.attributes.clone() };
    w.approvals.set_person_attributes(None, bob.person.id, grouped).await.unwrap();

    // Of the hospital's own people, not of a colleague: no vendor's person answers anything.
    let r = w.request(&ada).await;
    for said in [Verdict::Approve, Verdict::Deny] {
        assert_eq!(w.review(&mut bob, &r, said).await.unwrap_err(), ReviewError::NotAllowed);
    }
    let (a, week) = (&w.approvals, now() + time::Duration::days(7));
    assert_eq!(a.set_absence(&bob.person, &eve.person.handle, week).await.unwrap_err(), AbsenceError::NotAllowed);
    assert_eq!(a.set_absence(&eve.person, &bob.person.handle, week).await.unwrap_err(), AbsenceError::Deputy);
    assert!(w.review(&mut eve, &r, Verdict::Approve).await.unwrap().is_some());
}

#[tokio::test]
async fn what_somebody_signed_stops_counting_when_they_become_a_vendors_also_as_a_deputy_or_whom_one_stands_for() {
    let w = World::new().await;
    company(&w).await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let (mut eve, mut dan) = (w.somebody("eve", Role::Approver).await, w.somebody("dan", Role::Approver).await);
    let two = r#"{"approvals":[{"count":2}]}"#;
    let r = w.owing(&ada, two).await;
    assert!(matches!(w.answer(&mut bob, &r, Answer::Approve).await.unwrap(), Answered::Waiting(_)));
    was_a_vendors(&w, &mut bob).await;
    assert!(matches!(w.answer(&mut eve, &r, Answer::Approve).await.unwrap(), Answered::Waiting(_)));
    let given = w.approvals.progress(r.id).await.unwrap().unwrap().given;
    assert_eq!(given.iter().map(|g| g.counts).collect::<Vec<_>>(), [false, true]);
    assert!(w.answer(&mut dan, &r, Answer::Approve).await.unwrap().into_grant().is_some());

    // dan stands for fay; when fay turns out to be a vendor's, nobody does.
    let mut fay = w.somebody("fay", Role::Approver).await;
    w.in_groups(&fay, &["clinical-engineering"]).await;
    w.approvals.set_absence(&fay.person, &dan.person.handle, now() + time::Duration::days(7)).await.unwrap();
    assert_eq!(w.approvals.deputy_of(dan.person.id).await.unwrap().len(), 1);
    was_a_vendors(&w, &mut fay).await;
    w.sql(r#"update person set attributes = attributes || '{"groups": ["clinical-engineering"]}' where handle = 'fay'"#).await;
    assert!(w.approvals.deputy_of(dan.person.id).await.unwrap().is_empty());
    let r = w.owing(&ada, r#"{"approvals":[{"group":"clinical-engineering","count":1}]}"#).await;
    assert!(matches!(w.answer(&mut dan, &r, Answer::Approve).await.unwrap_err(), ReviewError::NoVoice(_)));
}

#[tokio::test]
async fn a_supervisor_who_becomes_a_vendors_watches_no_more_and_joins_nothing() {
    let w = World::new().await;
    let theirs = company(&w).await;
    let (mut vera, mut nora) = (w.somebody("vera", Role::Admin).await, w.somebody("nora", Role::Approver).await);
    w.approvals.set_person_attributes(None, vera.person.id, of(theirs)).await.unwrap();
    let kept = TargetAttributes { vendor: Some(theirs), ..Default::default() };
    w.approvals.set_target_attributes(None, w.target.id, kept).await.unwrap();
    vera.person = w.approvals.person(vera.person.id).await.unwrap().unwrap();
    w.grant(&vera, &mut nora).await;
    let s = SessionId(Uuid::now_v7());
    let p = Box::pin(permit(&w, &mut vera, s)).await;
    w.approvals.session_started(&p, [0; 32], "gw").await.unwrap();
    w.approvals.join_supervision(s, nora.person.id, HERE).await.unwrap();
    assert!(w.approvals.watched(s).await.unwrap().is_some());
    // Of another company than vera's: a stranger to her, and a vendor's all the same.
    w.sql("insert into company (id, name, contract_ends, created_at) values ('00000000-0000-7000-8000-000000000002', 'Other', now() + interval '1 year', now())").await;
    w.sql(r#"update person set attributes = '{"company": "00000000-0000-7000-8000-000000000002"}' where handle = 'nora'"#).await;
    assert_eq!(w.approvals.watched(s).await.unwrap(), None, "the session stands still");
    assert_eq!(w.approvals.join_supervision(s, nora.person.id, HERE).await.unwrap_err(), ManageError::NotAllowed);
}

#[tokio::test]
async fn a_vendors_person_signs_no_card_unmasks_nothing_and_looks_at_no_emergency() {
    let mut s = Scene::new().await;
    company(&s.w).await;
    let asked = s.ask().await.unwrap().id;
    let mut kim = s.kim.take();
    assert!(s.w.approvals.offline_cards("east").await.unwrap().is_empty());
    let form = || CardForm {
        gateway: GatewayName::new("east").unwrap(),
        target: TargetName::new("ehr-db-1").unwrap(),
        account: crate::world::account("root"),
        capabilities: Capabilities::interactive(),
        minutes: 60,
        days: 90,
    };
    let (start, _) = Box::pin(s.w.approvals.begin_card(&kim.person, form())).await.unwrap();
    let answer = kim.passkey.get(&start.options).unwrap();
    let card = Box::pin(s.w.approvals.finish_card(&kim.person, start.ceremony, &answer)).await.unwrap();

    was_a_vendors(&s.w, &mut kim).await;
    assert_eq!(Box::pin(s.w.approvals.begin_card(&kim.person, form())).await.unwrap_err(), CardError::NotAllowed);
    assert_eq!(s.w.approvals.revoke_card(Some(kim.person.id), card).await.unwrap_err(), CardError::NotAllowed);
    assert_eq!(s.answer(&mut kim, asked, Verdict::Approve).await.unwrap_err(), UnmaskError::NotHolder);
    let mia = s.w.somebody("mia", Role::KeyHolder).await;
    let half = Box::pin(s.w.approvals.begin_countersign(&mia.person, card)).await.unwrap_err();
    assert_eq!(half, CardError::FirstGone, "what kim began nobody completes");

    let mut max = s.max.take();
    was_a_vendors(&s.w, &mut max).await;
    s.max = max.take();
    assert_eq!(s.ask().await.unwrap_err(), UnmaskError::NotAllowed);
    let findings = Reason::new("as said").unwrap();
    let nothing = RequestId(Uuid::now_v7());
    let e = Box::pin(s.w.approvals.begin_glass_review(&max.person, nothing, Finding::Justified, findings)).await.unwrap_err();
    assert_eq!(e, BreakGlassError::NotAllowed);
}

#[tokio::test]
async fn an_approved_unmasking_does_not_open_when_one_of_the_two_became_a_vendors() {
    let mut s = Scene::new().await;
    company(&s.w).await;
    let id = s.approved().await;
    let mut kim = s.kim.take();
    was_a_vendors(&s.w, &mut kim).await;
    assert_eq!(s.opened(id).await.unwrap_err(), UnmaskError::HolderGone);
    s.w.sql("update person set attributes = '{}' where handle = 'kim'").await;
    s.opened(id).await.unwrap();
}

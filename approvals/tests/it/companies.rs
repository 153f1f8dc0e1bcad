//! Companies: names, terms with their reasons, who works for them and what they keep; nothing written meanwhile is lost.
use crate::world::{World, now};
use anteroom_approvals::{ManageError, Page};
use anteroom_domain::{
    AuditEvent, CompanyId, Contract, DisplayName, GroupName, Moment, PersonAttributes, Reason, Role, TargetAttributes,
    audit::{AttributesEvent, CompanyEvent},
    content::Verdict,
};
use uuid::Uuid;

pub fn contract(ends: Moment, supervised: bool) -> Contract {
    Contract { ends, supervised, sponsors: None }
}

fn name(n: &str) -> DisplayName {
    DisplayName::new(n).unwrap()
}

#[tokio::test]
async fn every_change_of_a_contract_is_kept_with_its_reason_and_the_log_has_the_reasons_hash() {
    let w = World::new().await;
    let op = w.somebody("op", Role::Operator).await.person.id;
    let a = &w.approvals;
    let (first, second) = (now() + time::Duration::days(30), now() + time::Duration::days(10));
    let id = a.add_company(Some(op), name("Made-up Imaging"), first, true).await.unwrap();
    assert_eq!(a.add_company(None, name("MADE-UP imaging"), first, true).await.unwrap_err(), ManageError::Taken("company name"));
    a.change_company(Some(op), id, contract(second, false), Some(Reason::new("new framework contract").unwrap())).await.unwrap();
    a.change_company(None, id, contract(first, false), None).await.unwrap();
    let page = a.company_page(id).await.unwrap().unwrap();
    let terms: Vec<_> = page.terms.iter().map(|t| (t.reason.as_ref().map(Reason::as_str), t.by.is_some(), t.supervised)).collect();
    assert_eq!(terms, [(None, false, false), (Some("new framework contract"), true, false), (None, true, true)]);
    let hashes: Vec<_> = w
        .log()
        .await
        .into_iter()
        .filter_map(|e| if let AuditEvent::Company(CompanyEvent::Changed { reason_sha256, .. }) = e { Some(reason_sha256) } else { None })
        .collect();
    assert_eq!(hashes.iter().map(|h| h.as_ref().map(String::len)).collect::<Vec<_>>(), [Some(64), None]);
    // Terms are only ever added to.
    let mut c = w.owner.acquire().await.unwrap();
    sqlx::query("set role anteroom_app").execute(&mut *c).await.unwrap();
    for sql in ["update company_term set reason = 'x'", "delete from company_term"] {
        let e = sqlx::query(sql).execute(&mut *c).await.unwrap_err();
        assert_eq!(e.as_database_error().unwrap().code().unwrap(), "42501", "{sql}");
    }
    sqlx::query("reset role").execute(&mut *c).await.unwrap();
}

#[tokio::test]
async fn an_employer_and_a_keeper_are_set_without_losing_what_else_is_known() {
    let w = World::new().await;
    let a = &w.approvals;
    let (op, vera) = (w.somebody("op", Role::Operator).await.person.id, w.somebody("vera", Role::Admin).await.person.id);
    let nora = w.somebody("nora", Role::Approver).await.person.id;
    let id = a.add_company(None, name("Made-up Imaging"), now() + time::Duration::DAY, true).await.unwrap();
    let groups = PersonAttributes { groups: [GroupName::new("on-call").unwrap()].into(), ..Default::default() };
    a.set_person_attributes(None, vera, groups.clone()).await.unwrap();
    a.set_employer(Some(op), vera, Some(id)).await.unwrap();
    assert_eq!(a.person(vera).await.unwrap().unwrap().attributes, PersonAttributes { company: Some(id), ..groups.clone() });
    let labelled = TargetAttributes { labels: ["radiology".parse().unwrap()].into(), ..Default::default() };
    a.set_target_attributes(None, w.target.id, labelled.clone()).await.unwrap();
    a.set_keeper(Some(op), w.target.id, Some(id)).await.unwrap();
    assert_eq!(a.target(w.target.id).await.unwrap().unwrap().attributes, TargetAttributes { vendor: Some(id), ..labelled.clone() });
    let rows = a.company_rows("imag", Page::default()).await.unwrap();
    assert_eq!((rows.total, rows.rows[0].people, rows.rows[0].targets, rows.rows[0].sessions, rows.rows[0].locked), (1, 1, 1, 0, false));
    let page = a.company_page(id).await.unwrap().unwrap();
    assert_eq!((page.people[0].id, page.targets[0].id), (vera, w.target.id));

    let unknown = CompanyId(Uuid::now_v7());
    assert_eq!(a.set_employer(None, vera, Some(unknown)).await.unwrap_err(), ManageError::NoSuch("company"));
    assert_eq!(a.set_keeper(None, w.target.id, Some(unknown)).await.unwrap_err(), ManageError::NoSuch("company"));
    assert_eq!(a.set_employer(Some(nora), vera, None).await.unwrap_err(), ManageError::NotAllowed);
    assert_eq!(a.set_keeper(Some(nora), w.target.id, None).await.unwrap_err(), ManageError::NotAllowed);
    assert!(matches!(a.set_employer(Some(op), op, Some(id)).await.unwrap_err(), ManageError::Invalid { what: "company", .. }));
    a.set_employer(None, vera, None).await.unwrap();
    a.set_keeper(None, w.target.id, None).await.unwrap();
    assert_eq!(a.person(vera).await.unwrap().unwrap().attributes, groups);
    assert_eq!(a.target(w.target.id).await.unwrap().unwrap().attributes, labelled);
    let told = w.log().await.into_iter().filter(|e| matches!(e, AuditEvent::Attributes(AttributesEvent::Person { .. }))).count();
    assert_eq!(told, 3);
}

/// Whose contract names sponsors is approved by one of them, and by nobody else alone.
#[tokio::test]
async fn a_companys_sponsor_approves_what_its_people_ask_for() {
    let w = World::new().await;
    let (mut bob, mut cleo) = (w.somebody("bob", Role::Approver).await, w.somebody("cleo", Role::Approver).await);
    let vera = w.somebody("vera", Role::Admin).await;
    let a = w.approvals.clone();
    let company = a.add_company(None, name("Made-up Imaging"), now() + time::Duration::days(30), true).await.unwrap();
    a.set_employer(None, vera.person.id, Some(company)).await.unwrap();
    a.set_keeper(None, w.target.id, Some(company)).await.unwrap();
    let group: GroupName = "imaging-owners".parse().unwrap();
    let sponsored = |days| Contract { sponsors: Some(group.clone()), ..contract(now() + time::Duration::days(days), true) };
    let nobody = a.change_company(None, company, sponsored(30), None).await.unwrap_err();
    assert!(nobody.to_string().contains("no approver of the hospital is in the group imaging-owners"), "{nobody}");
    w.in_groups(&cleo, &["imaging-owners"]).await;
    let why = Reason::new("radiology answers for them").unwrap();
    a.change_company(None, company, sponsored(30), Some(why)).await.unwrap();
    a.change_company(None, company, sponsored(60), None).await.unwrap();
    let page = a.company_page(company).await.unwrap().unwrap();
    assert_eq!(page.row.company.sponsors, Some(group.clone()), "with the next term too");
    assert_eq!(page.terms[1].sponsors, Some(group.clone()));

    let request = w.request(&vera).await;
    let refused = w.review(&mut bob, &request, Verdict::Approve).await.unwrap_err().to_string();
    assert!(refused.contains("waits for 1 of imaging-owners"), "{refused}");
    assert!(w.review(&mut cleo, &request, Verdict::Approve).await.unwrap().is_some());
    let events = w.log().await;
    assert!(
        events.iter().any(|e| matches!(e, AuditEvent::Company(CompanyEvent::Changed { sponsors: Some(_), reason_sha256: Some(_), .. })))
    );
    // What was asked for before keeps what it was signed with; what is asked for after obeys.
    a.change_company(None, company, contract(now() + time::Duration::days(60), true), None).await.unwrap();
    let next = w.request(&vera).await;
    assert!(w.review(&mut bob, &next, Verdict::Approve).await.unwrap().is_some());
}

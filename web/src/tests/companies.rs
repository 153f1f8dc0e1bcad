//! Vendor companies in the portal: who sees them, who changes them, and that running sessions are judged by what they are now.
use super::{Site, replay::permit};
use crate::world::{Someone, now};
use anteroom_approvals::{Change, Page};
use anteroom_domain::{AuditEvent, CompanyId, EndReason, PersonId, Role, SessionId, TargetId, audit::CompanyEvent};
use anteroom_policy::Verdict;
use axum::http::StatusCode;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const NEW: [(&str, &str); 3] = [("name", "Made-up <Imaging>"), ("until", "2099-12-31"), ("watched", "no")];

/// Added in the portal; its page.
async fn added(site: &Site, op: &Someone) -> String {
    let done = site.form("/companies", &NEW, Some(op)).await;
    let page = done.header("location").strip_suffix("?done=company-added").unwrap_or_else(|| panic!("{}", done.text)).to_owned();
    assert!(page.starts_with("/companies/"));
    page
}

async fn employer(site: &Site, id: PersonId) -> Option<CompanyId> {
    site.world.approvals.person(id).await.unwrap().unwrap().attributes.company
}

async fn keeper(site: &Site, id: TargetId) -> Option<CompanyId> {
    site.world.approvals.target(id).await.unwrap().unwrap().attributes.vendor
}

#[tokio::test]
async fn an_operator_adds_a_company_its_people_and_its_targets_and_takes_them_away_again() {
    let site = Site::new().await;
    let (op, vera) = (site.world.somebody("op", Role::Operator).await, site.world.somebody("vera", Role::Admin).await);
    let bob = site.world.somebody("bob", Role::Approver).await;
    assert!(site.get("/companies", Some(&op)).await.text.contains("Add the first below"));
    for (name, until, why) in [(" ", "2099-12-31", "name"), ("Acme", "31.12.2099", "write a day like 2027-06-30")] {
        let wrong = site.form("/companies", &[("name", name), ("until", until), ("watched", "yes")], Some(&op)).await;
        assert!(wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.text.contains(why), "{}", wrong.text);
    }
    let page = added(&site, &op).await;
    let again = site.form("/companies", &[("name", "made-up <imaging>"), NEW[1], NEW[2]], Some(&op)).await;
    assert!(again.status == StatusCode::UNPROCESSABLE_ENTITY && again.text.contains("is taken"), "{}", again.text);
    let shown = site.get(&page, Some(&op)).await.text;
    assert!(
        shown.contains("Made-up &#60;Imaging&#62;") && shown.contains("31 December 2099") && shown.contains("Nobody works for this"),
        "{shown}"
    );

    let id: CompanyId = page.strip_prefix("/companies/").unwrap().parse().unwrap();
    let (people, targets) = (format!("{page}/people"), format!("{page}/targets"));
    let done = site.form(&people, &[("handle", "vera")], Some(&op)).await;
    assert_eq!(done.header("location"), format!("{page}?done=employed"), "{}", done.text);
    let done = site.form(&targets, &[("target", "ehr-db-1")], Some(&op)).await;
    assert_eq!(done.header("location"), format!("{page}?done=kept"), "{}", done.text);
    assert_eq!((employer(&site, vera.person.id).await, keeper(&site, site.world.target.id).await), (Some(id), Some(id)));
    let shown = site.get(&page, Some(&op)).await.text;
    assert!(shown.contains(&format!("/people/{}", vera.person.id)) && shown.contains(&format!("/targets/{}", site.world.target.id)));
    let list = site.get("/companies", Some(&op)).await.text;
    assert!(list.contains(&page) && list.contains("may work unwatched"), "{list}");
    assert!(site.get("/companies?q=nothing", Some(&op)).await.text.contains("No company fits"));

    // Its sponsors are a group in which somebody can approve.
    let contract = format!("{page}/contract");
    let term = [NEW[1], NEW[2], ("sponsors", "imaging-owners"), ("reason", "radiology answers for them")];
    let wrong = site.form(&contract, &term, Some(&op)).await;
    assert!(
        wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.text.contains("no approver of the hospital is in the group"),
        "{}",
        wrong.text
    );
    assert!(wrong.text.contains("value=\"imaging-owners\""), "what was typed is still there");
    let owners = anteroom_domain::PersonAttributes { groups: ["imaging-owners".parse().unwrap()].into(), ..Default::default() };
    site.world.approvals.set_person_attributes(None, bob.person.id, owners).await.unwrap();
    let done = site.form(&contract, &term, Some(&op)).await;
    assert_eq!(done.header("location"), format!("{page}?done=contract-changed"), "{}", done.text);
    assert!(site.get(&page, Some(&op)).await.text.contains("one of the group"));
    let done = site.form(&contract, &[NEW[1], NEW[2], ("sponsors", ""), ("reason", "nobody any more")], Some(&op)).await;
    assert_eq!(done.header("location"), format!("{page}?done=contract-changed"), "{}", done.text);
    let shown = site.get(&page, Some(&op)).await.text;
    assert!(shown.contains("sponsors: imaging-owners") && !shown.contains("one of the group"), "it was, and is no more: {shown}");

    // What cannot be is said in words, and what to do.
    for (form, field, value, why) in [
        (&people, "handle", "bob", "take that away first: anteroom person set bob --role admin"),
        (&people, "handle", "op", "nobody changes their own"),
        (&people, "handle", "vera", "works for this company already"),
        (&people, "handle", "nobody", "no person of this handle"),
        (&targets, "target", "ehr-db-1", "keeps ehr-db-1 already"),
        (&targets, "target", "no-such", "no target of this name"),
    ] {
        let wrong = site.form(form, &[(field, value)], Some(&op)).await;
        assert!(wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.text.contains(why), "{value}: {}", wrong.text);
    }
    let other = site.form("/companies", &[("name", "Other"), NEW[1], NEW[2]], Some(&op)).await;
    let other = other.header("location").strip_suffix("?done=company-added").unwrap().to_owned();
    let wrong = site.form(&format!("{other}/people"), &[("handle", "vera")], Some(&op)).await;
    assert!(wrong.text.contains("works for another company; take them away there first"), "{}", wrong.text);
    let wrong = site.form(&format!("{other}/targets"), &[("target", "ehr-db-1"), ("no_longer", "yes")], Some(&op)).await;
    assert!(wrong.text.contains("this company does not keep ehr-db-1"), "{}", wrong.text);
    assert_eq!((employer(&site, bob.person.id).await, employer(&site, vera.person.id).await), (None, Some(id)));

    let done = site.form(&people, &[("handle", "vera"), ("leaves", "yes")], Some(&op)).await;
    assert_eq!(done.header("location"), format!("{page}?done=left"), "{}", done.text);
    let done = site.form(&targets, &[("target", "ehr-db-1"), ("no_longer", "yes")], Some(&op)).await;
    assert_eq!(done.header("location"), format!("{page}?done=kept-no-longer"), "{}", done.text);
    assert_eq!((employer(&site, vera.person.id).await, keeper(&site, site.world.target.id).await), (None, None));
}

#[tokio::test]
async fn a_contract_that_ends_ends_the_running_sessions_of_its_people_and_says_why_it_did() {
    let site = Site::new().await;
    let a = &site.world.approvals;
    let (op, mut bob) = (site.world.somebody("op", Role::Operator).await, site.world.somebody("bob", Role::Approver).await);
    let mut vera = site.world.somebody("vera", Role::Admin).await;
    let page = added(&site, &op).await;
    site.form(&format!("{page}/people"), &[("handle", "vera")], Some(&op)).await;
    site.form(&format!("{page}/targets"), &[("target", "ehr-db-1")], Some(&op)).await;
    vera.person = a.person(vera.person.id).await.unwrap().unwrap();
    site.world.grant(&vera, &mut bob).await;
    let session = SessionId(uuid::Uuid::now_v7());
    let p = Box::pin(permit(&site.world, &mut vera, session)).await;
    a.session_started(&p, [0; 32], "gw").await.unwrap();
    let row = a.company_rows("", Page::default()).await.unwrap().rows.remove(0);
    assert_eq!((row.people, row.targets, row.sessions), (1, 1, 1));
    assert!(site.get(&page, Some(&op)).await.text.contains("<a href=\"/sessions\">1</a>"));

    let stop = CancellationToken::new();
    let mut changes = a.changes();
    let background = tokio::spawn({
        let (a, stop) = (a.clone(), stop.clone());
        async move { a.run(stop).await }
    });
    while changes.recv().await.unwrap() != Change::Resync {}
    let (verdict, _) = a.rejudge(&p.standing()).await.unwrap();
    assert!(matches!(verdict, Verdict::Stays { .. }), "{verdict:?}");

    let contract = format!("{page}/contract");
    let over = [("until", "2020-01-01"), ("watched", "yes"), ("reason", "not <renewed>")];
    let silent = site.form(&contract, &[over[0], over[1], ("reason", "  ")], Some(&op)).await;
    assert!(silent.status == StatusCode::UNPROCESSABLE_ENTITY && silent.text.contains("reason is empty"), "{}", silent.text);
    assert!(silent.text.contains("value=\"2020-01-01\""), "what was typed is still there: {}", silent.text);
    let done = site.form(&contract, &over, Some(&op)).await;
    assert_eq!(done.header("location"), format!("{page}?done=contract-changed"), "{}", done.text);
    let id: CompanyId = page.strip_prefix("/companies/").unwrap().parse().unwrap();
    let heard = tokio::time::timeout(Duration::from_secs(3), async { while changes.recv().await.unwrap() != Change::Company(id) {} });
    heard.await.expect("every gateway hears of it");
    let (verdict, _) = a.rejudge(&p.standing()).await.unwrap();
    assert_eq!(verdict, Verdict::Ends(EndReason::PolicyDenied));

    let shown = site.get(&page, Some(&op)).await.text;
    assert!(shown.contains("Contract ended") && shown.contains("not &#60;renewed&#62;") && shown.contains(">op<"), "{shown}");
    assert!(site.get("/companies", Some(&op)).await.text.contains("<span class=\"tag bad\">Ended</span>"));
    let log = site.world.log().await;
    let told: Vec<_> = log.iter().filter(|e| matches!(e, AuditEvent::Company(CompanyEvent::Changed { .. }))).collect();
    assert!(
        matches!(told[..], [AuditEvent::Company(CompanyEvent::Changed { company, supervised: true, reason_sha256: Some(_), .. })] if *company == id)
    );
    assert!(!format!("{told:?}").contains("renewed"), "the log has the reason's hash and not its words");
    let terms = a.company_page(id).await.unwrap().unwrap().terms;
    assert_eq!(terms.iter().map(|t| (t.supervised, t.reason.is_some())).collect::<Vec<_>>(), [(true, true), (false, false)]);
    assert!(terms[0].contract_ends < now() && terms[1].contract_ends > now());
    stop.cancel();
    background.await.unwrap();
}

#[tokio::test]
async fn an_approver_reads_and_locks_and_changes_nothing_and_nobody_else_sees_it() {
    let site = Site::new().await;
    let (op, bob) = (site.world.somebody("op", Role::Operator).await, site.world.somebody("bob", Role::Approver).await);
    let page = added(&site, &op).await;
    site.world.somebody("vera", Role::Admin).await;
    site.form(&format!("{page}/people"), &[("handle", "vera")], Some(&op)).await;
    let shown = site.get(&page, Some(&bob)).await.text;
    assert!(shown.contains("VERA") && shown.contains("Lock Made-up &#60;Imaging&#62;"), "{shown}");
    for secret in ["/people/", "Take away", "Change the contract", "Add person", "Add target"] {
        assert!(!shown.contains(secret), "{secret}");
    }
    assert!(!site.get("/companies", Some(&bob)).await.text.contains("Add a company"));
    let contract = [("until", "2020-01-01"), ("watched", "yes"), ("reason", "x")];
    for (form, fields) in [
        ("/companies".to_owned(), &NEW[..]),
        (format!("{page}/contract"), &contract[..]),
        (format!("{page}/people"), &[("handle", "vera"), ("leaves", "yes")][..]),
        (format!("{page}/targets"), &[("target", "ehr-db-1")][..]),
    ] {
        assert_eq!(site.form(&form, fields, Some(&bob)).await.status, StatusCode::NOT_FOUND, "{form}");
    }
    let lock = [("kind", "company"), ("name", NEW[0].1), ("reason", "dispute")];
    assert_eq!(site.form("/locks", &lock, Some(&bob)).await.header("location"), "/locks?done=locked");
    let shown = site.get(&page, Some(&bob)).await.text;
    assert!(shown.contains("Lift the lock") && shown.contains("dispute"), "{shown}");
    assert!(site.get("/companies", Some(&bob)).await.text.contains("<span class=\"tag bad\">Locked</span>"));
    assert!(site.get("/locks", Some(&bob)).await.text.contains(&page), "the list of locks leads to the company");
    for role in [Role::Auditor, Role::KeyHolder] {
        let who = site.world.somebody(&format!("no-{role}").replace('_', "-"), role).await;
        assert_eq!(site.get(&page, Some(&who)).await.status, StatusCode::NOT_FOUND, "{role}");
    }
    let nothing = format!("/companies/{}", uuid::Uuid::now_v7());
    assert_eq!(site.get(&nothing, Some(&op)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.form(&format!("{nothing}/contract"), &contract, Some(&op)).await.status, StatusCode::NOT_FOUND);
}

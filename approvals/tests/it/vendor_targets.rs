//! A vendor's person learns of what their company keeps and of nothing else; the hospital's own people find one target of thousands.
use crate::world::{HERE, Someone, World, account, now};
use anteroom_approvals::{Credential, NewTarget, Page, RequestError, RequestForm};
use anteroom_domain::{DisplayName, Role, Secret, TargetKind, TargetName};

fn name(n: &str) -> TargetName {
    TargetName::new(n).unwrap()
}

const ALL: Page = Page { number: 0, size: 100 };

/// `mri-3` is her company's, `ehr-db-1` (with the account root) is not.
async fn vendor(w: &World) -> Someone {
    let a = &w.approvals;
    let company = a.add_company(None, DisplayName::new("Made-up Imaging").unwrap(), now() + time::Duration::DAY, true).await.unwrap();
    let new = NewTarget { description: "MRI, ward 4".into(), ..NewTarget::ssh(name("mri-3"), TargetKind::MedicalDevice, "127.0.0.1", 22) };
    let mri = a.add_target(None, new).await.unwrap();
    a.set_credential(None, mri.id, account("service"), Credential::Password(Secret::new("of-the-mri".into()))).await.unwrap();
    a.set_keeper(None, mri.id, Some(company)).await.unwrap();
    let mut vera = w.somebody("vera", Role::Admin).await;
    a.set_employer(None, vera.person.id, Some(company)).await.unwrap();
    vera.person = a.person(vera.person.id).await.unwrap().unwrap();
    vera
}

#[tokio::test]
async fn a_vendors_person_is_offered_what_their_company_keeps_and_finds_nothing_else() {
    let w = World::new().await;
    let (vera, ada) = (vendor(&w).await, w.somebody("ada", Role::Admin).await);
    for (search, finds) in [("", &["mri-3"][..]), ("ward", &["mri-3"]), ("ehr-db-1", &[]), ("patient", &[]), ("127.0.0.1", &[])] {
        let found = w.approvals.targets_for(&vera.person, search, ALL).await.unwrap();
        let names: Vec<_> = found.rows.iter().map(|t| t.name.as_str()).collect();
        assert_eq!((names.as_slice(), found.total), (finds, finds.len() as u64), "{search}");
    }
    assert!(w.approvals.target_for(&vera.person, &name("mri-3")).await.unwrap().is_some());
    assert!(w.approvals.target_for(&vera.person, &name("ehr-db-1")).await.unwrap().is_none());
    assert!(w.approvals.target_for(&ada.person, &name("ehr-db-1")).await.unwrap().is_some());
    assert_eq!(w.approvals.targets_for(&ada.person, "", ALL).await.unwrap().total, 2);
}

#[tokio::test]
async fn what_a_vendors_person_asks_for_and_is_not_theirs_is_answered_like_what_does_not_exist() {
    let w = World::new().await;
    let vera = vendor(&w).await;
    // Also when there is more to say about it: it is locked, and it would not fit.
    w.approvals.lock(None, anteroom_domain::Lockable::Target(w.target.id), "stolen".parse().unwrap()).await.unwrap();
    for (target, login) in [("ehr-db-1", "root"), ("ehr-db-1", "nobody"), ("no-such", "root"), ("mri-3", "root")] {
        let form = RequestForm { target: name(target), account: account(login), ..w.form(60) };
        let e = w.approvals.submit_request(&vera.person, form, HERE).await.unwrap_err();
        assert_eq!(e, RequestError::NoSuchTarget, "{login}@{target}");
        let mut form = RequestForm { target: name("mri-3"), account: account("service"), ..w.form(60) };
        form.also.more.push((name(target), account(login)));
        let e = w.approvals.submit_request(&vera.person, form, HERE).await.unwrap_err();
        assert_eq!(e, RequestError::NoSuchTarget, "beside her own: {login}@{target}");
    }
    let form = RequestForm { target: name("mri-3"), account: account("service"), ..w.form(60) };
    w.approvals.submit_request(&vera.person, form, HERE).await.unwrap();
}

#[tokio::test]
async fn one_target_of_two_thousand_is_found_and_comes_first() {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    let made = w
        .sql(
            "insert into target (id, name, kind, protocol, host, port, description, pinned_host_keys, created_at)
             select gen_random_uuid(), 'pump-' || n, 'medical_device', 'ssh', '10.1.0.1', 22, 'infusion pump, bed ' || n, '{}', now()
             from generate_series(1, 2000) n",
        )
        .await;
    assert_eq!(made, 2000);
    let found = w.approvals.targets_for(&ada.person, "pump-17", Page { number: 0, size: 10 }).await.unwrap();
    assert_eq!((found.rows[0].name.as_str(), found.rows.len(), found.total), ("pump-17", 10, 111), "pump-17, 17x, 17xx");
    let found = w.approvals.targets_for(&ada.person, "bed 1999", ALL).await.unwrap();
    assert_eq!((found.rows[0].name.as_str(), found.total), ("pump-1999", 1));
    let last = w.approvals.targets_for(&ada.person, "", Page { number: 20, size: 100 }).await.unwrap();
    assert_eq!((last.rows.len(), last.total), (1, 2001));
}

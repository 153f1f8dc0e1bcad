//! Enrolling, signing in, staying in, being thrown out.
use crate::world::{HERE, World, origin};
use anteroom_approvals::{Change, SignError};
use anteroom_domain::{AuditEvent, Role};
use anteroom_test_authenticator::{Authenticator, Error};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

#[tokio::test]
async fn a_link_enrols_once_and_its_owner_is_signed_in() {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    let me = w.approvals.web_session(ada.token.expose()).await.unwrap().unwrap();
    assert_eq!(me.id, ada.person.id);
    assert_eq!(w.approvals.passkeys(me.id).await.unwrap()[0].label, "laptop");
}

#[tokio::test]
async fn a_used_or_expired_or_replaced_or_invented_link_is_refused() {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    let a = &w.approvals;
    let link = || a.make_enrol_link(None, ada.person.id, Duration::from_secs(600));

    let used = link().await.unwrap();
    // Opened twice before the first one finishes: the second comes too late all the same.
    let (first, second) = (a.begin_enrol(used.expose()).await.unwrap(), a.begin_enrol(used.expose()).await.unwrap());
    let mut phone = Authenticator::new(origin());
    a.finish_enrol(first.ceremony, &phone.create(&first.options).unwrap(), "phone", HERE).await.unwrap();
    let mut thief = Authenticator::new(origin());
    let late = a.finish_enrol(second.ceremony, &thief.create(&second.options).unwrap(), "thief", HERE).await;
    assert_eq!(late.unwrap_err(), SignError::LinkGone);
    assert_eq!(a.begin_enrol(used.expose()).await.unwrap_err(), SignError::LinkGone);

    let expired = link().await.unwrap();
    w.sql("update enrol_link set expires_at = now() - interval '1 second' where used_at is null").await;
    assert_eq!(a.begin_enrol(expired.expose()).await.unwrap_err(), SignError::LinkGone);

    let replaced = link().await.unwrap();
    link().await.unwrap();
    assert_eq!(a.begin_enrol(replaced.expose()).await.unwrap_err(), SignError::LinkGone);
    assert_eq!(a.begin_enrol("").await.unwrap_err(), SignError::LinkGone);
    assert_eq!(a.passkeys(ada.person.id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn signing_in_needs_no_name_and_works_once_a_ceremony() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    let start = w.approvals.begin_login().await.unwrap();
    assert!(start.options.public_key.allow_credentials.is_empty());
    let answer = ada.passkey.get(&start.options).unwrap();
    let signed_in = w.approvals.finish_login(start.ceremony, &answer, HERE).await.unwrap();
    assert_eq!(signed_in.person.id, ada.person.id);
    // The same assertion again.
    assert_eq!(w.approvals.finish_login(start.ceremony, &answer, HERE).await.unwrap_err(), SignError::CeremonyGone);
    // And under a ceremony of its own.
    let other = w.approvals.begin_login().await.unwrap();
    assert!(matches!(w.approvals.finish_login(other.ceremony, &answer, HERE).await, Err(SignError::PasskeyRefused(_))));
    assert!(w.log().await.iter().any(|e| matches!(e, AuditEvent::SignInRefused { .. })));
}

#[tokio::test]
async fn a_ceremony_that_took_too_long_is_over() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    let start = w.approvals.begin_login().await.unwrap();
    w.sql("update ceremony set expires_at = now() - interval '1 second'").await;
    let answer = ada.passkey.get(&start.options).unwrap();
    assert_eq!(w.approvals.finish_login(start.ceremony, &answer, HERE).await.unwrap_err(), SignError::CeremonyGone);
}

#[tokio::test]
async fn an_assertion_without_verification_touch_or_from_another_page_is_refused() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    type Spoil = fn(&mut Authenticator);
    let spoilt: [(&str, Spoil); 4] = [
        ("no user verification", |k| k.set_user_verification(false)),
        ("no touch", |k| k.set_user_presence(false)),
        ("in a frame", |k| k.set_cross_origin(true)),
        ("another page of the same site", |k| k.set_origin(Url::parse("https://evil.gate.example").unwrap())),
    ];
    for (what, spoil) in spoilt {
        let start = w.approvals.begin_login().await.unwrap();
        spoil(&mut ada.passkey);
        let answer = ada.passkey.get(&start.options).unwrap();
        let refused = w.approvals.finish_login(start.ceremony, &answer, HERE).await;
        assert!(matches!(refused, Err(SignError::PasskeyRefused(_))), "{what}: {refused:?}");
        ada.passkey.set_user_verification(true);
        ada.passkey.set_user_presence(true);
        ada.passkey.set_cross_origin(false);
        ada.passkey.set_origin(origin());
    }
    // Nothing of that spoilt the passkey itself.
    let start = w.approvals.begin_login().await.unwrap();
    let answer = ada.passkey.get(&start.options).unwrap();
    w.approvals.finish_login(start.ceremony, &answer, HERE).await.unwrap();
}

#[tokio::test]
async fn enrolling_without_user_verification_is_refused() {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    let link = w.approvals.make_enrol_link(None, ada.person.id, Duration::from_secs(60)).await.unwrap();
    let start = w.approvals.begin_enrol(link.expose()).await.unwrap();
    let mut weak = Authenticator::new(origin());
    weak.set_user_verification(false);
    let refused = w.approvals.finish_enrol(start.ceremony, &weak.create(&start.options).unwrap(), "", HERE).await;
    assert!(matches!(refused, Err(SignError::PasskeyRefused(_))), "{refused:?}");
}

#[tokio::test]
async fn a_counter_that_goes_backwards_is_refused() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    ada.passkey.set_counter(50);
    for (counter, good) in [(50, true), (10, false), (50, false), (60, true)] {
        ada.passkey.set_counter(counter);
        let start = w.approvals.begin_login().await.unwrap();
        let answer = ada.passkey.get(&start.options).unwrap();
        assert_eq!(w.approvals.finish_login(start.ceremony, &answer, HERE).await.is_ok(), good, "{counter}");
    }
}

#[tokio::test]
async fn a_synchronised_passkey_that_never_counts_is_fine() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    ada.passkey.set_counting(false);
    for _ in 0..2 {
        let start = w.approvals.begin_login().await.unwrap();
        let answer = ada.passkey.get(&start.options).unwrap();
        w.approvals.finish_login(start.ceremony, &answer, HERE).await.unwrap();
    }
}

#[tokio::test]
async fn a_second_passkey_is_another_one_and_signs_in_too() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    let start = w.approvals.begin_add_passkey(&ada.person).await.unwrap();
    assert!(matches!(ada.passkey.create(&start.options), Err(Error::Excluded)), "the one she has is not offered again");
    let mut phone = Authenticator::new(origin());
    let answer = phone.create(&start.options).unwrap();
    let bob = w.somebody("bob", Role::Admin).await;
    w.approvals.finish_add_passkey(&ada.person, start.ceremony, &answer, " phone ").await.unwrap();
    assert_eq!(w.approvals.passkeys(ada.person.id).await.unwrap()[1].label, "phone");
    assert_eq!(w.approvals.passkeys(bob.person.id).await.unwrap().len(), 1);
    let login = w.approvals.begin_login().await.unwrap();
    let answer = phone.get(&login.options).unwrap();
    assert_eq!(w.approvals.finish_login(login.ceremony, &answer, HERE).await.unwrap().person.id, ada.person.id);
}

#[tokio::test]
async fn somebody_elses_ceremony_can_not_be_finished() {
    let w = World::new().await;
    let (ada, bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Admin).await);
    let start = w.approvals.begin_add_passkey(&ada.person).await.unwrap();
    let answer = Authenticator::new(origin()).create(&start.options).unwrap();
    let refused = w.approvals.finish_add_passkey(&bob.person, start.ceremony, &answer, "mine now").await;
    assert_eq!(refused.unwrap_err(), SignError::CeremonyGone);
}

#[tokio::test]
async fn a_web_session_ends_by_idling_by_age_and_by_leaving() {
    let w = World::new().await;
    let (ada, bob, eve) =
        (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Admin).await, w.somebody("eve", Role::Admin).await);
    for t in [&ada.token, &bob.token, &eve.token] {
        assert!(w.approvals.web_session(t.expose()).await.unwrap().is_some());
    }
    sqlx::query("update web_session set last_seen_at = now() - interval '11 minutes' where person = $1")
        .bind(ada.person.id.0)
        .execute(&w.owner)
        .await
        .unwrap();
    sqlx::query("update web_session set expires_at = now() - interval '1 second' where person = $1")
        .bind(bob.person.id.0)
        .execute(&w.owner)
        .await
        .unwrap();
    w.approvals.sign_out(eve.token.expose()).await.unwrap();
    for t in [ada.token.expose(), bob.token.expose(), eve.token.expose(), "invented"] {
        assert!(w.approvals.web_session(t).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_session_in_use_stays_and_is_written_down_seldom() {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    w.sql("update web_session set last_seen_at = now() - interval '9 minutes'").await;
    assert!(w.approvals.web_session(ada.token.expose()).await.unwrap().is_some());
    let idle: f64 =
        sqlx::query_scalar("select extract(epoch from now() - last_seen_at)::float8 from web_session").fetch_one(&w.owner).await.unwrap();
    assert!(idle < 5.0, "was touched: {idle}");
}

#[tokio::test]
async fn no_token_is_in_the_database() {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    let found: i64 = sqlx::query_scalar("select count(*) from web_session where token_sha256 = convert_to($1, 'utf8')")
        .bind(ada.token.expose())
        .fetch_one(&w.owner)
        .await
        .unwrap();
    assert_eq!(found, 0);
}

#[tokio::test]
async fn a_suspended_person_is_out_everywhere_at_once() {
    let w = World::new().await;
    let a = &w.approvals;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.grant(&ada, &mut bob).await;
    let standing = crate::connecting::permit(&w, &mut ada, anteroom_domain::SessionId(uuid::Uuid::now_v7())).await.standing();
    let login = a.begin_login().await.unwrap();
    let link = a.make_enrol_link(None, ada.person.id, Duration::from_secs(60)).await.unwrap();
    let stop = CancellationToken::new();
    let mut changes = a.changes();
    let running = tokio::spawn({
        let (a, stop) = (a.clone(), stop.clone());
        async move { a.run(stop).await }
    });
    while changes.recv().await.unwrap() != Change::Resync {}

    a.suspend_person(None, ada.person.id).await.unwrap();
    let told = tokio::time::timeout(Duration::from_secs(2), async {
        while changes.recv().await.unwrap() != Change::PersonSuspended(ada.person.id) {}
    });
    told.await.expect("every gateway hears of it");

    assert!(a.web_session(ada.token.expose()).await.unwrap().is_none());
    assert_eq!(a.begin_enrol(link.expose()).await.unwrap_err(), SignError::LinkGone);
    let answer = ada.passkey.get(&login.options).unwrap();
    assert_eq!(a.finish_login(login.ceremony, &answer, HERE).await.unwrap_err(), SignError::Suspended);
    assert_eq!(a.begin_add_passkey(&ada.person).await.unwrap_err(), SignError::Suspended);
    assert!(a.reachable(ada.person.id, crate::world::now()).await.unwrap().is_empty());
    assert!(matches!(a.rejudge(&standing).await.unwrap().0, anteroom_policy::Verdict::Ends(anteroom_domain::EndReason::PersonSuspended)));
    assert!(a.submit_request(&ada.person, w.form(60), HERE).await.is_err());

    a.reinstate_person(None, ada.person.id).await.unwrap();
    assert!(matches!(a.rejudge(&standing).await.unwrap().0, anteroom_policy::Verdict::Stays { .. }));
    assert!(a.web_session(ada.token.expose()).await.unwrap().is_none(), "the old web session stays dead");
    stop.cancel();
    running.await.unwrap();
}

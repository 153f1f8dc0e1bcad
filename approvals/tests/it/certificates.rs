//! A program asks for a certificate, a passkey confirms it, and the gateway believes it: from one address, for a while.
use crate::world::{HERE, KEY, KEY_FINGERPRINT, Someone, World, now};
use anteroom_approvals::{CertificateAsked, CertificateError, CertificatePoll, CertificateRefusal, CertificateState, KeyError, Purpose};
use anteroom_domain::{AuditEvent, CertificateAskId, Role, SessionId};
use anteroom_policy::{Decision, SecondFactor};
use ssh_key::{Certificate, PrivateKey, certificate::Builder, private::Ed25519Keypair};
use std::net::IpAddr;
use time::Duration;
use uuid::Uuid;

fn elsewhere() -> IpAddr {
    "203.0.113.9".parse().unwrap()
}

async fn confirm(w: &World, who: &mut Someone, asked: &CertificateAsked) -> Result<(), CertificateError> {
    let start = w.approvals.begin_certificate(&who.person, asked.id).await?;
    assert!(start.content.contains(&asked.number) && start.content.contains(KEY_FINGERPRINT) && start.content.contains("10.0.0.7"));
    let answer = who.passkey.get(&start.options).unwrap();
    w.approvals.finish_certificate(&who.person, start.ceremony, &answer).await
}

async fn poll(w: &World, asked: &CertificateAsked) -> CertificatePoll {
    w.approvals.poll_certificate(asked.id, asked.poll_token.expose()).await.unwrap()
}

/// By the whole road.
pub async fn certificate(w: &World, who: &mut Someone) -> Certificate {
    let asked = w.approvals.ask_certificate(KEY, HERE).await.unwrap();
    confirm(w, who, &asked).await.unwrap();
    match poll(w, &asked).await {
        CertificatePoll::Ready { certificate, .. } => Certificate::from_openssh(&certificate).unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn refused(w: &World, c: &Certificate) -> CertificateRefusal {
    w.approvals.judge_certificate(c, HERE, now()).await.unwrap_err()
}

#[tokio::test]
async fn a_program_fetches_what_a_passkey_confirmed_once() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    let asked = w.approvals.ask_certificate(KEY, HERE).await.unwrap();
    assert_eq!(asked.link_path, format!("/login/{}", asked.id));
    assert_eq!(poll(&w, &asked).await, CertificatePoll::Pending);
    let view = w.approvals.certificate_ask(&ada.person, asked.id).await.unwrap().unwrap();
    assert_eq!((view.number, view.fingerprint, view.source), (asked.number.clone(), KEY_FINGERPRINT.into(), "10.0.0.7".into()));
    assert_eq!(view.state, CertificateState::Pending);

    confirm(&w, &mut ada, &asked).await.unwrap();
    assert_eq!(w.approvals.poll_certificate(asked.id, "guessed").await.unwrap(), CertificatePoll::Expired, "another token");
    let CertificatePoll::Ready { certificate, until } = poll(&w, &asked).await else { panic!() };
    assert_eq!(poll(&w, &asked).await, CertificatePoll::Expired, "once");
    let stored = sqlx::query_scalar::<_, Option<String>>("select certificate from certificate_ask").fetch_one(&w.owner).await.unwrap();
    assert_eq!(stored, None);

    let c = Certificate::from_openssh(&certificate).unwrap();
    assert_eq!(c.key_id(), ada.person.id.to_string());
    assert_eq!(c.valid_principals(), ["ada"]);
    assert_eq!(c.critical_options().iter().collect::<Vec<_>>(), [(&"source-address".to_owned(), &"10.0.0.7/32".to_owned())]);
    assert!(c.extensions().is_empty() && c.serial() != 0);
    assert_eq!(i64::try_from(c.valid_before()).unwrap(), until.unix_timestamp());
    assert!(until - now() <= Duration::hours(1) && until - now() > Duration::minutes(59));

    let person = w.approvals.judge_certificate(&c, HERE, now()).await.unwrap();
    assert_eq!(person.id, ada.person.id);
    assert_eq!(w.approvals.certificates(ada.person.id).await.unwrap()[0].serial, c.serial().to_string());
    let issued = w.log().await.into_iter().find_map(|e| match e {
        AuditEvent::CertificateIssued { person, serial, evidence_sha256, .. } => Some((person, serial, evidence_sha256)),
        _ => None,
    });
    let (who, serial, evidence) = issued.unwrap();
    assert_eq!((who, serial), (ada.person.id, c.serial().to_string()));
    let kept = sqlx::query_scalar::<_, i64>("select count(*) from evidence where encode(sha256, 'hex') = $1")
        .bind(evidence)
        .fetch_one(&w.owner)
        .await;
    assert_eq!(kept.unwrap(), 1, "what the passkey signed is kept");
}

#[tokio::test]
async fn a_certificate_is_a_second_factor_but_no_grant() {
    let w = World::new().await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let c = certificate(&w, &mut ada).await;
    let person = w.approvals.judge_certificate(&c, HERE, now()).await.unwrap();
    let decide = || {
        w.approvals.authorize(
            &person,
            SessionId(Uuid::now_v7()),
            "ehr-db-1",
            "root",
            HERE,
            SecondFactor::Certificate { serial: c.serial() },
        )
    };
    assert!(matches!(decide().await.unwrap(), Decision::Deny(_)), "without a grant");
    w.grant(&ada, &mut bob).await;
    assert!(matches!(decide().await.unwrap(), Decision::Permit(_)));
}

#[tokio::test]
async fn a_certificate_of_another_time_or_address_lets_nobody_in_and_is_written_down() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    let c = certificate(&w, &mut ada).await;
    let judge = |from, at| w.approvals.judge_certificate(&c, from, at);
    assert_eq!(judge(elsewhere(), now()).await.unwrap_err(), CertificateRefusal::Address);
    assert_eq!(judge(HERE, now() + Duration::hours(1)).await.unwrap_err(), CertificateRefusal::Time);
    assert_eq!(judge(HERE, now() - Duration::minutes(2)).await.unwrap_err(), CertificateRefusal::Time);
    let written =
        w.log().await.into_iter().filter(|e| matches!(e, AuditEvent::AccessRefused { person: Some(p), .. } if *p == ada.person.id));
    assert_eq!(written.count(), 3);
}

#[tokio::test]
async fn nobody_elses_signature_counts_and_neither_do_our_other_authorities() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    let c = certificate(&w, &mut ada).await;
    let lines = w.log().await.len();

    let forger = PrivateKey::from(Ed25519Keypair::from_seed(&[9; 32]));
    let mut b = Builder::new([0; 32], c.public_key().clone(), c.valid_after(), c.valid_before()).unwrap();
    b.serial(c.serial()).unwrap().key_id(c.key_id()).unwrap().valid_principal("ada").unwrap();
    b.critical_option("source-address", "10.0.0.7/32").unwrap();
    assert_eq!(refused(&w, &b.sign(&forger).unwrap()).await, CertificateRefusal::Authority);

    let key = ssh_key::PublicKey::from_openssh(KEY).unwrap();
    let host = w.approvals.sign_host_certificate(&key, &["ada".into()], std::time::Duration::from_secs(60)).await.unwrap();
    assert_eq!(refused(&w, &host).await, CertificateRefusal::Authority);
    let seen: Vec<_> = w.log().await.split_off(lines).into_iter().filter(|e| matches!(e, AuditEvent::AccessRefused { .. })).collect();
    assert!(seen.is_empty(), "what strangers bring does not fill the log");
}

#[tokio::test]
async fn a_certificate_dies_with_its_authority() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    let c = certificate(&w, &mut ada).await;
    let old = w.approvals.authorities(Purpose::Person).await.unwrap().remove(0);
    w.approvals.rotate_authority(Purpose::Person, None).await.unwrap();
    assert!(w.approvals.judge_certificate(&c, HERE, now()).await.is_ok(), "rotation takes nothing away");
    let new = certificate(&w, &mut ada).await;
    assert_ne!(new.signature_key(), c.signature_key());
    w.approvals.retire_authority(old.id, None).await.unwrap();
    assert_eq!(refused(&w, &c).await, CertificateRefusal::Authority);
    assert!(w.approvals.judge_certificate(&new, HERE, now()).await.is_ok());
}

#[tokio::test]
async fn a_suspended_person_has_no_certificate_and_gets_none_back() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    let c = certificate(&w, &mut ada).await;
    let signed = w.approvals.ask_certificate(KEY, HERE).await.unwrap();
    confirm(&w, &mut ada, &signed).await.unwrap();
    w.approvals.suspend_person(None, ada.person.id).await.unwrap();
    assert_eq!(refused(&w, &c).await, CertificateRefusal::Revoked);
    assert_eq!(poll(&w, &signed).await, CertificatePoll::Refused, "not even one that waits to be fetched");
    let asked = w.approvals.ask_certificate(KEY, HERE).await.unwrap();
    assert!(confirm(&w, &mut ada, &asked).await.is_err());
    w.approvals.reinstate_person(None, ada.person.id).await.unwrap();
    assert_eq!(refused(&w, &c).await, CertificateRefusal::Revoked, "it has to be asked for again");
}

#[tokio::test]
async fn suspension_alone_is_enough_of_a_reason() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    let c = certificate(&w, &mut ada).await;
    w.sql("update person set suspended_at = now()").await;
    assert_eq!(refused(&w, &c).await, CertificateRefusal::Person);
    w.sql("update person set suspended_at = null, handle = 'eve'").await;
    assert_eq!(refused(&w, &c).await, CertificateRefusal::Person, "a name given to somebody else");
}

#[tokio::test]
async fn certificates_are_taken_back_by_their_person_or_an_operator() {
    let w = World::new().await;
    let (mut ada, eve) = (w.somebody("ada", Role::Admin).await, w.somebody("eve", Role::Admin).await);
    let op = w.somebody("op", Role::Operator).await;
    let c = certificate(&w, &mut ada).await;
    assert!(w.approvals.revoke_certificates(Some(eve.person.id), ada.person.id).await.is_err());
    assert!(w.approvals.judge_certificate(&c, HERE, now()).await.is_ok());
    assert_eq!(w.approvals.revoke_certificates(Some(ada.person.id), ada.person.id).await.unwrap(), 1);
    assert_eq!(refused(&w, &c).await, CertificateRefusal::Revoked);
    let again = certificate(&w, &mut ada).await;
    assert_eq!(w.approvals.revoke_certificates(Some(op.person.id), ada.person.id).await.unwrap(), 1);
    assert_eq!(refused(&w, &again).await, CertificateRefusal::Revoked);
}

#[tokio::test]
async fn an_answered_ask_belongs_to_who_answered_it() {
    let w = World::new().await;
    let (mut ada, mut eve) = (w.somebody("ada", Role::Admin).await, w.somebody("eve", Role::Admin).await);
    let asked = w.approvals.ask_certificate(KEY, HERE).await.unwrap();
    let hers = w.approvals.begin_certificate(&eve.person, asked.id).await.unwrap();
    confirm(&w, &mut ada, &asked).await.unwrap();
    assert!(w.approvals.certificate_ask(&eve.person, asked.id).await.unwrap().is_none());
    assert_eq!(w.approvals.begin_certificate(&eve.person, asked.id).await.unwrap_err(), CertificateError::NoSuch);
    assert_eq!(w.approvals.refuse_certificate(&eve.person, asked.id).await.unwrap_err(), CertificateError::NoSuch);
    let answer = eve.passkey.get(&hers.options).unwrap();
    let taken = w.approvals.finish_certificate(&ada.person, hers.ceremony, &answer).await;
    assert!(taken.is_err(), "a ceremony of somebody else");
    let CertificatePoll::Ready { certificate, .. } = poll(&w, &asked).await else { panic!() };
    assert_eq!(Certificate::from_openssh(&certificate).unwrap().valid_principals(), ["ada"]);
    assert_eq!(w.approvals.begin_certificate(&ada.person, asked.id).await.unwrap_err(), CertificateError::Over);
    let invented = CertificateAskId(Uuid::new_v4());
    assert_eq!(w.approvals.begin_certificate(&ada.person, invented).await.unwrap_err(), CertificateError::NoSuch);
}

#[tokio::test]
async fn somebody_elses_passkey_confirms_nothing() {
    let w = World::new().await;
    let (ada, mut eve) = (w.somebody("ada", Role::Admin).await, w.somebody("eve", Role::Admin).await);
    let asked = w.approvals.ask_certificate(KEY, HERE).await.unwrap();
    let start = w.approvals.begin_certificate(&ada.person, asked.id).await.unwrap();
    let theirs = w.approvals.begin_certificate(&eve.person, asked.id).await.unwrap();
    let answer = eve.passkey.get(&theirs.options).unwrap();
    assert!(w.approvals.finish_certificate(&ada.person, start.ceremony, &answer).await.is_err());
    assert_eq!(poll(&w, &asked).await, CertificatePoll::Pending);
}

#[tokio::test]
async fn a_refused_or_forgotten_ask_gives_nothing() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    let asked = w.approvals.ask_certificate(KEY, HERE).await.unwrap();
    w.approvals.refuse_certificate(&ada.person, asked.id).await.unwrap();
    assert_eq!(poll(&w, &asked).await, CertificatePoll::Refused);
    assert_eq!(confirm(&w, &mut ada, &asked).await.unwrap_err(), CertificateError::Over);
    assert!(w.log().await.iter().any(|e| matches!(e, AuditEvent::CertificateRefused { person, .. } if *person == ada.person.id)));

    let slow = w.approvals.ask_certificate(KEY, HERE).await.unwrap();
    let start = w.approvals.begin_certificate(&ada.person, slow.id).await.unwrap();
    w.sql("update certificate_ask set expires_at = now() - interval '1 second' where state = 'pending'").await;
    let answer = ada.passkey.get(&start.options).unwrap();
    assert_eq!(w.approvals.finish_certificate(&ada.person, start.ceremony, &answer).await.unwrap_err(), CertificateError::Over);
    assert_eq!(poll(&w, &slow).await, CertificatePoll::Expired);

    let late = w.approvals.ask_certificate(KEY, HERE).await.unwrap();
    confirm(&w, &mut ada, &late).await.unwrap();
    w.sql("update certificate_ask set expires_at = now() - interval '2 minutes' where state = 'signed'").await;
    assert_eq!(poll(&w, &late).await, CertificatePoll::Expired, "nobody fetched it");
}

#[tokio::test]
async fn who_may_connect_to_nothing_gets_no_certificate() {
    let w = World::new().await;
    let mut bob = w.somebody("bob", Role::Approver).await;
    let asked = w.approvals.ask_certificate(KEY, HERE).await.unwrap();
    assert_eq!(confirm(&w, &mut bob, &asked).await.unwrap_err(), CertificateError::NotAllowed);
}

#[tokio::test]
async fn strangers_ask_a_bounded_number_of_times_and_only_with_good_keys() {
    let w = World::new().await;
    let bad = w.approvals.ask_certificate("ssh-ed25519 AAAA", HERE).await.unwrap_err();
    assert_eq!(bad, CertificateError::Key(KeyError::Unreadable));
    let v6: IpAddr = "2001:db8::1".parse().unwrap();
    for _ in 0..10 {
        w.approvals.ask_certificate(KEY, HERE).await.unwrap();
        w.approvals.ask_certificate(KEY, v6).await.unwrap();
    }
    assert_eq!(w.approvals.ask_certificate(KEY, HERE).await.unwrap_err(), CertificateError::TooMany);
    let neighbour: IpAddr = "2001:db8::ffff:1".parse().unwrap();
    assert_eq!(w.approvals.ask_certificate(KEY, neighbour).await.unwrap_err(), CertificateError::TooMany, "one /64, one place");
    w.approvals.ask_certificate(KEY, elsewhere()).await.unwrap();

    w.sql(
        "insert into certificate_ask select gen_random_uuid(), 'k', 'f', '192.0.2.' || n, '000 000', sha256('x'), 'pending', null, null, null,
         now(), now() + interval '1 minute' from generate_series(1, 180) n",
    )
    .await;
    assert_eq!(w.approvals.ask_certificate(KEY, "198.51.100.1".parse().unwrap()).await.unwrap_err(), CertificateError::TooMany, "in all");
    w.sql("update certificate_ask set expires_at = now() - interval '2 hours'").await;
    w.approvals.ask_certificate(KEY, HERE).await.unwrap();
}

//! Our certificate authorities: made at need, changed without a gap, never readable in the database.
use crate::{
    connecting::permit,
    world::{KEY, World, account, now, options},
};
use anteroom_approvals::{Approvals, AuthorityError, Credential, Purpose};
use anteroom_domain::{AuditEvent, Capabilities, Role, Secret, SessionId, content::Verdict};
use ssh_key::{HashAlg, PublicKey, certificate::CertType};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

fn key() -> PublicKey {
    PublicKey::from_openssh(KEY).unwrap()
}

#[tokio::test]
async fn an_authority_is_made_at_the_first_need_and_only_once() {
    let w = World::new().await;
    let made = |w: &World| {
        let a = w.approvals.clone();
        tokio::spawn(async move { a.authorities(Purpose::Host).await.unwrap() })
    };
    let all: Vec<_> = [made(&w), made(&w), made(&w), made(&w)].into_iter().collect();
    let mut ids = Vec::new();
    for one in all {
        let list = one.await.unwrap();
        assert_eq!(list.len(), 1);
        ids.push(list[0].id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let a = w.approvals.authorities(Purpose::Host).await.unwrap().remove(0);
    assert_eq!(PublicKey::from_openssh(&a.public_key).unwrap().fingerprint(HashAlg::Sha256).to_string(), a.fingerprint);
    let lines = w.log().await.into_iter().filter(|e| matches!(e, AuditEvent::AuthorityMade { purpose, .. } if purpose == "host"));
    assert_eq!(lines.count(), 1);
}

#[tokio::test]
async fn a_new_authority_signs_and_the_one_before_counts_until_it_is_retired() {
    let w = World::new().await;
    let op = w.somebody("op", Role::Operator).await;
    let old = w.approvals.authorities(Purpose::Host).await.unwrap().remove(0);
    let me = Some(op.person.id);
    assert_eq!(w.approvals.retire_authority(old.id, me).await.unwrap_err(), AuthorityError::Current);
    let new = w.approvals.rotate_authority(Purpose::Host, me).await.unwrap();
    let signed = w.approvals.sign_host_certificate(&key(), &["ehr-db-1".into()], Duration::from_secs(60)).await.unwrap();
    assert_eq!(signed.signature_key().fingerprint(HashAlg::Sha256).to_string(), new.fingerprint);
    let both = w.approvals.authorities(Purpose::Host).await.unwrap();
    assert_eq!(both.iter().map(|a| (a.id, a.retired_at.is_some())).collect::<Vec<_>>(), [(new.id, false), (old.id, false)]);
    w.approvals.retire_authority(old.id, me).await.unwrap();
    assert_eq!(w.approvals.retire_authority(old.id, me).await.unwrap_err(), AuthorityError::NoSuch);
    assert!(w.approvals.authorities(Purpose::Host).await.unwrap()[1].retired_at.is_some());
    assert!(w.log().await.iter().any(|e| matches!(e, AuditEvent::AuthorityRetired { fingerprint, .. } if *fingerprint == old.fingerprint)));
}

#[tokio::test]
async fn only_an_operator_changes_authorities() {
    let w = World::new().await;
    let old = w.approvals.authorities(Purpose::Person).await.unwrap().remove(0);
    w.approvals.rotate_authority(Purpose::Person, None).await.unwrap();
    for role in [Role::Admin, Role::Approver, Role::Auditor] {
        let who = w.somebody(role.as_str(), role).await;
        let me = Some(who.person.id);
        assert_eq!(w.approvals.rotate_authority(Purpose::Person, me).await.unwrap_err(), AuthorityError::NotAllowed);
        assert_eq!(w.approvals.retire_authority(old.id, me).await.unwrap_err(), AuthorityError::NotAllowed);
    }
}

/// Lets the background work sweep once: an old wish for a certificate is gone after it.
async fn sweep(w: &World) {
    w.approvals.ask_certificate(KEY, crate::world::HERE).await.unwrap();
    w.sql("update certificate_ask set expires_at = now() - interval '2 hours'").await;
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let (stop, a) = (stop.clone(), w.approvals.clone());
        async move { a.run(stop).await }
    });
    let swept = async {
        while sqlx::query_scalar::<_, i64>("select count(*) from certificate_ask").fetch_one(&w.owner).await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), swept).await.unwrap();
    stop.cancel();
    // It ends after what it has begun.
    running.await.unwrap();
}

#[tokio::test]
async fn a_replaced_authority_for_people_retires_by_itself_after_its_last_certificate() {
    let w = World::new().await;
    let old = w.approvals.authorities(Purpose::Person).await.unwrap().remove(0);
    w.approvals.authorities(Purpose::Host).await.unwrap();
    let new = w.approvals.rotate_authority(Purpose::Person, None).await.unwrap();
    w.approvals.rotate_authority(Purpose::Host, None).await.unwrap();
    let retired = async || {
        sweep(&w).await;
        let all = w.approvals.authorities(Purpose::Person).await.unwrap();
        all.into_iter().filter(|a| a.retired_at.is_some()).map(|a| a.id).collect::<Vec<_>>()
    };
    w.sql("update authority set made_at = made_at - interval '11 hours 50 minutes'").await;
    assert!(retired().await.is_empty(), "its last certificate may still count");
    w.sql("update authority set made_at = made_at - interval '20 minutes'").await;
    assert_eq!(retired().await, [old.id]);
    assert_ne!(old.id, new.id);
    let hosts = w.approvals.authorities(Purpose::Host).await.unwrap();
    assert!(hosts.iter().all(|a| a.retired_at.is_none()), "clients have to learn the new one first; nobody but an operator knows when");
}

#[tokio::test]
async fn another_vault_key_or_another_row_opens_no_authority() {
    let w = World::new().await;
    let opened = w.approvals.authorities(Purpose::Host).await.unwrap();
    let sign = |a: &Approvals| {
        let a = a.clone();
        async move { a.sign_host_certificate(&key(), &["ehr-db-1".into()], Duration::from_secs(60)).await }
    };
    assert!(sign(&w.approvals).await.is_ok());
    let pool = w.owner.connect_options().as_ref().clone().username("anteroom_app");
    let dir = tempfile::tempdir().unwrap();
    let mut other = options(&dir, Duration::ZERO);
    other.vault_key = Secret::new([9; 32]);
    let other = Approvals::open(sqlx::PgPool::connect_with(pool).await.unwrap(), other).await.unwrap();
    assert_eq!(sign(&other).await.unwrap_err(), AuthorityError::Sealed);

    w.approvals.authorities(Purpose::Target).await.unwrap();
    w.sql("update authority h set nonce = t.nonce, sealed = t.sealed from authority t where h.purpose = 'host' and t.purpose = 'target'")
        .await;
    assert_eq!(sign(&w.approvals).await.unwrap_err(), AuthorityError::Sealed, "a row's key does not open in another row");
    assert_eq!(opened.len(), 1);
}

#[tokio::test]
async fn a_host_certificate_is_for_names_and_never_for_everybody() {
    let w = World::new().await;
    let sign = |names: &[&str], span| {
        let (a, names) = (w.approvals.clone(), names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
        async move { a.sign_host_certificate(&key(), &names, span).await }
    };
    let c = sign(&["ehr-db-1", "gate.example"], Duration::from_secs(3600)).await.unwrap();
    assert_eq!((c.cert_type(), c.valid_principals().len()), (CertType::Host, 2));
    assert!(c.critical_options().is_empty() && c.extensions().is_empty());
    for bad in [&[][..], &["*"], &["a,b"], &[""]] {
        assert_eq!(sign(bad, Duration::from_secs(60)).await.unwrap_err(), AuthorityError::Certificate, "{bad:?}");
    }
    let long = sign(&["ehr-db-1"], Duration::MAX).await.unwrap();
    assert!(long.valid_before() - long.valid_after() <= 31 * 86_400 + 60);
}

#[tokio::test]
async fn the_gateways_certificate_is_for_one_account_and_five_minutes() {
    let w = World::new().await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.approvals.set_credential(None, w.target.id, account("root"), Credential::GatewayCa).await.unwrap();
    let mut form = w.form(60);
    form.capabilities = Capabilities::parse(["shell", "local-forward:db:5432"]).unwrap();
    let r = w.approvals.submit_request(&ada.person, form, crate::world::HERE).await.unwrap();
    w.review(&mut bob, &r, Verdict::Approve).await.unwrap().unwrap();
    let session = SessionId(Uuid::now_v7());
    let p = Box::pin(permit(&w, &mut ada, session)).await;
    assert!(matches!(w.approvals.open_credential(&p).await.unwrap(), Credential::GatewayCa));

    let c = w.approvals.sign_target_certificate(&p, &key()).await.unwrap();
    assert_eq!((c.cert_type(), c.valid_principals()), (CertType::User, &["root".to_owned()][..]));
    assert_eq!(c.key_id(), format!("anteroom:ada:{session}"));
    assert_eq!(c.valid_before() - c.valid_after(), 360);
    assert!(c.valid_before() <= u64::try_from(now().unix_timestamp()).unwrap() + 300);
    assert!(c.critical_options().is_empty());
    assert_eq!(c.extensions().keys().collect::<Vec<_>>(), ["permit-port-forwarding", "permit-pty"]);
    let ca = w.approvals.authorities(Purpose::Target).await.unwrap().remove(0);
    assert_eq!(c.signature_key().fingerprint(HashAlg::Sha256).to_string(), ca.fingerprint);
    let said = w.log().await.into_iter().any(
        |e| matches!(e, AuditEvent::TargetCertificateIssued { session: s, serial, .. } if s == session && serial == c.serial().to_string()),
    );
    assert!(said);
}

#[tokio::test]
async fn the_gateways_certificate_never_outlives_the_permit() {
    let w = World::new().await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let r = w.approvals.submit_request(&ada.person, w.form(2), crate::world::HERE).await.unwrap();
    let grant = w.review(&mut bob, &r, Verdict::Approve).await.unwrap().unwrap();
    let p = Box::pin(permit(&w, &mut ada, SessionId(Uuid::now_v7()))).await;
    let c = w.approvals.sign_target_certificate(&p, &key()).await.unwrap();
    assert_eq!(i64::try_from(c.valid_before()).unwrap(), grant.not_after.unix_timestamp());
}

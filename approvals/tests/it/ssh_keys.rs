//! An SSH key is somebody's only after their passkey said so.
use crate::world::{KEY, KEY_FINGERPRINT, World};
use anteroom_approvals::{KeyError, SignError};
use anteroom_domain::{AuditEvent, Role};

#[tokio::test]
async fn a_key_is_bound_by_a_passkey_and_then_names_its_person() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    let start = w.approvals.begin_ssh_key(&ada.person, KEY, "").await.unwrap();
    assert!(w.approvals.ssh_identity(KEY_FINGERPRINT).await.unwrap().is_none(), "not before it is signed");
    let answer = ada.passkey.get(&start.options).unwrap();
    let info = w.approvals.finish_ssh_key(&ada.person, start.ceremony, &answer).await.unwrap();
    assert_eq!((info.fingerprint.as_str(), info.label.as_str()), (KEY_FINGERPRINT, "ada@laptop"));
    assert_eq!(w.approvals.ssh_identity(KEY_FINGERPRINT).await.unwrap().unwrap().id, ada.person.id);

    let bob = w.somebody("bob", Role::Admin).await;
    assert_eq!(w.approvals.begin_ssh_key(&bob.person, KEY, "mine too").await.unwrap_err(), KeyError::Taken);
    assert_eq!(w.approvals.remove_ssh_key(&bob.person, info.id).await.unwrap_err(), KeyError::NoSuchKey);

    w.approvals.suspend_person(None, ada.person.id).await.unwrap();
    assert!(w.approvals.ssh_identity(KEY_FINGERPRINT).await.unwrap().is_none());
    w.approvals.reinstate_person(None, ada.person.id).await.unwrap();
    w.approvals.remove_ssh_key(&ada.person, info.id).await.unwrap();
    assert!(w.approvals.ssh_identity(KEY_FINGERPRINT).await.unwrap().is_none());
    assert!(w.approvals.ssh_keys(ada.person.id).await.unwrap().is_empty());
    let log = w.log().await;
    assert!(
        log.iter().any(|e| matches!(e, AuditEvent::SshKeyAdded { .. }))
            && log.iter().any(|e| matches!(e, AuditEvent::SshKeyRemoved { .. }))
    );
}

#[tokio::test]
async fn a_signature_for_one_key_does_not_bind_another() {
    let w = World::new().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    let start = w.approvals.begin_ssh_key(&ada.person, KEY, "laptop").await.unwrap();
    w.sql("update ceremony set subject = jsonb_set(subject, '{content,fingerprint}', '\"SHA256:evil\"')").await;
    let answer = ada.passkey.get(&start.options).unwrap();
    assert!(w.approvals.finish_ssh_key(&ada.person, start.ceremony, &answer).await.is_err());
    assert!(w.approvals.ssh_identity("SHA256:evil").await.unwrap().is_none());
}

#[tokio::test]
async fn a_label_is_short_and_printable() {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    for bad in ["x".repeat(61), "a\u{1b}[2J".into()] {
        let refused = w.approvals.begin_ssh_key(&ada.person, KEY, &bad).await.unwrap_err();
        assert_eq!(refused, KeyError::Sign(SignError::Label));
    }
}

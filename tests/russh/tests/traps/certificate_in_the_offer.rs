//! A certificate that is offered looks like the bare key inside it, and is refused as an unregistered one before it can sign.
use anteroom_russh_traps::{
    Switches,
    ends::{Trusting, doors, key, meet},
    wire::Wire,
};
use russh::keys::ssh_key::certificate::{Builder, CertType};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

async fn an_offered_certificate(s: Switches) -> Result<(), String> {
    let (ada, authority) = (key(3), key(4));
    let mut builder = Builder::new(vec![7; 16], ada.public_key().key_data().clone(), 0, u64::MAX >> 1).unwrap();
    builder.cert_type(CertType::User).and_then(|b| b.key_id("ada's")).and_then(|b| b.valid_principal("ada")).unwrap();
    let certificate = builder.sign(&authority).unwrap();
    let (_wire, a, b) = Wire::new();
    let (doors, mut inside) = doors();
    let (mut client, _gateway) = meet((a, b), (Switches::ours(), Trusting), (s, doors)).await;
    assert!(client.authenticate_openssh_cert("ada", Arc::new(ada), certificate).await.unwrap().success());
    match timeout(Duration::from_secs(1), inside.shown.recv()).await {
        Ok(Some(shown)) if shown.certificate.as_deref() == Some("ada's") => Ok(()),
        other => Err(format!("the handler saw no certificate: {other:?}")),
    }
}

unswitched_trap!(an_offered_certificate);

//! Who signed is told, what they signed is not: whether a security key was touched, and which connection the signature is for.
use anteroom_russh_traps::{
    Switches,
    ends::{Trusting, doors, key, meet},
    wire::{Wire, string, u32},
};
use russh::keys::{
    HashAlg, PublicKey,
    agent::AgentIdentity,
    signature::Signer as _,
    ssh_key::{public::KeyData, public::SkEd25519},
};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use tokio::time::timeout;

/// A security key in software that nobody has touched (OpenSSH PROTOCOL.u2f).
struct Untouched {
    /// What it was asked to sign begins with the session identifier.
    session: Vec<u8>,
}

impl russh::Signer for Untouched {
    type Error = russh::AgentAuthError;

    async fn auth_sign(&mut self, _: &AgentIdentity, _: Option<HashAlg>, mut to_sign: Vec<u8>) -> Result<Vec<u8>, Self::Error> {
        let n = u32::from_be_bytes(to_sign[..4].try_into().unwrap()) as usize;
        self.session = to_sign[4..4 + n].to_vec();
        let flags_and_counter = [0, 0, 0, 0, 1];
        let signed = [&Sha256::digest("ssh:")[..], &flags_and_counter, &Sha256::digest(&to_sign)[..]].concat();
        let signature = key(5).try_sign(&signed).unwrap();
        let blob = [string("sk-ssh-ed25519@openssh.com"), string(signature.as_bytes()), flags_and_counter.to_vec()].concat();
        to_sign.extend([&u32(blob.len())[..], &blob].concat());
        Ok(to_sign)
    }
}

async fn a_security_key_that_nobody_touched(s: Switches) -> Result<(), String> {
    let key = key(5);
    let KeyData::Ed25519(point) = key.public_key().key_data() else { return Err("not Ed25519".into()) };
    let public = PublicKey::from(KeyData::SkEd25519(SkEd25519::new(*point, "ssh:")));
    let (_wire, a, b) = Wire::new();
    let (doors, mut inside) = doors();
    let (mut client, _gateway) = meet((a, b), (Switches::ours(), Trusting), (s, doors)).await;
    let mut signer = Untouched { session: Vec::new() };
    let signed_in = client.authenticate_publickey_with("ada", public, None, &mut signer).await.map_err(|e| e.to_string())?;
    assert!(signed_in.success(), "the signature itself is good");
    let seen = async {
        while let Some(shown) = inside.shown.recv().await {
            if let Some(seen) = shown.signature {
                return Some(seen);
            }
        }
        None
    };
    let Ok(Some((signature, session))) = timeout(Duration::from_secs(1), seen).await else {
        return Err("the handler saw no signature".into());
    };
    // Flags and counter are its end: not touched.
    if !signature.ends_with(&[0, 0, 0, 0, 1]) || session.is_empty() || session != signer.session {
        return Err(format!("the handler saw another signature: {signature:?}, {session:?}"));
    }
    Ok(())
}

unswitched_trap!(a_security_key_that_nobody_touched);

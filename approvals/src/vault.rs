//! Credentials of targets, sealed under a key that the database does not hold.
//!
//! AES-256-GCM with a random nonce; target, account and key version are authenticated, so a sealed credential moved
//! to another row does not open there.
use crate::{
    Credential, PromptAnswer, clock,
    store::{targets::Sealed, tickets::Ticket},
};
use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use anteroom_domain::{AccountId, Secret, TargetId};
use zeroize::Zeroize;

/// The only version there is; rotation will add others.
const KEY_VERSION: i32 = 1;
/// Kind of a credential that is none: the gateway's own certificates open the account.
pub(crate) const GATEWAY_CA: &str = "gateway_ca";
const DOMAIN: &[u8] = b"anteroom.vault.v1\0";
const TICKET_DOMAIN: &[u8] = b"anteroom.rdp-ticket.v1\0";
const SEED_DOMAIN: &[u8] = b"anteroom.authority.v1\0";

/// A prompt and its answer as they are sealed.
#[derive(serde::Serialize, serde::Deserialize)]
struct Written {
    prompt: String,
    answer: String,
}

impl Written {
    fn of(p: &PromptAnswer) -> Self {
        Self { prompt: p.prompt.clone(), answer: p.answer.expose().clone() }
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        self.answer.zeroize();
    }
}

/// Seals 32 bytes of ours (an authority's seed) for one row and purpose.
pub(crate) fn seal_seed(key: &Secret<[u8; 32]>, id: uuid::Uuid, purpose: &str, seed: &[u8; 32]) -> Option<Sealed> {
    let nonce = clock::random::<12>();
    let aad = [SEED_DOMAIN, id.as_bytes(), purpose.as_bytes()].concat();
    let sealed = Aes256Gcm::new(key.expose().into()).encrypt(&Nonce::from(nonce), Payload { msg: seed, aad: &aad }).ok()?;
    Some(Sealed { kind: purpose.into(), key_version: KEY_VERSION, nonce: nonce.to_vec(), sealed })
}

/// None if the key, the row, the purpose or any byte is another one.
pub(crate) fn open_seed(key: &Secret<[u8; 32]>, id: uuid::Uuid, s: &Sealed) -> Option<Secret<[u8; 32]>> {
    let nonce: [u8; 12] = s.nonce.as_slice().try_into().ok()?;
    let aad = [SEED_DOMAIN, id.as_bytes(), s.kind.as_bytes()].concat();
    let plain = Aes256Gcm::new(key.expose().into()).decrypt(&Nonce::from(nonce), Payload { msg: &s.sealed, aad: &aad }).ok()?;
    let plain = zeroize::Zeroizing::new(plain);
    <[u8; 32]>::try_from(plain.as_slice()).ok().map(Secret::new)
}

/// What a ticket's secret is sealed to: all of its row that decides whom it lets where.
fn ticket_aad(t: &Ticket) -> Vec<u8> {
    let ids = [t.id.0, t.person.0, t.grant.0, t.step_up.0];
    let mut aad = TICKET_DOMAIN.to_vec();
    aad.extend(ids.iter().flat_map(|id| *id.as_bytes()));
    for text in [&t.name, &t.source] {
        aad.extend((text.len() as u64).to_be_bytes());
        aad.extend(text.as_bytes());
    }
    aad
}

/// Seals a ticket's secret for its row.
pub(crate) fn seal_ticket(key: &Secret<[u8; 32]>, t: &Ticket, secret: &Secret<String>) -> Option<Sealed> {
    let nonce = clock::random::<12>();
    let payload = Payload { msg: secret.expose().as_bytes(), aad: &ticket_aad(t) };
    let sealed = Aes256Gcm::new(key.expose().into()).encrypt(&Nonce::from(nonce), payload).ok()?;
    Some(Sealed { kind: "ticket".into(), key_version: KEY_VERSION, nonce: nonce.to_vec(), sealed })
}

/// None if the key, the row or any byte is another one.
pub(crate) fn open_ticket(key: &Secret<[u8; 32]>, t: &Ticket, s: &Sealed) -> Option<Secret<String>> {
    let nonce: [u8; 12] = s.nonce.as_slice().try_into().ok()?;
    let plain = Aes256Gcm::new(key.expose().into()).decrypt(&Nonce::from(nonce), Payload { msg: &s.sealed, aad: &ticket_aad(t) }).ok()?;
    text(plain)
}

/// Bytes that are not text are wiped as well.
fn text(plain: Vec<u8>) -> Option<Secret<String>> {
    String::from_utf8(plain).map_err(|e| e.into_bytes().zeroize()).ok().map(Secret::new)
}

fn aad(target: TargetId, account: AccountId, kind: &str, key_version: i32) -> Vec<u8> {
    [DOMAIN, target.0.as_bytes(), account.0.as_bytes(), &key_version.to_be_bytes(), kind.as_bytes()].concat()
}

/// None only if the cipher refuses, which it does for texts of many gigabytes.
pub(crate) fn seal(key: &Secret<[u8; 32]>, target: TargetId, account: AccountId, credential: &Credential) -> Option<Sealed> {
    let prompts;
    let (kind, text) = match credential {
        Credential::Password(p) => ("password", p.expose().as_bytes()),
        Credential::PrivateKey(k) => ("private_key", k.expose().as_bytes()),
        Credential::Prompts(p) => {
            prompts = zeroize::Zeroizing::new(serde_json::to_vec(&p.iter().map(Written::of).collect::<Vec<_>>()).ok()?);
            ("prompts", &prompts[..])
        }
        Credential::GatewayCa => (GATEWAY_CA, &b""[..]),
    };
    // 96 random bits: safe for 2^32 sealings under one key (NIST SP 800-38D section 8.3).
    let nonce = clock::random::<12>();
    let aad = aad(target, account, kind, KEY_VERSION);
    let sealed = Aes256Gcm::new(key.expose().into()).encrypt(&Nonce::from(nonce), Payload { msg: text, aad: &aad }).ok()?;
    Some(Sealed { kind: kind.into(), key_version: KEY_VERSION, nonce: nonce.to_vec(), sealed })
}

/// None if the key, the row or any byte is another one.
pub(crate) fn open(key: &Secret<[u8; 32]>, target: TargetId, account: AccountId, s: &Sealed) -> Option<Credential> {
    let nonce: [u8; 12] = s.nonce.as_slice().try_into().ok()?;
    let aad = aad(target, account, &s.kind, s.key_version);
    let plain = Aes256Gcm::new(key.expose().into()).decrypt(&Nonce::from(nonce), Payload { msg: &s.sealed, aad: &aad }).ok()?;
    let text = text(plain)?;
    match s.kind.as_str() {
        "password" => Some(Credential::Password(text)),
        "private_key" => Some(Credential::PrivateKey(text)),
        "prompts" => {
            let written: Vec<Written> = serde_json::from_str(text.expose()).ok()?;
            Some(Credential::Prompts(
                written.into_iter().map(|w| PromptAnswer { prompt: w.prompt.clone(), answer: Secret::new(w.answer.clone()) }).collect(),
            ))
        }
        GATEWAY_CA => Some(Credential::GatewayCa),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use uuid::Uuid;

    fn ids(n: u128) -> (TargetId, AccountId) {
        (TargetId(Uuid::from_u128(n)), AccountId(Uuid::from_u128(n + 1)))
    }

    #[test]
    fn a_credential_opens_only_where_it_was_sealed() {
        let key = Secret::new([7; 32]);
        let (t, a) = ids(1);
        let secret = Credential::Password(Secret::new("correct horse".into()));
        let mut sealed = seal(&key, t, a, &secret).unwrap();
        assert!(matches!(open(&key, t, a, &sealed), Some(Credential::Password(p)) if p.expose() == "correct horse"));
        assert!(!sealed.sealed.windows(5).any(|w| w == b"horse"));

        assert!(open(&Secret::new([8; 32]), t, a, &sealed).is_none(), "another key");
        assert!(open(&key, ids(9).0, a, &sealed).is_none(), "another target");
        assert!(open(&key, t, ids(9).1, &sealed).is_none(), "another account");
        for i in 0..sealed.sealed.len() {
            sealed.sealed[i] ^= 1;
            assert!(open(&key, t, a, &sealed).is_none(), "byte {i}");
            sealed.sealed[i] ^= 1;
        }
        sealed.kind = "private_key".into();
        assert!(open(&key, t, a, &sealed).is_none(), "another kind");
    }
}

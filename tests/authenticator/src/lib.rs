//! A passkey made of software, for tests and the lab: it goes through the real enrolment, login and signing, as a
//! browser and an authenticator would together. Keys live in memory only. Never part of the product.
#![forbid(unsafe_code)]

mod bytes;
mod security_key;

pub use security_key::{SecurityKey, ssh_string};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sha2::{Digest, Sha256};
use url::Url;
use webauthn_rs_proto::{
    AuthenticatorAssertionResponseRaw, AuthenticatorAttestationResponseRaw, CreationChallengeResponse, PublicKeyCredential,
    RegisterPublicKeyCredential, RequestChallengeResponse,
};

/// User present (WebAuthn Level 3, section 6.1).
const UP: u8 = 0x01;
/// User verified.
const UV: u8 = 0x04;
/// Attested credential data follows.
const AT: u8 = 0x40;
/// "public-key", the only credential type there is.
const PUBLIC_KEY: &str = "public-key";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the page's origin {origin} may not use the relying party id {rp_id}")]
    WrongRelyingParty { origin: String, rp_id: String },
    #[error("this authenticator already holds one of the excluded credentials")]
    Excluded,
    #[error("no credential here is allowed for this")]
    NoCredential,
    #[error("ES256 is not among the algorithms asked for")]
    NoAlgorithm,
    #[error("no randomness")]
    Random,
}

/// A browser page and the authenticator beside it.
pub struct Authenticator {
    origin: Url,
    credentials: Vec<Stored>,
    user_verification: bool,
    user_presence: bool,
    cross_origin: bool,
    counts: bool,
}

struct Stored {
    id: Vec<u8>,
    rp_id: String,
    user_handle: Vec<u8>,
    key: SigningKey,
    counter: u32,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").field("origin", &self.origin.as_str()).field("credentials", &self.credentials.len()).finish()
    }
}

impl Authenticator {
    /// `origin` is the portal's, as its browser would report it.
    pub fn new(origin: Url) -> Self {
        Self { origin, credentials: Vec::new(), user_verification: true, user_presence: true, cross_origin: false, counts: true }
    }

    /// Whether the UV flag is set from now on: a fingerprint or PIN was given.
    pub fn set_user_verification(&mut self, on: bool) {
        self.user_verification = on;
    }
    /// Whether the UP flag is set from now on: somebody touched it.
    pub fn set_user_presence(&mut self, on: bool) {
        self.user_presence = on;
    }
    /// Whether the page claims to sit in a frame of another origin.
    pub fn set_cross_origin(&mut self, on: bool) {
        self.cross_origin = on;
    }
    /// The page is another one from now on.
    pub fn set_origin(&mut self, origin: Url) {
        self.origin = origin;
    }
    /// Sets the signature counter of every credential, as a clone made earlier would have it. The next use adds one.
    pub fn set_counter(&mut self, counter: u32) {
        for c in &mut self.credentials {
            c.counter = counter;
        }
    }
    /// Whether the counter moves; synchronised passkeys always say 0.
    pub fn set_counting(&mut self, on: bool) {
        self.counts = on;
    }
    /// How many credentials it holds.
    pub fn len(&self) -> usize {
        self.credentials.len()
    }
    pub fn is_empty(&self) -> bool {
        self.credentials.is_empty()
    }

    /// `navigator.credentials.create()`: a new discoverable ES256 credential, attestation "none".
    pub fn create(&mut self, options: &CreationChallengeResponse) -> Result<RegisterPublicKeyCredential, Error> {
        let o = &options.public_key;
        self.check_relying_party(&o.rp.id)?;
        // COSE algorithm -7 is ES256 (RFC 9053 section 2.1).
        if !o.pub_key_cred_params.iter().any(|p| p.alg == -7) {
            return Err(Error::NoAlgorithm);
        }
        let excluded = o.exclude_credentials.iter().flatten().any(|x| self.credentials.iter().any(|c| x.id == c.id));
        if excluded {
            return Err(Error::Excluded);
        }
        let id = random::<32>()?.to_vec();
        let key = new_key()?;
        let client_data = self.client_data("webauthn.create", &o.challenge);
        let mut auth_data = self.auth_data(&o.rp.id, AT, 0);
        auth_data.extend([0u8; 16]); // AAGUID: none
        auth_data.extend((id.len() as u16).to_be_bytes());
        auth_data.extend(&id);
        auth_data.extend(bytes::cose_es256(&key));
        self.credentials.push(Stored { id: id.clone(), rp_id: o.rp.id.clone(), user_handle: o.user.id.clone(), key, counter: 0 });
        Ok(RegisterPublicKeyCredential {
            id: B64.encode(&id),
            raw_id: id,
            response: AuthenticatorAttestationResponseRaw {
                attestation_object: bytes::attestation_none(&auth_data),
                client_data_json: client_data,
                transports: None,
            },
            type_: PUBLIC_KEY.into(),
            extensions: Default::default(),
        })
    }

    /// `navigator.credentials.get()`: with an allow list one of it, without one the newest of this relying party.
    pub fn get(&mut self, options: &RequestChallengeResponse) -> Result<PublicKeyCredential, Error> {
        let o = &options.public_key;
        self.check_relying_party(&o.rp_id)?;
        let allowed = |id: &[u8]| o.allow_credentials.is_empty() || o.allow_credentials.iter().any(|a| a.id == id);
        let found = self.credentials.iter().rposition(|c| c.rp_id == o.rp_id && allowed(&c.id)).ok_or(Error::NoCredential)?;
        self.credentials[found].counter += u32::from(self.counts);
        let c = &self.credentials[found];
        let client_data = self.client_data("webauthn.get", &o.challenge);
        let auth_data = self.auth_data(&o.rp_id, 0, c.counter);
        // WebAuthn section 6.3.3: over authenticator data and the hash of the client data.
        let message = [&auth_data[..], &Sha256::digest(&client_data)[..]].concat();
        let signature: Signature = c.key.sign(&message);
        Ok(PublicKeyCredential {
            id: B64.encode(&c.id),
            raw_id: c.id.clone(),
            response: AuthenticatorAssertionResponseRaw {
                authenticator_data: auth_data,
                client_data_json: client_data,
                signature: signature.to_der().as_bytes().to_vec(),
                user_handle: Some(c.user_handle.clone()),
            },
            extensions: Default::default(),
            type_: PUBLIC_KEY.into(),
        })
    }

    /// A page may use its own host name or a parent of it as relying party id.
    fn check_relying_party(&self, rp_id: &str) -> Result<(), Error> {
        let host = self.origin.host_str().unwrap_or_default();
        if host == rp_id || host.strip_suffix(rp_id).is_some_and(|h| h.ends_with('.')) {
            return Ok(());
        }
        Err(Error::WrongRelyingParty { origin: self.origin.origin().ascii_serialization(), rp_id: rp_id.into() })
    }

    fn client_data(&self, kind: &str, challenge: &[u8]) -> Vec<u8> {
        let v = serde_json::json!({
            "type": kind,
            "challenge": B64.encode(challenge),
            "origin": self.origin.origin().ascii_serialization(),
            "crossOrigin": self.cross_origin,
        });
        v.to_string().into_bytes()
    }

    fn auth_data(&self, rp_id: &str, more: u8, counter: u32) -> Vec<u8> {
        let flags = more | if self.user_presence { UP } else { 0 } | if self.user_verification { UV } else { 0 };
        let mut v = Sha256::digest(rp_id.as_bytes()).to_vec();
        v.push(flags);
        v.extend(counter.to_be_bytes());
        v
    }
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut b = [0; N];
    getrandom::fill(&mut b).map_err(|_| Error::Random)?;
    Ok(b)
}

/// Almost every 32 bytes are a P-256 scalar; the loop is for the one case in 2^32.
fn new_key() -> Result<SigningKey, Error> {
    loop {
        if let Ok(k) = SigningKey::from_slice(&random::<32>()?) {
            return Ok(k);
        }
    }
}

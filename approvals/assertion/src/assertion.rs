//! One WebAuthn assertion (WebAuthn Level 3, section 7.2), by ourselves.
use crate::AssertionEvidence;
use anteroom_domain::content::{self, Signable};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use webauthn_rs_core::proto::COSEKey;

/// Flags of the authenticator data (section 6.1).
const UP: u8 = 0x01;
const UV: u8 = 0x04;

/// What an authenticator answered, and what it was asked as.
#[derive(Debug)]
pub struct Assertion<'a> {
    pub rp_id: &'a str,
    pub origin: &'a str,
    pub key: &'a COSEKey,
    pub client_data_json: &'a [u8],
    pub authenticator_data: &'a [u8],
    pub signature: &'a [u8],
}

#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
    #[serde(rename = "topOrigin", default)]
    top_origin: Option<serde_json::Value>,
}

impl Assertion<'_> {
    /// Everything but the signature counter. With `challenge` it has to be over exactly that one.
    pub fn check(&self, challenge: Option<[u8; 32]>) -> Result<(), &'static str> {
        let ensure = |ok: bool, why: &'static str| if ok { Ok(()) } else { Err(why) };
        let client: ClientData = serde_json::from_slice(self.client_data_json).map_err(|_| "its client data is unreadable")?;
        ensure(client.kind == "webauthn.get", "it is not an assertion")?;
        if let Some(c) = challenge {
            ensure(client.challenge == B64.encode(c), "it signed something else")?;
        }
        ensure(client.origin == self.origin, "it was used on another site")?;
        ensure(!client.cross_origin && client.top_origin.is_none(), "it was used from inside another site")?;
        let data = self.authenticator_data;
        ensure(data.len() >= 37, "its authenticator data is cut short")?;
        ensure(data[..32] == Sha256::digest(self.rp_id)[..], "it belongs to another site")?;
        ensure(data[32] & UP != 0, "it was not touched")?;
        ensure(data[32] & UV != 0, "it did not verify the person by fingerprint, face or PIN")?;
        let signed = [data, &Sha256::digest(self.client_data_json)[..]].concat();
        let good = self.key.verify_signature(self.signature, &signed).unwrap_or(false);
        ensure(good, "its signature does not fit")
    }
}

/// A signed content: the passkey's signature is good, over exactly this, and it is of the kind that was asked for.
pub fn signed<C: Signable + DeserializeOwned>(e: &AssertionEvidence) -> Result<C, &'static str> {
    verify_assertion(e)?;
    if e.domain != C::DOMAIN {
        return Err("it signed a content of another kind");
    }
    let content: C = serde_json::from_str(&e.content).map_err(|_| "what it signed is unreadable")?;
    // Read back differently, it would say something else to somebody else.
    if content.canonical().is_ok_and(|c| c == e.content.as_bytes()) { Ok(content) } else { Err("what it signed is not in canonical form") }
}

/// Is this a passkey's signature, user present and verified, over exactly this content?
pub fn verify_assertion(e: &AssertionEvidence) -> Result<(), &'static str> {
    let bytes = |s: &str| B64.decode(s).map_err(|_| "the evidence is unreadable");
    let key: COSEKey = serde_json::from_value(e.cose_key.clone()).map_err(|_| "the evidence's public key is unreadable")?;
    let assertion = Assertion {
        rp_id: &e.rp_id,
        origin: &e.origin,
        key: &key,
        client_data_json: &bytes(&e.client_data_json)?,
        authenticator_data: &bytes(&e.authenticator_data)?,
        signature: &bytes(&e.signature)?,
    };
    assertion.check(Some(content::challenge(&e.domain, e.content.as_bytes())))
}

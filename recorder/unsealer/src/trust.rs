//! Whom the unsealer believes: key-holders and their passkeys, from a file that its own administrator keeps.
use anteroom_assertion::key_sha256;
use anteroom_domain::{Handle, PersonId, canonical};
use serde::{Deserialize, Serialize};
use std::{fmt::Write as _, ops::Range};
use webauthn_rs_core::proto::COSEKey;

/// The one web site whose signatures count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The relying party id passkeys are bound to: the portal's host name.
    pub rp_id: String,
    /// `https://host[:port]`, as browsers write it.
    pub origin: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    pub(crate) site: Site,
    holders: Vec<Holder>,
}

/// A person who may approve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub person: PersonId,
    pub handle: Handle,
    pub keys: Vec<TrustedKey>,
}

/// A passkey that counts as theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    pub label: String,
    /// As `webauthn-rs-core` writes a COSE key in JSON.
    pub cose_key: serde_json::Value,
    sha256: String,
}

/// Where the file is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {key}: {why}")]
pub struct TrustError {
    /// From 1.
    pub line: usize,
    pub key: String,
    pub why: String,
}

impl TrustedKey {
    /// None: this is no public key of a passkey.
    pub fn new(label: String, cose_key: serde_json::Value) -> Option<Self> {
        serde_json::from_value::<COSEKey>(cose_key.clone()).ok()?;
        Some(Self { label, sha256: key_sha256(&cose_key)?, cose_key })
    }

    /// SHA-256 of the key's canonical JSON, hex: how contents name it, and what to compare with its owner.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

impl Holder {
    pub(crate) fn has(&self, sha256: &str) -> bool {
        self.keys.iter().any(|k| k.sha256 == sha256)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    holder: Vec<toml::Spanned<Block>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    person: PersonId,
    handle: Handle,
    #[serde(default)]
    passkey: Vec<Passkey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Passkey {
    label: String,
    sha256: String,
    cose_key: String,
}

const HEAD: &str = "# Whom the unsealer believes. `anteroom unsealer trust` adds to it; to stop believing somebody, delete their lines.\n\
                    # It is read again for every request.\n";

impl Trust {
    pub fn nobody(site: Site) -> Self {
        Self { site, holders: Vec::new() }
    }

    /// Reads the file's text. Everything in it has to make sense, or nothing counts.
    pub fn parse(text: &str, site: Site) -> Result<Self, TrustError> {
        let error = |span: Option<Range<usize>>, key: &str, why: String| TrustError {
            line: text.as_bytes()[..span.map_or(0, |s| s.start).min(text.len())].iter().filter(|b| **b == b'\n').count() + 1,
            key: key.into(),
            why,
        };
        let file: File = toml::from_str(text).map_err(|e| error(e.span(), "file", e.message().to_owned()))?;
        let mut trust = Self::nobody(site);
        for block in file.holder {
            let span = block.span();
            let wrong = |key: &str, why: String| error(Some(span.clone()), key, why);
            let Block { person, handle, passkey } = block.into_inner();
            let mut keys = Vec::new();
            for p in passkey {
                let key = serde_json::from_str(&p.cose_key).ok().and_then(|value| TrustedKey::new(p.label, value));
                let key = key.ok_or_else(|| wrong("holder.passkey.cose_key", format!("of {handle}: no public key of a passkey")))?;
                if key.sha256 != p.sha256 {
                    return Err(wrong(
                        "holder.passkey.sha256",
                        format!("of {handle}: not that of the key below it, which is {}", key.sha256),
                    ));
                }
                keys.push(key);
            }
            let holder = Holder { person, handle, keys };
            trust.add(holder).map_err(|why| wrong("holder", why))?;
        }
        Ok(trust)
    }

    /// Adds somebody, or passkeys to somebody who is there. Fails for what is another's.
    pub fn add(&mut self, new: Holder) -> Result<(), String> {
        if new.keys.is_empty() {
            return Err(format!("{} has no passkey", new.handle));
        }
        for k in &new.keys {
            if let Some(owner) = self.owner_of(&k.sha256).filter(|o| o.person != new.person) {
                return Err(format!("{} and {} cannot share a passkey", owner.handle, new.handle));
            }
        }
        if let Some(other) = self.holders.iter().find(|h| h.handle == new.handle && h.person != new.person) {
            return Err(format!("{} is somebody else already (person {})", new.handle, other.person));
        }
        match self.holders.iter_mut().find(|h| h.person == new.person) {
            Some(known) => {
                known.handle = new.handle;
                for k in new.keys {
                    if !known.has(&k.sha256) {
                        known.keys.push(k);
                    }
                }
            }
            None => self.holders.push(new),
        }
        Ok(())
    }

    pub fn holders(&self) -> &[Holder] {
        &self.holders
    }

    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let mut text = HEAD.to_owned();
        for h in &self.holders {
            let quoted = |s: &str| toml::Value::String(s.to_owned()).to_string();
            // Writing to a String cannot fail.
            let _ = write!(text, "\n[[holder]]\nperson = \"{}\"\nhandle = {}\n", h.person, quoted(h.handle.as_str()));
            for k in &h.keys {
                let json = canonical::to_vec(&k.cose_key).ok().and_then(|b| String::from_utf8(b).ok()).unwrap_or_default();
                let _ = write!(
                    text,
                    "\n[[holder.passkey]]\nlabel = {}\nsha256 = \"{}\"\ncose_key = {}\n",
                    quoted(&k.label),
                    k.sha256,
                    quoted(&json)
                );
            }
        }
        text
    }

    pub(crate) fn holder(&self, person: PersonId) -> Option<&Holder> {
        self.holders.iter().find(|h| h.person == person)
    }

    pub(crate) fn owner_of(&self, sha256: &str) -> Option<&Holder> {
        self.holders.iter().find(|h| h.has(sha256))
    }
}

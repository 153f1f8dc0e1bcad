//! Checkpoints as signed notes: C2SP `tlog-checkpoint` and `signed-note`, Ed25519.
use super::merkle::Hash;
use base64::{Engine, engine::general_purpose::STANDARD as B64};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

/// Signature type of Ed25519 in a key's name and id (C2SP signed-note).
const ED25519: u8 = 0x01;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    #[error("this is not a signed checkpoint")]
    Malformed,
    #[error("this is not a verifier key (name+id+key)")]
    BadKey,
    #[error("the checkpoint is not signed by this key")]
    WrongKey,
    #[error("the signature does not fit the checkpoint")]
    BadSignature,
}

/// What a checkpoint states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub origin: String,
    pub size: u64,
    pub root: Hash,
}

impl Checkpoint {
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, B64.encode(self.root))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        // Extension lines may follow; ours has none, a reader lets them pass.
        let number: u64 = size.parse().ok()?;
        if origin.is_empty() || number.to_string() != size {
            return None;
        }
        Some(Self { origin: origin.into(), size: number, root: B64.decode(root).ok()?.try_into().ok()? })
    }
}

/// A log's name: no spaces and no plus signs (C2SP signed-note), and short.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 120 && !name.contains(['+']) && !name.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn key_id(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let h = Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(key.as_bytes()).finalize();
    [h[0], h[1], h[2], h[3]]
}

/// Signs the checkpoints of one log.
pub struct Signer {
    name: String,
    key: SigningKey,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Signer {
    pub fn new(name: &str, seed: &[u8; 32]) -> Self {
        Self { name: name.into(), key: SigningKey::from_bytes(seed) }
    }

    /// `name+id+key`, to be given to whoever verifies.
    pub fn verifier_key(&self) -> String {
        let k = self.key.verifying_key();
        let encoded = B64.encode([&[ED25519], &k.as_bytes()[..]].concat());
        format!("{}+{}+{}", self.name, crate::clock::hex(&key_id(&self.name, &k)), encoded)
    }

    pub fn sign(&self, size: u64, root: Hash) -> String {
        let text = Checkpoint { origin: self.name.clone(), size, root }.text();
        let signature = self.key.sign(text.as_bytes());
        let blob = [&key_id(&self.name, &self.key.verifying_key())[..], &signature.to_bytes()].concat();
        format!("{text}\n\u{2014} {} {}\n", self.name, B64.encode(blob))
    }
}

/// Checks one key's signature under a note and returns what it states.
pub fn open(note: &str, verifier_key: &str) -> Result<Checkpoint, NoteError> {
    let (name, key) = read_key(verifier_key)?;
    let (text, signatures) = note.rsplit_once("\n\n").ok_or(NoteError::Malformed)?;
    let text = format!("{text}\n");
    let checkpoint = Checkpoint::parse(&text).ok_or(NoteError::Malformed)?;
    let id = key_id(name, &key);
    for line in signatures.lines() {
        let (who, blob) = line.strip_prefix("\u{2014} ").and_then(|l| l.split_once(' ')).ok_or(NoteError::Malformed)?;
        let blob = B64.decode(blob).map_err(|_| NoteError::Malformed)?;
        let Some((its_id, signature)) = blob.split_first_chunk::<4>() else { return Err(NoteError::Malformed) };
        if who != name || *its_id != id {
            continue;
        }
        let signature = Signature::from_slice(signature).map_err(|_| NoteError::BadSignature)?;
        key.verify_strict(text.as_bytes(), &signature).map_err(|_| NoteError::BadSignature)?;
        return Ok(checkpoint);
    }
    Err(NoteError::WrongKey)
}

fn read_key(v: &str) -> Result<(&str, VerifyingKey), NoteError> {
    // The key's base64 may hold plus signs; the name may not.
    let mut parts = v.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else { return Err(NoteError::BadKey) };
    let raw = B64.decode(key).map_err(|_| NoteError::BadKey)?;
    let Some((&ED25519, raw)) = raw.split_first() else { return Err(NoteError::BadKey) };
    let key = raw.try_into().ok().and_then(|k| VerifyingKey::from_bytes(k).ok()).ok_or(NoteError::BadKey)?;
    if !is_name(name) || id != crate::clock::hex(&key_id(name, &key)) {
        return Err(NoteError::BadKey);
    }
    Ok((name, key))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_published_note_opens_with_its_published_key() {
        // The example of golang.org/x/mod/sumdb/note, which C2SP signed-note was made from. Its text is no
        // checkpoint, so only key and signature are looked at.
        let (name, key) = read_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
        assert_eq!(name, "PeterNeumann");
        let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let blob = B64.decode("x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=").unwrap();
        assert_eq!(blob[..4], key_id(name, &key));
        key.verify_strict(text.as_bytes(), &Signature::from_slice(&blob[4..]).unwrap()).unwrap();
    }

    #[test]
    fn a_checkpoint_opens_with_the_logs_key_and_with_no_other() {
        let (ours, other) = (Signer::new("anteroom/demo", &[1; 32]), Signer::new("anteroom/demo", &[2; 32]));
        let note = ours.sign(42, [7; 32]);
        assert_eq!(open(&note, &ours.verifier_key()).unwrap(), Checkpoint { origin: "anteroom/demo".into(), size: 42, root: [7; 32] });
        assert_eq!(open(&note, &other.verifier_key()), Err(NoteError::WrongKey));
        assert_eq!(open(&note.replace("\n42\n", "\n43\n"), &ours.verifier_key()), Err(NoteError::BadSignature));
        assert_eq!(open("", &ours.verifier_key()), Err(NoteError::Malformed));
        assert_eq!(open(&note, "anteroom/demo+00000000+AQ=="), Err(NoteError::BadKey));
    }

    #[test]
    fn no_byte_of_a_note_can_be_changed() {
        let ours = Signer::new("anteroom/demo", &[1; 32]);
        let note = ours.sign(42, [7; 32]).into_bytes();
        for i in 0..note.len() {
            let mut n = note.clone();
            n[i] ^= 1;
            if let Ok(n) = String::from_utf8(n) {
                // The very last line break carries nothing.
                assert!(i == note.len() - 1 || open(&n, &ours.verifier_key()).is_err(), "byte {i}");
            }
        }
    }
}

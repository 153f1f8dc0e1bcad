//! SSH keys, each bound to a person by a passkey's signature.
use super::signing::{label, nonce, text};
use crate::{
    Approvals, KeyError, SignError, SignStart, SshKeyInfo, StoreError,
    audit::record,
    clock,
    store::{self, ceremonies::Kind},
};
use anteroom_domain::{AuditEvent, CeremonyId, Person, PersonId, SshKeyId, content::SshKeyContent};
use serde::{Deserialize, Serialize};
use ssh_key::{HashAlg, PublicKey, public::KeyData};
use webauthn_rs_proto::PublicKeyCredential;

/// Far beyond any real key.
const MAX_LINE: usize = 16 * 1024;
/// NIST SP 800-57: 128 bits of strength.
const MIN_RSA_BITS: u32 = 3072;

/// What has to survive between begin and finish.
#[derive(Debug, Serialize, Deserialize)]
struct Subject {
    public_key: String,
    content: SshKeyContent,
}

/// Reads one OpenSSH public key line and says no to what is too weak.
pub(crate) fn parse(line: &str) -> Result<PublicKey, KeyError> {
    if line.contains("PRIVATE KEY") {
        return Err(KeyError::Private);
    }
    let line = line.trim();
    if line.len() > MAX_LINE || line.contains('\n') {
        return Err(KeyError::Unreadable);
    }
    if line.starts_with("ssh-dss ") {
        return Err(KeyError::Algorithm { algorithm: "DSA".into() });
    }
    let key = PublicKey::from_openssh(line).map_err(|_| KeyError::Unreadable)?;
    match key.key_data() {
        KeyData::Ed25519(_) | KeyData::Ecdsa(_) | KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_) => Ok(key),
        KeyData::Rsa(rsa) if rsa.key_size() >= MIN_RSA_BITS => Ok(key),
        KeyData::Rsa(rsa) => Err(KeyError::ShortRsa { bits: rsa.key_size() }),
        KeyData::Dsa(_) => Err(KeyError::Algorithm { algorithm: "DSA".into() }),
        other => Err(KeyError::Algorithm { algorithm: other.algorithm().to_string() }),
    }
}

impl Approvals {
    /// Asks for a passkey's signature under "this key is mine".
    pub async fn begin_ssh_key(&self, person: &Person, line: &str, given: &str) -> Result<SignStart, KeyError> {
        let mut key = parse(line)?;
        let label = label(given, key.comment().as_str_lossy().trim()).and_then(|l| super::signing::label(&l, "SSH key"))?;
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let person = self.fresh(person.id).await?;
        if store::ssh_keys::is_bound(&self.inner.pool, &fingerprint).await? {
            return Err(KeyError::Taken);
        }
        // The comment is whatever somebody's machine was called; nobody needs it here.
        key.set_comment("");
        let public_key = key.to_openssh().map_err(|_| KeyError::Unreadable)?;
        let content = SshKeyContent { v: 1, person: person.id, fingerprint, label, nonce: nonce() };
        let subject = Subject { public_key, content };
        Ok(self.begin_signing(Kind::SshKey, person.id, &subject, &subject.content).await?)
    }

    pub async fn finish_ssh_key(
        &self,
        person: &Person,
        ceremony: CeremonyId,
        credential: &PublicKeyCredential,
    ) -> Result<SshKeyInfo, KeyError> {
        let (taken, content) = self.take_signing::<Subject>(Kind::SshKey, person.id, ceremony).await?;
        let s = taken.subject;
        if text(&s.content)? != content {
            return Err(StoreError::Damaged("ceremony").into());
        }
        let now = clock::now();
        let mut tx = self.begin().await?;
        let person = store::people::held(&mut *tx, person.id).await?.filter(|p| !p.is_suspended()).ok_or(SignError::Suspended)?;
        let signed = self.accept::<SshKeyContent>(&mut tx, person.id, &taken.state, &content, credential, now).await?;
        let info =
            SshKeyInfo { id: clock::new_id(), fingerprint: s.content.fingerprint.clone(), label: s.content.label.clone(), added_at: now };
        if !store::ssh_keys::insert(&mut *tx, person.id, &info, &s.public_key, &signed.evidence).await? {
            return Err(KeyError::Taken);
        }
        let event = AuditEvent::SshKeyAdded { person: person.id, fingerprint: info.fingerprint.clone() };
        record::write(&mut tx, event, Some(person.id), now).await?;
        self.commit(tx).await?;
        Ok(info)
    }

    pub async fn ssh_keys(&self, person: PersonId) -> Result<Vec<SshKeyInfo>, StoreError> {
        store::ssh_keys::of(&self.inner.pool, person).await
    }

    /// Taking a key away needs no passkey: it only takes rights away.
    pub async fn remove_ssh_key(&self, person: &Person, key: SshKeyId) -> Result<(), KeyError> {
        let mut tx = self.begin().await?;
        let fingerprint = store::ssh_keys::delete(&mut *tx, person.id, key).await?.ok_or(KeyError::NoSuchKey)?;
        record::write(&mut tx, AuditEvent::SshKeyRemoved { person: person.id, fingerprint }, Some(person.id), clock::now()).await?;
        self.commit(tx).await?;
        Ok(())
    }

    /// Whose key this is. Ask only about a key that has *signed*: an offered one says nothing (THREATS 1).
    pub async fn ssh_identity(&self, fingerprint: &str) -> Result<Option<Person>, StoreError> {
        let asked = store::ssh_keys::person(&self.inner.pool, fingerprint);
        let person = self.or_known(asked, |known| known.person_by_key(fingerprint).cloned()).await?;
        Ok(person.filter(|p| !p.is_suspended()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti user@example.com";

    #[test]
    fn an_ed25519_line_is_a_key_and_everything_else_says_why_not() {
        assert!(parse(&format!("  {ED25519}\n")).is_ok());
        for bad in ["", "hello", "ssh-ed25519", "ssh-ed25519 AAAA", "\u{0}", &"x".repeat(100_000), &format!("{ED25519}\n{ED25519}")] {
            assert_eq!(parse(bad).unwrap_err(), KeyError::Unreadable);
        }
        assert_eq!(parse("-----BEGIN OPENSSH PRIVATE KEY-----").unwrap_err(), KeyError::Private);
        assert!(matches!(parse("ssh-dss AAAAB3NzaC1kc3MAAACBAN=="), Err(KeyError::Algorithm { .. })));
    }

    #[test]
    fn a_short_rsa_key_is_refused_with_its_length() {
        use ssh_key::{Mpint, public::RsaPublicKey};
        let rsa = |bytes: usize| {
            let n = Mpint::from_positive_bytes(&vec![0xff; bytes]);
            let e = Mpint::from_positive_bytes(&[1, 0, 1]);
            PublicKey::from(KeyData::Rsa(RsaPublicKey::new(e, n).unwrap())).to_openssh().unwrap()
        };
        assert_eq!(parse(&rsa(256)).unwrap_err(), KeyError::ShortRsa { bits: 2048 });
        assert!(parse(&rsa(384)).is_ok());
    }
}

//! What a verified signature of a client's key is worth.
use russh::{keys::Algorithm, server::VerifiedPublicKey};

/// A signature over this connection.
#[derive(Debug)]
pub(super) struct Signed {
    /// Its algorithm is taken here, and if a security key made it, somebody touched that.
    pub(super) counts: bool,
    /// RFC 4253 section 7.2.
    pub(super) ssh_session_id: Vec<u8>,
}

impl Signed {
    pub(super) fn of(key: &VerifiedPublicKey<'_>) -> Self {
        let counts = acceptable(key.algorithm) && touched(key.algorithm, key.signature.as_bytes());
        Self { counts, ssh_session_id: key.session_id.to_vec() }
    }
}

/// SHA-1 signatures are not taken (RFC 8332 section 5).
pub(super) fn acceptable(algorithm: &Algorithm) -> bool {
    !matches!(algorithm, Algorithm::Rsa { hash: None } | Algorithm::Dsa)
}

/// A security key must have been touched: the last five bytes of its signature are flags and counter
/// (OpenSSH PROTOCOL.u2f, "SSH U2F Signatures").
pub(super) fn touched(algorithm: &Algorithm, signature: &[u8]) -> bool {
    const USER_PRESENT: u8 = 0x01;
    flags(algorithm, signature).is_none_or(|f| f & USER_PRESENT != 0)
}

/// Whether a security key verified its person by PIN or finger (`verify-required`): possession and knowledge in one signature.
pub(super) fn verified(algorithm: &Algorithm, signature: &[u8]) -> bool {
    const BOTH: u8 = 0x01 | 0x04;
    flags(algorithm, signature).is_some_and(|f| f & BOTH == BOTH)
}

/// None if it is no security key's signature.
fn flags(algorithm: &Algorithm, signature: &[u8]) -> Option<u8> {
    if !matches!(algorithm, Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256) {
        return None;
    }
    Some(if signature.len() > 5 { signature[signature.len() - 5] } else { 0 })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use russh::{
        Signer as ClientSigner, client,
        keys::{
            Certificate, HashAlg, PrivateKey, PublicKey, PublicKeyOrCertificate,
            agent::AgentIdentity,
            key::safe_rng,
            signature::Signer as _,
            ssh_key::{
                certificate::Builder,
                public::{KeyData, SkEd25519},
            },
        },
        server,
    };
    use sha2::{Digest, Sha256};
    use std::sync::{Arc, Mutex};

    #[test]
    fn a_security_key_that_was_not_touched_does_not_count() {
        let sig = |flags: u8| [&[0u8; 64][..], &[flags, 0, 0, 0, 1]].concat();
        assert!(touched(&Algorithm::SkEd25519, &sig(0x01)));
        assert!(touched(&Algorithm::SkEd25519, &sig(0x05)));
        assert!(!touched(&Algorithm::SkEd25519, &sig(0x04)));
        assert!(!touched(&Algorithm::SkEcdsaSha2NistP256, &sig(0x00)));
        assert!(!touched(&Algorithm::SkEd25519, &[]));
        assert!(touched(&Algorithm::Ed25519, &[0; 64]));
    }

    #[test]
    fn a_security_key_is_both_factors_only_if_it_verified_its_person() {
        let sig = |flags: u8| [&[0u8; 64][..], &[flags, 0, 0, 0, 1]].concat();
        assert!(verified(&Algorithm::SkEd25519, &sig(0x05)));
        assert!(!verified(&Algorithm::SkEd25519, &sig(0x01)), "touched only");
        assert!(!verified(&Algorithm::SkEd25519, &sig(0x04)), "not touched");
        assert!(!verified(&Algorithm::Ed25519, &sig(0x05)), "not a security key");
    }

    #[test]
    fn sha1_signatures_are_not_taken() {
        assert!(!acceptable(&Algorithm::Rsa { hash: None }));
        assert!(acceptable(&Algorithm::Ed25519));
    }

    const APPLICATION: &str = "ssh:";

    /// A security key in software that says about its person what it is told to.
    struct Fido {
        key: PrivateKey,
        flags: u8,
    }

    impl Fido {
        fn new(flags: u8) -> Self {
            Self { key: key(), flags }
        }
        fn public_key(&self) -> PublicKey {
            let KeyData::Ed25519(bare) = self.key.public_key().key_data() else { unreachable!() };
            PublicKey::new(KeyData::SkEd25519(SkEd25519::new(*bare, APPLICATION)), "")
        }
    }

    impl ClientSigner for Fido {
        type Error = russh::AgentAuthError;
        /// PROTOCOL.u2f: over the hashes of application and message with flags and counter between them, and those two again
        /// behind the signature.
        async fn auth_sign(&mut self, _: &AgentIdentity, _: Option<HashAlg>, mut data: Vec<u8>) -> Result<Vec<u8>, Self::Error> {
            let trailer = [&[self.flags][..], &7u32.to_be_bytes()].concat();
            let over = [&Sha256::digest(APPLICATION)[..], &trailer, &Sha256::digest(&data)[..]].concat();
            let bare = self.key.try_sign(&over).unwrap();
            let string = |s: &[u8]| [&u32::try_from(s.len()).unwrap().to_be_bytes()[..], s].concat();
            let blob = [string(b"sk-ssh-ed25519@openssh.com"), string(bare.as_bytes()), trailer].concat();
            data.extend(string(&blob));
            Ok(data)
        }
    }

    /// What a server learns before it is asked about a certificate.
    #[derive(Clone, Default)]
    struct Learns(Arc<Mutex<Vec<Signed>>>);
    impl server::Handler for Learns {
        type Error = russh::Error;
        async fn openssh_certificate_signed(&mut self, _: &str, _: &Certificate, key: VerifiedPublicKey<'_>) -> Result<(), russh::Error> {
            self.0.lock().unwrap().push(Signed::of(&key));
            Ok(())
        }
        async fn auth_openssh_certificate(&mut self, _: &str, _: &Certificate) -> Result<server::Auth, russh::Error> {
            Ok(server::Auth::Accept)
        }
    }

    struct Trusting;
    impl client::Handler for Trusting {
        type Error = russh::Error;
        async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
            Ok(true)
        }
    }

    fn key() -> PrivateKey {
        PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap()
    }

    async fn sign_in_with_a_certified(mut fido: Fido) -> Signed {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (config, learns) = (server::Config { keys: vec![key()], ..Default::default() }, Learns::default());
        let server = tokio::spawn(server::run_stream(Arc::new(config), ours, learns.clone()));
        let mut client = client::connect_stream(Arc::new(client::Config::default()), theirs, Trusting).await.unwrap();
        let mut b = Builder::new_with_random_nonce(&mut safe_rng(), fido.public_key(), 0, u64::MAX - 1).unwrap();
        b.key_id("ada").unwrap().valid_principal("ada").unwrap();
        let certificate = b.sign(&key()).unwrap();
        let done = client.authenticate_certificate_with("ada", certificate, None, &mut fido).await.unwrap();
        assert!(done.success());
        drop(server);
        let mut learnt = learns.0.lock().unwrap();
        assert_eq!(learnt.len(), 1);
        learnt.remove(0)
    }

    #[tokio::test]
    async fn a_certified_security_key_counts_only_if_it_was_touched() {
        for (flags, counts) in [(0x01, true), (0x05, true), (0x00, false), (0x04, false)] {
            let signed = sign_in_with_a_certified(Fido::new(flags)).await;
            assert_eq!(signed.counts, counts, "flags {flags:#x}");
            assert_eq!(signed.ssh_session_id.len(), 32, "the connection it is bound to is known");
        }
    }
}

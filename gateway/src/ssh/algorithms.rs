//! What we offer. Toward clients and, by default, toward targets: nothing that `ssh-audit` marks.
use anteroom_domain::Profile;
use russh::{
    Preferred, cipher, compression, kex,
    keys::{Algorithm, EcdsaCurve, HashAlg},
    mac,
};
use std::borrow::Cow;

// No finite-field Diffie-Hellman toward clients: all of them know curve25519, and its cost is what floods of handshakes
// live on (CVE-2002-20001, "DHEat").
const KEX: &[kex::Name] = &[
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_SUPPORT_AS_SERVER,
    // Strict key exchange: the cure for Terrapin (CVE-2023-48795).
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
];
const KEX_TO_TARGETS: &[kex::Name] = &[
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::DH_G16_SHA512,
    kex::DH_G18_SHA512,
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_SUPPORT_AS_SERVER,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
];
// What devices of the last twenty years have, after everything better.
const KEX_QUARANTINE: &[kex::Name] = &[
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::DH_G16_SHA512,
    kex::DH_G14_SHA256,
    kex::DH_G14_SHA1,
    kex::DH_G1_SHA1,
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_SUPPORT_AS_SERVER,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
];

/// For clients that know AES-GCM: russh's ChaCha20 costs 2.5 times the CPU, and OpenSSH would choose it.
pub(super) const FAST_CIPHERS: &[cipher::Name] = &[cipher::AES_256_GCM, cipher::AES_128_GCM];
pub(super) const CIPHERS: &[cipher::Name] =
    &[cipher::AES_256_GCM, cipher::AES_128_GCM, cipher::CHACHA20_POLY1305, cipher::AES_256_CTR, cipher::AES_192_CTR, cipher::AES_128_CTR];
const CIPHERS_QUARANTINE: &[cipher::Name] = &[
    cipher::AES_256_GCM,
    cipher::AES_128_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
    cipher::AES_256_CBC,
    cipher::AES_192_CBC,
    cipher::AES_128_CBC,
    cipher::TRIPLE_DES_CBC,
];
const MACS_QUARANTINE: &[mac::Name] =
    &[mac::HMAC_SHA512_ETM, mac::HMAC_SHA256_ETM, mac::HMAC_SHA512, mac::HMAC_SHA256, mac::HMAC_SHA1_ETM, mac::HMAC_SHA1];
const MACS: &[mac::Name] = &[mac::HMAC_SHA512_ETM, mac::HMAC_SHA256_ETM];

const KEYS: &[Algorithm] = &[
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    Algorithm::SkEd25519,
    Algorithm::SkEcdsaSha2NistP256,
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];

/// Offered to clients. The ciphers depend on the client (see `offer`).
pub(super) fn toward_clients() -> Preferred {
    Preferred { kex: Cow::Borrowed(KEX), ..modern() }
}

/// Offered to a target. Legacy algorithms only where its operator put it into quarantine.
pub(super) fn toward(profile: Profile) -> Preferred {
    match profile {
        Profile::Modern => modern(),
        Profile::Quarantine => {
            let mut key = KEYS.to_vec();
            key.push(Algorithm::Rsa { hash: None });
            Preferred {
                kex: Cow::Borrowed(KEX_QUARANTINE),
                key: key.into(),
                cipher: Cow::Borrowed(CIPHERS_QUARANTINE),
                mac: Cow::Borrowed(MACS_QUARANTINE),
                ..modern()
            }
        }
    }
}

pub(super) fn modern() -> Preferred {
    Preferred {
        kex: Cow::Borrowed(KEX_TO_TARGETS),
        key: Cow::Borrowed(KEYS),
        cipher: Cow::Borrowed(CIPHERS),
        mac: Cow::Borrowed(MACS),
        compression: Cow::Borrowed(&[compression::NONE]),
        ..Preferred::default()
    }
}

/// Receive window of a channel, bytes: the bound on what one channel holds in memory.
pub(super) const WINDOW: u32 = 2 << 20;
/// Largest packet we take, bytes.
pub(super) const PACKET: u32 = 32 << 10;
/// Messages a channel may queue. Never the limit: the window is, with `manual_window`.
pub(super) const CHANNEL_MESSAGES: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_is_offered_to_quarantined_targets_alone_and_last() {
        let old = |p: &Preferred| -> Vec<String> {
            let names = p.kex.iter().map(AsRef::as_ref).chain(p.cipher.iter().map(AsRef::as_ref)).chain(p.mac.iter().map(AsRef::as_ref));
            let names: Vec<&str> = names.collect();
            names.into_iter().filter(|n| n.ends_with("-cbc") || n.contains("sha1")).map(str::to_owned).collect()
        };
        for p in [toward_clients(), toward(Profile::Modern)] {
            assert_eq!(old(&p), [""; 0]);
            assert!(!p.key.contains(&Algorithm::Rsa { hash: None }));
        }
        let quarantine = toward(Profile::Quarantine);
        assert!(old(&quarantine).contains(&"3des-cbc".to_owned()));
        assert_eq!(quarantine.cipher.last().map(AsRef::as_ref), Some("3des-cbc"));
    }
}

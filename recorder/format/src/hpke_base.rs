//! HPKE (RFC 9180) in the suites of envelopes and releases: base mode, one message, HKDF-SHA256 and AES-256-GCM over either curve.
//!
//! Keys in memory go through the hpke crate. A token gives away one thing only, the Diffie-Hellman value; [`open_agreed`] does the rest.
use crate::{
    Curve, PublicKey,
    opener::{OpenError, Opener, Share, Wrapped},
};
use anteroom_domain::Secret;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use hkdf::{Hkdf, HkdfExtract};
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable,
    aead::AesGcm256,
    kdf::HkdfSha256,
    kem::{DhP256HkdfSha256, X25519HkdfSha256},
    rand_core::CryptoRng,
};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Wraps `plain` to a public key; the encapsulated key and the ciphertext.
pub(crate) fn seal(to: &PublicKey, plain: &[u8], info: &[u8], aad: &[u8], rng: &mut impl CryptoRng) -> Option<(Vec<u8>, Vec<u8>)> {
    match to.curve() {
        Curve::X25519 => seal_with::<X25519HkdfSha256>(to, plain, info, aad, rng),
        Curve::P256 => seal_with::<DhP256HkdfSha256>(to, plain, info, aad, rng),
    }
}

fn seal_with<K: Kem>(to: &PublicKey, plain: &[u8], info: &[u8], aad: &[u8], rng: &mut impl CryptoRng) -> Option<(Vec<u8>, Vec<u8>)> {
    let to = K::PublicKey::from_bytes(to.as_bytes()).ok()?;
    let (enc, ct) = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, K>(&OpModeS::Base, &to, info, plain, aad, rng).ok()?;
    Some((enc.to_bytes().to_vec(), ct))
}

/// Opens with a private key in memory.
pub(crate) fn open<K: Kem>(private: &[u8; 32], w: &Wrapped<'_>) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let refused = |_| OpenError::Refused;
    let private = K::PrivateKey::from_bytes(private).map_err(refused)?;
    let enc = K::EncappedKey::from_bytes(w.enc).map_err(refused)?;
    let plain = hpke::single_shot_open::<AesGcm256, HkdfSha256, K>(&OpModeR::Base, &private, &enc, w.info, w.ct, w.aad);
    plain.map(Zeroizing::new).map_err(refused)
}

pub(crate) fn share_of(plaintext: &[u8]) -> Result<Share, OpenError> {
    Ok(Secret::new(plaintext.try_into().map_err(|_| OpenError::Refused)?))
}

/// Opens with `dh`, the Diffie-Hellman value of `recipient`'s private key and `wrapped.enc`: for P-256, which is all that is done here, the
/// x coordinate (RFC 9180 section 4.1). Whoever computes it refuses first an `enc` that is no point of the curve: see [`check_enc`].
pub fn open_agreed(recipient: &PublicKey, dh: &Secret<[u8; 32]>, w: &Wrapped<'_>) -> Result<Share, OpenError> {
    if recipient.curve() != Curve::P256 {
        return Err(OpenError::Away("tokens open what was wrapped to P-256 keys only".into()));
    }
    let shared_secret = decapsulate(recipient, dh, w.enc)?;
    let (key, nonce) = key_schedule(&shared_secret, w.info)?;
    let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).map(LessSafeKey::new).map_err(|_| OpenError::Refused)?;
    let mut text = Zeroizing::new(w.ct.to_vec());
    // The first and only message: sequence 0, so the nonce is the base nonce (section 5.2).
    let text = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(w.aad), &mut text).map_err(|_| OpenError::Refused)?;
    share_of(text)
}

/// Whether `enc` is a point that a private key may be used with (section 7.1.4): a token need not look.
pub fn check_enc(curve: Curve, enc: &[u8]) -> Result<(), OpenError> {
    PublicKey::from_bytes(curve, enc).map(|_| ()).map_err(|_| OpenError::Refused)
}

/// Wraps something to the key's public half and opens it again: a public half that is another's would take what nobody can open.
pub fn prove(key: &dyn Opener, rng: &mut impl CryptoRng) -> Result<(), OpenError> {
    let mut share = Zeroizing::new([0u8; 32]);
    rng.fill_bytes(share.as_mut_slice());
    let (info, aad) = (b"anteroom key proof", b"");
    let (enc, ct) = seal(key.public(), share.as_slice(), info, aad, rng).ok_or(OpenError::Refused)?;
    let opened = key.open(&Wrapped { enc: &enc, ct: &ct, info, aad })?;
    if opened == Secret::new(*share) { Ok(()) } else { Err(OpenError::Refused) }
}

const VERSION: &[u8] = b"HPKE-v1";
/// Sections 4.1 and 7.1: DHKEM(P-256, HKDF-SHA256) is 0x0010.
const KEM_SUITE: &[u8] = b"KEM\x00\x10";
/// Sections 5.1 and 7: the KEM, HKDF-SHA256 (0x0001), AES-256-GCM (0x0002).
const SUITE: &[u8] = b"HPKE\x00\x10\x00\x01\x00\x02";

/// ExtractAndExpand(dh, concat(enc, pkRm)) of section 4.1.
fn decapsulate(recipient: &PublicKey, dh: &Secret<[u8; 32]>, enc: &[u8]) -> Result<Zeroizing<[u8; 32]>, OpenError> {
    let (_, prk) = extract(&[], KEM_SUITE, b"eae_prk", dh.expose());
    expand(&prk, KEM_SUITE, b"shared_secret", &[enc, recipient.as_bytes()])
}

type KeyAndNonce = (Zeroizing<[u8; 32]>, Zeroizing<[u8; 12]>);

/// KeySchedule of section 5.1 in mode_base (0), without a PSK: key and base_nonce.
fn key_schedule(shared_secret: &[u8; 32], info: &[u8]) -> Result<KeyAndNonce, OpenError> {
    let (psk_id_hash, _) = extract(&[], SUITE, b"psk_id_hash", b"");
    let (info_hash, _) = extract(&[], SUITE, b"info_hash", info);
    let context: [&[u8]; 3] = [&[0], psk_id_hash.as_slice(), info_hash.as_slice()];
    let (_, secret) = extract(shared_secret, SUITE, b"secret", b"");
    Ok((expand(&secret, SUITE, b"key", &context)?, expand(&secret, SUITE, b"base_nonce", &context)?))
}

/// LabeledExtract of section 4: the key as bytes, and ready to be expanded.
fn extract(salt: &[u8], suite: &[u8], label: &[u8], ikm: &[u8]) -> (Zeroizing<[u8; 32]>, Hkdf<Sha256>) {
    let mut e = HkdfExtract::<Sha256>::new(Some(salt));
    [VERSION, suite, label, ikm].iter().for_each(|part| e.input_ikm(part));
    let (prk, hkdf) = e.finalize();
    (Zeroizing::new(prk.into()), hkdf)
}

/// LabeledExpand of section 4, to `N` bytes.
fn expand<const N: usize>(prk: &Hkdf<Sha256>, suite: &[u8], label: &[u8], info: &[&[u8]]) -> Result<Zeroizing<[u8; N]>, OpenError> {
    let length = u16::try_from(N).map_err(|_| OpenError::Refused)?.to_be_bytes();
    let parts: Vec<&[u8]> = [&length[..], VERSION, suite, label].into_iter().chain(info.iter().copied()).collect();
    let mut out = Zeroizing::new([0u8; N]);
    prk.expand_multi_info(&parts, out.as_mut_slice()).map_err(|_| OpenError::Refused)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::PrivateKey;
    use proptest::prelude::*;

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    /// What a token would answer.
    fn agree(private: &[u8], enc: &[u8]) -> Secret<[u8; 32]> {
        let private = p256::SecretKey::from_slice(private).unwrap();
        let enc = p256::PublicKey::from_sec1_bytes(enc).unwrap();
        let dh = p256::ecdh::diffie_hellman(private.to_nonzero_scalar(), enc.as_affine());
        Secret::new((*dh.raw_secret_bytes()).into())
    }

    #[test]
    fn decapsulation_is_that_of_the_rfc() {
        // RFC 9180 A.3.1; its AEAD is AES-128-GCM, so what follows is not ours.
        let (enc, public) = (
            "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4",
            "04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0",
        );
        let dh = agree(&unhex("f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2"), &unhex(enc));
        let public = PublicKey::from_bytes(Curve::P256, &unhex(public)).unwrap();
        let shared = decapsulate(&public, &dh, &unhex(enc)).unwrap();
        assert_eq!(crate::hex(shared.as_slice()), "c0d26aeab536609a572b07695d933b589dcf363ff9d93c93adea537aeabb8cb8");
    }

    #[test]
    fn the_key_schedule_is_that_of_the_cfrgs_vectors() {
        // The CFRG's test-vectors.json, of which the RFC's appendix is a selection: mode 0, KEM 16, KDF 1, AEAD 2.
        let shared = unhex("48893fecd82f7c3456af6a42d8f56325d21e08c10fa81299986aaff54cde7b49");
        let (key, nonce) = key_schedule(&shared.try_into().unwrap(), b"Ode on a Grecian Urn").unwrap();
        assert_eq!(crate::hex(key.as_slice()), "ee16802a936d5f544771131900ee6973d0551de9e852ece2ef34bf0d5f9e1d1d");
        assert_eq!(crate::hex(nonce.as_slice()), "9bc50980832a7b4b58c40161");
    }

    proptest! {
        #[test]
        fn what_the_hpke_crate_seals_opens_by_agreement_and_only_as_it_was_sealed(
            seed: [u8; 32], share: [u8; 32], info in prop::collection::vec(any::<u8>(), 0..80),
            aad in prop::collection::vec(any::<u8>(), 0..80), flip in 0usize..113,
        ) {
            let key = PrivateKey::derive(Curve::P256, &seed);
            let scalar: [u8; 32] = DhP256HkdfSha256::derive_keypair(&seed).0.to_bytes().into();
            let (enc, ct) = seal(key.public(), &share, &info, &aad, &mut hpke::rand_core::UnwrapErr(getrandom::SysRng)).unwrap();
            let w = Wrapped { enc: &enc, ct: &ct, info: &info, aad: &aad };
            prop_assert_eq!(open_agreed(key.public(), &agree(&scalar, &enc), &w).unwrap(), Secret::new(share));
            let (mut enc2, mut ct2) = (enc.clone(), ct.clone());
            if flip < 65 { enc2[flip] ^= 1 } else { ct2[flip - 65] ^= 1 }
            let w = Wrapped { enc: &enc2, ct: &ct2, info: &info, aad: &aad };
            let agreed = check_enc(Curve::P256, &enc2).map(|()| agree(&scalar, &enc2));
            prop_assert_eq!(agreed.and_then(|dh| open_agreed(key.public(), &dh, &w)).unwrap_err(), OpenError::Refused);
        }
    }
}

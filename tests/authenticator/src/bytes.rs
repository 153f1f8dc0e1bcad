//! The few CBOR structures an authenticator writes (CTAP2 canonical form), by hand.
use p256::ecdsa::SigningKey;

/// COSE_Key of type EC2, ES256, P-256 (RFC 9053 section 7.1).
pub(crate) fn cose_es256(key: &SigningKey) -> Vec<u8> {
    let point = key.verifying_key().to_sec1_point(false);
    let raw = point.as_bytes(); // 0x04, x, y
    let mut v = vec![
        0xa5, // map of 5
        0x01, 0x02, // kty: EC2
        0x03, 0x26, // alg: -7
        0x20, 0x01, // crv: P-256
    ];
    v.extend([0x21, 0x58, 0x20]); // x: 32 bytes
    v.extend(&raw[1..33]);
    v.extend([0x22, 0x58, 0x20]); // y: 32 bytes
    v.extend(&raw[33..65]);
    v
}

/// `{"fmt": "none", "attStmt": {}, "authData": ...}` (WebAuthn section 8.7).
pub(crate) fn attestation_none(auth_data: &[u8]) -> Vec<u8> {
    let mut v = vec![0xa3];
    text(&mut v, "fmt");
    text(&mut v, "none");
    text(&mut v, "attStmt");
    v.push(0xa0);
    text(&mut v, "authData");
    v.push(0x59); // byte string with a 16-bit length
    v.extend((auth_data.len() as u16).to_be_bytes());
    v.extend(auth_data);
    v
}

/// A text of fewer than 24 bytes.
fn text(v: &mut Vec<u8>, s: &str) {
    v.push(0x60 | s.len() as u8);
    v.extend(s.as_bytes());
}

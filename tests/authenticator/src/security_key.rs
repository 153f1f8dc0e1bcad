use super::{Error, UP, UV, new_key};
use base64::{Engine, engine::general_purpose::STANDARD};
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sha2::{Digest, Sha256};

const ALGORITHM: &str = "sk-ecdsa-sha2-nistp256@openssh.com";
/// What `ssh-keygen` takes as the relying party.
const APPLICATION: &str = "ssh:";

/// A FIDO security key as OpenSSH uses one for `sk-ecdsa-sha2-nistp256@openssh.com` (OpenSSH PROTOCOL.u2f), made of software.
pub struct SecurityKey {
    key: SigningKey,
    touched: bool,
    verified: bool,
    counter: u32,
}

impl std::fmt::Debug for SecurityKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecurityKey").field("touched", &self.touched).field("verified", &self.verified).finish_non_exhaustive()
    }
}

impl SecurityKey {
    /// A new one, whose owner touches it and gives a PIN each time.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { key: new_key()?, touched: true, verified: true, counter: 0 })
    }

    /// Whether a PIN or a finger is given from now on.
    pub fn set_user_verification(&mut self, on: bool) {
        self.verified = on;
    }
    /// Whether somebody touches it from now on.
    pub fn set_user_presence(&mut self, on: bool) {
        self.touched = on;
    }

    /// The public key as it goes over the wire: `string` type, `string` curve, `string` point, `string` application.
    pub fn public_blob(&self) -> Vec<u8> {
        let point = self.key.verifying_key().to_sec1_point(false);
        [ALGORITHM.as_bytes(), b"nistp256", point.as_bytes(), APPLICATION.as_bytes()].map(ssh_string).concat()
    }

    /// The line of a `.pub` file.
    pub fn public_line(&self) -> String {
        format!("{ALGORITHM} {} security key\n", STANDARD.encode(self.public_blob()))
    }

    /// Signs; the signature as it goes over the wire, with flags and counter behind it.
    pub fn sign(&mut self, message: &[u8]) -> Vec<u8> {
        self.counter = self.counter.wrapping_add(1);
        let flags = if self.touched { UP } else { 0 } | if self.verified { UV } else { 0 };
        let trailer = [&[flags][..], &self.counter.to_be_bytes()].concat();
        let over = [&Sha256::digest(APPLICATION)[..], &trailer, &Sha256::digest(message)[..]].concat();
        let signature: Signature = self.key.sign(&over);
        let (r, s) = signature.split_bytes();
        let numbers = [mpint(&r), mpint(&s)].concat();
        [ssh_string(ALGORITHM.as_bytes()), ssh_string(&numbers), trailer].concat()
    }
}

/// A `string` of the SSH protocols (RFC 4251 section 5).
pub fn ssh_string(bytes: &[u8]) -> Vec<u8> {
    let mut v = (bytes.len() as u32).to_be_bytes().to_vec();
    v.extend(bytes);
    v
}

/// RFC 4251 section 5: no leading zeros, but one before a set top bit.
fn mpint(bytes: &[u8]) -> Vec<u8> {
    let first = bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len());
    let mut number = bytes[first..].to_vec();
    if number.first().is_some_and(|b| b & 0x80 != 0) {
        number.insert(0, 0);
    }
    ssh_string(&number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_rfc_4251_shows_them() {
        assert_eq!(mpint(&[0, 0]), [0, 0, 0, 0]);
        assert_eq!(mpint(&[0, 0x09, 0xa3]), [0, 0, 0, 2, 0x09, 0xa3]);
        assert_eq!(mpint(&[0x80]), [0, 0, 0, 2, 0, 0x80]);
    }
}

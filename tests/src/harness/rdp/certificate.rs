//! A certificate of its own signing, as Windows hosts make theirs.
use anyhow::{Context, Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use sha2::{Digest as _, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

#[derive(Debug, Clone)]
pub struct Certificate {
    pub file: PathBuf,
    pub key: PathBuf,
}

impl Certificate {
    /// Makes `NAME.crt` and `NAME.key`, unless they are there.
    pub fn make(dir: &Path, name: &str) -> Result<Self> {
        let this = Self { file: dir.join(format!("{name}.crt")), key: dir.join(format!("{name}.key")) };
        if this.file.exists() && this.key.exists() {
            return Ok(this);
        }
        fs::create_dir_all(dir)?;
        let mut openssl = Command::new("openssl");
        // RSA, because the servers here want a key that could do the old RDP security too.
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", &format!("/CN={name}")]);
        let made = openssl.arg("-keyout").arg(&this.key).arg("-out").arg(&this.file).output().context("cannot run openssl")?;
        if !made.status.success() {
            bail!("openssl: {}", String::from_utf8_lossy(&made.stderr).trim());
        }
        Ok(this)
    }

    pub fn pem(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.file)?)
    }

    pub fn der(&self) -> Result<Vec<u8>> {
        let pem = self.pem()?;
        let body: String =
            pem.lines().skip_while(|l| !l.starts_with("-----BEGIN")).skip(1).take_while(|l| !l.starts_with("-----END")).collect();
        BASE64.decode(body).context("no certificate")
    }

    /// SHA-256 of the whole certificate, lower-case hexadecimal without colons.
    pub fn fingerprint(&self) -> Result<String> {
        Ok(Sha256::digest(self.der()?).iter().map(|b| format!("{b:02x}")).collect())
    }
}

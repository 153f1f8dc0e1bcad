//! Keys of hosts: our own, and those of targets that an operator wants to pin.
use super::algorithms;
use russh::keys::{Algorithm, PrivateKey, PublicKey, PublicKeyOrCertificate};
use std::{io, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc, time::Duration};

#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    #[error("host key {path}: {source}")]
    Read { path: String, source: io::Error },
    #[error("host key {path}: not an unencrypted OpenSSH private key")]
    Parse { path: String },
    #[error("could not make a host key")]
    Generate,
    #[error("no answer: {0}")]
    NoAnswer(String),
}

pub fn load_host_key(path: &Path) -> Result<PrivateKey, HostKeyError> {
    let name = || path.display().to_string();
    let pem = zeroize::Zeroizing::new(std::fs::read_to_string(path).map_err(|source| HostKeyError::Read { path: name(), source })?);
    PrivateKey::from_openssh(pem.as_str()).ok().filter(|k| !k.is_encrypted()).ok_or_else(|| HostKeyError::Parse { path: name() })
}

/// Makes an Ed25519 host key in a new file that only its owner can read. An existing file is an error.
pub fn generate_host_key(path: &Path) -> Result<PrivateKey, HostKeyError> {
    let key = PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).map_err(|_| HostKeyError::Generate)?;
    let pem = key.to_openssh(Default::default()).map_err(|_| HostKeyError::Generate)?;
    let write = || -> io::Result<()> {
        let mut f = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        io::Write::write_all(&mut f, pem.as_bytes())?;
        f.sync_all()
    };
    write().map_err(|source| HostKeyError::Read { path: path.display().to_string(), source })?;
    Ok(key)
}

struct Look(Arc<std::sync::Mutex<Option<PublicKey>>>);

impl russh::client::Handler for Look {
    type Error = russh::Error;
    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        if let PublicKeyOrCertificate::PublicKey { key, .. } = key {
            *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(key.clone());
        }
        // Never goes further: this only looks.
        Ok(false)
    }
}

/// Asks a target for its host keys, one connection an algorithm, so that an operator can compare and pin them.
/// Nothing is trusted by looking.
pub async fn scan_host_keys(host: &str, port: u16, timeout: Duration) -> Result<Vec<PublicKey>, HostKeyError> {
    let mut found: Vec<PublicKey> = Vec::new();
    let mut last = String::from("it offers no key we know");
    for algorithm in algorithms::modern().key.iter() {
        let mut preferred = algorithms::modern();
        preferred.key = vec![algorithm.clone()].into();
        let config = russh::client::Config { preferred, ..Default::default() };
        let seen = Arc::default();
        match tokio::time::timeout(timeout, russh::client::connect(Arc::new(config), (host, port), Look(Arc::clone(&seen)))).await {
            Ok(Ok(_)) | Ok(Err(russh::Error::UnknownKey)) => {}
            Ok(Err(russh::Error::NoCommonAlgo { .. })) => continue,
            Ok(Err(e)) => last = e.to_string(),
            Err(_) => {
                last = format!("nothing within {} s", timeout.as_secs());
                break;
            }
        }
        let key = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(key) = key.filter(|k| found.iter().all(|f| f.key_data() != k.key_data())) {
            found.push(key);
        }
    }
    if found.is_empty() { Err(HostKeyError::NoAnswer(last)) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_made_host_key_can_be_loaded_and_is_never_overwritten() {
        let dir = std::env::temp_dir().join(format!("anteroom-hk-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&dir).unwrap();
        let path = dir.join("host");
        let key = generate_host_key(&path).unwrap();
        assert_eq!(load_host_key(&path).unwrap().public_key(), key.public_key());
        assert!(generate_host_key(&path).is_err());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}

//! Files with 32 secret bytes: the vault's key, the audit log's and the manifests' signing seeds.
use anteroom_domain::Secret;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use std::{
    fs::OpenOptions,
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};
use zeroize::Zeroizing;

const LABEL: &str = "anteroom-secret-v1";

#[derive(Debug, thiserror::Error)]
pub(crate) enum SeedError {
    #[error("{0}")]
    File(io::Error),
    #[error("may be read by others (mode {0:04o}); make it private with chmod 600")]
    TooOpen(u32),
    #[error("is no key file: expected a line \"{LABEL} BASE64\"; make one with: anteroom keys generate")]
    Form,
    #[error("the system gives no random bytes")]
    Random,
}

pub(crate) fn read(path: &Path) -> Result<Secret<[u8; 32]>, SeedError> {
    let mut file = OpenOptions::new().read(true).open(path).map_err(SeedError::File)?;
    let mode = file.metadata().map_err(SeedError::File)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SeedError::TooOpen(mode));
    }
    let mut text = Zeroizing::new(String::new());
    (&mut file).take(4096).read_to_string(&mut text).map_err(SeedError::File)?;
    let encoded = text.trim().strip_prefix(LABEL).ok_or(SeedError::Form)?;
    let bytes = Zeroizing::new(BASE64.decode(encoded.trim()).map_err(|_| SeedError::Form)?);
    Ok(Secret::new(bytes.as_slice().try_into().map_err(|_| SeedError::Form)?))
}

/// Writes a fresh key, 0600. An existing file is an error: nothing is lost by a second call.
pub(crate) fn generate(path: &Path) -> Result<(), SeedError> {
    let mut bytes = Zeroizing::new([0u8; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|_| SeedError::Random)?;
    let line = Zeroizing::new(format!("{LABEL} {}\n", BASE64.encode(bytes.as_slice())));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(SeedError::File)?;
    file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(SeedError::File)
}

//! Key files. A private key file that others may read is refused.
use super::CustodyError;
use anteroom_format::{PrivateKey, PublicKey};
use std::{
    fs::OpenOptions,
    io::{Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};
use zeroize::Zeroizing;

/// A fresh key.
pub fn generate() -> Result<PrivateKey, CustodyError> {
    let mut seed = Zeroizing::new([0u8; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(|_| CustodyError::Random)?;
    Ok(PrivateKey::from_seed(&seed))
}

/// Writes `path` (0600, must not exist) and `path` with `.pub` appended; returns the public half.
pub fn generate_files(path: &Path) -> Result<PublicKey, CustodyError> {
    let key = generate()?;
    let public = *key.public();
    write_new(path, &key.to_line(), 0o600)?;
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    write_new(Path::new(&name), &public.to_string(), 0o644)?;
    Ok(public)
}

/// Reads a private key file; it must be readable by its owner only.
pub fn read_private(path: &Path) -> Result<PrivateKey, CustodyError> {
    read_secret(path)?.parse().map_err(|source| CustodyError::Key { path: path.into(), source })
}

/// The text of a small file that only its owner may read: a key, a PIN.
pub(super) fn read_secret(path: &Path) -> Result<Zeroizing<String>, CustodyError> {
    let err = |source| CustodyError::File { path: path.into(), source };
    let mut file = OpenOptions::new().read(true).open(path).map_err(err)?;
    let mode = file.metadata().map_err(err)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(CustodyError::TooOpen { path: path.into(), mode });
    }
    let mut text = Zeroizing::new(String::with_capacity(4096));
    (&mut file).take(4096).read_to_string(&mut text).map_err(err)?;
    Ok(text)
}

/// Reads a public key file.
pub fn read_public(path: &Path) -> Result<PublicKey, CustodyError> {
    let err = |source| CustodyError::File { path: path.into(), source };
    let mut text = String::new();
    OpenOptions::new().read(true).open(path).map_err(err)?.take(4096).read_to_string(&mut text).map_err(err)?;
    text.parse().map_err(|source| CustodyError::Key { path: path.into(), source })
}

fn write_new(path: &Path, line: &str, mode: u32) -> Result<(), CustodyError> {
    let err = |source| CustodyError::File { path: path.into(), source };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(err)?;
    file.write_all(line.as_bytes()).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all()).map_err(err)
}

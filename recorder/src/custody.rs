//! Key files. A private key file that others may read is refused.
use anteroom_format::{KeyError, PrivateKey, PublicKey};
use std::{
    fs::OpenOptions,
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

#[derive(Debug, thiserror::Error)]
pub enum CustodyError {
    #[error("key file {path:?}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("private key file {path:?} may be read by others (mode {mode:04o}); make it private with: chmod 600 {}", path.display())]
    TooOpen { path: PathBuf, mode: u32 },
    #[error("key file {path:?}: {source}")]
    Key { path: PathBuf, source: KeyError },
    #[error("the system gives no random bytes")]
    Random,
}

/// A fresh key.
pub fn generate() -> Result<PrivateKey, CustodyError> {
    let mut seed = Zeroizing::new([0u8; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(|_| CustodyError::Random)?;
    Ok(PrivateKey::from_seed(&seed))
}

/// Writes `path` (0600, must not exist) and `path` with `.pub` appended; returns the public half.
pub fn generate_files(path: &Path) -> Result<PublicKey, CustodyError> {
    let key = generate()?;
    let public = key.public().map_err(|source| CustodyError::Key { path: path.into(), source })?;
    write_new(path, &key.to_line(), 0o600)?;
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    write_new(Path::new(&name), &public.to_string(), 0o644)?;
    Ok(public)
}

/// Reads a private key file; it must be readable by its owner only.
pub fn read_private(path: &Path) -> Result<PrivateKey, CustodyError> {
    let err = |source| CustodyError::File { path: path.into(), source };
    let mut file = OpenOptions::new().read(true).open(path).map_err(err)?;
    let mode = file.metadata().map_err(err)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(CustodyError::TooOpen { path: path.into(), mode });
    }
    let mut text = Zeroizing::new(String::new());
    (&mut file).take(4096).read_to_string(&mut text).map_err(err)?;
    text.parse().map_err(|source| CustodyError::Key { path: path.into(), source })
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

//! Who keeps the private keys that open recordings. [`Opener`] is the seam: a file and a PKCS#11 token are behind it today.
//!
//! Adding a provider (Vault, a cloud's KMS) is: a scheme in [`KeyAddress`], and a type that does [`Opener::open`]. A service that computes
//! a P-256 Diffie-Hellman value and keeps the key needs [`anteroom_format::open_agreed`] beside it and nothing else.
mod file;
mod folder;
mod pkcs11;
mod rotation;
mod uri;

pub use anteroom_format::{OpenError, Opener, Share, Wrapped};
pub use file::{generate, generate_files, read_private, read_public};
pub use pkcs11::generate as generate_in_token;
pub use rotation::{Failed, MAX_TOLD, Rotated, Rotation, Survey, survey};
pub use uri::Pkcs11Uri;

use anteroom_format::KeyError;
use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

#[derive(Debug, thiserror::Error)]
pub enum CustodyError {
    #[error("key file {path:?}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("{path:?} may be read by others (mode {mode:04o}); make it private with: chmod 600 {}", path.display())]
    TooOpen { path: PathBuf, mode: u32 },
    #[error("key file {path:?}: {source}")]
    Key { path: PathBuf, source: KeyError },
    #[error("the system gives no random bytes")]
    Random,
    #[error("pkcs11 address: {0}")]
    Uri(String),
    #[error("{token}: {why}")]
    Token { token: String, why: String },
}

/// Where a private key is: a path, or a PKCS#11 URI. Holds no secret: a PIN is in a file that the URI names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyAddress {
    File(PathBuf),
    Pkcs11(Pkcs11Uri),
}

impl KeyAddress {
    /// Relative paths count from `base`.
    pub fn parse(text: &str, base: &Path) -> Result<Self, CustodyError> {
        if text.starts_with("pkcs11:") {
            Ok(Self::Pkcs11(Pkcs11Uri::parse(text, base)?))
        } else {
            Ok(Self::File(base.join(text.strip_prefix("file:").unwrap_or(text))))
        }
    }

    /// Reads the file, or signs in to the token and finds the key there.
    pub fn open(&self) -> Result<Arc<dyn Opener>, CustodyError> {
        Ok(match self {
            Self::File(path) => Arc::new(read_private(path)?),
            Self::Pkcs11(uri) => Arc::new(pkcs11::TokenKey::open(uri)?),
        })
    }

    /// What can be seen without asking a token: files are there and nobody else reads them.
    pub fn check(&self) -> Result<(), CustodyError> {
        match self {
            Self::File(path) => read_private(path).map(|_| ()),
            Self::Pkcs11(uri) => uri.check(),
        }
    }
}

impl fmt::Display for KeyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Pkcs11(uri) => uri.fmt(f),
        }
    }
}

/// Opens the key at `address`, as it is written in configurations. Relative paths count from the working directory.
pub fn open(address: &str) -> Result<Arc<dyn Opener>, CustodyError> {
    KeyAddress::parse(address, Path::new("."))?.open()
}

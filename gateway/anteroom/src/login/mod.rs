//! What `anteroom login` is made of: the key and certificate on disk, the portal it asks, and the address it remembers.
//!
//! It runs on people's own machines: no configuration of a gateway, no database.
mod identity;
mod portal;
mod remembered;

pub(crate) use identity::{Identity, Issued, until};
pub(crate) use portal::{Answer, Asked, Portal, origin};
pub(crate) use remembered::{recall, remember};

use crate::cli::Usage;
use std::path::PathBuf;

/// The person's own directory; where keys and the remembered portal are.
pub(crate) fn home() -> Result<PathBuf, Usage> {
    std::env::home_dir()
        .filter(|h| h.is_absolute())
        .ok_or_else(|| Usage("the variable HOME names no directory; set it, or give the key's place with --key".into()))
}

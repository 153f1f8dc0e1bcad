//! The keys of one installation, made in one go.
use crate::config::generate_seed;
use anteroom_recorder::custody;
use anyhow::{Context, Result};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

/// File names in a key directory.
pub(crate) const VAULT: &str = "vault.key";
pub(crate) const AUDIT_LOG: &str = "audit-log.key";
pub(crate) const MANIFEST: &str = "manifest.key";
pub(crate) const SSH_HOST: &str = "ssh-host.key";
pub(crate) const CUSTODY_MASKED: &str = "custody-masked.key";
pub(crate) const CUSTODY_SEALED: [&str; 2] = ["custody-sealed-a.key", "custody-sealed-b.key"];

/// Makes every key that is missing in `dir` (0700); keys that are there stay. Returns the names of those made.
pub(crate) fn generate(dir: &Path) -> Result<Vec<&'static str>> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).with_context(|| format!("cannot protect {}", dir.display()))?;
    let mut made = Vec::new();
    let missing = |name: &str| !dir.join(name).exists();
    for name in [VAULT, AUDIT_LOG, MANIFEST] {
        if missing(name) {
            generate_seed(&dir.join(name)).with_context(|| format!("cannot make {name}"))?;
            made.push(name);
        }
    }
    for name in [CUSTODY_MASKED, CUSTODY_SEALED[0], CUSTODY_SEALED[1]] {
        // Private halves are moved to where they belong; the public one says that there is one.
        if missing(name) && missing(&format!("{name}.pub")) {
            custody::generate_files(&dir.join(name)).with_context(|| format!("cannot make {name}"))?;
            made.push(name);
        }
    }
    if missing(SSH_HOST) {
        anteroom_gateway::ssh::generate_host_key(&dir.join(SSH_HOST)).context("cannot make the SSH host key")?;
        made.push(SSH_HOST);
    }
    Ok(made)
}

//! Finds Debian's server binaries, which are not on the PATH.
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

const ROOT: &str = "/usr/lib/postgresql";
/// sqlx and our SQL are tested from here on.
const OLDEST: u32 = 15;

/// The directory with `postgres` and `initdb`: of the version that made `data`, or else the newest.
pub(super) fn find(data: &Path) -> Result<PathBuf> {
    let mut versions: Vec<u32> = std::fs::read_dir(ROOT)
        .into_iter()
        .flatten()
        .filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok())
        .filter(|v| *v >= OLDEST && bin(*v).join("postgres").exists() && bin(*v).join("initdb").exists())
        .collect();
    versions.sort_unstable();
    let newest = versions
        .last()
        .copied()
        .with_context(|| format!("no Postgres server {OLDEST} or newer under {ROOT}; install it: apt-get install postgresql"))?;
    let Ok(made_by) = std::fs::read_to_string(data.join("PG_VERSION")) else { return Ok(bin(newest)) };
    match made_by.trim().parse() {
        Ok(v) if versions.contains(&v) => Ok(bin(v)),
        _ => bail!(
            "{} was made by Postgres {}, which is not installed; install that version or remove the directory",
            data.display(),
            made_by.trim()
        ),
    }
}

fn bin(version: u32) -> PathBuf {
    Path::new(ROOT).join(version.to_string()).join("bin")
}

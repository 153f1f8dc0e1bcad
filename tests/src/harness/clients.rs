//! Other people's Python programs, in the venv that `deploy/setup` makes.
use anyhow::{Result, ensure};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A program of the venv: `python`, `ansible-playbook`, `ssh-audit`.
pub fn venv(program: &str) -> Result<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target").join("test-venv/bin").join(program);
    ensure!(found.exists(), "{} is missing; run: deploy/setup test-venv", found.display());
    Ok(found)
}

/// One of ours in `tests/clients`, about to be run.
pub fn python_client(script: &str) -> Result<Command> {
    let mut c = Command::new(venv("python")?);
    // Nothing is written beside the sources.
    c.arg("-B").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(script));
    Ok(c)
}

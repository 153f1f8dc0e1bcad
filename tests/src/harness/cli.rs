//! The program `anteroom` as somebody at a shell uses it.
use anyhow::{Context, Result, bail};
use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A finished command.
#[derive(Debug, Clone)]
pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// Its standard output, if it succeeded.
    pub fn good(self) -> Result<String> {
        if self.code != Some(0) {
            bail!("exit status {:?}\nstdout: {}\nstderr: {}", self.code, self.stdout, self.stderr);
        }
        Ok(self.stdout)
    }

    /// Everything it said.
    pub fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// Runs commands about one configuration.
#[derive(Debug, Clone)]
pub struct Cli {
    program: PathBuf,
    config: Option<PathBuf>,
}

impl Cli {
    pub fn new(config: Option<&Path>) -> Result<Self> {
        Ok(Self { program: program()?, config: config.map(Path::to_owned) })
    }

    pub fn program(&self) -> &Path {
        &self.program
    }

    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, args: &[S]) -> Result<Finished> {
        self.run_with(args, b"")
    }

    pub fn run_with<S: AsRef<std::ffi::OsStr>>(&self, args: &[S], stdin: &[u8]) -> Result<Finished> {
        let mut c = Command::new(&self.program);
        c.args(args).env_remove("ANTEROOM_LOG").env_remove("ANTEROOM_AS");
        match &self.config {
            Some(f) => c.env("ANTEROOM_CONFIG", f),
            None => c.env_remove("ANTEROOM_CONFIG"),
        };
        let mut child = c.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        if let Some(mut pipe) = child.stdin.take() {
            // A command that wants no input may be gone already.
            let _ = pipe.write_all(stdin);
        }
        let out = child.wait_with_output()?;
        Ok(Finished {
            code: out.status.code(),
            stdout: String::from_utf8_lossy(&out.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
        })
    }

    /// Runs what has to succeed.
    pub fn good(&self, args: &[&str]) -> Result<String> {
        self.run(args)?.good().with_context(|| format!("anteroom {}", args.join(" ")))
    }

    pub fn good_with(&self, args: &[&str], stdin: &[u8]) -> Result<String> {
        self.run_with(args, stdin)?.good().with_context(|| format!("anteroom {}", args.join(" ")))
    }
}

/// `ANTEROOM_BIN`, or the one that was built beside this very test.
fn program() -> Result<PathBuf> {
    if let Some(p) = std::env::var_os("ANTEROOM_BIN") {
        return Ok(p.into());
    }
    let here = std::env::current_exe().context("where am I")?;
    let found = here.ancestors().skip(1).take(2).map(|d| d.join("anteroom")).find(|p| p.is_file());
    found.with_context(|| format!("no program \"anteroom\" beside {}; build it: cargo build --package anteroom", here.display()))
}

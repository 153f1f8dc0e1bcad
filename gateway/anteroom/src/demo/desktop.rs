//! The demo's desktop: FreeRDP's shadow server in front of a small X server that nobody sees, with a patient's record that is openly made up.
//! On loopback, with NLA; without the programs for it the demo is the same without a desktop.
use super::{sshd::guest_account, state::State};
use crate::{
    child::{Child, Ending, tied},
    compose::private_dir,
};
use anyhow::{Context, Result, anyhow, bail};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rustix::process::Signal;
use std::{
    fs,
    io::Write as _,
    net::{Ipv4Addr, TcpStream},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use zeroize::Zeroizing;

pub(super) const NAME: &str = "reading-room-1";
pub(super) const ACCOUNT: &str = "viewer";
/// What it needs, all of which `deploy/setup` installs.
const PROGRAMS: [&str; 4] = ["Xvfb", "xterm", "freerdp-shadow-cli", "openssl"];
const END: Ending = Ending { first: Signal::TERM, patience: Duration::from_secs(3), last: Signal::KILL };
const PATIENCE: Duration = Duration::from_secs(20);
const SCREEN: &str = include_str!("reading-room.sh");

/// A running desktop.
pub(super) struct Desktop {
    pub(super) port: u16,
    /// DER.
    pub(super) certificate: Vec<u8>,
    /// For the vault.
    pub(super) password: Zeroizing<String>,
    // Ended in this order.
    parts: Vec<Child>,
    _files: tempfile::TempDir,
}

/// Whether this machine can show one.
pub(super) fn possible() -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    PROGRAMS.iter().all(|p| std::env::split_paths(&paths).any(|d| d.join(p).is_file()))
}

impl Desktop {
    pub(super) async fn start(state: &State, port: u16) -> Result<Self> {
        let kept = state.target_dir(NAME);
        private_dir(&kept)?;
        let password = password(&kept.join("password"))?;
        certificate(&kept)?;
        let files = lay_out(&kept, &password)?;
        let mut this = Self { port, certificate: der(&kept.join("shadow.crt"))?, password, parts: Vec::new(), _files: files };
        let (dir, log) = (this._files.path().to_owned(), kept.join("desktop.log"));
        let told = dir.join("number");
        // The X server closes the descriptor that it told its number to, and gives it to a client next: not one that it writes to.
        let xvfb = "exec Xvfb -displayfd 3 -screen 0 1024x768x24 -nolisten tcp -noreset 3>\"$0\"";
        this.run("Xvfb", "sh", &[&"-c", &xvfb, &told], &log, None)?;
        let number = this.until(&log, || fs::read_to_string(&told).ok()?.strip_suffix('\n').map(str::to_owned)).await?;
        let display = format!(":{number}");
        let look = [
            "-fa",
            "DejaVu Sans Mono",
            "-fs",
            "14",
            "-geometry",
            "200x80+0+0",
            "+sb",
            "-b",
            "2",
            "-bw",
            "0",
            "-bg",
            "white",
            "-fg",
            "black",
            "-e",
        ];
        let screen = dir.join("screen.sh");
        let mut arguments: Vec<&dyn AsRef<std::ffi::OsStr>> = look.iter().map(|a| a as _).collect();
        arguments.push(&screen);
        this.run("xterm", "xterm", &arguments, &log, Some(&display))?;
        let (at, sam) = (format!("/port:{port}"), format!("/sam-file:{}", dir.join("sam").display()));
        this.run(
            "freerdp-shadow-cli",
            "freerdp-shadow-cli",
            &[&at, &"/bind-address:127.0.0.1", &"+auth", &"/sec:nla", &sam],
            &log,
            Some(&display),
        )?;
        this.until(&log, || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()).await?;
        Ok(this)
    }

    fn run(
        &mut self,
        what: &'static str,
        program: &str,
        arguments: &[&dyn AsRef<std::ffi::OsStr>],
        log: &Path,
        display: Option<&str>,
    ) -> Result<()> {
        let mut c = tied(program, guest_account(), "TERM");
        for a in arguments {
            c.arg(a);
        }
        let dir = self._files.path();
        c.env("HOME", dir).env("XDG_CONFIG_HOME", dir).env("TMPDIR", dir).current_dir(dir);
        if let Some(d) = display {
            c.env("DISPLAY", d);
        }
        let log = fs::File::options().create(true).append(true).open(log).context("cannot write the desktop's log")?;
        c.stdin(Stdio::null()).stdout(log.try_clone().context("cannot share the desktop's log")?).stderr(log);
        self.parts.insert(0, Child::spawn(what, c)?);
        Ok(())
    }

    async fn until<T>(&self, log: &Path, mut there: impl FnMut() -> Option<T>) -> Result<T> {
        let began = Instant::now();
        loop {
            if let Some(found) = there() {
                return Ok(found);
            }
            if began.elapsed() > PATIENCE || self.parts.iter().any(|p| p.has_ended().is_some()) {
                bail!("the demo's desktop did not start; see {}", log.display());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn ended(&self) -> anyhow::Error {
        let mut waiting: Vec<_> = self.parts.iter().map(|p| Box::pin(p.ended())).collect();
        std::future::poll_fn(|cx| {
            if waiting.iter_mut().any(|w| w.as_mut().poll(cx).is_ready()) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        anyhow!("the demo target {NAME} ended by itself")
    }

    pub(super) async fn stop(&self) {
        for p in &self.parts {
            p.stop(END).await;
        }
    }
}

/// Resolves when it ended by itself; never if there is none.
pub(super) async fn ended(desktop: Option<&Desktop>) -> anyhow::Error {
    match desktop {
        Some(d) => d.ended().await,
        None => std::future::pending().await,
    }
}

/// Made once and kept; only the vault and the shadow's file of hashes know it.
fn password(file: &Path) -> Result<Zeroizing<String>> {
    if let Ok(kept) = fs::read_to_string(file) {
        return Ok(Zeroizing::new(kept.trim().to_owned()));
    }
    let mut random = Zeroizing::new([0; 18]);
    getrandom::fill(&mut random[..]).map_err(|e| anyhow!("no random numbers: {e}"))?;
    let made = Zeroizing::new(URL_SAFE_NO_PAD.encode(&random[..]));
    let mut f = fs::File::options().create_new(true).write(true).mode(0o600).open(file).context("cannot write the desktop's password")?;
    f.write_all(made.as_bytes()).context("cannot write the desktop's password")?;
    Ok(made)
}

/// `shadow.crt` and `shadow.key`, made once and kept, so that the pinned certificate goes on to fit.
fn certificate(dir: &Path) -> Result<()> {
    let (file, key) = (dir.join("shadow.crt"), dir.join("shadow.key"));
    if file.exists() && key.exists() {
        return Ok(());
    }
    let mut c = Command::new("openssl");
    c.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", &format!("/CN={NAME}"), "-keyout"]);
    let made = c.arg(&key).arg("-out").arg(&file).stdin(Stdio::null()).output().context("cannot run openssl")?;
    if !made.status.success() {
        bail!("openssl failed: {}", String::from_utf8_lossy(&made.stderr).trim());
    }
    Ok(())
}

fn der(pem: &Path) -> Result<Vec<u8>> {
    let text = fs::read_to_string(pem).context("the desktop's certificate")?;
    let body: String = text.lines().filter(|l| !l.starts_with('-')).collect();
    STANDARD.decode(body).context("the desktop's certificate is damaged")
}

/// NTLM's hash: MD4 over UTF-16 (MS-NLMP 3.3.1). By openssl's standard input, so that the password is in no argument.
fn nt_hash(password: &str) -> Result<String> {
    let mut c = Command::new("openssl");
    c.args(["dgst", "-md4", "-r", "-provider", "legacy"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = c.spawn().context("cannot run openssl")?;
    let wide = Zeroizing::new(password.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    child.stdin.take().context("openssl has no input")?.write_all(&wide).context("openssl does not listen")?;
    let out = child.wait_with_output().context("openssl was lost")?;
    let text = String::from_utf8_lossy(&out.stdout);
    let hash = text.split_whitespace().next().filter(|h| h.len() == 32 && out.status.success());
    hash.map(str::to_owned).context("this openssl has no MD4 (its legacy provider), which NLA's password file needs")
}

/// What its programs read, where their account can reach it.
fn lay_out(kept: &Path, password: &str) -> Result<tempfile::TempDir> {
    let dir = tempfile::Builder::new().prefix("anteroom-target-").tempdir_in("/tmp").context("cannot make a directory in /tmp")?;
    let put = |name: &str, bytes: &[u8], mode: u32| -> Result<PathBuf> {
        let at = dir.path().join(name);
        fs::write(&at, bytes)
            .and_then(|()| fs::set_permissions(&at, fs::Permissions::from_mode(mode)))
            .with_context(|| format!("cannot write {name}"))?;
        Ok(at)
    };
    let read = |name: &str| fs::read(kept.join(name)).with_context(|| format!("cannot read the desktop's {name}"));
    let places = [dir.path().join("freerdp"), dir.path().join("freerdp/shadow")];
    for p in &places {
        fs::create_dir(p).with_context(|| format!("cannot make {}", p.display()))?;
    }
    let mut all = vec![
        put("screen.sh", SCREEN.as_bytes(), 0o755)?,
        put("sam", format!("{ACCOUNT}:::{}:::\n", nt_hash(password)?).as_bytes(), 0o600)?,
        put("freerdp/shadow/shadow.crt", &read("shadow.crt")?, 0o644)?,
        put("freerdp/shadow/shadow.key", &read("shadow.key")?, 0o600)?,
    ];
    all.extend(places);
    all.push(dir.path().to_owned());
    if let Some(who) = guest_account() {
        for p in all {
            chown(&p, Some(who.uid), Some(who.gid)).with_context(|| format!("cannot hand over {}", p.display()))?;
        }
    }
    Ok(dir)
}

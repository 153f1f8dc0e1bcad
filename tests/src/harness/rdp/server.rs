//! Targets: other people's RDP servers, each with a certificate, a port and a screen of its own. None of them is a service of this machine.
use super::{Certificate, Desk, Kind, at_home, desk};
use crate::harness::{daemon::Daemon, ports, sshd::account_here, wait::wait_for};
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal};
use std::{
    fs,
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Certificates are made and programs loaded while other tests run.
const START_LIMIT: Duration = Duration::from_secs(30);

/// What a gateway has to know to get in.
#[derive(Debug, Clone)]
pub struct Login {
    pub port: u16,
    pub certificate: Certificate,
    pub account: String,
    pub password: String,
}

impl Login {
    fn new(dir: &Path, name: &str) -> Result<Self> {
        Ok(Self {
            port: ports::candidate(),
            certificate: Certificate::make(dir, name)?,
            account: "chartview".into(),
            password: "Vault-Secret-1".into(),
        })
    }
}

fn until_listening(daemon: &mut Daemon, port: u16) -> Result<()> {
    wait_for("an RDP server", START_LIMIT, || {
        if let Some(status) = daemon.has_ended()? {
            bail!("it ended ({status}): {}", daemon.log().trim());
        }
        Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok().then_some(()))
    })
}

/// Starts again elsewhere if somebody took the port meanwhile.
fn with_some_port<T>(mut start: impl FnMut() -> Result<T>) -> Result<T> {
    start().or_else(|_| start())
}

// --- FreeRDP's shadow server --------------------------------------------------------------------------------------------

/// It shows an X display as it is, RemoteFX and H.264 included. No clipboard, no drives, no other size than the display's.
#[derive(Debug)]
pub struct Shadow {
    pub login: Login,
    daemon: Daemon,
    pub desk: Desk,
}

/// Who may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Nla,
    /// TLS and nothing more: any name, any password.
    Open,
}

impl Shadow {
    /// Wants NLA with [`Login`]'s account and password.
    pub fn nla(dir: &Path) -> Result<Self> {
        Self::start(dir, Desk::record(&dir.join("desk"), Kind::Xvfb, 1024, 768)?, Door::Nla)
    }

    /// TLS without NLA; the name and password are not looked at.
    pub fn tls(dir: &Path) -> Result<Self> {
        Self::start(dir, Desk::record(&dir.join("desk"), Kind::Xvfb, 1024, 768)?, Door::Open)
    }

    /// NLA in front of any screen.
    pub fn of(dir: &Path, desk: Desk) -> Result<Self> {
        Self::start(dir, desk, Door::Nla)
    }

    fn start(dir: &Path, desk: Desk, door: Door) -> Result<Self> {
        let mut desk = Some(desk);
        with_some_port(|| {
            let login = Login::new(dir, "shadow")?;
            // It looks for its certificate there, and makes one if there is none.
            let config = dir.join("home/.config/freerdp/shadow");
            fs::create_dir_all(&config)?;
            fs::copy(&login.certificate.file, config.join("shadow.crt"))?;
            fs::copy(&login.certificate.key, config.join("shadow.key"))?;
            let mut command = Daemon::command("freerdp-shadow-cli", "TERM");
            at_home(&mut command, dir)?;
            command.env("DISPLAY", desk.as_ref().context("no screen")?.display.name()).env("WLOG_LEVEL", "INFO");
            command.args([&format!("/port:{}", login.port), "/bind-address:127.0.0.1"]);
            match door {
                Door::Nla => command.args(["+auth", "/sec:nla", &format!("/sam-file:{}", sam_file(dir, &login)?.display())]),
                Door::Open => command.args(["-auth", "/sec:tls"]),
            };
            let mut daemon = Daemon::start_told(command, &dir.join("shadow.log"))?;
            until_listening(&mut daemon, login.port)?;
            Ok(Self { login, daemon, desk: desk.take().context("no screen")? })
        })
    }

    pub fn log(&self) -> String {
        self.daemon.log()
    }
}

/// The NT hash that NLA compares with, as `winpr-hash` writes it.
fn sam_file(dir: &Path, login: &Login) -> Result<PathBuf> {
    let file = dir.join("sam");
    let out = Command::new("winpr-hash").args(["-u", &login.account, "-p", &login.password, "-f", "sam"]).output();
    let out = out.context("cannot run winpr-hash (winpr-utils)")?;
    if !out.status.success() {
        bail!("winpr-hash: {}", String::from_utf8_lossy(&out.stderr).trim());
    }
    fs::write(&file, out.stdout)?;
    Ok(file)
}

// --- xrdp ---------------------------------------------------------------------------------------------------------------

/// xrdp in front of TigerVNC, with its channel server: clipboard both ways, drives, and the size that the client asks for. TLS, no NLA, and the
/// password is not looked at. It wants `/run/xrdp` and `/etc/xrdp/sesman.ini`; it gets its own, in a mount namespace that ends with it.
#[derive(Debug)]
pub struct Xrdp {
    pub login: Login,
    dir: PathBuf,
    daemon: Daemon,
    pub desk: Desk,
}

const XRDP_RUN: &str = r#"set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/xrdp/sockdir
mount --bind "$1/sesman.ini" /etc/xrdp/sesman.ini
mkdir -p "$1/channels"
CHANSRV_LOG_PATH="$1/channels" HOME="$1/channels" DISPLAY="$2" xrdp-chansrv &
exec xrdp --nodaemon --config "$1/xrdp.ini"
"#;

impl Xrdp {
    pub fn start(dir: &Path) -> Result<Self> {
        let mut desk = Some(Desk::record(&dir.join("desk"), Kind::Vnc, 1024, 768)?);
        with_some_port(|| {
            let login = Login::new(dir, "xrdp")?;
            let screen = &desk.as_ref().context("no screen")?.display;
            fs::write(dir.join("xrdp.ini"), xrdp_ini(dir, &login, screen.vnc_port.context("no VNC")?, screen.number()))?;
            fs::write(dir.join("sesman.ini"), SESMAN)?;
            let mut command = Daemon::command("unshare", "KILL");
            at_home(&mut command, dir)?;
            if account_here()? != "root" {
                command.arg("--map-root-user");
            }
            command.args(["--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "sh", "-c", XRDP_RUN, "xrdp"]);
            command.arg(dir).arg(screen.name());
            let mut daemon = Daemon::start_told(command, &dir.join("started.log"))?;
            until_listening(&mut daemon, login.port)?;
            Ok(Self { login, dir: dir.into(), daemon, desk: desk.take().context("no screen")? })
        })
    }

    pub fn log(&self) -> String {
        let number = self.desk.display.number();
        let files = ["xrdp.log".into(), format!("channels/xrdp-chansrv.{number}.log")];
        let logs = files.iter().map(|f: &String| fs::read_to_string(self.dir.join(f)).unwrap_or_default());
        logs.chain([self.daemon.log()]).collect::<Vec<_>>().join("---\n")
    }

    /// Runs a command where the client's drives are mounted: `drives/NAME/...`. `None` if it failed.
    pub fn in_drives(&self, command: &[&str]) -> Option<String> {
        let pid = self.daemon.pid();
        let inner = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        let mut enter = Command::new("nsenter");
        enter.args(["--mount", "--target", inner.split_whitespace().next()?]);
        if account_here().ok()? != "root" {
            enter.args(["--user", "--preserve-credentials"]);
        }
        let script = "cd \"$0/channels/thinclient_drives\" && exec \"$@\"";
        let out = enter.args(["timeout", "10", "sh", "-c", script]).arg(&self.dir).args(command).output().ok()?;
        out.status.success().then(|| String::from_utf8_lossy(&out.stdout).into_owned())
    }
}

impl Drop for Xrdp {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- xrdp\n{}", self.log());
        }
        // `unshare` waits for its child and takes no other signal; all of the namespace ends with it.
        let _ = Pid::from_raw(self.daemon.pid().cast_signed()).map(|p| rustix::process::kill_process(p, Signal::KILL));
    }
}

fn xrdp_ini(dir: &Path, login: &Login, vnc: u16, display: u16) -> String {
    format!(
        "[Globals]\nini_version=1\nfork=true\nport=tcp://127.0.0.1:{port}\nsecurity_layer=tls\ncrypt_level=high\ncertificate={cert}\nkey_file={key}\n\
         ssl_protocols=TLSv1.2, TLSv1.3\nautorun=vnc\nallow_channels=true\nbitmap_cache=true\nbitmap_compression=true\nbulk_compression=true\nmax_bpp=32\n\
         new_cursors=true\nuse_fastpath=both\n[Logging]\nLogFile={dir}/xrdp.log\nLogLevel=INFO\nEnableSyslog=false\n\
         [Channels]\nrdpdr=true\nrdpsnd=true\ndrdynvc=true\ncliprdr=true\nrail=true\n\
         [vnc]\nname=vnc\nlib=libvnc.so\nip=127.0.0.1\nport={vnc}\nusername=na\npassword=na\nchansrvport=DISPLAY({display})\n",
        port = login.port,
        cert = login.certificate.file.display(),
        key = login.certificate.key.display(),
        dir = dir.display(),
    )
}

/// That address makes the channel server listen on a socket in `/run/xrdp` and not on a port of the machine.
const SESMAN: &str = "[Globals]\nListenAddress=127.0.0.1\nListenPort=1\n[Security]\nAllowRootLogin=true\n[Sessions]\n[Logging]\nEnableSyslog=false\n\
    [Chansrv]\nFuseMountName=thinclient_drives\nFileUmask=077\n[ChansrvLogging]\nLogLevel=INFO\nEnableSyslog=false\n";

// --- weston -------------------------------------------------------------------------------------------------------------

/// weston's RDP backend: RemoteFX or bitmaps over TLS, no NLA, and the password is not looked at.
#[derive(Debug)]
pub struct Weston {
    pub login: Login,
    dir: PathBuf,
    typed: PathBuf,
    windows: Option<Daemon>,
    daemon: Daemon,
}

impl Weston {
    /// Nothing is on its screen before [`open_windows`](Self::open_windows).
    pub fn start(dir: &Path) -> Result<Self> {
        with_some_port(|| {
            let login = Login::new(dir, "weston")?;
            fs::write(dir.join("weston.ini"), "[core]\nshell=kiosk-shell.so\nidle-time=0\nrequire-input=false\n")?;
            let mut command = Daemon::command("weston", "TERM");
            at_home(&mut command, dir)?;
            command.arg(format!("--config={}", dir.join("weston.ini").display()));
            command.args(["--backend=rdp-backend.so", "--address=127.0.0.1", "--width=1024", "--height=768", "--no-clients-resize"]);
            command.args([format!("--port={}", login.port), "--socket=screen".into()]);
            command.arg(format!("--rdp-tls-cert={}", login.certificate.file.display()));
            command.arg(format!("--rdp-tls-key={}", login.certificate.key.display()));
            let mut daemon = Daemon::start_told(command, &dir.join("weston.log"))?;
            until_listening(&mut daemon, login.port)?;
            Ok(Self { login, dir: dir.into(), typed: PathBuf::new(), windows: None, daemon })
        })
    }

    /// Shows the record. Only once a client is there: what was drawn before stays black for it.
    pub fn open_windows(&mut self) -> Result<()> {
        let (windows, typed) = desk::wayland(&self.dir, "screen")?;
        (self.windows, self.typed) = (Some(windows), typed);
        Ok(())
    }

    pub fn log(&self) -> String {
        self.daemon.log()
    }

    /// The lines that arrived.
    pub fn typed(&self) -> String {
        fs::read_to_string(&self.typed).unwrap_or_default()
    }
}

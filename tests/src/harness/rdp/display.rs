//! A screen that nobody sees: an X server on a free display number.
use super::{Picture, at_home};
use crate::harness::{daemon::Daemon, ports, wait::wait_for};
use anyhow::{Context, Result, bail};
use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

/// Which X server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Xvfb,
    /// TigerVNC: one that a VNC client can look at, and resize.
    Vnc,
}

#[derive(Debug)]
pub struct Display {
    number: u16,
    dir: PathBuf,
    /// Where a VNC client finds it.
    pub vnc_port: Option<u16>,
    server: Daemon,
}

impl Display {
    /// `dir` is made.
    pub fn start(dir: &Path, kind: Kind, width: u32, height: u32) -> Result<Self> {
        fs::create_dir_all(dir)?;
        for attempt in 0.. {
            match Self::try_start(dir, kind, width, height) {
                Ok(started) => return Ok(started),
                Err(_) if attempt < 3 => {}
                Err(e) => return Err(e),
            }
        }
        unreachable!()
    }

    fn try_start(dir: &Path, kind: Kind, width: u32, height: u32) -> Result<Self> {
        let told = dir.join("number");
        let _ = fs::remove_file(&told);
        let port = ports::candidate();
        let (program, arguments) = match kind {
            Kind::Xvfb => ("Xvfb", format!("-screen 0 {width}x{height}x24 -noreset")),
            Kind::Vnc => (
                "Xtigervnc",
                // Never number 0, which xrdp's channel server takes for none.
                format!(
                    ":{} -geometry {width}x{height} -depth 24 -SecurityTypes None -interface 127.0.0.1 -rfbport {port} -AcceptSetDesktopSize=1",
                    port / 2
                ),
            ),
        };
        // The server closes the descriptor that it told its number to, and gives it to a client next. If that were 2, it would write its log there.
        let script = format!("exec {program} -displayfd 3 -nolisten tcp {arguments} 3>\"$0\"");
        let mut command = Daemon::command("sh", "TERM");
        at_home(&mut command, dir)?;
        command.args(["-c", &script]).arg(&told);
        let mut server = Daemon::start(command, &dir.join("x.log"))?;
        let number = wait_for("an X server", Duration::from_secs(30), || {
            if let Some(status) = server.has_ended()? {
                bail!("{program} ended ({status}): {}", server.log().trim());
            }
            let text = fs::read_to_string(&told).unwrap_or_default();
            Ok(text.strip_suffix('\n').and_then(|n| n.parse().ok()))
        })?;
        Ok(Self { number, dir: dir.into(), vnc_port: (kind == Kind::Vnc).then_some(port), server })
    }

    pub fn name(&self) -> String {
        format!(":{}", self.number)
    }

    pub fn number(&self) -> u16 {
        self.number
    }

    pub fn log(&self) -> String {
        self.server.log()
    }

    /// A program that shows its windows here and runs until it is dropped; its home is in `dir`.
    pub fn program(&self, program: impl AsRef<OsStr>, dir: &Path) -> Result<Command> {
        let mut command = Daemon::command(program, "TERM");
        at_home(&mut command, dir)?;
        command.env("DISPLAY", self.name());
        Ok(command)
    }

    /// A tool that looks at this screen or acts on it; what it says.
    pub fn ask<S: AsRef<OsStr>>(&self, program: &str, arguments: &[S]) -> Result<Vec<u8>> {
        let mut command = Command::new("timeout");
        at_home(&mut command, &self.dir)?;
        command.args(["20", program]).args(arguments).env("DISPLAY", self.name()).stdin(Stdio::null());
        let out = command.output().with_context(|| format!("cannot run {program}"))?;
        if !out.status.success() {
            bail!("{program}: {}: {}", out.status, String::from_utf8_lossy(&out.stderr).trim());
        }
        Ok(out.stdout)
    }

    /// What is on it now.
    pub fn picture(&self) -> Result<Picture> {
        Picture::from_pnm(&self.ask("import", &["-silent", "-window", "root", "-depth", "8", "ppm:-"])?)
    }

    /// Names of windows, and where they are.
    pub fn windows(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.ask("xwininfo", &["-root", "-tree"])?).into_owned())
    }

    /// Width and height as they are now.
    pub fn size(&self) -> Result<(u32, u32)> {
        let text = String::from_utf8_lossy(&self.ask("xwininfo", &["-root"])?).into_owned();
        let number = |what: &str| text.lines().find_map(|l| l.trim().strip_prefix(what)?.trim().parse().ok());
        Ok((number("Width:").context("no width")?, number("Height:").context("no height")?))
    }

    // --- Clipboard --------------------------------------------------------------------------------------------------

    /// Somebody copies this text.
    pub fn copy(&self, text: &str) -> Result<()> {
        let mut command = Command::new("xclip");
        at_home(&mut command, &self.dir)?;
        // It stays as the selection's owner until another program copies something or the display ends.
        command.args(["-selection", "clipboard", "-in"]).env("DISPLAY", self.name());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("cannot run xclip")?;
        child.stdin.take().context("no pipe")?.write_all(text.as_bytes())?;
        let status = child.wait()?;
        if !status.success() {
            bail!("xclip: {status}");
        }
        Ok(())
    }

    /// What pasting would give; nothing if nobody has copied anything or whoever did does not answer.
    pub fn paste(&self) -> Option<String> {
        let mut command = Command::new("timeout");
        at_home(&mut command, &self.dir).ok()?;
        command.args(["3", "xclip", "-selection", "clipboard", "-out"]).env("DISPLAY", self.name()).stdin(Stdio::null());
        let out = command.output().ok()?;
        out.status.success().then(|| String::from_utf8_lossy(&out.stdout).into_owned())
    }
}

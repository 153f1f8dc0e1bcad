//! Clients: `xfreerdp` and `rdesktop`, each on a screen of its own.
use super::{Display, Kind, Picture};
use crate::harness::{daemon::Daemon, wait::wait_for};
use anyhow::{Context, Result, bail};
use std::{fs, path::Path, process::ExitStatus, time::Duration};

/// Picture, typing and ending on a machine that is busy with other tests.
const LIMIT: Duration = Duration::from_secs(30);
/// Between two looks at a whole screen.
const LOOK: Duration = Duration::from_millis(200);

/// `xfreerdp`, about to be started.
#[derive(Debug, Clone)]
pub struct Freerdp {
    arguments: Vec<String>,
}

impl Freerdp {
    /// A new home, so the certificate is accepted as one takes an unknown one; [`trusting`](Self::trusting) is stricter.
    pub fn to(port: u16, user: &str, password: &str) -> Self {
        let arguments =
            [&format!("/v:127.0.0.1:{port}"), &format!("/u:{user}"), &format!("/p:{password}"), "/cert:tofu", "/log-level:INFO"];
        let mut this = Self { arguments: arguments.map(str::to_owned).to_vec() };
        this.arguments.extend(["-decorations", "/timeout:60000"].map(str::to_owned));
        this
    }

    /// Only a server with this certificate (SHA-256, hexadecimal).
    pub fn trusting(mut self, fingerprint: &str) -> Self {
        self.arguments.retain(|a| !a.starts_with("/cert:"));
        let pairs: Vec<&str> = fingerprint.as_bytes().chunks(2).filter_map(|p| std::str::from_utf8(p).ok()).collect();
        self.arguments.push(format!("/cert:deny,fingerprint:sha256:{}", pairs.join(":")));
        self
    }

    pub fn with(mut self, argument: &str) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Shows it in `dir`, which is made.
    pub fn start(&self, dir: &Path) -> Result<Client> {
        let display = Display::start(&dir.join("screen"), Kind::Xvfb, 1280, 960)?;
        let mut command = display.program("xfreerdp", dir)?;
        command.args(&self.arguments);
        Client::start(display, command, dir, "FreeRDP")
    }
}

/// `rdesktop`, about to be started: TLS only, no NLA with a password; it can redirect drives to xrdp, which FreeRDP 2.11 does not.
#[derive(Debug, Clone)]
pub struct Rdesktop {
    arguments: Vec<String>,
}

impl Rdesktop {
    pub fn to(port: u16, user: &str, password: &str) -> Self {
        let address = format!("127.0.0.1:{port}");
        let arguments = ["-u", user, "-p", password, "-g", "1024x768", "-D", &address];
        Self { arguments: arguments.map(str::to_owned).to_vec() }
    }

    pub fn with(mut self, option: &str, value: &str) -> Self {
        self.arguments.splice(0..0, [option.to_owned(), value.to_owned()]);
        self
    }

    pub fn start(&self, dir: &Path) -> Result<Client> {
        let display = Display::start(&dir.join("screen"), Kind::Xvfb, 1280, 960)?;
        let answers = dir.join("answers");
        // It asks whether it may trust the certificate.
        fs::write(&answers, "yes\n")?;
        let mut command = display.program("sh", dir)?;
        command.args(["-c", "exec rdesktop \"$@\" <\"$0\""]).arg(answers).args(&self.arguments);
        Client::start(display, command, dir, "rdesktop")
    }
}

/// A running client.
#[derive(Debug)]
pub struct Client {
    title: &'static str,
    process: Daemon,
    // After the client on it.
    pub display: Display,
}

impl Client {
    fn start(display: Display, command: std::process::Command, dir: &Path, title: &'static str) -> Result<Self> {
        let log = dir.join("client.log");
        let _ = fs::remove_file(&log);
        Ok(Self { title, process: Daemon::start_told(command, &log)?, display })
    }

    /// What it said on its terminal.
    pub fn said(&self) -> String {
        self.process.log()
    }

    fn window(&self) -> Result<Option<[usize; 4]>> {
        // 0x200001 "FreeRDP: 127.0.0.1:4000": ("xfreerdp" "xfreerdp")  1024x768+0+0  +0+0
        let tree = self.display.windows()?;
        let line = tree.lines().find(|l| l.contains(&format!("\"{}", self.title)));
        let Some(place) = line.and_then(|l| l.rsplit("  ").nth(1)) else { return Ok(None) };
        let numbers: Vec<usize> = place.split(['x', '+']).filter_map(|n| n.parse().ok()).collect();
        Ok(numbers.try_into().ok())
    }

    /// What its window shows; `None` while it has none.
    pub fn picture(&self) -> Result<Option<Picture>> {
        let Some([width, height, x, y]) = self.window()? else { return Ok(None) };
        Ok(Some(self.display.picture()?.cut(x, y, width, height)))
    }

    /// Waits until the window shows something for which `look` has an answer.
    pub fn sees<T>(&mut self, what: &str, mut look: impl FnMut(&Picture) -> Result<Option<T>>) -> Result<T> {
        let seen = wait_for(&format!("{what} in the client's window"), LIMIT, || {
            if let Some(status) = self.process.has_ended()? {
                bail!("the client ended ({status}); it said:\n{}", self.said());
            }
            let found = self.picture()?.map(|p| look(&p)).transpose()?.flatten();
            if found.is_none() {
                std::thread::sleep(LOOK);
            }
            Ok(found)
        });
        seen.map_err(|e| {
            let kept = self.display.picture().and_then(|p| p.keep("failed-rdp-client")).map(|p| p.display().to_string());
            e.context(format!("picture: {}; the client said:\n{}", kept.unwrap_or_default(), self.said()))
        })
    }

    /// Waits until Tesseract reads this in the window.
    pub fn reads(&mut self, text: &str) -> Result<()> {
        let wanted = squeezed(text);
        self.sees(&format!("{text:?}"), |p| Ok(squeezed(&p.read()?).contains(&wanted).then_some(())))
    }

    /// Waits until the window shows what this screen shows.
    pub fn shows(&mut self, screen: &Display, tolerance: u8, at_most: f64) -> Result<Picture> {
        self.sees("the target's screen", |p| {
            let there = screen.picture()?;
            Ok((there.drawn() > 0.002 && p.differs(&there, tolerance) <= at_most).then(|| p.clone()))
        })
    }

    /// Clicks into the middle of the window and types a line.
    pub fn type_line(&self, text: &str) -> Result<()> {
        let [width, height, x, y] = self.window()?.context("the client has no window")?;
        let (x, y) = ((x + width / 2).to_string(), (y + height * 3 / 4).to_string());
        self.display.ask("xdotool", &["mousemove", &x, &y, "click", "1"])?;
        self.display.ask("xdotool", &["type", "--delay", "30", text])?;
        self.display.ask("xdotool", &["key", "--delay", "30", "Return"])?;
        Ok(())
    }

    pub fn pointer(&self, x: u32, y: u32) -> Result<()> {
        self.display.ask("xdotool", &["mousemove", &x.to_string(), &y.to_string()]).map(drop)
    }

    /// Somebody drags the window's corner.
    pub fn resize(&self, width: u32, height: u32) -> Result<()> {
        let found = String::from_utf8(self.display.ask("xdotool", &["search", "--name", self.title])?)?;
        let id = found.lines().next().context("the client has no window")?.to_owned();
        self.display.ask("xdotool", &["windowsize", &id, &width.to_string(), &height.to_string()]).map(drop)
    }

    pub fn has_ended(&mut self) -> Result<Option<ExitStatus>> {
        self.process.has_ended()
    }

    /// Waits for its end; what it was and what the client said.
    pub fn ended(&mut self) -> Result<(ExitStatus, String)> {
        let status = self.process.ended(LIMIT).with_context(|| self.said())?;
        Ok((status, self.said()))
    }

    /// As losing the network does, but for a reset that the other side notices at once.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// As closing the window does.
    pub fn close(mut self) -> Result<String> {
        let _ = self.process.stop(Duration::from_secs(10))?;
        Ok(self.said())
    }
}

/// Tesseract is free with blanks.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase()
}

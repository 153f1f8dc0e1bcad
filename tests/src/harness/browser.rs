//! A real Chromium with a passkey of its own: WebDriver (W3C) over HTTP, through `chromedriver`.
use super::{Daemon, ports, wait::wait_for};
use anyhow::{Context, Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

const DRIVER: &str = "/usr/bin/chromedriver";
/// WebDriver's name for "this is an element" (W3C WebDriver, section 11).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
const LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct Browser {
    session: String,
    agent: ureq::Agent,
    origin: String,
    name: String,
    // After the session: it ends Chromium.
    _driver: Daemon,
    _profile: tempfile::TempDir,
}

/// Where pictures go: `target/screenshots`.
#[derive(Debug, Clone, Copy)]
pub struct Screenshots;

impl Screenshots {
    pub fn dir() -> PathBuf {
        let built_in = std::env::current_exe().ok();
        let target =
            built_in.as_deref().and_then(|p| p.ancestors().find(|a| a.file_name().is_some_and(|n| n == "debug" || n == "release")));
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(|w| w.join("target"));
        ours.or_else(|| target.and_then(Path::parent).map(Path::to_owned)).unwrap_or_default().join("screenshots")
    }
}

impl Browser {
    /// A fresh browser of somebody who opens `origin`; the passkeys made in it live as long as it does.
    pub fn start(name: &str, origin: &url::Url) -> Result<Self> {
        let profile = tempfile::Builder::new().prefix("anteroom-browser-").tempdir()?;
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(60)));
        let agent = config.build().new_agent();
        let (driver, base) = start_driver(profile.path(), &agent)?;
        let flags = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--window-size=1280,900",
        ];
        let mut args: Vec<String> = flags.iter().map(|f| (*f).to_owned()).collect();
        args.push(format!("--user-data-dir={}", profile.path().join("profile").display()));
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": { "args": args }, "webauthn:virtualAuthenticators": true } } });
        let made = call(&agent, "POST", &format!("{base}/session"), Some(&wanted))?;
        let id = made["sessionId"].as_str().context("no browser session")?;
        let origin = origin.as_str().trim_end_matches('/').to_owned();
        let this = Self { session: format!("{base}/session/{id}"), agent, origin, name: name.into(), _driver: driver, _profile: profile };
        this.post(
            "/webauthn/authenticator",
            &json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
            "isUserVerified": true, "isUserConsenting": true }),
        )?;
        Ok(this)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        call(&self.agent, "POST", &format!("{}{path}", self.session), Some(body))
    }
    fn ask(&self, path: &str) -> Result<Value> {
        call(&self.agent, "GET", &format!("{}{path}", self.session), None)
    }

    /// From now on it is a phone held upright: 390 by 844 points, by touch.
    pub fn be_a_phone(&self) -> Result<()> {
        let metrics = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
        self.post("/goog/cdp/execute", &json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics }))?;
        Ok(())
    }

    // --- Pages ------------------------------------------------------------------------------------------------------

    /// A path of the portal, or a whole address.
    pub fn open(&self, to: &str) -> Result<()> {
        let url = if to.starts_with('/') { format!("{}{to}", self.origin) } else { to.to_owned() };
        // The same page with another fragment would not be loaded again.
        self.post("/url", &json!({ "url": "about:blank" }))?;
        self.post("/url", &json!({ "url": url }))?;
        Ok(())
    }

    pub fn path(&self) -> Result<String> {
        let url = self.ask("/url")?.as_str().unwrap_or_default().to_owned();
        Ok(url.strip_prefix(&self.origin).unwrap_or(&url).to_owned())
    }

    /// What a reader sees.
    pub fn text(&self) -> Result<String> {
        Ok(self.script("return document.body ? document.body.innerText : ''", &[])?.as_str().unwrap_or_default().to_owned())
    }

    /// Everything there is, seen or not.
    pub fn html(&self) -> Result<String> {
        Ok(self.script("return document.documentElement.outerHTML", &[])?.as_str().unwrap_or_default().to_owned())
    }

    pub fn script(&self, code: &str, args: &[Value]) -> Result<Value> {
        self.post("/execute/sync", &json!({ "script": code, "args": args }))
    }

    /// Waits until a reader sees this text; in any case of letters, as styles may change that.
    pub fn expect(&self, text: &str) -> Result<()> {
        let wanted = text.to_lowercase();
        let found = wait_for(&format!("{text:?} in {}'s browser", self.name), LIMIT, || {
            // A page that is just being replaced has no body to read.
            Ok(self.text().unwrap_or_default().to_lowercase().contains(&wanted).then_some(()))
        });
        found.or_else(|e| self.complain(e))
    }

    /// Waits for the page at this path.
    pub fn expect_path(&self, path: &str) -> Result<()> {
        let found = wait_for(&format!("the page {path} in {}'s browser", self.name), LIMIT, || {
            Ok(self.path().unwrap_or_default().split(['?', '#']).next().is_some_and(|p| p == path).then_some(()))
        });
        found.or_else(|e| self.complain(e))
    }

    /// Waits for any page under this path.
    pub fn expect_path_under(&self, path: &str) -> Result<()> {
        let found = wait_for(&format!("a page under {path} in {}'s browser", self.name), LIMIT, || {
            Ok(self.path().unwrap_or_default().strip_prefix(path).is_some_and(|rest| !rest.is_empty()).then_some(()))
        });
        found.or_else(|e| self.complain(e))
    }

    /// What the page's own script gets from this path.
    pub fn fetch(&self, path: &str) -> Result<String> {
        let code = "const done = arguments[1]; fetch(arguments[0]).then(r => r.text()).then(done, e => done('failed: ' + e))";
        let got = self.post("/execute/async", &json!({ "script": code, "args": [path] }))?;
        Ok(got.as_str().unwrap_or_default().to_owned())
    }

    // --- Acting -----------------------------------------------------------------------------------------------------

    /// Clicks what a reader calls by this text: a button or link.
    pub fn click(&self, text: &str) -> Result<()> {
        let find = "const t = arguments[0]; const seen = e => e.checkVisibility(); \
            const say = e => (e.innerText || e.value || '').trim().replace(/\\s+/g, ' '); \
            const all = [...document.querySelectorAll('button, a, summary, [role=button], input[type=submit], label')].filter(seen); \
            return all.find(e => say(e) === t) || all.find(e => say(e).startsWith(t)) || null";
        let element = self.element(&format!("something to click called {text:?}"), find, text)?;
        self.post(&format!("/element/{element}/click"), &json!({}))?;
        Ok(())
    }

    /// Writes into the field with this label.
    pub fn fill(&self, label: &str, value: &str) -> Result<()> {
        let find = "const t = arguments[0]; const l = [...document.querySelectorAll('label')].find(l => l.innerText.trim().startsWith(t)); \
            return l ? (l.control || null) : null";
        let element = self.element(&format!("a field called {label:?}"), find, label)?;
        self.post(&format!("/element/{element}/clear"), &json!({}))?;
        self.post(&format!("/element/{element}/value"), &json!({ "text": value }))?;
        Ok(())
    }

    fn element(&self, what: &str, find: &str, argument: &str) -> Result<String> {
        let found = wait_for(&format!("{what} in {}'s browser", self.name), LIMIT, || {
            let found = self.script(find, &[json!(argument)]).unwrap_or(Value::Null);
            Ok(found[ELEMENT].as_str().map(str::to_owned))
        });
        found.or_else(|e| self.complain(e))
    }

    /// Presses keys on whatever has the focus.
    pub fn press(&self, keys: &str) -> Result<()> {
        let strokes: Vec<Value> =
            keys.chars().flat_map(|k| [json!({ "type": "keyDown", "value": k }), json!({ "type": "keyUp", "value": k })]).collect();
        self.post("/actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] }))?;
        Ok(())
    }

    /// What the first canvas under this element shows, pixel by pixel; `None` while there is none with a picture.
    pub fn canvas(&self, within: &str) -> Result<Option<super::rdp::Picture>> {
        let code =
            "const c = document.querySelector(arguments[0] + ' canvas'); return c && c.width && c.height ? c.toDataURL('image/png') : null";
        let url = self.script(code, &[json!(within)])?;
        let Some(png) = url.as_str().and_then(|u| u.strip_prefix("data:image/png;base64,")) else { return Ok(None) };
        let mut file = tempfile::Builder::new().suffix(".png").tempfile()?;
        std::io::Write::write_all(&mut file, &BASE64.decode(png)?)?;
        super::rdp::Picture::open(file.path()).map(Some)
    }

    // --- Pictures ---------------------------------------------------------------------------------------------------

    pub fn screenshot(&self, name: &str) -> Result<PathBuf> {
        let dir = Screenshots::dir();
        std::fs::create_dir_all(&dir)?;
        let file = dir.join(format!("{name}.png"));
        let picture = self.ask("/screenshot")?;
        std::fs::write(&file, BASE64.decode(picture.as_str().context("no picture")?)?)?;
        Ok(file)
    }

    fn complain<T>(&self, e: anyhow::Error) -> Result<T> {
        let picture = self.screenshot(&format!("failed-{}", self.name)).map(|p| p.display().to_string()).unwrap_or_default();
        let path = self.path().unwrap_or_default();
        Err(e.context(format!("at {path}; picture: {picture}; the page says:\n{}", self.text().unwrap_or_default())))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.screenshot(&format!("failed-{}", self.name));
        }
        let _ = call(&self.agent, "DELETE", &self.session, None);
    }
}

fn start_driver(dir: &Path, agent: &ureq::Agent) -> Result<(Daemon, String)> {
    let log = dir.join("chromedriver.log");
    for _ in 0..5 {
        let port = ports::candidate();
        let mut command = Daemon::command(DRIVER, "KILL");
        command.arg(format!("--port={port}")).arg("--log-level=WARNING");
        // Chromium wants a home it can write to.
        command.env("HOME", dir);
        let mut driver = Daemon::start(command, &log)?;
        let base = format!("http://127.0.0.1:{port}");
        let ready = wait_for("chromedriver", Duration::from_secs(20), || {
            if driver.has_ended()?.is_some() {
                return Ok(Some(false));
            }
            Ok(call(agent, "GET", &format!("{base}/status"), None).ok().map(|_| true))
        })?;
        if ready {
            return Ok((driver, base));
        }
    }
    bail!("chromedriver does not start: {}", std::fs::read_to_string(&log).unwrap_or_default())
}

fn call(agent: &ureq::Agent, method: &str, url: &str, body: Option<&Value>) -> Result<Value> {
    let answer = match (method, body) {
        ("GET", _) => agent.get(url).call(),
        ("DELETE", _) => agent.delete(url).call(),
        (_, body) => agent.post(url).send_json(body.unwrap_or(&Value::Null)),
    };
    let mut answer = answer.with_context(|| format!("{method} {url}"))?;
    let bytes = answer.body_mut().with_config().limit(64 << 20).read_to_vec()?;
    let value: Value = serde_json::from_slice(&bytes).context("chromedriver's answer")?;
    if !answer.status().is_success() {
        bail!("{}: {}", value["value"]["error"].as_str().unwrap_or_default(), value["value"]["message"].as_str().unwrap_or_default());
    }
    Ok(value["value"].clone())
}

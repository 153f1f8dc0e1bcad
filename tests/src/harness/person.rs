//! Somebody with a passkey who uses the portal's own HTTP routes, with the headers a browser sends.
use super::{KeyAgent, wait::wait_for};
use anteroom_test_authenticator::Authenticator;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use url::Url;
use webauthn_rs_proto::{CreationChallengeResponse, RequestChallengeResponse};

pub type RequestId = String;

/// Cheap to clone; all clones are the same person with the same browser.
#[derive(Debug, Clone)]
pub struct Person {
    pub handle: String,
    /// The private SSH key; known to the portal only after [`add_ssh_key`](Self::add_ssh_key).
    pub ssh_key: PathBuf,
    origin: Url,
    browser: ureq::Agent,
    passkey: Arc<Mutex<Authenticator>>,
}

/// What the portal answered.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub location: Option<String>,
    pub body: String,
}

/// A signature that was begun.
#[derive(Debug, Clone)]
pub struct Ceremony {
    pub id: String,
    /// What is signed, as the page shows it.
    pub content: Option<String>,
    pub options: RequestChallengeResponse,
}

impl Reply {
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.body).with_context(|| format!("not JSON (status {}): {}", self.status, self.body))
    }

    /// The error sentence of a JSON answer.
    pub fn error(&self) -> String {
        self.json().ok().and_then(|v| v["error"].as_str().map(str::to_owned)).unwrap_or_default()
    }

    pub fn good(self, what: &str) -> Result<Self> {
        if self.status >= 400 {
            bail!("{what}: status {}: {}", self.status, self.body.chars().take(600).collect::<String>());
        }
        Ok(self)
    }
}

impl Person {
    pub fn new(handle: &str, origin: &Url, ssh_key: PathBuf) -> Self {
        Self {
            handle: handle.into(),
            ssh_key,
            origin: origin.clone(),
            browser: new_browser(),
            passkey: Arc::new(Mutex::new(Authenticator::new(origin.clone()))),
        }
    }

    /// The same person, who sits at another browser where nobody is signed in.
    pub fn elsewhere(&self) -> Self {
        Self { browser: new_browser(), ..self.clone() }
    }

    pub fn passkey(&self) -> MutexGuard<'_, Authenticator> {
        self.passkey.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // --- Requests ---------------------------------------------------------------------------------------------------

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin.as_str().trim_end_matches('/'))
    }

    fn own_origin(&self) -> String {
        self.origin.origin().ascii_serialization()
    }

    pub fn get(&self, path: &str) -> Result<Reply> {
        read(self.browser.get(self.url(path)).header("sec-fetch-site", "same-origin").call())
    }

    pub fn post_json(&self, path: &str, body: &Value) -> Result<Reply> {
        let post = self.browser.post(self.url(path)).header("origin", self.own_origin()).header("sec-fetch-site", "same-origin");
        read(post.send_json(body))
    }

    pub fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Result<Reply> {
        let post = self.browser.post(self.url(path)).header("origin", self.own_origin()).header("sec-fetch-site", "same-origin");
        read(post.send_form(fields.iter().copied()))
    }

    /// Any bytes, for what no browser would send.
    pub fn post_raw(&self, path: &str, content_type: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Reply> {
        let mut post = self.browser.post(self.url(path)).header("content-type", content_type);
        for (name, value) in headers {
            post = post.header(*name, *value);
        }
        read(post.send(body))
    }

    // --- Passkeys ---------------------------------------------------------------------------------------------------

    /// Opens a one-time link and makes a passkey. Leaves the browser signed in.
    pub fn enrol(&self, link: &str) -> Result<()> {
        let token = link.split_once('#').context("the link has no token")?.1;
        let begun = self.post_json("/enrol/begin", &json!({ "token": token }))?.good("enrol")?.json()?;
        let options: CreationChallengeResponse = serde_json::from_value(begun["options"].clone()).context("enrol options")?;
        let credential = self.passkey().create(&options)?;
        let body = json!({ "ceremony": begun["ceremony"], "credential": credential, "label": "test passkey" });
        self.post_json("/enrol/finish", &body)?.good("enrol")?;
        Ok(())
    }

    pub fn sign_in(&self) -> Result<()> {
        let begun = self.begin("/sign-in/begin", &json!({}))?;
        self.finish("/sign-in/finish", &begun)?.good("sign in")?;
        Ok(())
    }

    /// Begins any ceremony that ends with a signature.
    pub fn begin(&self, path: &str, body: &Value) -> Result<Ceremony> {
        let v = self.post_json(path, body)?.good(path)?.json()?;
        Ok(Ceremony {
            id: v["ceremony"].as_str().context("no ceremony")?.to_owned(),
            content: v["content"].as_str().map(str::to_owned),
            options: serde_json::from_value(v["options"].clone()).context("options of the ceremony")?,
        })
    }

    /// Signs with the passkey and sends the signature.
    pub fn finish(&self, path: &str, ceremony: &Ceremony) -> Result<Reply> {
        let credential = self.passkey().get(&ceremony.options)?;
        self.post_json(path, &json!({ "ceremony": ceremony.id, "credential": credential }))
    }

    fn sign(&self, path: &str, body: &Value) -> Result<Reply> {
        let begun = self.begin(&format!("{path}/begin"), body)?;
        self.finish(&format!("{path}/finish"), &begun)?.good(path)
    }

    /// Makes `ssh_key` and tells nobody.
    pub fn make_ssh_key(&self) -> Result<()> {
        super::sshd::keygen(&self.ssh_key)
    }

    /// Makes the public half of `ssh_key` known as theirs.
    pub fn add_ssh_key(&self) -> Result<()> {
        self.make_ssh_key()?;
        self.register_ssh_key()
    }

    /// Plugs in a security key and makes it known as theirs; what `ssh` takes to use it is the agent's socket.
    pub fn add_security_key(&self) -> Result<KeyAgent> {
        let agent = KeyAgent::start(&self.ssh_key.with_extension("agent"), &self.ssh_key.with_extension("pub"))?;
        self.register_ssh_key()?;
        Ok(agent)
    }

    fn register_ssh_key(&self) -> Result<()> {
        let line = std::fs::read_to_string(self.ssh_key.with_extension("pub"))?;
        self.sign("/keys/ssh", &json!({ "line": line, "label": "test key" }))?;
        Ok(())
    }

    // --- Asking and answering ---------------------------------------------------------------------------------------

    /// Asks for an hour.
    pub fn request(&self, target: &str, account: &str) -> Result<RequestId> {
        self.request_with(target, account, &[("window", "1")])
    }

    /// Asks for an hour in which these things are allowed.
    pub fn request_for(&self, target: &str, account: &str, capabilities: &[&str]) -> Result<RequestId> {
        // As the form sends it: one a line under "anything else".
        self.request_with(target, account, &[("window", "1"), ("chosen", "yes"), ("more", &capabilities.join("\n"))])
    }

    /// Asks for access that ends at `until`.
    pub fn request_until(&self, target: &str, account: &str, until: time::OffsetDateTime) -> Result<RequestId> {
        let until = until.to_offset(time::UtcOffset::UTC);
        let text = format!("{}T{:02}:{:02}:{:02}", until.date(), until.hour(), until.minute(), until.second());
        self.request_with(target, account, &[("window", "custom"), ("until_utc", &text)])
    }

    /// Asks for these capabilities until a moment.
    pub fn request_all_until(&self, target: &str, account: &str, capabilities: &[&str], until: time::OffsetDateTime) -> Result<RequestId> {
        let until = until.to_offset(time::UtcOffset::UTC);
        let text = format!("{}T{:02}:{:02}:{:02}", until.date(), until.hour(), until.minute(), until.second());
        let fields = [("window", "custom"), ("until_utc", text.as_str()), ("chosen", "yes"), ("more", &capabilities.join("\n"))];
        self.request_with(target, account, &fields)
    }

    fn request_with(&self, target: &str, account: &str, window: &[(&str, &str)]) -> Result<RequestId> {
        // Policy asks vendors for a ticket.
        let mut fields = vec![("target", target), ("account", account), ("reason", "a test needs it"), ("ticket", "CHG-4711")];
        fields.extend(window);
        let reply = self.post_form("/requests", &fields)?.good("request")?;
        let there = reply.location.context("the request led nowhere")?;
        let id = there.strip_prefix("/requests/").and_then(|p| p.split('?').next()).context("the request led elsewhere")?;
        Ok(id.to_owned())
    }

    pub fn begin_review(&self, request: &str, verdict: &str) -> Result<Ceremony> {
        self.begin(&format!("/requests/{request}/review/begin"), &json!({ "verdict": verdict, "comment": "not today" }))
    }

    pub fn finish_review(&self, request: &str, ceremony: &Ceremony) -> Result<Reply> {
        self.finish(&format!("/requests/{request}/review/finish"), ceremony)
    }

    /// Approves with a passkey; the grant's id.
    pub fn approve(&self, request: &str) -> Result<String> {
        let begun = self.begin_review(request, "approve")?;
        let done = self.finish_review(request, &begun)?.good("approve")?.json()?;
        Ok(done["grant"].as_str().context("no grant was made")?.to_owned())
    }

    /// Confirms a connection that shows `number` in its terminal; refuses to when the page shows another.
    pub fn confirm(&self, step_up: &str, number: &str) -> Result<()> {
        let page = wait_for("the page to confirm", Duration::from_secs(5), || {
            let page = self.get(&format!("/step-up/{step_up}"))?;
            Ok((page.status == 200).then_some(page))
        })?;
        if !page.body.contains(number) {
            bail!("the page does not show the number {number}");
        }
        self.sign(&format!("/step-up/{step_up}"), &json!({}))?;
        Ok(())
    }

    pub fn refuse(&self, step_up: &str) -> Result<()> {
        self.post_form(&format!("/step-up/{step_up}/refuse"), &[])?.good("refuse")?;
        Ok(())
    }
}

fn new_browser() -> ureq::Agent {
    let c = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).max_redirects_will_error(false);
    c.timeout_global(Some(Duration::from_secs(30))).build().new_agent()
}

fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Reply> {
    let mut answer = answer.context("the portal does not answer")?;
    let location = answer.headers().get("location").and_then(|l| l.to_str().ok()).map(str::to_owned);
    let body = answer.body_mut().read_to_vec().context("the portal's answer broke off")?;
    Ok(Reply { status: answer.status().as_u16(), location, body: String::from_utf8_lossy(&body).into_owned() })
}

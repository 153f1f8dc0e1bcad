//! Somebody with a software passkey at the portal: the same routes a browser uses, no other.
use anteroom_test_authenticator::Authenticator;
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use ureq::Agent;
use url::Url;

pub struct Portal {
    origin: Url,
    http: Agent,
    passkey: Authenticator,
}

impl std::fmt::Debug for Portal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Portal").field("origin", &self.origin.as_str()).finish_non_exhaustive()
    }
}

impl Portal {
    pub fn new(origin: Url) -> Self {
        // A redirect is an answer here, and so is a refusal.
        let http = Agent::config_builder().max_redirects(0).http_status_as_error(false).build().into();
        Self { passkey: Authenticator::new(origin.clone()), origin, http }
    }

    /// Opens a one-time link and makes a passkey; signed in from then on.
    pub fn enrol(&mut self, link: &Url) -> Result<()> {
        let token = link.fragment().context("the link has no token")?;
        let begun = self.post("/enrol/begin", &json!({ "token": token }))?;
        let credential = self.passkey.create(&serde_json::from_value(begun["options"].clone())?)?;
        self.post(
            "/enrol/finish",
            &json!({ "token": token, "ceremony": begun["ceremony"], "credential": credential, "label": "software" }),
        )?;
        Ok(())
    }

    pub fn add_ssh_key(&mut self, line: &str, label: &str) -> Result<()> {
        self.sign("/keys/ssh", json!({ "line": line.trim(), "label": label }))
    }

    /// Asks for access from now on; the request's id.
    pub fn request(&mut self, target: &str, account: &str, reason: &str, hours: u8) -> Result<String> {
        let hours = hours.to_string();
        let form = [("target", target), ("account", account), ("reason", reason), ("window", &hours)];
        let mut answer = self.http.post(self.url("/requests")?.as_str()).send_form(form)?;
        let to = answer.headers().get("location").and_then(|l| l.to_str().ok()).unwrap_or_default().to_owned();
        let id = to.strip_prefix("/requests/").and_then(|r| r.split('?').next());
        match id {
            Some(id) => Ok(id.to_owned()),
            None => bail!("the request was not taken ({}): {}", answer.status(), answer.body_mut().read_to_string()?),
        }
    }

    pub fn approve(&mut self, request: &str) -> Result<()> {
        self.sign(&format!("/requests/{request}/review"), json!({ "verdict": "approve" }))
    }

    /// Confirms a connection.
    pub fn confirm(&mut self, step_up: &str) -> Result<()> {
        self.sign(&format!("/step-up/{step_up}"), json!({}))
    }

    /// Begin, passkey, finish.
    fn sign(&mut self, path: &str, body: Value) -> Result<()> {
        let begun = self.post(&format!("{path}/begin"), &body)?;
        let credential = self.passkey.get(&serde_json::from_value(begun["options"].clone())?)?;
        let mut finish = body;
        finish["ceremony"] = begun["ceremony"].clone();
        finish["credential"] = serde_json::to_value(credential)?;
        self.post(&format!("{path}/finish"), &finish)?;
        Ok(())
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let mut answer = self.http.post(self.url(path)?.as_str()).header("accept", "application/json").send_json(body)?;
        let text = answer.body_mut().read_to_string()?;
        ensure!(answer.status().is_success(), "{path} answered {}: {text}", answer.status());
        Ok(serde_json::from_str(&text)?)
    }

    fn url(&self, path: &str) -> Result<Url> {
        Ok(self.origin.join(path)?)
    }
}

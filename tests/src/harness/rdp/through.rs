//! Desktops through the gateway: targets made known, tickets fetched, clients pointed at it.
use super::{Freerdp, Login};
use crate::harness::{Browser, Person, World, WorldOptions, soon};
use anyhow::{Context, Result};
use serde_json::json;

/// What the portal shows once.
#[derive(Debug, Clone)]
pub struct Ticket {
    pub name: String,
    pub secret: String,
}

impl Ticket {
    /// With it to the gateway, which has to show its own certificate.
    pub fn freerdp(&self, w: &World) -> Result<Freerdp> {
        self.freerdp_by(w, w.rdp_port())
    }

    /// The same by another way to it.
    pub fn freerdp_by(&self, w: &World, port: u16) -> Result<Freerdp> {
        Ok(Freerdp::to(port, &self.name, &self.secret).with("/sec:nla").with("/gfx:RFX").trusting(&gateway_fingerprint(w)?))
    }
}

/// Of the certificate that the gateway made for itself; lower-case hexadecimal.
fn gateway_fingerprint(w: &World) -> Result<String> {
    super::Certificate { file: w.dir.join("state/rdp.crt"), key: w.dir.join("state/rdp.key") }.fingerprint()
}

impl World {
    /// A gateway with a door for desktops; `more` are other sections of its configuration.
    pub fn with_desktops(rdp: &str, more: &str) -> Result<Self> {
        Self::with(WorldOptions { more: format!("[rdp]\nlisten = \"127.0.0.1:0\"\n{rdp}\n{more}"), ..Default::default() })
    }

    /// Makes a desktop known that is reached on this port, with its certificate pinned and its password in the vault.
    pub fn register_desktop(&self, name: &str, login: &Login, port: u16) -> Result<()> {
        let port = port.to_string();
        let certificate = format!("SHA256:{}", login.certificate.fingerprint()?);
        let words = ["target", "add", name, "--host", "127.0.0.1", "--port", &port, "--protocol", "rdp", "--certificate", &certificate];
        self.cli.good(&words)?;
        let password = format!("{}\n", login.password);
        self.cli.good_with(&["target", "credential", name, &login.account, "--password"], password.as_bytes())?;
        Ok(())
    }

    /// A grant of an hour; its id.
    pub fn grant_desktop(&self, to: &Person, by: &Person, target: &str, account: &str, capabilities: &[&str]) -> Result<String> {
        by.approve(&to.request_for(target, account, capabilities)?)
    }
}

impl Person {
    /// Confirms with the passkey, as the page does.
    pub fn ticket(&self, grant: &str) -> Result<Ticket> {
        let begun = self.post_json(&format!("/desktop/{grant}/begin"), &json!({}))?.json()?;
        let options = serde_json::from_value(begun["options"].clone()).with_context(|| format!("no ceremony: {begun}"))?;
        let credential = self.passkey().get(&options)?;
        let body = json!({ "confirmation": begun["confirmation"], "ceremony": begun["ceremony"], "credential": credential });
        let made = self.post_json(&format!("/desktop/{grant}/finish"), &body)?.json()?;
        let text = |what: &str| made[what].as_str().map(str::to_owned).with_context(|| format!("no {what}: {}", made["error"]));
        Ok(Ticket { name: text("name")?, secret: text("secret")? })
    }
}

impl Browser {
    /// On the page of a desktop: touches the passkey and reads what is shown.
    pub fn ticket(&self) -> Result<Ticket> {
        self.click("Get a ticket with passkey")?;
        let shown = "return document.getElementById('secret').textContent.length > 0";
        soon("a ticket in the browser", || Ok(self.script(shown, &[])?.as_bool().unwrap_or(false)))?;
        let read = |id: &str| -> Result<String> {
            let code = format!("return document.getElementById('{id}').textContent");
            Ok(self.script(&code, &[])?.as_str().unwrap_or_default().to_owned())
        };
        Ok(Ticket { name: read("name")?, secret: read("secret")? })
    }
}

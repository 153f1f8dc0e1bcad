//! A mail server of other people's making (aiosmtpd), and an authority that signs its certificate.
use super::{clients::python_client, daemon::Daemon, ports, rdp::Certificate, wait::wait_for};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// A hospital's own, or a stranger's.
#[derive(Debug)]
pub struct Authority {
    dir: PathBuf,
    certificate: Certificate,
}

impl Authority {
    pub fn make(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let certificate = Certificate { file: dir.join("authority.crt"), key: dir.join("authority.key") };
        openssl(&certificate, &["-subj", "/CN=a made-up authority"])?;
        Ok(Self { dir: dir.to_owned(), certificate })
    }

    /// The file that names it.
    pub fn file(&self) -> &Path {
        &self.certificate.file
    }

    /// For a server with this name, `DNS:localhost` say.
    pub fn certificate(&self, name: &str, of: &str) -> Result<Certificate> {
        let made = Certificate { file: self.dir.join(format!("{name}.crt")), key: self.dir.join(format!("{name}.key")) };
        let (file, key) = (self.certificate.file.display().to_string(), self.certificate.key.display().to_string());
        let names = format!("subjectAltName={of}");
        let words = ["-CA", &file, "-CAkey", &key, "-subj", "/CN=mail", "-addext", &names, "-addext", "basicConstraints=critical,CA:FALSE"];
        openssl(&made, &words)?;
        Ok(made)
    }
}

fn openssl(to: &Certificate, words: &[&str]) -> Result<()> {
    let mut c = Command::new("openssl");
    c.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]).args(words);
    let made = c.arg("-keyout").arg(&to.key).arg("-out").arg(&to.file).output().context("cannot run openssl")?;
    if !made.status.success() {
        bail!("openssl: {}", String::from_utf8_lossy(&made.stderr).trim());
    }
    Ok(())
}

/// How a server protects what it is told.
#[derive(Debug, Clone, Copy)]
pub enum Speaks {
    StartTls,
    Tls,
    /// Offers no TLS.
    Plain,
}

/// What was taken.
#[derive(Debug, Clone)]
pub struct Mail {
    pub to: Vec<String>,
    pub subject: String,
    /// As it came, headers too.
    pub text: String,
}

/// Takes mail on a port that was chosen before; ends when dropped.
#[derive(Debug)]
pub struct MailServer {
    running: Daemon,
}

impl MailServer {
    pub const USER: &str = "gate";
    pub const PASSWORD: &str = "only-for-the-mail-server";

    /// A port where one can be started, now and again.
    pub fn port() -> u16 {
        ports::candidate()
    }

    /// `dir` is made; what it hears is kept there.
    pub fn start(dir: &Path, port: u16, speaks: Speaks, certificate: &Certificate, password: &str) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let how = match speaks {
            Speaks::StartTls => "starttls",
            Speaks::Tls => "tls",
            Speaks::Plain => "plain",
        };
        let python = python_client("mail_server.py")?;
        let mut command = Daemon::command(python.get_program(), "TERM");
        command.args(python.get_args()).args([&port.to_string(), how]).arg(&certificate.file).arg(&certificate.key);
        command.args([Self::USER, password]);
        let mut running = Daemon::start_told(command, &dir.join("heard.log"))?;
        wait_for("the mail server", Duration::from_secs(20), || {
            if let Some(status) = running.has_ended()? {
                bail!("it ended ({status}): {}", running.log().trim());
            }
            Ok(running.log().contains("\"listens\"").then_some(()))
        })?;
        Ok(Self { running })
    }

    /// Every command it heard, and whether that came under TLS.
    pub fn heard(&self) -> Vec<Value> {
        let lines = self.running.log();
        lines.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok()).filter(|v| v["heard"].is_string()).collect()
    }

    pub fn mails(&self) -> Vec<Mail> {
        let data = self.heard().into_iter().filter(|h| h["heard"] == "DATA");
        data.map(|h| {
            let text = h["text"].as_str().unwrap_or_default().to_owned();
            let subject = text.lines().find_map(|l| l.strip_prefix("Subject: ")).unwrap_or_default().to_owned();
            let to = h["to"].as_array().into_iter().flatten().filter_map(|t| t.as_str().map(str::to_owned)).collect();
            Mail { to, subject, text }
        })
        .collect()
    }
}

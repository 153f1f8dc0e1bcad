//! What a device manager does: a key, and a report that is signed with it. For trying, and for device managers that call programs.
use crate::{
    cli::{Done, Out, Usage},
    login::{Portal, origin},
};
use anteroom_posture::{FeedSecret, MAX_BYTES, Report};
use anyhow::{Context as _, anyhow};
use std::{
    fs::OpenOptions,
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

pub(super) const EXAMPLES: &str = "\
A report:
  {\"person\": \"ada\", \"device\": \"LAPTOP-7\", \"reported_at\": \"2026-11-26T12:00:00Z\", \"disk_encrypted\": true, \"secure_boot\": true,
   \"endpoint_protection\": true, \"os\": \"Windows 11 24H2\", \"ssh_keys\": [\"SHA256:...\"], \"addresses\": [\"10.1.2.3\"]}

Example:
  anteroom feed report laptop-7.json --key device-manager.key --portal https://bastion.hospital.example";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// JSON; - reads it from standard input.
    file: PathBuf,
    /// The secret key's file, as anteroom feed key made it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[arg(long, value_name = "ADDRESS")]
    portal: String,
}

pub(super) fn make_key(file: &Path, out: &mut Out) -> Done {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| anyhow!("no random bytes: {e}"))?;
    let secret = FeedSecret::of(seed);
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let written = made.and_then(|mut f| writeln!(f, "{}", secret.text()).and_then(|()| f.sync_all()));
    written.with_context(|| format!("writing {}", file.display()))?;
    Ok(out.line(secret.public().text())?)
}

pub(super) async fn run(a: Args, out: &mut Out) -> Done {
    let secret = std::fs::read_to_string(&a.key).with_context(|| format!("reading {}", a.key.display()))?;
    let secret = FeedSecret::read(&secret).with_context(|| a.key.display().to_string())?;
    let body = read(&a.file)?;
    // What is wrong with it is told here, before anything is sent.
    let report = Report::read(&body).map_err(|e| Usage(format!("{}: {e}", a.file.display())))?;
    let portal = origin(&a.portal)?;
    let id = format!("msg_{}", uuid::Uuid::now_v7().simple());
    let at = time::OffsetDateTime::now_utc().unix_timestamp();
    let signature = secret.sign(&id, at, &body);
    let sent = tokio::task::spawn_blocking(move || {
        let (timestamp, id) = (at.to_string(), id);
        let headers = [("webhook-id", &*id), ("webhook-timestamp", &*timestamp), ("webhook-signature", &*signature)];
        Portal::at(portal)?.send("api/v1/posture", &headers, &body)
    });
    sent.await??;
    Ok(out.line(format!("{} of {} is reported", report.machine.device, report.person))?)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    let most = MAX_BYTES as u64 + 1;
    if file == Path::new("-") {
        std::io::stdin().take(most).read_to_end(&mut body).context("reading standard input")?;
    } else {
        let opened = std::fs::File::open(file).with_context(|| format!("reading {}", file.display()))?;
        opened.take(most).read_to_end(&mut body).with_context(|| format!("reading {}", file.display()))?;
    }
    Ok(body)
}

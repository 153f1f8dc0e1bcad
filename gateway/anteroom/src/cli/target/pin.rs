use super::{find, keys::key_lines};
use crate::cli::{Done, Failure, Out, Usage, context::Context, secret::read_stdin};
use anteroom_domain::{CertificateFingerprint, Probe, ProbeOutcome, Protocol, Target, TargetName, TargetProbe as _};
use anteroom_gateway::ssh::{Prober, scan_host_keys};
use anyhow::{Context as _, anyhow};
use std::time::Duration;

const SCAN_TIME: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ssh-keyscan 10.0.0.5 | anteroom target pin ehr-db-1
  anteroom target pin ehr-db-1 --scan     shows fingerprints; compare them at the target's console
  openssl x509 -in ct-2.pem -noout -fingerprint -sha256 | anteroom target pin ct-2     an RDP target's certificate
  anteroom target pin ct-2 --scan         shows what it offers; compare it at the target")]
pub(super) struct Args {
    name: TargetName,
    /// Ask the target; whoever answers on the network now is believed.
    #[arg(long)]
    scan: bool,
}

pub(super) async fn run(cx: &Context, a: Args, out: &mut Out) -> Done {
    let Args { name, scan } = a;
    let target = find(cx, &name).await?;
    if target.protocol == Protocol::Rdp {
        return certificates(cx, &target, scan, out).await;
    }
    let lines = if scan {
        let keys = scan_host_keys(&target.host, target.port, SCAN_TIME).await.with_context(|| format!("target \"{name}\""))?;
        for k in &keys {
            out.line(format!("{} {}", k.algorithm(), k.fingerprint(Default::default())))?;
        }
        keys.iter().map(|k| k.to_openssh().map_err(|e| anyhow!("host key: {e}"))).collect::<anyhow::Result<Vec<_>>>()?
    } else {
        key_lines(read_stdin()?.expose())
    };
    if lines.is_empty() {
        let why = "no host key on stdin; expected lines like \"ssh-ed25519 AAAA...\" (ssh-keyscan prints them), or use --scan";
        return Err(Usage(why.into()).into());
    }
    let count = lines.len();
    cx.approvals.pin_target(None, target.id, lines).await?;
    Ok(out.line(format!("{name}: {count} host key(s) pinned; any other is refused"))?)
}

async fn certificates(cx: &Context, target: &Target, scan: bool, out: &mut Out) -> Done {
    let found = if scan {
        let found = Prober { each: SCAN_TIME, whole: SCAN_TIME * 10 }.probe(target).await;
        for p in &found {
            out.line(format!("{}  {}", p.address, p.outcome))?;
        }
        let shown: Vec<_> = found.iter().filter_map(offered).collect();
        if shown.is_empty() {
            return Err(anyhow!("no address of {:?} showed a certificate", target.name.as_str()).into());
        }
        shown
    } else {
        read(read_stdin()?.expose())?
    };
    let count = found.len();
    cx.approvals.pin_certificates(None, target.id, found).await?;
    Ok(out.line(format!("{}: {count} certificate(s) pinned; any other is refused", target.name))?)
}

fn offered(p: &Probe) -> Option<CertificateFingerprint> {
    match &p.outcome {
        ProbeOutcome::Trusted { key } | ProbeOutcome::NotPinned { key } | ProbeOutcome::Changed { key } => key.parse().ok(),
        ProbeOutcome::Open | ProbeOutcome::NotReached(_) | ProbeOutcome::BehindRelay => None,
    }
}

/// One fingerprint a line.
fn read(text: &str) -> Result<Vec<CertificateFingerprint>, Failure> {
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    let read: Result<Vec<_>, _> = lines.map(str::parse).collect();
    match read {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(Usage("no fingerprint on stdin; expected lines like \"SHA256:9F:86:...\", or use --scan".into()).into()),
        Err(e) => Err(Usage(format!("standard input: {e}")).into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn fingerprints_are_read_as_openssl_prints_them() {
        let f = CertificateFingerprint::of(b"x");
        let text = format!("# of ct-2\nsha256 Fingerprint={}\n\n", f.to_string().trim_start_matches("SHA256:"));
        assert_eq!(read(&text).ok().unwrap(), [f]);
        assert!(read("").is_err() && read("ssh-ed25519 AAAA").is_err());
    }

    #[test]
    fn what_a_target_shows_is_what_is_pinned() {
        let f = CertificateFingerprint::of(b"x");
        let at = |outcome| Probe { address: "10.9.0.12:3389".into(), outcome, took: Duration::ZERO };
        assert_eq!(offered(&at(ProbeOutcome::Changed { key: f.to_string() })), Some(f));
        assert_eq!(offered(&at(ProbeOutcome::NotReached("no answer".into()))), None);
    }
}

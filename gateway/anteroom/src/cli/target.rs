use super::{
    ConfigArg, Done, Failure, JsonArg, Out,
    context::{Context, with_context},
};
use anteroom_approvals::{Credential, NewTarget, Page};
use anteroom_domain::{AccountName, Secret, Target, TargetKind, TargetName};
use anteroom_gateway::ssh::scan_host_keys;
use anyhow::{Context as _, anyhow};
use clap::{Subcommand, ValueEnum};
use std::{io::Read as _, time::Duration};

const SCAN_TIME: Duration = Duration::from_secs(10);
/// A credential longer than this is a mistake.
const MAX_CREDENTIAL: u64 = 64 * 1024;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    json: JsonArg,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Server,
    MedicalDevice,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CredentialKind {
    Password,
    /// An OpenSSH private key without a passphrase.
    Key,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a server or device known. Nobody can connect before its host key is pinned.
    #[command(after_help = "Example:\n  anteroom target add ehr-db-1 --host 10.0.0.5 --description \"EHR database, primary\"")]
    Add {
        name: TargetName,
        /// Host name or address.
        #[arg(long)]
        host: String,
        #[arg(long, default_value_t = 22)]
        port: u16,
        #[arg(long, value_enum, default_value = "server")]
        kind: Kind,
        #[arg(long, default_value = "")]
        description: String,
    },
    /// Accept only these host keys from now on: lines on stdin, or with --scan what the target offers now.
    #[command(
        after_help = "Examples:\n  ssh-keyscan 10.0.0.5 | anteroom target pin ehr-db-1\n  anteroom target pin ehr-db-1 --scan     shows fingerprints; compare them at the target's console"
    )]
    Pin {
        name: TargetName,
        /// Ask the target; whoever answers on the network now is believed.
        #[arg(long)]
        scan: bool,
    },
    /// Store what opens an account, from stdin, sealed. It can't be read back.
    #[command(after_help = "Example:\n  anteroom target credential ehr-db-1 dba --kind key < id_dba")]
    Credential {
        name: TargetName,
        account: AccountName,
        #[arg(long, value_enum)]
        kind: CredentialKind,
    },
    /// Every target.
    List {
        /// Part of a name or description.
        #[arg(default_value = "")]
        search: String,
    },
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    with_context!(&a.config, cx => match a.what {
        What::Add { name, host, port, kind, description } => {
            let kind = match kind { Kind::Server => TargetKind::Server, Kind::MedicalDevice => TargetKind::MedicalDevice };
            let target = cx.approvals.add_target(None, NewTarget { description, ..NewTarget::ssh(name, kind, host, port) }).await?;
            if a.json.json { out.json(&target)?; } else { out.line(format!("{} added; next: anteroom target pin {0}", target.name))?; }
            Ok(())
        }
        What::Pin { name, scan } => pin(&cx, &name, scan, out).await,
        What::Credential { name, account, kind } => {
            let target = find(&cx, &name).await?;
            let text = Secret::new(read_stdin()?);
            let credential = match kind {
                CredentialKind::Password => Credential::Password(Secret::new(text.expose().trim_end_matches(['\r', '\n']).to_owned())),
                CredentialKind::Key => Credential::PrivateKey(text),
            };
            cx.approvals.set_credential(None, target.id, account.clone(), credential).await?;
            Ok(out.line(format!("credential of {account} on {name} stored"))?)
        }
        What::List { search } => list(&cx, &search, a.json.json, out).await,
    })
}

async fn find(cx: &Context, name: &TargetName) -> anyhow::Result<Target> {
    cx.approvals.target_by_name(name).await?.ok_or_else(|| anyhow!("there is no target \"{name}\""))
}

async fn pin(cx: &Context, name: &TargetName, scan: bool, out: &mut Out) -> Done {
    let target = find(cx, name).await?;
    let lines = if scan {
        let keys = scan_host_keys(&target.host, target.port, SCAN_TIME).await.with_context(|| format!("target \"{name}\""))?;
        for k in &keys {
            out.line(format!("{} {}", k.algorithm(), k.fingerprint(Default::default())))?;
        }
        keys.iter().map(|k| k.to_openssh().map_err(|e| anyhow!("host key: {e}"))).collect::<anyhow::Result<Vec<_>>>()?
    } else {
        key_lines(&read_stdin()?)
    };
    if lines.is_empty() {
        return Err(Failure::Usage(anyhow!(
            "no host key on stdin; expected lines like \"ssh-ed25519 AAAA...\" (ssh-keyscan prints them), or use --scan"
        )));
    }
    let count = lines.len();
    cx.approvals.pin_target(None, target.id, lines).await?;
    Ok(out.line(format!("{name}: {count} host key(s) pinned; any other is refused"))?)
}

/// Public key lines with or without the host name that `ssh-keyscan` puts in front.
fn key_lines(text: &str) -> Vec<String> {
    let is_type = |w: &str| w.starts_with("ssh-") || w.starts_with("ecdsa-") || w.starts_with("sk-");
    text.lines()
        .filter(|l| !l.trim_start().starts_with('#'))
        .filter_map(|l| {
            let words: Vec<&str> = l.split_ascii_whitespace().collect();
            let at = words.iter().take(2).position(|w| is_type(w))?;
            Some(format!("{} {}", words[at], words.get(at + 1)?))
        })
        .collect()
}

fn read_stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().take(MAX_CREDENTIAL + 1).read_to_string(&mut text).context("cannot read stdin")?;
    if text.len() as u64 > MAX_CREDENTIAL {
        return Err(anyhow!("more than {MAX_CREDENTIAL} bytes on stdin"));
    }
    Ok(text)
}

async fn list(cx: &Context, search: &str, json: bool, out: &mut Out) -> Done {
    let targets = cx.approvals.targets(search, Page { number: 0, size: 500 }).await?.rows;
    if json {
        return Ok(out.json(&targets)?);
    }
    let rows: Vec<_> = targets
        .iter()
        .map(|t| {
            let accounts: Vec<&str> = t.accounts.iter().map(|a| a.name.as_str()).collect();
            let pinned = if t.pinned_host_keys.is_empty() { "not pinned" } else { "pinned" };
            vec![
                t.name.to_string(),
                t.kind.to_string(),
                format!("{}:{}", t.host, t.port),
                accounts.join(","),
                pinned.into(),
                t.description.clone(),
            ]
        })
        .collect();
    Ok(out.table(
        &["NAME", "KIND", "ADDRESS", "ACCOUNTS", "HOST KEY", "DESCRIPTION"],
        &rows,
        "no target yet; add one with: anteroom target add",
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyscan_lines_and_bare_lines_are_both_understood() {
        let text = "# 10.0.0.5:22 SSH-2.0\n10.0.0.5 ssh-ed25519 AAAA1\nssh-rsa AAAA2 comment\n\nnonsense\n";
        assert_eq!(key_lines(text), ["ssh-ed25519 AAAA1", "ssh-rsa AAAA2"]);
    }
}

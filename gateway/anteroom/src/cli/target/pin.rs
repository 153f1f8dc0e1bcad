use super::{find, keys::key_lines};
use crate::cli::{Done, Out, Usage, context::Context, secret::read_stdin};
use anteroom_domain::TargetName;
use anteroom_gateway::ssh::scan_host_keys;
use anyhow::{Context as _, anyhow};
use std::time::Duration;

const SCAN_TIME: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ssh-keyscan 10.0.0.5 | anteroom target pin ehr-db-1
  anteroom target pin ehr-db-1 --scan     shows fingerprints; compare them at the target's console")]
pub(super) struct Args {
    name: TargetName,
    /// Ask the target; whoever answers on the network now is believed.
    #[arg(long)]
    scan: bool,
}

pub(super) async fn run(cx: &Context, a: Args, out: &mut Out) -> Done {
    let Args { name, scan } = a;
    let target = find(cx, &name).await?;
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

use super::{
    ConfigArg, Done, Out, Usage,
    context::{Context, with_context},
};
use crate::{config, logging, serve::Signals};
use anteroom_domain::Handle;
use anteroom_unsealer::{Holder, Server, Site, Trust, TrustedKey};
use anyhow::{Context as _, bail};
use clap::Subcommand;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use std::{
    io::{BufRead, IsTerminal, Write as _},
    path::{Path, PathBuf},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Run it until SIGTERM: releases keys over its socket to whom two key-holders allow it.
    #[command(after_help = "Example:\n  anteroom unsealer serve --config /etc/anteroom-unsealer/unsealer.toml")]
    Serve(OwnConfig),
    /// Read its configuration, keys and trust file and say what is wrong with them; starts nothing.
    Check(OwnConfig),
    /// Believe somebody: adds their passkeys, as the gateway's database has them, to the trust file.
    #[command(after_help = "Example:\n  anteroom unsealer trust kim --config /etc/anteroom/anteroom.toml --trust trust.toml")]
    Trust {
        /// The key-holder.
        handle: Handle,
        #[command(flatten)]
        config: ConfigArg,
        /// The unsealer's trust file; made when it is missing.
        #[arg(long, value_name = "FILE")]
        trust: PathBuf,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, clap::Args)]
struct OwnConfig {
    /// The unsealer's own configuration file.
    #[arg(long, short, value_name = "FILE", default_value = "unsealer.toml")]
    config: PathBuf,
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    match a.what {
        What::Serve(own) => serve(&own.config).await,
        What::Check(own) => {
            let options = config::unsealer::load(&own.config)?;
            let trust = Trust::load(&options.trust, options.site)?;
            let holders: Vec<_> = trust.holders().iter().map(|h| h.handle.as_str()).collect();
            out.line(format!(
                "{}: good; believes {}",
                own.config.display(),
                if holders.is_empty() { "nobody".into() } else { holders.join(", ") }
            ))?;
            Ok(())
        }
        What::Trust { handle, config, trust, yes } => with_context!(&config, cx => Ok(believe(&cx, handle, &trust, yes, out).await?)),
    }
}

async fn serve(path: &Path) -> Done {
    let options = config::unsealer::load(path)?;
    // Neither a core file nor a debugger of the same user gets at the keys.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).context("cannot protect this process's memory")?;
    logging::start("info", config::LogFormat::Text);
    let mut signals = Signals::new()?;
    let socket = options.socket.clone();
    let server = Server::bind(options).await?;
    tracing::info!(socket = %socket.display(), "ready");
    server.run(async move { signals.stop().await }).await;
    tracing::info!("stopped");
    Ok(())
}

async fn believe(cx: &Context, handle: Handle, file: &Path, yes: bool, out: &mut Out) -> anyhow::Result<()> {
    let person = cx.person(&handle).await?;
    let passkeys = cx.approvals.passkeys_of(person.id).await?;
    if person.is_suspended() || passkeys.is_empty() {
        bail!("{handle} has no passkey, or is suspended; nothing was added");
    }
    let origin = &cx.config.portal.origin;
    let site = Site { rp_id: origin.host_str().unwrap_or_default().into(), origin: origin.origin().ascii_serialization() };
    let mut trust = if file.exists() { Trust::load(file, site)? } else { Trust::nobody(site) };
    let known: Vec<String> = trust.holders().iter().flat_map(|h| &h.keys).map(|k| k.sha256().to_owned()).collect();
    let mut keys = Vec::new();
    for p in passkeys {
        keys.push(TrustedKey::new(p.label, p.cose_key).with_context(|| format!("a passkey of {handle} cannot be read"))?);
    }
    out.line(format!("{handle} ({}), person {}:", person.display_name, person.id))?;
    for k in &keys {
        let state = if known.iter().any(|s| s == k.sha256()) { "trusted already" } else { "new" };
        out.line(format!("  SHA256 {}  {:?}  {state}", k.sha256(), k.label))?;
    }
    out.line("Compare the fingerprints with their owner, who sees them in the portal under Keys, by another way than this machine.")?;
    if !yes && !agreed()? {
        bail!("nothing was added");
    }
    trust.add(Holder { person: person.id, handle: handle.clone(), keys }).map_err(anyhow::Error::msg)?;
    trust.save(file)?;
    out.line(format!("{}: the unsealer believes {handle} now", file.display()))?;
    Ok(())
}

fn agreed() -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(Usage("there is nobody to ask; compare the fingerprints and say --yes".into()).into());
    }
    write!(std::io::stderr(), "Trust these? Type yes: ")?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

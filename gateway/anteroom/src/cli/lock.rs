use super::{
    ConfigArg, Done, Failure, JsonArg, Out,
    context::{Context, is_away, with_context},
    output::moment,
};
use crate::{compose, config};
use anteroom_approvals::{LockHere, lock_here};
use anteroom_domain::{Handle, Lockable, Reason, TargetName};
use anyhow::anyhow;
use clap::ValueEnum;

const LOCK_EXAMPLES: &str = "\
Examples:
  anteroom lock person ada --reason \"laptop stolen\"
  anteroom lock target mri-3 --reason \"recall notice 17\"
  anteroom lock company acme --reason \"contract dispute\"
  anteroom unlock person ada

While the database does not answer, it locks people and targets out of the gateway on this machine.";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// They can neither sign in nor connect.
    Person,
    /// Nobody reaches it.
    Target,
    /// None of its people can sign in or connect; its devices stay reachable for everybody else.
    Company,
}

#[derive(Debug, clap::Args)]
#[command(after_help = LOCK_EXAMPLES)]
pub(crate) struct LockArgs {
    #[command(flatten)]
    config: ConfigArg,
    kind: Kind,
    /// A handle, a target's name or a company's.
    name: String,
    /// For whoever has to lift it; not shown to those who are locked out.
    #[arg(long)]
    reason: Reason,
}

#[derive(Debug, clap::Args)]
pub(crate) struct UnlockArgs {
    #[command(flatten)]
    config: ConfigArg,
    kind: Kind,
    /// A handle, a target's name or a company's.
    name: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    json: JsonArg,
}

async fn find(cx: &Context, kind: Kind, name: &str) -> anyhow::Result<Lockable> {
    Ok(match kind {
        Kind::Person => Lockable::Person(cx.person(&Handle::new(name)?).await?.id),
        Kind::Target => {
            let target = cx.approvals.target_by_name(&TargetName::new(name)?).await?;
            Lockable::Target(target.ok_or_else(|| anyhow!("there is no target \"{name}\""))?.id)
        }
        Kind::Company => {
            let company = cx.approvals.company_by_name(name).await?;
            Lockable::Company(company.ok_or_else(|| anyhow!("there is no company of this name; see: anteroom company list"))?.id)
        }
    })
}

pub(crate) async fn lock(a: LockArgs, out: &mut Out) -> Done {
    match Box::pin(in_database(&a, out)).await {
        Err(why) if is_away(&why) => on_this_machine(&a, why, out),
        done => done,
    }
}

/// The database does not answer, and somebody has to be kept out now.
fn on_this_machine(a: &LockArgs, away: Failure, out: &mut Out) -> Done {
    let config = config::load(&a.config.config)?;
    let what = match a.kind {
        Kind::Person => LockHere::Person(Handle::new(a.name.as_str())?),
        Kind::Target => LockHere::Target(TargetName::new(a.name.as_str())?),
        // Nobody of a company gets in meanwhile.
        Kind::Company => return Err(away),
    };
    let Some(mode) = compose::safe_mode(&config)? else { return Err(away) };
    lock_here(&mode, &config.custody.vault, &compose::log_name(&config), &what, a.reason.clone())?;
    out.line(format!(
        "the database does not answer. {} is locked at this gateway, {}: sessions end within a second, none begins.\n\
         It becomes a lock like any other when the database is back. Say it to each further gateway on its own machine.",
        a.name, config.name
    ))?;
    Ok(())
}

async fn in_database(a: &LockArgs, out: &mut Out) -> Done {
    with_context!(&a.config, cx => {
        let on = find(&cx, a.kind, &a.name).await?;
        cx.approvals.lock(None, on, a.reason.clone()).await?;
        let what = match a.kind {
            Kind::Person => "is locked: signed out, sessions end within a second",
            Kind::Target => "is locked: nobody reaches it, sessions end within a second",
            Kind::Company => "is locked: its people are signed out, their sessions end within a second",
        };
        Ok(out.line(format!("{} {what}", a.name))?)
    })
}

pub(crate) async fn unlock(a: UnlockArgs, out: &mut Out) -> Done {
    with_context!(&a.config, cx => {
        let on = find(&cx, a.kind, &a.name).await?;
        cx.approvals.unlock(None, on).await?;
        Ok(out.line(format!("{} is not locked any more", a.name))?)
    })
}

pub(crate) async fn list(a: ListArgs, out: &mut Out) -> Done {
    with_context!(&a.config, cx => {
        let locks = cx.approvals.locks().await?;
        if a.json.json {
            return Ok(out.json(&locks)?);
        }
        let rows: Vec<_> = locks
            .into_iter()
            .map(|l| {
                let by = l.by_handle.unwrap_or_else(|| "(command line)".into());
                vec![l.kind.into(), l.name, moment(l.lock.at), by, l.lock.reason.as_str().replace('\n', " ")]
            })
            .collect();
        Ok(out.table(&["WHAT", "NAME", "SINCE", "BY", "REASON"], &rows, "nothing is locked")?)
    })
}

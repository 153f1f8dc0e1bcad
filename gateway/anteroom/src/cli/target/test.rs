use super::find;
use crate::cli::{Done, Out, context::Context};
use anteroom_domain::{AuditEvent, ProbeOutcome, TargetName, TargetProbe as _, probe::summary};
use anteroom_gateway::ssh::Prober;
use anyhow::anyhow;
use serde_json::json;
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(after_help = "It looks at every address and at the host key; it never signs in, for that takes somebody's grant.\n\n\
    Exit status 0 if at least one address is good, 1 if none is.\n\nExample:\n  anteroom target test ehr-db-1")]
pub(super) struct Args {
    name: TargetName,
    /// Seconds to wait for each address.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=120))]
    limit: u64,
}

pub(super) async fn run(cx: &Context, a: Args, json: bool, out: &mut Out) -> Done {
    let target = find(cx, &a.name).await?;
    let each = Duration::from_secs(a.limit);
    // Nobody waits in front of a page here: every name of every address may take its time.
    let found = Prober { each, whole: each * 100 }.probe(&target).await;
    cx.approvals.note(AuditEvent::TargetTested { target: target.id, by: None, outcome: summary(&found) }, None).await;
    if json {
        let rows: Vec<_> = found
            .iter()
            .map(|p| {
                json!({ "address": p.address, "good": p.outcome.is_good(), "outcome": p.outcome.to_string(),
                        "milliseconds": u64::try_from(p.took.as_millis()).unwrap_or(u64::MAX) })
            })
            .collect();
        out.json(&rows)?;
    } else {
        for p in &found {
            out.line(format!("{}  {} ({} ms)", p.address, p.outcome, p.took.as_millis()))?;
        }
    }
    // Behind a relay nothing can be said, and nothing is wrong.
    if found.iter().any(|p| p.outcome.is_good() || p.outcome == ProbeOutcome::BehindRelay) {
        return Ok(());
    }
    Err(anyhow!("no address of {:?} is good", target.name.as_str()).into())
}

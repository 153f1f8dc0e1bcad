//! `anteroom recording hold` and `shred`: keeping a recording, and destroying its keys.
use super::{Done, Out, Usage, context::Context, output::moment};
use crate::janitor;
use anteroom_domain::{Handle, HoldId, LegalHold, Reason, SessionId, Shredding};
use anteroom_policy::Action;
use anteroom_recorder::shred::envelopes;
use anyhow::{Context as _, anyhow};
use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};

/// Of standard input; more than a reason may have, so that a longer one is told so.
const MOST_READ: u64 = 16 << 10;

pub(super) const HOLD: &str = "\
As long as a hold is on a recording, nothing and nobody destroys its keys: no command, and no end of its time. Auditors and operators
place holds, auditors lift them. A session that runs can be held too.

Examples:
  anteroom recording hold ID --reason \"case 17\" --as cleo
  anteroom recording hold ID --as cleo                         what holds it, and what held it
  anteroom recording hold ID --lift --reason \"case 17 is closed\" --as cleo";

pub(super) const SHRED: &str = "\
The envelopes with the recording's keys are removed from this machine and what can be searched of it from the database. Nobody watches
it again, masked or not, and nobody brings it back. The rest stays, so that anteroom verify still says that nothing was changed; the audit
log and every bundle name who did it, when and why. Copies of the envelopes elsewhere (backups, snapshots) are yours to remove.
A legal hold wins: then nothing is done.

Exit status 0 if the keys are gone, also if they were before; 1 if something is in the way; 2 if nobody could be asked.

Examples:
  anteroom recording shred ID --reason \"retention of the contract is over\" --as olga
  anteroom recording shred ID --reason - --as olga --yes < reason.txt";

#[derive(Debug, clap::Args)]
pub(crate) struct HoldArgs {
    session: SessionId,
    /// Why; no patient data. Others on this machine see what stands on a command line: `-` reads it from standard input.
    #[arg(long, required_if_eq("lift", "true"))]
    reason: Option<String>,
    /// Take a hold away instead of placing one.
    #[arg(long)]
    lift: bool,
    /// Which one, when there are several.
    #[arg(long, value_name = "HOLD", requires = "lift")]
    hold: Option<HoldId>,
    /// In whose name; the audit log has it.
    #[arg(long = "as", env = "ANTEROOM_AS", value_name = "HANDLE")]
    by: Handle,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ShredArgs {
    session: SessionId,
    /// Why; no patient data. Others on this machine see what stands on a command line: `-` reads it from standard input.
    #[arg(long)]
    reason: String,
    /// Do not ask: for scripts.
    #[arg(long)]
    yes: bool,
    /// In whose name; the audit log has it.
    #[arg(long = "as", env = "ANTEROOM_AS", value_name = "HANDLE")]
    by: Handle,
}

fn reason(written: &str) -> anyhow::Result<Reason> {
    let text = if written == "-" { std::io::read_to_string(std::io::stdin().lock().take(MOST_READ))? } else { written.to_owned() };
    Reason::new(text.trim()).map_err(|e| Usage(format!("--reason: {e}")).into())
}

pub(super) async fn hold(cx: &Context, a: HoldArgs, json: bool, out: &mut Out) -> Done {
    let Some(why) = a.reason.as_deref().map(reason).transpose()? else {
        return list(cx, a.session, &a.by, json, out).await;
    };
    let (hold, done) = if a.lift {
        let by = cx.acting(&a.by, Action::LiftHold).await?;
        (cx.approvals.lift_hold(by.id, a.session, a.hold, why).await?, "is lifted")
    } else {
        let by = cx.acting(&a.by, Action::HoldRecording).await?;
        (cx.approvals.place_hold(by.id, a.session, why).await?, "is placed")
    };
    if json { Ok(out.json(&hold)?) } else { Ok(out.line(format!("hold {} on the recording of session {} {done}", hold.id, hold.session))?) }
}

async fn list(cx: &Context, session: SessionId, by: &Handle, json: bool, out: &mut Out) -> Done {
    cx.acting(by, Action::HoldRecording).await?;
    cx.approvals.session(session).await?.ok_or_else(|| anyhow!("there is no session {session}"))?;
    let holds = cx.approvals.keeping(session).await?.holds;
    if json {
        return Ok(out.json(&holds)?);
    }
    let row = |h: &LegalHold| {
        let end = h.lifted.as_ref().map_or("counts".into(), |l| format!("lifted {} by {}", moment(l.at), l.by_handle));
        let why = h.reason.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
        vec![h.id.to_string(), moment(h.placed_at), h.placed_by_handle.to_string(), end, why]
    };
    let rows: Vec<_> = holds.iter().map(row).collect();
    Ok(out.table(&["HOLD", "PLACED", "BY", "STATE", "REASON"], &rows, "no holds")?)
}

pub(super) async fn shred(cx: &Context, a: ShredArgs, json: bool, out: &mut Out) -> Done {
    let by = cx.acting(&a.by, Action::ShredRecording).await?;
    let session = a.session;
    let record = cx.approvals.session(session).await?.ok_or_else(|| anyhow!("there is no session {session}"))?;
    let root = &cx.config.custody.recordings;
    let why = reason(&a.reason)?;
    if record.shredded_at.is_none() && !record.held && !a.yes {
        let what = format!("{} as {}@{}, {}", record.person_handle, record.account, record.target_name, moment(record.started_at));
        agreed(session, &what)?;
    }
    let found = {
        let root = root.clone();
        tokio::task::spawn_blocking(move || envelopes(&root, session)).await.context("the thread that reads the disk is gone")??
    };
    let decided = cx.approvals.shred_recording(by.id, session, why, found).await?;
    janitor::carry_out(&cx.approvals, root, session)
        .await
        .context("it is decided and in the audit log, but its keys are not all gone; the gateway tries again, and so does this command")?;
    if json { Ok(out.json(&decided)?) } else { Ok(out.line(said(&decided))?) }
}

fn said(d: &Shredding) -> String {
    let (by, at) = (d.decided_by(), moment(d.at));
    format!(
        "session {}: its keys ({} envelopes) are destroyed, as decided by {by} at {at}; nobody can open its recording",
        d.session,
        d.envelopes.len()
    )
}

/// Nobody destroys something with one wrong keystroke.
fn agreed(session: SessionId, what: &str) -> anyhow::Result<()> {
    if !std::io::stdin().is_terminal() {
        return Err(Usage("there is nobody to ask; say --yes to destroy the keys without asking".into()).into());
    }
    write!(
        std::io::stderr(),
        "This destroys the keys of a recording for good: {what}.\nNobody will watch it again, masked or not. It can still be verified.\n\
         Type the session's id to go on: "
    )?;
    let mut answer = String::new();
    std::io::stdin().lock().take(MOST_READ).read_line(&mut answer)?;
    if answer.trim() == session.to_string() { Ok(()) } else { Err(anyhow!("that is not its id; nothing was done")) }
}

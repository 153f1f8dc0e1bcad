use super::{
    ConfigArg, Done, JsonArg, Out,
    context::{Context, with_context},
    output::moment,
};
use anteroom_approvals::{Page, SessionFilter};
use anteroom_domain::{Handle, SessionId, SessionRecord};
use anteroom_policy::Action;
use clap::Subcommand;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    json: JsonArg,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Sessions, newest first.
    List {
        /// Only those that run now.
        #[arg(long)]
        live: bool,
        /// Part of a person's or target's name.
        #[arg(default_value = "")]
        search: String,
    },
    /// End a session now.
    Terminate {
        session: SessionId,
        /// In whose name; the audit log and the user are told.
        #[arg(long = "as", env = "ANTEROOM_AS", value_name = "HANDLE")]
        by: Handle,
    },
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    with_context!(&a.config, cx => match a.what {
        What::List { live, search } => {
            let found = cx.approvals.sessions(SessionFilter { live_only: live, search, person: None }, Page { number: 0, size: 500 }).await?.rows;
            print(&found, a.json.json, out, "no sessions")
        }
        What::Terminate { session, by } => terminate(&cx, session, &by, out).await,
    })
}

async fn terminate(cx: &Context, session: SessionId, by: &Handle, out: &mut Out) -> Done {
    let by = cx.acting(by, Action::TerminateSession).await?;
    cx.approvals.order_terminate(session, by.id).await?;
    Ok(out.line(format!("session {session} is ordered to end"))?)
}

pub(crate) fn print(found: &[SessionRecord], json: bool, out: &mut Out, empty: &str) -> Done {
    if json {
        return Ok(out.json(found)?);
    }
    let rows: Vec<_> = found
        .iter()
        .map(|s| {
            let end = match (s.ended_at, &s.end_reason) {
                (None, _) => "running".to_owned(),
                (Some(at), why) => format!("{} {}", moment(at), why.as_deref().unwrap_or_default()),
            };
            let masked: u64 = s.mask_counts.values().sum();
            let recording = format!("{}{}", s.recording.as_str(), if s.mask_incomplete { " (mask incomplete)" } else { "" });
            vec![
                s.id.to_string(),
                s.person_handle.clone(),
                format!("{}@{}", s.account, s.target_name),
                moment(s.started_at),
                end,
                recording,
                masked.to_string(),
            ]
        })
        .collect();
    Ok(out.table(&["SESSION", "PERSON", "ACCESS", "STARTED", "ENDED", "RECORDING", "MASKED"], &rows, empty)?)
}

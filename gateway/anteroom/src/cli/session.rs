use super::{
    ConfigArg, Done, JsonArg, Out, Usage,
    context::{Context, with_context},
    output::moment,
};
use anteroom_approvals::{MessageFate, Page, SessionFilter};
use anteroom_domain::{Handle, MessageText, SessionId, SessionRecord};
use anteroom_policy::Action;
use anyhow::anyhow;
use clap::Subcommand;
use std::io::Read as _;

/// Bytes of standard input that are looked at: more than a message may have, so that one that is too long is told so.
const MOST_READ: u64 = 16 << 10;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    json: JsonArg,
    #[command(subcommand)]
    what: What,
}

const MESSAGE: &str = "\
It appears as \"anteroom: message from NAME: TEXT\" wherever the session has a terminal open, and stands in its recording; the audit
log says that you wrote. Commands without a terminal (scp, rsync, ansible) get nothing mixed into their output.

Exit status 0 if it was shown, 1 if nobody reads it (no terminal, session over, its gateway does not answer), 2 if it is no line of text.

Examples:
  anteroom session list --live
  anteroom session message ID \"please finish: the ward needs the device at 15:00\" --as ben
  echo \"please call me\" | anteroom session message ID - --as ben";

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
    /// Write a line into the terminals of a running session.
    #[command(after_help = MESSAGE)]
    Message {
        session: SessionId,
        /// One line, at most 500 characters, no patient data. Others on this machine see what stands on a command line: `-` reads
        /// it from standard input.
        text: String,
        /// In whose name; the person reads it beside the text, and the audit log has it.
        #[arg(long = "as", env = "ANTEROOM_AS", value_name = "HANDLE")]
        by: Handle,
    },
    /// Hold a session still: its person sees it and can do nothing in it until it is resumed.
    Pause {
        session: SessionId,
        /// In whose name; the audit log and the user are told.
        #[arg(long = "as", env = "ANTEROOM_AS", value_name = "HANDLE")]
        by: Handle,
    },
    /// Let a paused session go on.
    Resume {
        session: SessionId,
        /// In whose name; the audit log is told.
        #[arg(long = "as", env = "ANTEROOM_AS", value_name = "HANDLE")]
        by: Handle,
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
        What::Message { session, text, by } => message(&cx, session, text, &by, out).await,
        What::Pause { session, by } => {
            let by = cx.acting(&by, Action::TerminateSession).await?;
            cx.approvals.order_pause(session, by.id).await?;
            Ok(out.line(format!("session {session} is ordered to stand still"))?)
        }
        What::Resume { session, by } => {
            let by = cx.acting(&by, Action::TerminateSession).await?;
            cx.approvals.order_resume(session, by.id).await?;
            Ok(out.line(format!("session {session} is ordered to go on"))?)
        }
        What::Terminate { session, by } => terminate(&cx, session, &by, out).await,
    })
}

async fn message(cx: &Context, session: SessionId, text: String, by: &Handle, out: &mut Out) -> Done {
    let text = if text == "-" { std::io::read_to_string(std::io::stdin().lock().take(MOST_READ))? } else { text };
    let text = MessageText::new(&text).map_err(|why| Usage(format!("message: {why}")))?;
    let by = cx.acting(by, Action::TerminateSession).await?;
    let why = match cx.approvals.send_message(session, by.id, &text).await? {
        MessageFate::Shown => return Ok(out.line("it stands in their terminal")?),
        MessageFate::NobodyReads => "the session has no terminal open",
        MessageFate::NoAnswer => "no gateway answered for this session within five seconds",
        MessageFate::SessionOver => "the session is over",
    };
    Err(anyhow!("nobody read it: {why}").into())
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
            let recording = match s.recording {
                _ if s.shredded_at.is_some() => "shredded".into(),
                _ if s.held => format!("{} (legal hold)", s.recording.as_str()),
                _ => s.recording.as_str().to_owned(),
            };
            let recording = format!("{recording}{}", if s.mask_incomplete { " (mask incomplete)" } else { "" });
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

//! `anteroom recording search`: what the portal's page does, for a shell.
use super::{Done, Out, Usage, context::Context, output::moment};
use anteroom_approvals::{Hit, SearchError, SearchFilter, SearchPage};
use anteroom_domain::{Handle, LineKind, SessionId, TargetName};
use anyhow::anyhow;
use std::io::Read as _;

pub(super) const EXAMPLES: &str = "\
All words have to stand in one line; \"in quotes\" in this order, -without (after --), this or that; the last word may be a beginning.

Examples:
  anteroom recording search vacuum --as cleo
  anteroom recording search '\"systemctl restart\"' --kind command --target ehr-db-1 --as cleo --json
  echo vacuum | anteroom recording search - --as cleo";

/// Of standard input; more than a question may have, so that a longer one is told so.
const MOST_READ: u64 = 16 << 10;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to look for. Others on this machine see what stands on a command line: `-` reads it from standard input.
    #[arg(required = true, value_name = "WORDS")]
    words: Vec<String>,
    /// In whose name; the audit log notes it, with a hash of the words.
    #[arg(long = "as", env = "ANTEROOM_AS", value_name = "HANDLE")]
    by: Handle,
    /// Only sessions of this person.
    #[arg(long, value_name = "HANDLE")]
    person: Option<Handle>,
    #[arg(long)]
    target: Option<TargetName>,
    #[arg(long)]
    session: Option<SessionId>,
    /// screen, command, file, forward or note.
    #[arg(long, value_parser = kind)]
    kind: Option<LineKind>,
    /// Hits at most.
    #[arg(long, short = 'n', default_value_t = 100)]
    lines: usize,
}

fn kind(name: &str) -> Result<LineKind, String> {
    LineKind::from_name(name).ok_or_else(|| format!("one of {}", LineKind::ALL.map(LineKind::as_str).join(", ")))
}

pub(super) async fn run(cx: &Context, a: Args, json: bool, out: &mut Out) -> Done {
    let by = cx.person(&a.by).await?;
    let person = match &a.person {
        Some(handle) => Some(cx.person(handle).await?.id),
        None => None,
    };
    let target = match &a.target {
        Some(name) => Some(cx.approvals.target_by_name(name).await?.ok_or_else(|| anyhow!("there is no target \"{name}\""))?.id),
        None => None,
    };
    let words = match &a.words[..] {
        [dash] if dash == "-" => std::io::read_to_string(std::io::stdin().lock().take(MOST_READ))?,
        words => words.join(" "),
    };
    let filter = SearchFilter { person, target, session: a.session, kind: a.kind, ..SearchFilter::default() };
    let mut found: Vec<Hit> = Vec::new();
    let mut page = SearchPage::New;
    loop {
        let hits = match cx.approvals.search_recordings(by.id, &words, &filter, page).await {
            Err(e @ (SearchError::NoWord | SearchError::TooLong)) => return Err(Usage(e.to_string()).into()),
            Err(SearchError::NotAllowed) => return Err(anyhow!("--as: {} may not do this (ReplayMasked)", a.by).into()),
            hits => hits?,
        };
        found.extend(hits.rows);
        match hits.next.filter(|_| found.len() < a.lines) {
            Some(next) => page = SearchPage::Again(Some(next)),
            None => break,
        }
    }
    found.truncate(a.lines);
    if json {
        return Ok(out.json(&found)?);
    }
    let (on, off) = if out.is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    for hit in &found {
        let line: String = hit.pieces.iter().map(|(asked, text)| if *asked { format!("{on}{text}{off}") } else { text.clone() }).collect();
        let (seconds, who) = (hit.at_us / 1_000_000, format!("{} {}@{}", hit.person_handle, hit.account, hit.target_name));
        out.line(format!("{} {} {who} channel {} +{seconds}s  {line}", hit.session, moment(hit.started_at), hit.channel))?;
    }
    Ok(())
}

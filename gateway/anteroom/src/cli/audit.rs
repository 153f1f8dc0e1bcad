use super::{ConfigArg, Done, Failure, JsonArg, Out, context::with_context, output::moment};
use anteroom_approvals::{AuditFilter, AuditLine, Page};
use clap::Subcommand;
use std::time::Duration;

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
    /// The last lines of the log, oldest first.
    Tail {
        #[arg(long, short = 'n', default_value_t = 20)]
        lines: u32,
        /// Go on printing what is added.
        #[arg(long, short)]
        follow: bool,
        /// Only lines that hold this text.
        #[arg(default_value = "")]
        search: String,
    },
    /// Check the whole log against its tree and every checkpoint ever signed. Exit status 3 if something does not fit.
    Verify,
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    with_context!(&a.config, cx => match a.what {
        What::Tail { lines, follow, search } => {
            let filter = AuditFilter { text: search, ..Default::default() };
            // The newest come first from the database.
            let newest = cx.approvals.audit_search(filter.clone(), Page { number: 0, size: lines }).await?.rows;
            let mut seen: Vec<_> = newest.iter().map(|l| l.record.id).collect();
            print(newest.iter().rev(), a.json.json, out)?;
            if !follow {
                return Ok(());
            }
            loop {
                tokio::time::sleep(Duration::from_millis(500)).await;
                let rows = cx.approvals.audit_search(filter.clone(), Page { number: 0, size: 200 }).await?.rows;
                let new: Vec<_> = rows.iter().take_while(|l| !seen.contains(&l.record.id)).collect();
                print(new.iter().rev().copied(), a.json.json, out)?;
                if !new.is_empty() {
                    seen = rows.iter().map(|l| l.record.id).collect();
                }
            }
        }
        What::Verify => {
            let report = cx.approvals.verify_log().await?;
            if a.json.json {
                out.json(&report)?;
            } else {
                out.line(format!("{} entries in the tree, {} waiting, {} checkpoints compared", report.size, report.waiting, report.checkpoints))?;
                out.line(format!("root {}", report.root))?;
                out.line(format!("log key {}", cx.approvals.log_public_key()))?;
                for p in &report.problems {
                    out.line(match p.index {
                        Some(i) => format!("DAMAGE at entry {i}: {}", p.what),
                        None => format!("DAMAGE: {}", p.what),
                    })?;
                }
                out.line(if report.is_good() { "the log is whole" } else { "THE LOG WAS CHANGED" })?;
            }
            if report.is_good() { Ok(()) } else { Err(Failure::Damaged) }
        }
    })
}

/// One line an entry; as JSON one object a line, so that it can be followed by a program.
fn print<'a>(lines: impl Iterator<Item = &'a AuditLine>, json: bool, out: &mut Out) -> Done {
    for l in lines {
        if json {
            out.line(serde_json::to_string(l)?)?;
            continue;
        }
        let mut event = serde_json::to_value(&l.record.event)?;
        if let Some(o) = event.as_object_mut() {
            o.remove("kind");
        }
        let index = l.index.map_or_else(|| "-".to_owned(), |i| i.to_string());
        out.line(format!("{} {index:>6} {:<20} {event}", moment(l.record.at), l.record.event.kind()))?;
    }
    out.flush()?;
    Ok(())
}

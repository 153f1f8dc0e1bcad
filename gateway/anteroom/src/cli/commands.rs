//! `anteroom commands`: rules about commands, before they count.
use super::{Done, Failure, Out};
use anteroom_policy::CommandRules;
use anyhow::{Context as _, anyhow};
use serde::Serialize;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Read a file of rules and say what is wrong with it, or what its rules would do with commands.
    #[command(
        after_help = "Examples:\n  anteroom commands check /etc/anteroom/commands.toml\n  anteroom commands check /etc/anteroom/commands.toml --command \"pg_dump ehr\" --command uptime\n\nThe file is named in the configuration: [ssh] command_rules = \"commands.toml\"; docs/guides/operator.md has an example."
    )]
    Check {
        file: PathBuf,
        /// A command to try the rules on, whatever target it is for. Can be repeated.
        #[arg(long, value_name = "COMMAND")]
        command: Vec<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Serialize)]
struct Tried<'a> {
    command: &'a str,
    does: Option<&'static str>,
    rule: Option<&'a str>,
}

pub(crate) fn run(a: &Args, out: &mut Out) -> Done {
    let What::Check { file, command, json } = &a.what;
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let rules = CommandRules::parse(&text).map_err(|e| Failure::Usage(anyhow!("{}: {e}", file.display())))?;
    let tried: Vec<Tried<'_>> = command
        .iter()
        .map(|c| {
            let rule = rules.judge(c.as_bytes());
            Tried { command: c, does: rule.map(|r| r.does.as_str()), rule: rule.map(|r| r.name.as_str()) }
        })
        .collect();
    if *json {
        out.json(&serde_json::json!({ "rules": rules.len(), "tried": tried }))?;
        return Ok(());
    }
    out.line(format!("{}: good, {} rule{}", file.display(), rules.len(), if rules.len() == 1 { "" } else { "s" }))?;
    for t in &tried {
        let what = t.does.map_or_else(|| "passes".to_owned(), |does| format!("{does} (rule \"{}\")", t.rule.unwrap_or_default()));
        out.line(format!("  {}: {what}", t.command))?;
    }
    Ok(())
}

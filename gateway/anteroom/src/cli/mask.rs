//! `anteroom mask`: the masking engine on its own.
use super::{Done, Failure, Out};
use anteroom_masking::{MaskedEvent, Masker, RuleSet};
use anyhow::{Context as _, anyhow};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

/// A line of a recording longer than this is no asciicast.
const MAX_LINE: u64 = 64 << 20;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  anteroom mask session.cast > masked.cast\n  psql ... | anteroom mask --plain")]
pub(crate) struct Args {
    /// An asciicast (version 2) or, with --plain, text; stdin if not given.
    file: Option<PathBuf>,
    /// Plain text, without a terminal: lines in, masked lines out.
    #[arg(long)]
    plain: bool,
    /// A rule file instead of the rules this program carries.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
}

pub(crate) fn run(a: &Args, out: &mut Out) -> Done {
    let rules = match &a.rules {
        None => RuleSet::builtin(),
        Some(f) => {
            let text = std::fs::read_to_string(f).with_context(|| format!("cannot read {}", f.display()))?;
            RuleSet::parse(&text).map_err(|e| Failure::Usage(anyhow!("{}: {e}", f.display())))?
        }
    };
    let input: Box<dyn BufRead> = match &a.file {
        Some(f) => Box::new(BufReader::new(File::open(f).with_context(|| format!("cannot read {}", f.display()))?)),
        None => Box::new(BufReader::new(io::stdin())),
    };
    if a.plain { plain(Arc::new(rules), input, out) } else { cast(Arc::new(rules), input, out) }
}

fn plain(rules: Arc<RuleSet>, mut input: Box<dyn BufRead>, out: &mut Out) -> Done {
    let mut masker = Masker::plain(rules);
    let mut buffer = vec![0; 64 * 1024];
    let mut events = Vec::new();
    loop {
        let n = input.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        masker.feed(Duration::ZERO, &buffer[..n], &mut events);
        print_plain(&mut events, out)?;
    }
    masker.finish(Duration::ZERO, &mut events);
    print_plain(&mut events, out)?;
    out.flush()?;
    Ok(())
}

fn print_plain(events: &mut Vec<MaskedEvent>, out: &mut Out) -> io::Result<()> {
    for e in events.drain(..) {
        if let MaskedEvent::Output { text, .. } = e {
            // A masked track is for terminals; files and pipes want their line ends plain.
            let text = text.as_str();
            if out.is_terminal() { out.bytes(text.as_bytes())? } else { out.bytes(text.replace("\r\n", "\n").as_bytes())? }
        }
    }
    Ok(())
}

fn cast(rules: Arc<RuleSet>, mut input: Box<dyn BufRead>, out: &mut Out) -> Done {
    let mut number = 1;
    let head = read_line(&mut input, number)?.ok_or_else(|| anyhow!("the input is empty"))?;
    let mut head: serde_json::Value = serde_json::from_str(&head).map_err(|_| not_a_cast(1))?;
    let size = |k: &str| head.get(k).and_then(serde_json::Value::as_u64).and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0);
    let (Some(2), Some(cols), Some(rows)) = (head.get("version").and_then(serde_json::Value::as_u64), size("width"), size("height")) else {
        return Err(not_a_cast(1).into());
    };
    // Titles, commands and environments are free text: they don't pass.
    if let Some(h) = head.as_object_mut() {
        h.retain(|k, _| matches!(k.as_str(), "version" | "width" | "height" | "timestamp" | "idle_time_limit"));
    }
    out.line(head.to_string())?;
    let mut masker = Masker::new(rules, cols, rows);
    let mut events = Vec::new();
    let mut last = Duration::ZERO;
    loop {
        number += 1;
        let Some(line) = read_line(&mut input, number)? else { break };
        if line.trim().is_empty() {
            continue;
        }
        let (at, code, data): (f64, String, String) = serde_json::from_str(&line).map_err(|_| not_a_cast(number))?;
        let at = Duration::try_from_secs_f64(at).map_err(|_| not_a_cast(number))?.max(last);
        last = at;
        match code.as_str() {
            "o" => masker.feed(at, data.as_bytes(), &mut events),
            "r" => {
                let (c, r) =
                    data.split_once('x').and_then(|(c, r)| Some((c.parse().ok()?, r.parse().ok()?))).ok_or_else(|| not_a_cast(number))?;
                masker.resize(at, c, r, &mut events);
            }
            // Input is never masked, it is left out: passwords are typed.
            _ => {}
        }
        print_cast(&mut events, out)?;
    }
    masker.finish(last, &mut events);
    print_cast(&mut events, out)?;
    out.flush()?;
    Ok(())
}

fn print_cast(events: &mut Vec<MaskedEvent>, out: &mut Out) -> anyhow::Result<()> {
    for e in events.drain(..) {
        let line = match &e {
            MaskedEvent::Output { at, text } => serde_json::to_string(&(at.as_secs_f64(), "o", text.as_str()))?,
            MaskedEvent::Resize { at, cols, rows } => serde_json::to_string(&(at.as_secs_f64(), "r", format!("{cols}x{rows}")))?,
        };
        out.line(line)?;
    }
    Ok(())
}

fn read_line(input: &mut Box<dyn BufRead>, number: usize) -> anyhow::Result<Option<String>> {
    let mut line = String::new();
    let n = input.take(MAX_LINE).read_line(&mut line).map_err(|e| match e.kind() {
        io::ErrorKind::InvalidData => not_a_cast(number),
        _ => e.into(),
    })?;
    Ok((n > 0).then_some(line))
}

fn not_a_cast(line: usize) -> anyhow::Error {
    anyhow!("line {line} is not of an asciicast version 2; use --plain for text")
}

//! `anteroom mask`: the masking engine on its own.
use super::{Done, Failure, Out, progress::bar};
use anteroom_masking::{MaskedEvent, Masker, RuleSet, Summary, asciicast};
use anyhow::{Context as _, anyhow};
use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, Read as _, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  anteroom mask session.cast -o masked.cast\n  anteroom mask --json session.cast -o masked.cast | jq .counts\n  psql ... | anteroom mask --plain"
)]
pub(crate) struct Args {
    /// An asciicast (version 2 or 3) or, with --plain, text; "-" or nothing is stdin.
    file: Option<PathBuf>,
    /// Where the masked recording goes (asciicast version 2); "-" or nothing is stdout.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Plain text, without a terminal: lines in, masked lines out.
    #[arg(long)]
    plain: bool,
    /// A rule file instead of the rules this program carries.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Say on stderr what was masked where and why; never the value.
    #[arg(long, conflicts_with = "plain")]
    explain: bool,
    /// Print counts and spans as JSON on stdout; the recording has to go to a file.
    #[arg(long, requires = "output", conflicts_with = "plain")]
    json: bool,
}

pub(crate) fn run(a: &Args, out: &mut Out) -> Done {
    let rules = Arc::new(match &a.rules {
        None => RuleSet::builtin(),
        Some(f) => {
            let text = std::fs::read_to_string(f).with_context(|| format!("cannot read {}", f.display()))?;
            RuleSet::parse(&text).map_err(|e| Failure::Usage(anyhow!("{}: {e}", f.display())))?
        }
    });
    let to_file = named(a.output.as_deref());
    if a.json && to_file.is_none() {
        return Err(Failure::Usage(anyhow!("--json needs --output FILE: stdout can't hold both")));
    }
    let (input, size): (Box<dyn BufRead>, Option<u64>) = match named(a.file.as_deref()) {
        None => (Box::new(BufReader::new(io::stdin())), None),
        Some(f) => {
            let file = File::open(f).with_context(|| format!("cannot read {}", f.display()))?;
            let size = file.metadata().ok().map(|m| m.len());
            (Box::new(BufReader::new(file)), size)
        }
    };
    let mut output: Box<dyn Write> = match to_file {
        None => Box::new(BufWriter::new(io::stdout())),
        // A recording that exists is never overwritten by its masked copy, nor by a slip of the hand.
        Some(f) => {
            let new = OpenOptions::new().write(true).create_new(true).open(f);
            Box::new(BufWriter::new(new.with_context(|| format!("cannot make {}", f.display()))?))
        }
    };
    if a.plain {
        return plain(rules, input, &mut output, to_file.is_none() && out.is_terminal());
    }
    let bar = bar("  masking {bar:30} {bytes}/{total_bytes} ({eta} left)", size, to_file.is_some());
    let tell = |bytes| bar.set_position(bytes);
    let masked = if a.explain || a.json {
        asciicast::explain(input, &mut output, rules, tell)
    } else {
        asciicast::mask(input, &mut output, rules, tell)
    };
    bar.finish_and_clear();
    let summary = masked.with_context(|| a.file.as_deref().unwrap_or(Path::new("stdin")).display().to_string())?;
    if a.explain {
        explain(&summary)?;
    }
    if a.json {
        out.json(&summary)?;
    }
    Ok(())
}

fn named(p: Option<&Path>) -> Option<&Path> {
    p.filter(|p| *p != Path::new("-"))
}

fn explain(summary: &Summary) -> io::Result<()> {
    let mut err = io::stderr().lock();
    for s in &summary.spans {
        let at = Duration::from_micros(s.at_us).as_secs_f64();
        writeln!(err, "{at:10.3} s  row {:<5} columns {}-{}  {:<10} {}", s.row, s.column, s.column + s.width.max(1) - 1, s.kind, s.rule)?;
    }
    for (kind, n) in &summary.counts {
        writeln!(err, "{n} distinct {kind}")?;
    }
    if summary.incomplete {
        writeln!(err, "incomplete: something masked in one place is readable in another")?;
    }
    Ok(())
}

fn plain(rules: Arc<RuleSet>, mut input: Box<dyn BufRead>, output: &mut dyn Write, terminal: bool) -> Done {
    let mut masker = Masker::plain(rules);
    let mut buffer = vec![0; 64 * 1024];
    let mut events = Vec::new();
    loop {
        let n = input.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        masker.feed(Duration::ZERO, &buffer[..n], &mut events);
        write_plain(&mut events, output, terminal)?;
    }
    masker.finish(Duration::ZERO, &mut events);
    write_plain(&mut events, output, terminal)?;
    output.flush()?;
    Ok(())
}

fn write_plain(events: &mut Vec<MaskedEvent>, output: &mut dyn Write, terminal: bool) -> io::Result<()> {
    for e in events.drain(..) {
        if let MaskedEvent::Output { text, .. } = e {
            // A masked track is for terminals; files and pipes want their line ends plain.
            let text = text.as_str();
            if terminal { output.write_all(text.as_bytes())? } else { output.write_all(text.replace("\r\n", "\n").as_bytes())? }
        }
    }
    Ok(())
}

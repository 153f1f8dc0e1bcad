//! Masks standard input: `cargo run -p anteroom-masking --example mask -- [--terminal 100x30] < capture`. Says on standard error what was masked and why.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what it is for")]

use std::{io::Read, sync::Arc, time::Duration};

use anteroom_masking::{MaskedEvent, Masker, RuleSet};

fn main() -> std::io::Result<()> {
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input)?;
    let rules = Arc::new(RuleSet::builtin());
    let size = std::env::args().skip_while(|arg| arg != "--terminal").nth(1);
    let size =
        size.as_deref().and_then(|size| size.split_once('x')).and_then(|(cols, rows)| Some((cols.parse().ok()?, rows.parse().ok()?)));
    let masker = match size {
        Some((cols, rows)) => {
            input = input.split(|b| *b == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]);
            Masker::new(rules, cols, rows)
        }
        None => Masker::plain(rules),
    };
    let mut masker = masker.explain();
    let mut out = Vec::new();
    masker.feed(Duration::ZERO, &input, &mut out);
    let summary = masker.finish(Duration::from_secs(1), &mut out);
    for event in &out {
        if let MaskedEvent::Output { text, .. } = event {
            print!("{text}");
        }
    }
    for span in &summary.spans {
        eprintln!("{}:{}+{} {} ({})", span.row, span.column, span.width, span.kind, span.rule);
    }
    eprintln!("{:?} incomplete={}", summary.counts, summary.incomplete);
    Ok(())
}

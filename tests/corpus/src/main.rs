//! `cargo run -p anteroom-test-corpus -- --help`
#![allow(clippy::print_stdout)]

use std::collections::BTreeSet;

use anteroom_test_corpus::{Part, examine, report::table};
use clap::Parser;

/// Examines the masking engine on a made-up, labelled corpus, and prints what it found by family and by type of identifier.
///
/// Two parts are examined: the open one, whose misses may be looked at (--misses), and a held-out one with other words, names and
/// shapes, of which only the numbers are shown. "found": no letter or digit of an identifier could be read, wherever it stood.
/// "partly": some of it was masked. "masked": innocent characters that were masked. "!": characters that became something else.
#[derive(Debug, Parser)]
#[command(name = "anteroom-test-corpus")]
struct Arguments {
    /// Another corpus for every number
    #[arg(long, default_value_t = 2026)]
    seed: u64,
    /// Captures of each family
    #[arg(long, default_value_t = 8)]
    captures: u64,
    /// Only families whose name contains this
    #[arg(long, default_value = "")]
    family: String,
    /// List what could be read and what was masked without need, of the open part
    #[arg(long)]
    misses: bool,
    /// Lines listed of each family at most, of each sort
    #[arg(long, default_value_t = 12)]
    lines: usize,
    /// Print the raw captures of the open part instead, with each identifier between ⟦ and ⟧
    #[arg(long)]
    show: bool,
    /// Print what floors.tsv may demand of each family today: a point less than is found
    #[arg(long)]
    floors: bool,
}

fn main() {
    let arguments = Arguments::parse();
    if arguments.show {
        return show(&arguments);
    }
    let mut listed: BTreeSet<(&str, String)> = BTreeSet::new();
    let mut count = [std::collections::BTreeMap::new(), std::collections::BTreeMap::new()];
    let open = examine(arguments.seed, arguments.captures, Part::Open, &arguments.family, |family, outcome| {
        if !arguments.misses {
            return;
        }
        for (kind, value, raw, shown) in &outcome.misses {
            let text = format!("missed {} {value:?}\n   {raw}\n   {shown}", kind.name());
            let n: &mut usize = count[0].entry(family.name).or_default();
            if *n < arguments.lines && listed.insert((family.name, text.clone())) {
                *n += 1;
                println!("{}: {text}", family.name);
            }
        }
        for (raw, shown) in &outcome.spoilt {
            let text = format!("spoiled\n   {raw}\n   {shown}");
            let n: &mut usize = count[1].entry(family.name).or_default();
            if *n < arguments.lines && listed.insert((family.name, text.clone())) {
                *n += 1;
                println!("{}: {text}", family.name);
            }
        }
    });
    let held_out = examine(!arguments.seed, arguments.captures, Part::HeldOut, &arguments.family, |_, _| {});
    if arguments.floors {
        println!("# Percent of identifiers found, at least: family, open part, held-out part. Numbers only go up.");
        for ((name, innocent, open), (_, _, held_out)) in open.families.iter().zip(&held_out.families) {
            if !innocent {
                println!("{name}\t{:.0}\t{:.0}", (open.recall() - 1.0).floor().max(0.0), (held_out.recall() - 1.0).floor().max(0.0));
            }
        }
        return;
    }
    println!("{}", table(&open, &held_out));
    for payload in open.leaked_payloads {
        println!("came out of a title, link or clipboard: {payload}");
    }
}

fn show(arguments: &Arguments) {
    use anteroom_test_corpus::{FAMILIES, report::capture};
    for family in FAMILIES.iter().filter(|family| family.name.contains(&arguments.family)) {
        for n in 0..arguments.captures {
            let capture = capture(family, arguments.seed, n, Part::Open);
            println!("\x1b[0;7m{} {n} ({}x{})\x1b[0m", family.name, capture.cols, capture.rows);
            let mut at = 0;
            for mark in &capture.marks {
                print(&capture.bytes[at..mark.start]);
                let (open, close) = if mark.label.is_some() { ("⟦", "⟧") } else { ("‹", "›") };
                println_part(open, &capture.bytes[mark.start..mark.end], close);
                at = mark.end;
            }
            print(&capture.bytes[at..]);
            println!();
        }
    }
}

#[allow(clippy::print_with_newline)]
fn print(bytes: &[u8]) {
    use std::io::Write as _;
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\x1b', "␛").replace('\r', "␍");
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn println_part(open: &str, bytes: &[u8], close: &str) {
    print(open.as_bytes());
    print(bytes);
    print(close.as_bytes());
}

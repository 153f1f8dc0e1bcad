//! How much is found and how much is spoiled, on a corpus made from a seed. The floors only go up.
#![allow(clippy::unwrap_used, clippy::print_stdout, dead_code, unreachable_pub)]

mod common;
#[path = "common/families.rs"]
mod families;
#[path = "common/people.rs"]
mod people;

use std::collections::BTreeMap;

use anteroom_masking::{MASK, Masker, WIDE_MASK};
use common::{Terminal, mask, rules};
use families::{Capture, FAMILIES, INNOCENT};
use people::Dice;

const SEED: u64 = 2026;
const CAPTURES: u64 = 25;
/// Identifiers found, in percent.
const RECALL_FLOOR: f64 = 99.0;
/// Innocent characters masked, in percent.
const SPOILED_CEILING: f64 = 0.5;

#[derive(Debug, Default, Clone, Copy)]
struct Score {
    identifiers: u64,
    found: u64,
    innocent: u64,
    spoiled: u64,
}

impl Score {
    fn add(&mut self, other: Score) {
        self.identifiers += other.identifiers;
        self.found += other.found;
        self.innocent += other.innocent;
        self.spoiled += other.spoiled;
    }

    fn recall(self) -> f64 {
        100.0 * self.found as f64 / self.identifiers.max(1) as f64
    }

    fn spoiled(self) -> f64 {
        100.0 * self.spoiled as f64 / self.innocent.max(1) as f64
    }
}

/// Plays a capture raw and masked and compares them cell by cell.
fn score(capture: &Capture, dice: &mut Dice, kinds: &mut BTreeMap<&'static str, Score>, missed: &mut Vec<String>) -> Score {
    let bytes = capture.text.replace('\n', "\r\n").into_bytes();
    // Split and timed at random: that must not matter.
    let mut chunks: Vec<(u64, &[u8])> = Vec::new();
    let (mut at, mut rest) = (0, bytes.as_slice());
    while !rest.is_empty() {
        let (now, later) = rest.split_at((1 + dice.roll(400) as usize).min(rest.len()));
        chunks.push((at, now));
        at += [0, 0, 3, 45][dice.roll(4) as usize];
        rest = later;
    }
    let (events, _) = mask(Masker::new(rules(), 500, 60), &chunks);
    let (mut raw, mut shown) = (Terminal::new(500, 60), Terminal::new(500, 60));
    raw.feed(&bytes);
    shown.play(&events);
    let (raw, shown) = (raw.text(), shown.text());
    let mut total = Score::default();
    for (raw, shown) in raw.lines().zip(shown.lines()) {
        let (raw, shown): (Vec<char>, Vec<char>) = (raw.chars().collect(), shown.chars().collect());
        let masked = |at: usize| shown.get(at).is_some_and(|c| [MASK, WIDE_MASK].contains(c));
        let mut spoiled = false;
        let mut identifying = vec![false; raw.len()];
        for (kind, value) in &capture.identifiers {
            let value: Vec<char> = value.chars().collect();
            for start in (0..raw.len().saturating_sub(value.len() - 1)).filter(|start| raw[*start..].starts_with(&value)) {
                let end = start + value.len();
                // "Li" in "Line" is no name.
                let alone = |at: Option<&char>| at.is_none_or(|c| !c.is_alphanumeric());
                if !alone(start.checked_sub(1).and_then(|at| raw.get(at))) || !alone(raw.get(end)) || identifying[start] {
                    continue;
                }
                identifying[start..end].fill(true);
                let found = (start..end).all(|at| masked(at) || !raw[at].is_alphanumeric());
                if !found {
                    missed.push(format!("{kind} {}: {}", value.iter().collect::<String>(), shown.iter().collect::<String>()));
                }
                let one = Score { identifiers: 1, found: u64::from(found), ..Score::default() };
                kinds.entry(kind).or_default().add(one);
                total.add(one);
            }
        }
        for (at, c) in raw.iter().enumerate() {
            if !identifying[at] && !c.is_whitespace() {
                total.innocent += 1;
                total.spoiled += u64::from(masked(at));
                if masked(at) {
                    spoiled = true;
                }
            }
        }
        if spoiled {
            missed.push(format!("spoiled\n   {}\n   {}", raw.iter().collect::<String>(), shown.iter().collect::<String>()));
        }
    }
    total
}

#[test]
fn identifiers_are_found_and_the_rest_stays_readable() {
    let mut kinds: BTreeMap<&'static str, Score> = BTreeMap::new();
    let mut total = Score::default();
    let mut report = format!("{:18} {:>11} {:>8} {:>10} {:>9}\n", "family", "identifiers", "found", "innocent", "spoiled");
    let mut examples = String::new();
    for (family, make) in FAMILIES.iter().chain(INNOCENT) {
        let mut sum = Score::default();
        let mut missed = Vec::new();
        for n in 0..CAPTURES {
            let mut dice = Dice::new(SEED.wrapping_mul(1000).wrapping_add(n * 77 + family.len() as u64));
            let capture = make(&mut dice);
            sum.add(score(&capture, &mut dice, &mut kinds, &mut missed));
        }
        report += &format!("{family:18} {:>11} {:>7.1}% {:>10} {:>8.2}%\n", sum.identifiers, sum.recall(), sum.innocent, sum.spoiled());
        missed.dedup();
        for line in missed
            .iter()
            .filter(|line| line.starts_with("spoiled"))
            .take(2)
            .chain(missed.iter().filter(|line| !line.starts_with("spoiled")).take(3))
        {
            examples += &format!("{family}: {line}\n");
        }
        total.add(sum);
    }
    report += "\ntype\n";
    for (kind, score) in &kinds {
        report += &format!("{kind:18} {:>11} {:>7.1}%\n", score.identifiers, score.recall());
    }
    report += &format!(
        "\nall: {:.2}% of {} identifiers found, {:.3}% of {} innocent characters masked\n",
        total.recall(),
        total.identifiers,
        total.spoiled(),
        total.innocent
    );
    println!("{report}\n{examples}");
    assert!(total.recall() >= RECALL_FLOOR, "recall fell:\n{report}\n{examples}");
    assert!(total.spoiled() <= SPOILED_CEILING, "too much is masked:\n{report}");
}

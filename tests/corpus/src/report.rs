//! Many captures, their sums, and a table to read.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    families::{FAMILIES, Family},
    kind::Kind,
    scene::{Capture, Part, Scene},
    score::{Outcome, Tally, score},
};

/// The sums of one part of the corpus.
#[derive(Debug, Default)]
pub struct Exam {
    pub families: Vec<(&'static str, bool, Tally)>,
    pub kinds: BTreeMap<Kind, Tally>,
    pub total: Tally,
    /// Of the families that look alike and tell of nobody.
    pub look_alikes: Tally,
    pub leaked_payloads: Vec<String>,
}

/// The n-th capture of a family.
pub fn capture(family: &Family, seed: u64, n: u64, part: Part) -> Capture {
    let name = family.name.bytes().fold(seed, |sum, byte| sum.wrapping_mul(0x0100_0000_01b3).wrapping_add(byte.into()));
    let mut scene = Scene::new(name.wrapping_mul(1000).wrapping_add(n), part);
    (family.make)(&mut scene);
    scene.finish()
}

/// `captures` of every family whose name contains `wanted`; `each` is shown what became of every one.
pub fn examine(seed: u64, captures: u64, part: Part, wanted: &str, mut each: impl FnMut(&Family, &Outcome)) -> Exam {
    let mut exam = Exam::default();
    for family in FAMILIES.iter().filter(|family| family.name.contains(wanted)) {
        let mut sum = Tally::default();
        for n in 0..captures {
            let outcome = score(&capture(family, seed, n, part));
            sum.add(&outcome.total);
            for (kind, tally) in &outcome.kinds {
                exam.kinds.entry(*kind).or_default().add(tally);
            }
            exam.leaked_payloads.extend(outcome.leaked_payloads.iter().map(|payload| format!("{}: {payload}", family.name)));
            each(family, &outcome);
        }
        exam.total.add(&sum);
        if family.innocent {
            exam.look_alikes.add(&sum);
        }
        exam.families.push((family.name, family.innocent, sum));
    }
    exam
}

/// Both parts side by side.
pub fn table(open: &Exam, held_out: &Exam) -> String {
    let mut text = String::new();
    let head = |text: &mut String, first: &str| {
        let _ = writeln!(text, "{first:20} {:>43}   {:>43}", "open", "held out");
        let columns = format!("{:>7} {:>7} {:>6} {:>8} {:>7} {:>3}", "labels", "found", "partly", "innocent", "masked", "!");
        let _ = writeln!(text, "{:20} {columns}   {columns}", "");
    };
    let row = |text: &mut String, name: &str, a: &Tally, b: &Tally| {
        let _ = writeln!(text, "{name:20} {}   {}", cells(a), cells(b));
    };
    head(&mut text, "family");
    for ((name, _, a), (_, _, b)) in open.families.iter().zip(&held_out.families) {
        row(&mut text, name, a, b);
    }
    text.push('\n');
    head(&mut text, "type, 164.514(b)(2)");
    for (kind, a) in &open.kinds {
        row(&mut text, kind.name(), a, &held_out.kinds.get(kind).copied().unwrap_or_default());
    }
    text.push('\n');
    row(&mut text, "look-alikes", &open.look_alikes, &held_out.look_alikes);
    row(&mut text, "all", &open.total, &held_out.total);
    text
}

fn cells(tally: &Tally) -> String {
    let percent = |of: f64, any: u64| if any == 0 { "-".to_owned() } else { format!("{of:.1}%") };
    format!(
        "{:>7} {:>7} {:>6} {:>8} {:>7} {:>3}",
        tally.identifiers,
        percent(tally.recall(), tally.identifiers),
        tally.partly,
        tally.innocent,
        if tally.innocent == 0 { "-".to_owned() } else { format!("{:.2}%", tally.spoil()) },
        if tally.broken == 0 { String::new() } else { tally.broken.to_string() },
    )
}

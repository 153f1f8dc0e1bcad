//! How much is found and how much is spoiled. Floors only go up: `cargo run -p anteroom-test-corpus -- --floors` prints today's.

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, thread};

use anteroom_test_corpus::{Exam, Part, examine, report};

const SEED: u64 = 2026;
const CAPTURES: u64 = 8;

/// Of all identifiers found, in percent: open part, held-out part.
const FOUND: (f64, f64) = (99.0, 98.4);
/// Of all innocent characters masked, in percent, at most: open, held out.
const MASKED: (f64, f64) = (0.45, 0.4);
/// The same in what only looks alike.
const LOOK_ALIKES_MASKED: (f64, f64) = (0.05, 0.05);

/// Both parts at once.
fn exams() -> (Exam, Exam) {
    thread::scope(|scope| {
        let held_out = scope.spawn(|| examine(!SEED, CAPTURES, Part::HeldOut, "", |_, _| {}));
        let open = examine(SEED, CAPTURES, Part::Open, "", |_, _| {});
        (open, held_out.join().unwrap())
    })
}

/// Percent found, by family: open, held out.
fn floors() -> BTreeMap<&'static str, (f64, f64)> {
    include_str!("../floors.tsv")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| {
            let mut cells = line.split('\t');
            let name = cells.next().unwrap();
            let mut number = || cells.next().unwrap().trim().parse().unwrap();
            (name, (number(), number()))
        })
        .collect()
}

#[test]
fn identifiers_are_found_and_the_rest_stays_readable() {
    let (open, held_out) = exams();
    let mut fallen = Vec::new();
    let mut at_least = |what: &str, is: f64, floor: f64| {
        if is < floor {
            fallen.push(format!("{what}: {is:.2}% found, the floor is {floor}%"));
        }
    };
    at_least("open", open.total.recall(), FOUND.0);
    at_least("held out", held_out.total.recall(), FOUND.1);
    let floors = floors();
    for ((name, innocent, open), (_, _, held_out)) in open.families.iter().zip(&held_out.families) {
        let (floor, held_floor) = floors.get(name).copied().unwrap_or_default();
        if !innocent {
            at_least(name, open.recall(), floor);
            at_least(&format!("{name}, held out"), held_out.recall(), held_floor);
        }
    }
    for (what, is, ceiling) in [
        ("open", open.total.spoil(), MASKED.0),
        ("held out", held_out.total.spoil(), MASKED.1),
        ("look-alikes, open", open.look_alikes.spoil(), LOOK_ALIKES_MASKED.0),
        ("look-alikes, held out", held_out.look_alikes.spoil(), LOOK_ALIKES_MASKED.1),
    ] {
        if is > ceiling {
            fallen.push(format!("{what}: {is:.3}% of innocent characters masked, the ceiling is {ceiling}%"));
        }
    }
    let table = report::table(&open, &held_out);
    assert!(fallen.is_empty(), "{table}\n{}\n", fallen.join("\n"));
    assert_eq!((open.total.broken, held_out.total.broken), (0, 0), "characters became something else than themselves or a mask\n{table}");
    assert_eq!(open.leaked_payloads, Vec::<String>::new());
    assert_eq!(held_out.leaked_payloads, Vec::<String>::new());
}

#[test]
fn the_same_seed_makes_the_same_corpus() {
    use anteroom_test_corpus::{FAMILIES, report::capture};
    for family in FAMILIES {
        for part in [Part::Open, Part::HeldOut] {
            let (one, other) = (capture(family, 7, 0, part), capture(family, 7, 0, part));
            assert!(one.bytes == other.bytes && one.marks == other.marks && one.chunks == other.chunks, "{}", family.name);
            assert!(one.bytes.len() < 64 << 10, "{}: frames would be cut by size", family.name);
            assert!(one.marks.windows(2).all(|pair| pair[0].end <= pair[1].start), "{}: marks overlap", family.name);
            assert_eq!(family.innocent, one.labels.is_empty(), "{}", family.name);
        }
        assert_ne!(capture(family, 7, 0, Part::Open).bytes, capture(family, 8, 0, Part::Open).bytes, "{}", family.name);
    }
}

#[test]
fn a_third_of_every_vocabulary_is_held_out() {
    use anteroom_test_corpus::Scene;
    let words: Vec<usize> = (0..10).collect();
    let of = |part| {
        let scene = Scene::new(1, part);
        let mut seen: Vec<usize> = (0..2000).map(|_| scene.pick(&words)).collect();
        seen.sort_unstable();
        seen.dedup();
        seen
    };
    assert_eq!(of(Part::Open), [0, 1, 3, 4, 6, 7, 9]);
    assert_eq!(of(Part::HeldOut), [2, 5, 8]);
}

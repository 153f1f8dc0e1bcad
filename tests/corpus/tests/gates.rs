//! Most lines are looked at by few classifiers: those whose signs are not in a line are not asked. That may never change what is said.

use std::{sync::Arc, thread, time::Duration};

use anteroom_masking::{MaskedEvent, Masker, RuleSet, Span};
use anteroom_test_corpus::{Capture, FAMILIES, Part, report::capture};

const CAPTURES: u64 = 4;
const SEED: u64 = 404;

/// What is shown, and what was found where, by which rule.
fn said(rules: &Arc<RuleSet>, capture: &Capture) -> (Vec<(Duration, String)>, Vec<Span>) {
    let rules = Arc::clone(rules);
    let mut masker = if capture.plain { Masker::plain(rules) } else { Masker::new(rules, capture.cols, capture.rows) }.explain();
    let mut events = Vec::new();
    let mut start = 0;
    for (at, end) in &capture.chunks {
        masker.feed(Duration::from_millis(*at), &capture.bytes[start..*end], &mut events);
        start = *end;
    }
    let summary = masker.finish(Duration::from_secs(3600), &mut events);
    let shown = events.into_iter().filter_map(|event| match event {
        MaskedEvent::Output { at, text } => Some((at, text.as_str().to_owned())),
        MaskedEvent::Resize { .. } => None,
    });
    (shown.collect(), summary.spans)
}

#[test]
fn a_gate_never_changes_what_is_said() {
    let gated = Arc::new(RuleSet::builtin());
    let open = Arc::new(RuleSet::builtin().without_gates());
    let differing = |part| {
        let mut differing = Vec::new();
        for family in FAMILIES {
            for n in 0..CAPTURES {
                let capture = capture(family, SEED, n, part);
                let (with, without) = (said(&gated, &capture), said(&open, &capture));
                let more: Vec<&Span> = without.1.iter().filter(|span| !with.1.contains(span)).take(3).collect();
                let less: Vec<&Span> = with.1.iter().filter(|span| !without.1.contains(span)).take(3).collect();
                if with != without {
                    differing.push(format!("{}, {part:?}, {n}: only without gates {more:?}, only with them {less:?}", family.name));
                }
            }
        }
        differing
    };
    thread::scope(|scope| {
        let held_out = scope.spawn(|| differing(Part::HeldOut));
        assert_eq!(differing(Part::Open), Vec::<String>::new());
        assert_eq!(held_out.join().ok(), Some(Vec::new()));
    });
}

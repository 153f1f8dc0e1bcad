//! What a person sees live is never more than what the masked track shows.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, time::Duration};

use anteroom_masking::{LiveMask, MaskedEvent, Masker};
use anteroom_test_corpus::{Capture, FAMILIES, Part, replay::Replay, replay::text, report::capture, score::rules};

const SEED: u64 = 412;
const EACH: u64 = 3;

/// Every line that ever stood on a terminal.
#[derive(Default)]
struct Stood(BTreeSet<String>);

impl Stood {
    fn look(&mut self, replay: &mut Replay) {
        self.0.extend(replay.all().iter().map(|row| text(row)));
    }

    fn shows(&self, original: &str) -> bool {
        self.0.iter().any(|line| line.contains(original))
    }
}

fn track(capture: &Capture) -> Stood {
    let mut masker = if capture.plain { Masker::plain(rules()) } else { Masker::new(rules(), capture.cols, capture.rows) };
    let (mut replay, mut stood, mut from, mut events) = (Replay::new(capture.cols, capture.rows), Stood::default(), 0, Vec::new());
    let mut play = |events: &mut Vec<MaskedEvent>| {
        for event in events.drain(..) {
            replay.play(&[event]);
            stood.look(&mut replay);
        }
    };
    let mut last = 0;
    for (at, end) in &capture.chunks {
        masker.feed(Duration::from_millis(*at), &capture.bytes[from..*end], &mut events);
        play(&mut events);
        (from, last) = (*end, *at);
    }
    masker.finish(Duration::from_millis(last + 1000), &mut events);
    play(&mut events);
    stood
}

fn live(capture: &Capture) -> Stood {
    let mut mask = if capture.plain { LiveMask::plain(rules()) } else { LiveMask::terminal(rules(), capture.cols, capture.rows) };
    let (mut replay, mut stood, mut from, mut last) = (Replay::new(capture.cols, capture.rows), Stood::default(), 0, 0);
    let mut show = |text: &str| {
        if !text.is_empty() {
            replay.show(if capture.plain { text.replace('\n', "\r\n") } else { text.to_owned() }.as_bytes());
            stood.look(&mut replay);
        }
    };
    for (at, end) in &capture.chunks {
        let at = Duration::from_millis(*at);
        while let Some(due) = mask.deadline().filter(|due| *due <= at) {
            show(&mask.settle(due));
        }
        show(&mask.feed(at, &capture.bytes[from..*end]));
        (from, last) = (*end, last.max(at.as_millis() as u64));
    }
    while let Some(due) = mask.deadline() {
        show(&mask.settle(due));
    }
    show(&mask.finish(Duration::from_millis(last + 5000)).0);
    stood
}

#[test]
fn what_the_masked_track_hides_is_never_on_the_persons_terminal() {
    let (mut hidden, mut more) = (0, Vec::new());
    for (n, family) in FAMILIES.iter().enumerate() {
        for each in 0..EACH {
            let part = if (n as u64 + each).is_multiple_of(2) { Part::Open } else { Part::HeldOut };
            let capture = capture(family, SEED, each, part);
            let (track, live) = (track(&capture), live(&capture));
            let originals: BTreeSet<&str> = capture.labels.iter().map(|label| label.text.as_str()).filter(|text| text.len() >= 4).collect();
            for original in originals.into_iter().filter(|original| !track.shows(original)) {
                hidden += 1;
                if live.shows(original) {
                    more.push(format!("{} {each}: {original}", family.name));
                }
            }
        }
    }
    #[allow(clippy::print_stdout, reason = "the number itself is what people look for")]
    {
        println!("{hidden} identifiers hidden by the masked track, {} of them seen live", more.len());
    }
    assert!(hidden > 1000, "{hidden}");
    assert!(more.is_empty(), "{more:#?}");
}

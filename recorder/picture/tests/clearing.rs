//! What clearing shows of a screen, with a reader that knows what stands where. Letters are drawn as specks: only their places matter.
#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it stands")]

mod common;

use std::sync::Arc;

use anteroom_masking::RuleSet;
use anteroom_picture::{Clearing, OcrError, Picture, Rect};

use common::{Script, batches, seen, show};

const GROUND: [u8; 3] = [240, 240, 230];
const INK: [u8; 3] = [10, 20, 30];

fn screen(words: &[(&'static str, Rect)]) -> Picture {
    let mut picture = Picture::new(640, 400).unwrap();
    picture.fill(picture.area(), GROUND);
    words.iter().for_each(|(_, area)| specks(&mut picture, *area));
    picture
}

fn specks(picture: &mut Picture, area: Rect) {
    for y in (area.y..area.y + area.height).step_by(2) {
        for x in (area.x..area.x + area.width).step_by(3) {
            picture.fill(Rect::new(x, y, 1 + (x * 7 + y * 3) % 2, 1), INK);
        }
    }
}

fn script(words: &[(&'static str, Rect)]) -> Script {
    Script { words: words.iter().map(|(text, area)| (*text, *area, 95.0)).collect(), ..Script::default() }
}

/// A word of letters 7 x 10.
fn word(text: &'static str, x: u16, y: u16) -> (&'static str, Rect) {
    (text, Rect::new(x, y, text.len() as u16 * 7, 10))
}

fn clearing() -> Clearing {
    Clearing::new(Arc::new(RuleSet::builtin()), Vec::new())
}

/// Is the place as it is on the desktop?
fn sharp(shown: &Picture, raw: &Picture, area: Rect) -> bool {
    (0..area.height).all(|row| shown.row(area, row) == raw.row(area, row))
}

fn black(shown: &Picture, area: Rect) -> bool {
    (0..area.height).all(|row| shown.row(area, row).as_chunks::<4>().0.iter().all(|pixel| pixel == &[0, 0, 0, 255]))
}

fn any_ink(shown: &Picture, area: Rect) -> bool {
    (area.y..area.y + area.height).any(|y| (area.x..area.x + area.width).any(|x| shown.at(x, y) == INK))
}

#[test]
fn a_label_is_seen_and_its_value_is_black() {
    let words = [word("MRN:", 40, 40), word("4512345", 75, 40), word("Ward", 40, 80), word("East", 75, 80)];
    let raw = screen(&words);
    let mut clearing = clearing();
    let shown = show(&mut clearing, &raw, &mut script(&words));
    let picture = seen(&shown.tiles);
    assert!(sharp(&picture, &raw, words[0].1) && sharp(&picture, &raw, words[2].1) && sharp(&picture, &raw, words[3].1));
    assert!(black(&picture, words[1].1));
    assert!(sharp(&picture, &raw, Rect::new(400, 200, 100, 100)), "plain ground is as it was");
    let lines: Vec<&str> = shown.lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(lines, ["MRN: ███████", "Ward East"]);
    assert_eq!(clearing.counts().get("mrn"), Some(&1));
}

#[test]
fn nothing_is_seen_before_it_was_read_but_plain_ground() {
    let words = [word("hello", 40, 40)];
    let raw = screen(&words);
    let mut clearing = clearing();
    batches(&raw).iter().for_each(|batch| clearing.take(batch).unwrap());
    assert!(!clearing.is_settled());
    let picture = seen(&clearing.blurred().tiles);
    assert!(!any_ink(&picture, words[0].1.padded(8, 8)));
    assert!(sharp(&picture, &raw, Rect::new(400, 200, 100, 100)));
    let picture = seen(&[clearing.settle(&mut script(&words)).tiles, clearing.keyframe()].concat());
    assert!(sharp(&picture, &raw, words[0].1) && clearing.is_settled());
}

#[test]
fn ink_that_nobody_read_stays_blurred() {
    let words = [word("please", 40, 40), word("call", 100, 40)];
    let raw = screen(&[words[0], words[1], word("??????????", 40, 120)]);
    let picture = seen(&show(&mut clearing(), &raw, &mut script(&words)).tiles);
    assert!(sharp(&picture, &raw, words[0].1));
    assert!(!any_ink(&picture, Rect::new(30, 110, 120, 30)));
}

#[test]
fn a_word_read_with_little_confidence_stays_blurred() {
    let words = [word("please", 40, 40), word("call", 100, 40)];
    let raw = screen(&words);
    let mut ocr = script(&words);
    ocr.words[1].2 = 31.0;
    let picture = seen(&show(&mut clearing(), &raw, &mut ocr).tiles);
    assert!(sharp(&picture, &raw, words[0].1) && !any_ink(&picture, words[1].1));
}

#[test]
fn a_number_is_not_shown_when_its_label_could_not_be_read() {
    let words = [word("4512345", 120, 40), word("table", 300, 200)];
    // The label is there, and the reader did not see it.
    let raw = screen(&[word("MRN-----", 40, 40), words[0], words[1]]);
    let picture = seen(&show(&mut clearing(), &raw, &mut script(&words)).tiles);
    assert!(!any_ink(&picture, words[0].1));
    assert!(sharp(&picture, &raw, words[1].1));
    // Or it was read, as something else, and not surely.
    let words = [word("4512345", 120, 40), word("NRM:", 60, 40)];
    let raw = screen(&words);
    let mut ocr = script(&words);
    ocr.words[1].2 = 40.0;
    assert!(!any_ink(&seen(&show(&mut clearing(), &raw, &mut ocr).tiles), words[0].1));
}

#[test]
fn both_halves_of_a_number_read_in_two_parts_are_black() {
    let words = [word("MRN", 40, 40), word("12", 68, 40), word("34567", 84, 40)];
    let raw = screen(&words);
    let picture = seen(&show(&mut clearing(), &raw, &mut script(&words)).tiles);
    assert!(black(&picture, words[1].1) && black(&picture, words[2].1));
    assert!(sharp(&picture, &raw, words[0].1));
}

#[test]
fn a_name_that_was_learned_is_black_wherever_it_stands_also_with_a_letter_read_wrong() {
    let words = [
        word("Patient:", 40, 40),
        word("Whitfield,", 103, 40),
        word("Whitfie1d", 300, 200),
        word("viewer", 300, 240),
        word("Mary", 180, 40),
    ];
    let raw = screen(&words);
    let picture = seen(&show(&mut clearing(), &raw, &mut script(&words)).tiles);
    assert!(black(&picture, words[1].1) && black(&picture, words[2].1));
    assert!(sharp(&picture, &raw, words[3].1));
}

#[test]
fn a_value_that_is_drawn_after_its_label_is_black() {
    let words = [word("MRN:", 40, 40), word("45", 90, 40), word("4512345", 90, 40)];
    let mut clearing = clearing();
    let half = screen(&words[..2]);
    show(&mut clearing, &half, &mut script(&words[..2]));
    let whole = [words[0], words[2]];
    let shown = show(&mut clearing, &screen(&whole), &mut script(&whole));
    let picture = seen(&[clearing.keyframe(), shown.tiles].concat());
    assert!(black(&picture, words[2].1));
}

#[test]
fn what_scrolls_is_judged_where_it_is_then() {
    let at = |y: u16| [word("MRN:", 40, y), word("4512345", 90, y), word("ward", 40, y + 30)];
    let mut clearing = clearing();
    for y in [300_u16, 290, 280, 270, 133, 40] {
        let words = at(y);
        let raw = screen(&words);
        show(&mut clearing, &raw, &mut script(&words));
        let picture = seen(&clearing.keyframe());
        assert!(black(&picture, words[1].1) && sharp(&picture, &raw, words[2].1), "at {y}");
        assert!(sharp(&picture, &raw, Rect::new(300, 0, 300, 390)));
    }
}

#[test]
fn words_that_stand_where_they_stood_stay_readable_while_something_else_changes() {
    let words = [word("please", 40, 40), word("call", 40, 60)];
    let mut clearing = clearing();
    let mut raw = screen(&words);
    show(&mut clearing, &raw, &mut script(&words));
    specks(&mut raw, Rect::new(40, 60, 28, 10).padded(1, 0));
    batches(&raw).iter().for_each(|batch| clearing.take(batch).unwrap());
    let blurred = clearing.blurred();
    let picture = seen(&[clearing.keyframe(), blurred.tiles].concat());
    assert!(sharp(&picture, &raw, words[0].1) && !any_ink(&picture, words[1].1));
}

#[test]
fn only_what_changed_is_read_and_what_was_read_before_is_not() {
    let words = [word("please", 40, 40), word("wait", 300, 300)];
    let (both, one) = (screen(&words), screen(&words[..1]));
    let mut clearing = clearing();
    let mut ocr = script(&words);
    show(&mut clearing, &both, &mut ocr);
    assert_eq!(ocr.asked, [Rect::new(0, 0, 640, 400)]);
    show(&mut clearing, &one, &mut ocr);
    assert_eq!(ocr.asked.len(), 1, "plain ground is not read");
    show(&mut clearing, &both, &mut ocr);
    assert_eq!(ocr.asked.len(), 2);
    let region = ocr.asked[1];
    assert!(region.covers(&words[1].1.padded(2, 2)) && !region.touches(&words[0].1) && region.area() < 5000, "{region:?}");
    show(&mut clearing, &one, &mut ocr);
    show(&mut clearing, &both, &mut ocr);
    assert_eq!(ocr.asked.len(), 2, "what looks as it did is known");
    assert!(sharp(&seen(&clearing.keyframe()), &both, words[1].1));
}

#[test]
fn when_the_reader_fails_nothing_is_cleared() {
    let words = [word("hello", 40, 40)];
    let raw = screen(&words);
    let mut ocr = Script { fails: Some(OcrError::TimedOut), ..script(&words) };
    let mut clearing = clearing();
    let shown = show(&mut clearing, &raw, &mut ocr);
    assert_eq!(shown.unread, Some(OcrError::TimedOut));
    assert!(shown.lines.is_empty() && !any_ink(&seen(&shown.tiles), words[0].1));
}

#[test]
fn an_operators_zone_is_black_from_the_first_moment() {
    let zone = Rect::new(200, 100, 90, 50);
    let words = [word("hello", 210, 110)];
    let mut clearing = Clearing::new(Arc::new(RuleSet::builtin()), vec![zone]);
    batches(&screen(&words)).iter().for_each(|batch| clearing.take(batch).unwrap());
    assert!(black(&seen(&clearing.blurred().tiles), zone));
    clearing.settle(&mut script(&words));
    assert!(black(&seen(&clearing.keyframe()), zone));
}

#[test]
fn a_bar_code_is_blurred_and_a_border_is_not() {
    let mut raw = screen(&[]);
    let mut x = 100;
    for bar in [1_u16, 3, 2, 1, 4, 2, 1, 1, 3, 2, 2, 1, 4, 1, 2, 3] {
        raw.fill(Rect::new(x, 50, bar * 2, 120), INK);
        x += bar * 2 + 4;
    }
    let (left, top) = (Rect::new(400, 240, 1, 140), Rect::new(400, 240, 200, 1));
    raw.fill(left, INK);
    raw.fill(top, INK);
    let picture = seen(&show(&mut clearing(), &raw, &mut Script::default()).tiles);
    assert!(!any_ink(&picture, Rect::new(95, 45, 140, 130)));
    assert!(sharp(&picture, &raw, Rect::new(400, 290, 1, 30)) && sharp(&picture, &raw, Rect::new(450, 240, 100, 1)));
}

#[test]
fn a_desktop_of_another_size_begins_anew() {
    let words = [word("hello", 40, 40)];
    let mut clearing = clearing();
    show(&mut clearing, &screen(&words), &mut script(&words));
    let mut small = Picture::new(320, 200).unwrap();
    small.fill(small.area(), GROUND);
    specks(&mut small, words[0].1);
    batches(&small).iter().for_each(|batch| clearing.take(batch).unwrap());
    let picture = seen(&clearing.blurred().tiles);
    assert_eq!((picture.width(), picture.height()), (320, 200));
    assert!(!any_ink(&picture, words[0].1));
}

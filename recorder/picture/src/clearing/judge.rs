//! Which words identify somebody.
//!
//! No single way to read a screen as text is right for all screens, and each can only add to what is masked: the whole screen line by line, each
//! block of it by itself, pairs of what may be a label and its value, and numbers whose parts were read apart.

use anteroom_masking::{PageLine, PageMasker};

use super::{
    alike::Alike,
    grid::{self, Phrase, Rows, TextLine},
    unread,
    words::{Known, State},
};
use crate::{Picture, Rect};

/// What is on the screen, as text.
pub(super) struct Read {
    pub(super) line: PageLine,
    pub(super) area: Rect,
}

/// Judges all words, and gives the lines that can be shown.
pub(super) fn judge(raw: &Picture, words: &mut [Known], pages: &mut PageMasker, alike: &mut Alike) -> Vec<Read> {
    let rows = grid::rows(words);
    let blocks = grid::blocks(&rows);
    let mut masked = vec![false; words.len()];
    let whole = grid::lines(&rows, words);
    mask(pages, &whole, &mut masked);
    let texts: Vec<Vec<TextLine>> = blocks.iter().map(|block| grid::lines(block, words)).collect();
    for text in &texts {
        mask(pages, text, &mut masked);
    }
    for pair in pairs(&rows, words, pages) {
        mask(pages, &[pair], &mut masked);
    }
    for joined in texts.iter().flatten().filter_map(|line| with_numbers_joined(line, words)) {
        mask(pages, &[joined], &mut masked);
    }
    // What the last of these taught, for all.
    mask(pages, &whole, &mut masked);
    spread(&rows, words, &mut masked);
    alike.learn(words.iter().zip(&masked).filter(|(_, masked)| **masked).map(|(known, _)| known.text()));
    for (known, masked) in words.iter().zip(&mut masked) {
        *masked |= alike.knows(known.text());
    }
    let mut unsure: Vec<bool> = words.iter().map(|known| !known.is_sure()).collect();
    doubt(&blocks, words, pages, &mut unsure);
    let unread = unread::places(raw, words);
    for (known, unsure) in words.iter().zip(&mut unsure) {
        *unsure |= pages.may_identify(known.text()) && unread::is_near(&unread, known.area());
    }
    for ((known, masked), unsure) in words.iter_mut().zip(&masked).zip(&unsure) {
        known.state = match (masked, unsure) {
            (true, _) => State::Masked,
            (false, true) => State::Unsure,
            (false, false) => State::Shown,
        };
    }
    texts.into_iter().flatten().filter_map(|text| read(text, words, pages)).collect()
}

/// Masks the words of what the rules find on these lines, read as one text.
fn mask(pages: &mut PageMasker, text: &[TextLine], masked: &mut [bool]) {
    for (line, found) in text.iter().zip(pages.classify(text.iter().map(|line| &line.text))) {
        for range in found.masked() {
            for (_, word) in line.parts.iter().filter(|(bytes, _)| bytes.start < range.end && range.start < bytes.end) {
                masked[*word] = true;
            }
        }
    }
    pages.done();
}

/// "Patient name" beside or above "Whitfield, Mary", without a colon or more of a table: as `Patient name: Whitfield, Mary`.
fn pairs(rows: &Rows, words: &[Known], pages: &PageMasker) -> Vec<TextLine> {
    let mut pairs = Vec::new();
    let text = |phrase: &Phrase| phrase.words.iter().map(|at| words[*at].text()).collect::<Vec<_>>().join(" ");
    let is_value = |phrase: &&Phrase| !pages.is_of_labels(&text(phrase)) && !pages.is_label(&text(phrase));
    for (row, phrases) in rows.iter().enumerate() {
        for (at, phrase) in phrases.iter().enumerate() {
            if phrase.words.len() > MAX_LABEL_WORDS || !pages.is_label(&text(phrase)) {
                continue;
            }
            pairs.extend(phrases.get(at + 1).filter(is_value).map(|beside| pair(phrase, beside, words)));
            let reach = phrase.area.bottom() + u32::from(phrase.height) * 5 / 2;
            let below = rows.iter().skip(row + 1).take(3).flatten().find(|below| {
                let under = u32::from(phrase.area.x) < below.area.right() && u32::from(below.area.x) < phrase.area.right();
                under && u32::from(below.area.y) < reach && u32::from(below.area.y) + 2 >= phrase.area.bottom()
            });
            pairs.extend(below.filter(is_value).map(|below| pair(phrase, below, words)));
        }
    }
    pairs
}

/// Words of a label at most.
const MAX_LABEL_WORDS: usize = 5;

fn pair(label: &Phrase, value: &Phrase, words: &[Known]) -> TextLine {
    let mut line = TextLine::default();
    for (number, at) in label.words.iter().enumerate() {
        line.push(usize::from(number > 0), words[*at].text(), *at);
    }
    if !line.text.ends_with([':', '.', '=', '#']) {
        line.text.push(':');
    }
    for at in &value.words {
        line.push(1, words[*at].text(), *at);
    }
    line
}

/// "451 2345" that was one number on the screen.
fn with_numbers_joined(line: &TextLine, words: &[Known]) -> Option<TextLine> {
    let mut joined = TextLine::default();
    let mut any = false;
    let mut end = 0;
    let mut last: Option<&Known> = None;
    for (bytes, at) in &line.parts {
        let known = &words[*at];
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let near = last.is_some_and(|last| u32::from(known.area().x) <= last.area().right() + u32::from(known.area().height));
        let parted = near && last.is_some_and(|last| digit(last.text().chars().next_back())) && digit(known.text().chars().next());
        let gap = if parted { 0 } else { bytes.start - end };
        any |= parted;
        joined.push(gap, known.text(), *at);
        (end, last) = (bytes.end, Some(known));
    }
    any.then_some(joined)
}

/// A number that goes on where a masked one stops is a part of it; so is what stands so near that it is the same word.
fn spread(rows: &Rows, words: &[Known], masked: &mut [bool]) {
    for phrase in rows.iter().flatten() {
        for (one, two) in phrase.words.iter().zip(phrase.words.iter().skip(1)).chain(phrase.words.iter().skip(1).zip(&phrase.words).rev()) {
            let (from, to) = (&words[*one], &words[*two]);
            let (left, right) = if from.area().x <= to.area().x { (from.area(), to.area()) } else { (to.area(), from.area()) };
            let gap = i64::from(right.x) - i64::from(left.right());
            let has_digit = |known: &Known| known.text().chars().any(|c| c.is_ascii_digit());
            let touches = gap * 6 < i64::from(left.height.min(right.height));
            if masked[*one] && (touches || (has_digit(from) && has_digit(to))) {
                masked[*two] = true;
            }
        }
    }
}

/// A value is only as sure as the label that would have said what it is. Where a word to the left of it on its line, or above it in its block, was
/// not read surely, what could be an identifier is not shown.
fn doubt(blocks: &[Rows], words: &[Known], pages: &PageMasker, unsure: &mut [bool]) {
    let mut doubtful = Vec::new();
    for block in blocks {
        let mut above: Vec<Rect> = Vec::new();
        for row in block {
            let mut left = false;
            for at in row.iter().flat_map(|phrase| &phrase.words) {
                let known = &words[*at];
                let area = known.area();
                let under = || above.iter().any(|doubt| u32::from(doubt.x) < area.right() && u32::from(area.x) < doubt.right());
                if !unsure[*at] && (left || under()) && pages.may_identify(known.text()) {
                    doubtful.push(*at);
                }
                left |= unsure[*at] && could_be_label(known);
            }
            above.extend(
                row.iter()
                    .flat_map(|phrase| &phrase.words)
                    .filter(|at| unsure[**at] && could_be_label(&words[**at]))
                    .map(|at| words[*at].area()),
            );
        }
    }
    doubtful.into_iter().for_each(|at| unsure[at] = true);
}

/// Specks and lines that were taken for letters are none.
fn could_be_label(known: &Known) -> bool {
    known.text().chars().filter(|c| c.is_alphanumeric()).count() >= 2
}

/// The line as it may be shown: what is not shown on the screen is masked in it.
fn read(text: TextLine, words: &[Known], pages: &mut PageMasker) -> Option<Read> {
    let mut line = pages.classify([&text.text]).pop()?;
    let mut area = Rect::default();
    let mut any = false;
    for (bytes, at) in &text.parts {
        area = area.union(&words[*at].area());
        match words[*at].state {
            State::Shown => any = true,
            State::Masked | State::Unsure => line.mask(bytes.clone()),
        }
    }
    pages.shown(&mut line);
    any.then_some(Read { line, area })
}

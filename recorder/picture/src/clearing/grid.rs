//! Words of a screen laid out as lines of text, so that tables, forms and sentences look to the masking rules as they would in a terminal.

use std::ops::Range;

use super::words::Known;
use crate::Rect;

/// A line of text and which word each of its parts is.
#[derive(Debug, Default, Clone)]
pub(super) struct TextLine {
    pub(super) text: String,
    /// Bytes of the line, and the word's number.
    pub(super) parts: Vec<(Range<usize>, usize)>,
}

impl TextLine {
    pub(super) fn push(&mut self, gap: usize, text: &str, word: usize) {
        self.text.extend(std::iter::repeat_n(' ', gap));
        let start = self.text.len();
        self.text.push_str(text);
        self.parts.push((start..self.text.len(), word));
    }
}

/// Words in a row with no more between them than a blank.
#[derive(Debug, Clone)]
pub(super) struct Phrase {
    pub(super) words: Vec<usize>,
    pub(super) area: Rect,
    /// Height of its lowest word: what a blank is measured by. (A comma makes no word higher, a bracket does.)
    pub(super) height: u16,
}

/// Rows of phrases, top to bottom, each from left to right.
pub(super) type Rows = Vec<Vec<Phrase>>;

/// All words in rows of phrases.
pub(super) fn rows(words: &[Known]) -> Rows {
    let mut order: Vec<usize> = (0..words.len()).filter(|at| !is_noise(words, *at)).collect();
    order.sort_by_key(|at| words[*at].area().x);
    let mut lines: Vec<(u32, u32, Vec<usize>)> = Vec::new();
    for at in order {
        let area = words[at].area();
        let (centre, height) = (middle(area), u32::from(area.height));
        // Twice the distance of the middles; a line's letters go up and down by a third of their height. By the word before, because lines may lean.
        let fits = |line: &&mut (u32, u32, Vec<usize>)| line.0.abs_diff(centre) < line.1.min(height).max(6);
        match lines.iter_mut().filter(fits).min_by_key(|line| line.0.abs_diff(centre)) {
            Some(line) => {
                (line.0, line.1) = (centre, height);
                line.2.push(at);
            }
            None => lines.push((centre, height, vec![at])),
        }
    }
    for (centre, _, line) in &mut lines {
        *centre = line.first().map_or(0, |at| middle(words[*at].area()));
    }
    // Specks between the rows of a table would end it.
    let letters = |line: &[usize]| line.iter().map(|at| words[*at].letters()).sum::<usize>();
    lines.retain(|(_, _, line)| line.iter().any(|at| words[*at].is_sure()) || letters(line) >= MIN_LETTERS);
    lines.sort_by_key(|line| line.0);
    lines.into_iter().map(|(_, _, line)| phrases(words, line)).collect()
}

/// A line on which nothing was read surely needs this many letters to be one.
const MIN_LETTERS: usize = 6;
/// Less sure than this, and it is no word at all.
const NOISE: f32 = 20.0;

/// Is it a speck that was taken for a letter, or a part of a word that was also read whole?
fn is_noise(words: &[Known], at: usize) -> bool {
    let known = &words[at];
    if known.is_sure() {
        return false;
    }
    let area = known.area();
    known.letters() == 0
        || known.word.confidence < NOISE
        || words.iter().enumerate().any(|(other, surer)| {
            other != at && surer.word.confidence > known.word.confidence && surer.area().intersection(&area).area() * 3 > area.area()
        })
}

/// Twice the middle row, so that it is a whole number.
fn middle(area: Rect) -> u32 {
    2 * u32::from(area.y) + u32::from(area.height)
}

fn phrases(words: &[Known], mut line: Vec<usize>) -> Vec<Phrase> {
    line.sort_by_key(|at| words[*at].area().x);
    let mut phrases: Vec<Phrase> = Vec::new();
    for at in line {
        let area = words[at].area();
        match phrases.last_mut() {
            Some(last) if i64::from(area.x) - i64::from(last.area.right()) < blank(last.height.max(area.height)) => {
                last.words.push(at);
                last.area = last.area.union(&area);
                last.height = last.height.min(area.height);
            }
            _ => phrases.push(Phrase { words: vec![at], area, height: area.height }),
        }
    }
    phrases
}

/// The widest blank between words of a height.
fn blank(height: u16) -> i64 {
    i64::from(height) * 4 / 5 + 1
}

/// Phrases that stand near each other: a paragraph, a form, a table, a window.
pub(super) fn blocks(rows: &Rows) -> Vec<Rows> {
    let all: Vec<(usize, &Phrase)> =
        rows.iter().enumerate().flat_map(|(row, phrases)| phrases.iter().map(move |phrase| (row, phrase))).collect();
    let mut group: Vec<usize> = (0..all.len()).collect();
    fn root(group: &mut [usize], mut at: usize) -> usize {
        while group[at] != at {
            group[at] = group[group[at]];
            at = group[at];
        }
        at
    }
    for (at, (_, phrase)) in all.iter().enumerate() {
        let height = phrase.height.max(6);
        let near = phrase.area.padded(height.saturating_mul(3), height.saturating_mul(5) / 2);
        // Phrases come row by row: what is near comes soon.
        for (other, (_, candidate)) in all.iter().enumerate().skip(at + 1) {
            if u32::from(candidate.area.y) > near.bottom() + u32::from(height) * 4 {
                break;
            }
            if near.touches(&candidate.area) {
                let (one, two) = (root(&mut group, at), root(&mut group, other));
                group[one.max(two)] = one.min(two);
            }
        }
    }
    let mut blocks: Vec<(usize, Vec<(usize, Phrase)>)> = Vec::new();
    for (at, (row, phrase)) in all.iter().enumerate() {
        let root = root(&mut group, at);
        let row = *row;
        match blocks.iter_mut().find(|(of, _)| *of == root) {
            Some((_, block)) => block.push((row, (*phrase).clone())),
            None => blocks.push((root, vec![(row, (*phrase).clone())])),
        }
    }
    blocks.into_iter().map(|(_, block)| by_row(block)).collect()
}

fn by_row(block: Vec<(usize, Phrase)>) -> Rows {
    let mut rows: Vec<(usize, Vec<Phrase>)> = Vec::new();
    for (row, phrase) in block {
        match rows.last_mut() {
            Some((last, phrases)) if *last == row => phrases.push(phrase),
            _ => rows.push((row, vec![phrase])),
        }
    }
    rows.into_iter().map(|(_, phrases)| phrases).collect()
}

/// Heights of a line between two lines that do not belong together. Rows of tables stand far apart on some screens, and no table has a blank line.
const BLANK_LINE: u32 = 5;

/// Lines as a terminal would show them: each phrase at its column, two blanks or more between phrases, an empty line where there is room for one.
pub(super) fn lines(rows: &Rows, words: &[Known]) -> Vec<TextLine> {
    let unit = column_width(rows, words);
    let left = rows.iter().flatten().map(|phrase| phrase.area.x).min().unwrap_or(0);
    let mut lines = Vec::with_capacity(rows.len());
    let mut above: Option<Rect> = None;
    for row in rows {
        let area = row.iter().fold(Rect::default(), |all, phrase| all.union(&phrase.area));
        if above.is_some_and(|above| u32::from(area.y) > above.bottom() + u32::from(area.height.min(above.height)) * BLANK_LINE) {
            lines.push(TextLine::default());
        }
        above = Some(area);
        let mut line = TextLine::default();
        let mut columns = 0;
        for phrase in row {
            let column = usize::from(phrase.area.x.saturating_sub(left)) / unit;
            let gap = column.saturating_sub(columns).max(if columns == 0 { 0 } else { 2 });
            columns += gap;
            for (number, at) in phrase.words.iter().enumerate() {
                let text = words[*at].text();
                let gap = if number == 0 { gap } else { 1 };
                line.push(gap, text, *at);
                columns += text.chars().count() + usize::from(number > 0);
            }
        }
        lines.push(line);
    }
    lines
}

/// Pixels of a column: as narrow as the narrower letters are, so that no phrase is longer than its place.
fn column_width(rows: &Rows, words: &[Known]) -> usize {
    let mut widths: Vec<usize> = rows
        .iter()
        .flatten()
        .map(|phrase| {
            let letters: usize = phrase.words.iter().map(|at| words[*at].text().chars().count() + 1).sum();
            usize::from(phrase.area.width) / letters.saturating_sub(1).max(1)
        })
        .collect();
    widths.sort_unstable();
    widths.get(widths.len() / 4).copied().unwrap_or(8).clamp(2, 64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Word, clearing::words::State};

    /// Words of a text whose letters are 7 x 10 pixels, lines 16 apart.
    fn screen(text: &str) -> Vec<Known> {
        let mut words = Vec::new();
        for (row, line) in text.lines().enumerate() {
            let mut at = 0;
            for part in line.split(' ') {
                if !part.is_empty() {
                    let area = Rect::new(at as u16 * 7, row as u16 * 16, part.len() as u16 * 7, 10);
                    words.push(Known { word: Word { text: part.to_owned(), area, confidence: 90.0 }, state: State::Unsure, level: true });
                }
                at += part.len() + 1;
            }
        }
        words
    }

    fn laid_out(words: &[Known]) -> String {
        lines(&rows(words), words).into_iter().map(|line| line.text).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn columns_stay_columns() {
        let text = "MRN       Patient Name     Ward\n4512345   Whitfield, Mary  4 East\n4512346   Okafor, James    2 West";
        assert_eq!(laid_out(&screen(text)), text);
    }

    #[test]
    fn letters_that_stand_lower_are_on_the_same_line() {
        let mut words = screen("please run again");
        words[1].word.area = Rect::new(49, 4, 21, 9);
        assert_eq!(laid_out(&words), "please run again");
    }

    #[test]
    fn two_windows_beside_each_other_are_two_blocks() {
        let words = screen("one two        three\nfour five      six");
        let rows = rows(&words);
        assert_eq!(rows.len(), 2);
        assert_eq!(blocks(&rows).len(), 2);
    }
}

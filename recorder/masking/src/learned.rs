//! Values seen once in their place are known wherever they stand. Kept as hashes of words, never as text, and only for the session.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Range,
};

use crate::{
    emitted::Emitted,
    kind::Kind,
    rules::RuleSet,
    words::{Hashing, MAX_GAP, Passed, Word, pair, sequence, words},
};

/// Values remembered at most; a session that shows more is `incomplete`, because the rest cannot be searched for.
const MAX_VALUES: usize = 200_000;
/// Words of a value that are compared.
const MAX_WORDS: usize = 8;

#[derive(Debug, Clone, Copy)]
struct Known {
    kind: Kind,
    /// Found in small letters too. Otherwise a capital or digit must begin it, so that "mark" and "will" stay what they are.
    any_case: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Learned {
    /// Hash of a first word: lengths (bit n: n+1 words) of the values it begins.
    starts: HashMap<u64, u8, Passed>,
    /// Bits of the hashes in `starts`: most words are not there, and this much memory is always near.
    may_start: Vec<u64>,
    values: HashMap<u64, Known, Passed>,
    /// Names that are also words or are very short: known beside another name, not alone.
    companions: HashSet<u64, Passed>,
    /// Hashes of the beginnings of first words, for what is still being typed.
    beginnings: HashSet<u64, Passed>,
    /// For the search at the end: first and last pair of words of each original.
    originals: HashSet<(u64, u64)>,
    /// Distinct values by type.
    counts: BTreeMap<Kind, u64>,
    /// Values not learned (dates of visits, postcodes), for counting only.
    counted: HashSet<u64, Passed>,
    full: bool,
    version: u64,
    /// The words of the value that is looked at.
    looked_at: Vec<Word>,
}

impl Learned {
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Changes with every value learned.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// How many values were seen: nothing is learned from one that was.
    pub(crate) fn seen(&self) -> usize {
        self.counted.len()
    }

    pub(crate) fn counts(&self) -> impl Iterator<Item = (Kind, u64)> {
        self.counts.iter().map(|(kind, count)| (*kind, *count))
    }

    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// Returns whether the value was new.
    pub(crate) fn learn(&mut self, kind: Kind, value: &str, rules: &RuleSet) -> bool {
        let mut found = std::mem::take(&mut self.looked_at);
        found.clear();
        words(value, &mut found);
        found.truncate(MAX_WORDS);
        let new = self.learn_words(kind, value, &found, rules);
        self.looked_at = found;
        self.looked_at.shrink_to(MAX_WORDS * 2);
        new
    }

    fn learn_words(&mut self, kind: Kind, value: &str, found: &[Word], rules: &RuleSet) -> bool {
        let Some((first, last)) = found.first().copied().zip(found.last().copied()) else { return false };
        let whole = sequence(found);
        if !self.counted.contains(&whole) {
            if self.counted.len() >= MAX_VALUES {
                self.full = true;
                return false;
            }
            self.counted.insert(whole);
            *self.counts.entry(kind).or_default() += 1;
        } else {
            return false;
        }
        if !kind.is_learnable() {
            return false;
        }
        let letters = value.len() >= 4 && (found.len() > 1 || !first.has_digit || first.end - first.start >= 5);
        if letters {
            let (a, b) = match found.len() {
                1 => (first.hash, first.hash),
                n => (pair(first, found[1]), pair(found[n - 2], last)),
            };
            self.originals.insert((a, b));
        }
        match kind {
            Kind::Name | Kind::City => self.learn_name(kind, value, found, rules),
            Kind::Birth => self.learn_date(value, found),
            _ => self.learn_code(kind, value, found),
        }
        true
    }

    fn learn_name(&mut self, kind: Kind, value: &str, found: &[Word], rules: &RuleSet) {
        if found.len() > 1 {
            self.insert(kind, found, true);
            let reversed: Vec<Word> = found[1..].iter().chain(&found[..1]).copied().collect();
            self.insert(kind, &reversed, true);
            // "SMITH, JOHN A" is also John Smith.
            if found.len() == 3 {
                self.insert(kind, &[found[0], found[1]], true);
                self.insert(kind, &[found[1], found[0]], true);
                self.insert(kind, &[found[0], found[2]], true);
            }
        }
        if kind == Kind::City && found.len() > 1 {
            return;
        }
        for word in found {
            let text = value[word.start..word.end].to_lowercase();
            let length = text.chars().count();
            if self.companions.len() < MAX_VALUES && !word.has_digit && !rules.columns.contains_key(&text) {
                self.companions.insert(word.hash);
            }
            if length >= 3 && !word.has_digit && !rules.common.contains(&text) && !rules.columns.contains_key(&text) {
                self.insert(kind, &[*word], length >= 5);
            }
        }
    }

    fn learn_date(&mut self, value: &str, found: &[Word]) {
        self.learn_code(Kind::Birth, value, found);
        let number = |word: &Word| value[word.start..word.end].parse::<u32>().ok();
        let numbers: Vec<Option<u32>> = found.iter().take(3).map(number).collect();
        let digits = |word: &Word| word.end - word.start;
        let (year, month, day) = match (numbers.as_slice(), found) {
            ([Some(year), Some(month), Some(day)], [first, ..]) if digits(first) == 4 => (*year, *month, *day),
            ([Some(month), Some(day), Some(year)], _) if *year > 1800 => (*year, *month, *day),
            ([Some(compact)], [only]) if digits(only) == 8 => (compact / 10_000, compact / 100 % 100, compact % 100),
            _ => return,
        };
        for spelled in [
            format!("{year:04}-{month:02}-{day:02}"),
            format!("{month:02}/{day:02}/{year:04}"),
            format!("{month}/{day}/{year:04}"),
            format!("{day:02}.{month:02}.{year:04}"),
            format!("{year:04}{month:02}{day:02}"),
        ] {
            let mut found = Vec::new();
            words(&spelled, &mut found);
            self.insert(Kind::Birth, &found, true);
        }
    }

    fn learn_code(&mut self, kind: Kind, value: &str, found: &[Word]) {
        if found.len() > 1 {
            self.insert(kind, found, true);
        }
        if kind == Kind::Address && found.len() > 3 {
            self.insert(kind, &found[..3], true);
        }
        let digits: String = value.chars().filter(char::is_ascii_digit).collect();
        if matches!(kind, Kind::Phone | Kind::Ssn) && digits.len() >= 7 {
            let mut joined = Vec::new();
            words(&digits, &mut joined);
            self.insert(kind, &joined, true);
        }
        if kind != Kind::Address && kind != Kind::Email && kind != Kind::Birth && kind != Kind::Phone && kind != Kind::Ssn {
            for word in found {
                if word.has_digit && word.end - word.start >= 5 {
                    self.insert(kind, &[*word], true);
                }
            }
        } else if let [only] = found
            && only.end - only.start >= 6
        {
            self.insert(kind, &[*only], true);
        }
    }

    fn insert(&mut self, kind: Kind, sequence_of: &[Word], any_case: bool) {
        let Some(first) = sequence_of.first() else { return };
        if self.values.len() >= MAX_VALUES {
            self.full = true;
            return;
        }
        if self.values.insert(sequence(sequence_of), Known { kind, any_case }).is_none() {
            self.version += 1;
        }
        if self.may_start.is_empty() {
            self.may_start = vec![0; MAY_START];
        }
        let (word, bit) = may_start(first.hash);
        self.may_start[word] |= bit;
        *self.starts.entry(first.hash).or_default() |= 1 << (sequence_of.len() - 1);
    }

    /// Remembers how a value begins, so that typing it letter by letter does not show it.
    pub(crate) fn learn_beginnings(&mut self, value: &str) {
        if self.beginnings.len() >= MAX_VALUES {
            return;
        }
        let mut hash = Hashing::default();
        for (count, c) in value.chars().take_while(|c| c.is_alphanumeric()).take(24).enumerate() {
            c.to_lowercase().for_each(|lower| hash.letter(lower));
            if count >= 1 {
                self.beginnings.insert(hash.finish());
            }
        }
    }

    pub(crate) fn may_begin(&self, typed: &str) -> bool {
        let mut found = Vec::new();
        words(typed, &mut found);
        found.last().is_some_and(|word| self.beginnings.contains(&word.hash))
    }

    /// Calls `hit` for every known value in the line.
    pub(crate) fn find(&self, line_words: &[Word], mut hit: impl FnMut(Range<usize>, Kind)) {
        let mut at = 0;
        while at < line_words.len() {
            let mut next = at + 1;
            let (word, bit) = may_start(line_words[at].hash);
            if self.may_start.get(word).is_some_and(|word| word & bit != 0)
                && let Some(lengths) = self.starts.get(&line_words[at].hash)
            {
                for length in (1..=MAX_WORDS).rev().filter(|n| lengths & (1 << (n - 1)) != 0) {
                    let Some(candidate) = line_words.get(at..at + length) else { continue };
                    if candidate.windows(2).any(|two| two[1].start - two[0].end > MAX_GAP) {
                        continue;
                    }
                    let Some(known) = self.values.get(&sequence(candidate)) else { continue };
                    if length > 1 || known.any_case || candidate[0].capital || candidate[0].has_digit {
                        let (mut first, mut last) = (at, at + length - 1);
                        if known.kind == Kind::Name {
                            while first > 0 && self.is_companion(line_words[first - 1], line_words[first]) {
                                first -= 1;
                            }
                            while line_words
                                .get(last + 1)
                                .is_some_and(|after| self.is_companion(*after, *after) && after.start - line_words[last].end <= 2)
                            {
                                last += 1;
                            }
                        }
                        hit(candidate[0].start..candidate[length - 1].end, known.kind);
                        for beside in (first..at).chain(at + length..=last) {
                            hit(line_words[beside].start..line_words[beside].end, known.kind);
                        }
                        next = last + 1;
                        break;
                    }
                }
            }
            at = next;
        }
    }

    /// A part of a name that goes with its neighbour.
    fn is_companion(&self, word: Word, neighbour: Word) -> bool {
        word.capital && self.companions.contains(&word.hash) && neighbour.start.saturating_sub(word.end) <= 2
    }

    /// Is an original readable in what was emitted?
    pub(crate) fn any_in(&self, emitted: &Emitted) -> bool {
        emitted.contains_both(self.originals.iter().copied())
    }
}

const MAY_START: usize = 2048;

fn may_start(hash: u64) -> (usize, u64) {
    ((hash >> 32) as usize % MAY_START, 1 << (hash >> 58))
}

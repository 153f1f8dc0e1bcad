//! What every match of a pattern contains: short sequences of byte sets, of which one at least stands in it as a whole.
//!
//! The sets may be larger than what the pattern takes there, never smaller: a sequence that is nowhere in a line says that no match is.

use std::{collections::BTreeSet, ops::Range};

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

/// Bytes of a sequence that are looked at.
pub(super) const MAX_LENGTH: usize = 8;
/// Sequences kept side by side; more are made one of larger sets.
const MAX_SEQUENCES: usize = 12;
/// Sequences of one pattern in the end, where fewer of larger sets do as well.
const FEW: usize = 6;
/// Chance of a sequence at a place of ordinary output beyond which it sorts nothing out.
const MAX_CHANCE: f64 = 0.01;

/// A set of bytes, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Set([u64; 4]);

pub(super) type Sequence = Vec<Set>;

impl Set {
    fn of(bytes: impl IntoIterator<Item = u8>) -> Self {
        let mut set = Self::default();
        bytes.into_iter().for_each(|byte| set.0[usize::from(byte >> 6)] |= 1 << (byte & 63));
        set
    }

    pub(super) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] & 1 << (byte & 63) != 0
    }

    fn join(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(bits, more)| *bits |= more);
    }

    /// How often one of these bytes stands at a place of a log or a table, roughly.
    fn chance(&self) -> f64 {
        let of = |byte: u8| match byte {
            b' ' => 0.15,
            b'0'..=b'9' => 0.02,
            b'a'..=b'z' => 0.016,
            b'A'..=b'Z' => 0.004,
            b'-' | b'.' | b':' | b'/' | b'=' | b'|' => 0.02,
            b',' | b'_' | b'"' => 0.008,
            _ => 0.0008,
        };
        (0..=u8::MAX).filter(|byte| self.has(*byte)).map(of).sum::<f64>().min(1.0)
    }

    fn all(&self, is: impl Fn(u8) -> bool) -> bool {
        (0..=u8::MAX).all(|byte| !self.has(byte) || is(byte))
    }

    /// The same behind one of `before`: digits stand together, so do letters, and dates and clocks are everywhere.
    fn chance_behind(&self, before: &Self) -> f64 {
        let (digits, letters) = (|byte: u8| byte.is_ascii_digit(), |byte: u8| byte.is_ascii_alphabetic());
        match self.chance() {
            chance if before.all(digits) && self.all(digits) => chance * 2.5,
            chance if before.all(letters) && self.all(letters) => chance * 1.5,
            chance if before.all(digits) && self.all(|byte| byte.is_ascii_punctuation()) => chance * 5.0,
            chance => chance,
        }
    }
}

fn chance_of(sequence: &[Set]) -> f64 {
    let first = sequence.first().map_or(1.0, Set::chance);
    sequence.windows(2).fold(first, |chance, two| chance * two[1].chance_behind(&two[0]))
}

/// The sequences of a pattern that are seen most seldom; `None`: it has none that are seldom enough.
pub(super) fn factors(pattern: &Hir) -> Option<Vec<Sequence>> {
    let facts = Facts::of(pattern);
    let whole = facts.exact.clone();
    let best =
        [Some(facts.first), Some(facts.last), facts.inner, whole].into_iter().flatten().min_by(|a, b| chance(a).total_cmp(&chance(b)));
    let best = best?;
    let fewer = fewer(&best);
    [fewer, best].into_iter().find(|sequences| chance(sequences) <= MAX_CHANCE)
}

/// Those of one length made one; if they are still many, all of them.
fn fewer(sequences: &[Sequence]) -> Vec<Sequence> {
    if sequences.len() <= FEW {
        return sequences.to_vec();
    }
    let lengths: BTreeSet<usize> = sequences.iter().map(Vec::len).collect();
    let same = |length: usize| sequences.iter().filter(move |sequence| sequence.len() == length).cloned().collect::<Vec<_>>();
    let merged: Vec<Sequence> = lengths.into_iter().map(|length| merged(&same(length), true)).collect();
    if merged.len() <= FEW { merged } else { vec![self::merged(&merged, true)] }
}

fn chance(sequences: &[Sequence]) -> f64 {
    if sequences.is_empty() {
        return f64::INFINITY;
    }
    sequences.iter().map(|sequence| chance_of(sequence)).sum()
}

/// What is known of all matches of an expression.
#[derive(Debug, Clone)]
struct Facts {
    /// Every match is one of these.
    exact: Option<Vec<Sequence>>,
    /// Every match begins, and ends, with one of these. An empty sequence says nothing.
    first: Vec<Sequence>,
    last: Vec<Sequence>,
    /// Every match has one of these in it.
    inner: Option<Vec<Sequence>>,
}

impl Facts {
    fn exactly(sequences: Vec<Sequence>) -> Self {
        Self { first: sequences.clone(), last: sequences.clone(), exact: Some(sequences), inner: None }
    }

    fn nothing() -> Self {
        Self { exact: None, first: vec![Vec::new()], last: vec![Vec::new()], inner: None }
    }

    fn of(pattern: &Hir) -> Self {
        match pattern.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::exactly(vec![Vec::new()]),
            HirKind::Literal(literal) => Self::concat(literal.0.iter().map(|byte| Self::exactly(vec![vec![Set::of([*byte])]]))),
            HirKind::Class(Class::Bytes(class)) => {
                let bytes = class.ranges().iter().flat_map(|range| range.start()..=range.end());
                Self::exactly(vec![vec![Set::of(bytes)]])
            }
            HirKind::Class(Class::Unicode(_)) => Self::nothing(),
            HirKind::Capture(capture) => Self::of(&capture.sub),
            HirKind::Repetition(repetition) => Self::repeated(repetition),
            HirKind::Concat(parts) => Self::concat(parts.iter().map(Self::of)),
            HirKind::Alternation(parts) => Self::either(parts.iter().map(Self::of).collect()),
        }
    }

    fn repeated(repetition: &Repetition) -> Self {
        let sub = Self::of(&repetition.sub);
        let (least, most) = (repetition.min as usize, repetition.max.map(|max| max as usize));
        if let Some(most) = most.filter(|most| *most <= MAX_LENGTH)
            && sub.exact.is_some()
        {
            let each = (least..=most).map(|count| Self::concat((0..count).map(|_| sub.clone())));
            let either = Self::either(each.collect());
            if either.exact.is_some() {
                return either;
            }
        }
        match least {
            0 => Self::nothing(),
            // What comes after the least may be nothing or more of the same.
            _ => Self { exact: None, ..Self::concat((0..least.min(MAX_LENGTH)).map(|_| sub.clone())) },
        }
    }

    fn concat(parts: impl Iterator<Item = Self>) -> Self {
        let mut all = Self::exactly(vec![Vec::new()]);
        for part in parts {
            let across = joined(&all.last, part.exact.as_ref().unwrap_or(&part.first));
            let inner = [all.inner.take(), part.inner.clone(), across.iter().all(|one| !one.is_empty()).then(|| cut(&across))];
            all.inner = inner.into_iter().flatten().min_by(|a, b| chance(a).total_cmp(&chance(b)));
            all.first = match &all.exact {
                Some(exact) => few(joined(exact, part.exact.as_ref().unwrap_or(&part.first)), false),
                None => all.first,
            };
            all.last = match &part.exact {
                Some(_) => few(across, true),
                None => part.last,
            };
            all.exact = match (&all.exact, &part.exact) {
                (Some(before), Some(after)) => {
                    let whole = joined(before, after);
                    let small = whole.len() <= MAX_SEQUENCES && whole.iter().all(|one| one.len() <= MAX_LENGTH);
                    small.then_some(whole)
                }
                _ => None,
            };
        }
        all
    }

    fn either(parts: Vec<Self>) -> Self {
        let exact: Option<Vec<Sequence>> = parts.iter().map(|part| part.exact.clone()).collect::<Option<Vec<_>>>().map(|all| all.concat());
        let inner = |part: &Self| {
            let all = [Some(part.first.clone()), Some(part.last.clone()), part.inner.clone()];
            all.into_iter().flatten().min_by(|a, b| chance(a).total_cmp(&chance(b))).filter(|best| best.iter().all(|one| !one.is_empty()))
        };
        Self {
            exact: exact.filter(|all| all.len() <= MAX_SEQUENCES),
            first: few(parts.iter().flat_map(|part| part.first.clone()).collect(), false),
            last: few(parts.iter().flat_map(|part| part.last.clone()).collect(), true),
            inner: parts.iter().map(inner).collect::<Option<Vec<_>>>().map(|all| few(all.concat(), false)),
        }
    }
}

/// Each of the first followed by each of the second.
fn joined(first: &[Sequence], second: &[Sequence]) -> Vec<Sequence> {
    first.iter().flat_map(|one| second.iter().map(move |other| [one.as_slice(), other.as_slice()].concat())).collect()
}

/// Few enough sequences, each short enough, by their ends or by their beginnings.
fn few(sequences: Vec<Sequence>, by_end: bool) -> Vec<Sequence> {
    if sequences.len() > MAX_SEQUENCES {
        return vec![merged(&sequences, by_end)];
    }
    sequences.iter().map(|sequence| part(sequence, MAX_LENGTH, by_end)).collect()
}

/// One sequence for all, as long as the shortest.
fn merged(sequences: &[Sequence], by_end: bool) -> Sequence {
    let shortest = sequences.iter().map(Vec::len).min().unwrap_or(0).min(MAX_LENGTH);
    let mut one = vec![Set::default(); shortest];
    for sequence in sequences {
        one.iter_mut().zip(part(sequence, shortest, by_end)).for_each(|(set, more)| set.join(&more));
    }
    one
}

fn part(sequence: &Sequence, most: usize, by_end: bool) -> Sequence {
    let length = sequence.len();
    sequence[if by_end { length.saturating_sub(most)..length } else { 0..length.min(most) }].to_vec()
}

/// The part of each sequence that is seen most seldom.
fn cut(sequences: &[Sequence]) -> Vec<Sequence> {
    let windows = |sequence: &Sequence| -> Vec<Range<usize>> {
        let length = sequence.len().min(MAX_LENGTH);
        (0..=sequence.len() - length).map(|start| start..start + length).collect()
    };
    let rare = |sequence: &Sequence| {
        let chance = |range: &Range<usize>| chance_of(&sequence[range.clone()]);
        let best = windows(sequence).into_iter().min_by(|a, b| chance(a).total_cmp(&chance(b)));
        best.map(|range| sequence[range].to_vec()).unwrap_or_default()
    };
    few(sequences.iter().map(rare).collect(), false)
}

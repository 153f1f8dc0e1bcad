//! Lines in which no pattern can match, told in one pass over their bytes.
//!
//! An automaton of many patterns waits for its next state at every byte. Here a few short sequences of byte sets are looked for, of which
//! every match has one (bit-parallel, Baeza-Yates and Gonnet 1992, "Shift-And"): most lines of a log have none.

mod factors;

use regex_syntax::ParserBuilder;

use factors::{Sequence, factors};

/// Groups of 64 positions of sequences.
const GROUPS: usize = 4;
const BITS: usize = 64;

#[derive(Debug)]
pub(crate) struct Sieve {
    /// For each byte the positions it may stand at.
    at: Box<[[u64; GROUPS]; 256]>,
    first: [u64; GROUPS],
    last: [u64; GROUPS],
}

impl Sieve {
    /// None: a pattern has nothing that is seldom; it has to be looked for everywhere.
    pub(crate) fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut sieve = Self { at: Box::new([[0; GROUPS]; 256]), first: [0; GROUPS], last: [0; GROUPS] };
        let mut used = [0; GROUPS];
        for pattern in patterns {
            let parsed = ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern).ok()?;
            for sequence in factors(&parsed)? {
                let group = used.iter().position(|used| used + sequence.len() <= BITS)?;
                sieve.add(&sequence, group, used[group]);
                used[group] += sequence.len();
            }
        }
        Some(sieve)
    }

    fn add(&mut self, sequence: &Sequence, group: usize, bit: usize) {
        for (position, set) in sequence.iter().enumerate() {
            for byte in (0..=u8::MAX).filter(|byte| set.has(*byte)) {
                self.at[usize::from(byte)][group] |= 1 << (bit + position);
            }
        }
        self.first[group] |= 1 << bit;
        self.last[group] |= 1 << (bit + sequence.len() - 1);
    }

    /// False: no pattern matches anywhere in the line.
    pub(crate) fn may_match(&self, line: &[u8]) -> bool {
        let mut state = [0; GROUPS];
        let mut seen = [0; GROUPS];
        for byte in line {
            let at = &self.at[usize::from(*byte)];
            for group in 0..GROUPS {
                state[group] = (state[group] << 1 | self.first[group]) & at[group];
                seen[group] |= state[group];
            }
        }
        seen.iter().zip(&self.last).any(|(seen, last)| seen & last != 0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sieve(patterns: &[&str]) -> Sieve {
        Sieve::new(patterns.iter().copied()).unwrap()
    }

    #[test]
    fn what_matches_passes() {
        for (pattern, lines) in [
            ("[0-9]{3}-[0-9]{2}-[0-9]{4}", &["555-12-3456", "x 999-00-0000 y"][..]),
            ("[a-z]+@[a-z]+", &["a@b", "to somebody@example now"]),
            ("(?:Mr|Mrs)\\.? [A-Z][a-z]+", &["Mr. Smith", "Mrs Okonkwo", "see Mr Xu"]),
            ("(?i:p\\.?o\\.?) box [0-9]{1,7}", &["PO box 1", "p.o. box 1234567"]),
            ("[A-Z]{2,} #(?:[0-9]-)*[0-9]{4,}", &["AB #1234", "ABCDEFGHIJKLM #1-2-3-123456789"]),
            ("(?:a|bb|ccc|dddd|e|f|gg|h)=@[0-9]", &["bb=@1", "h=@2"]),
        ] {
            let sieve = sieve(&[pattern]);
            for line in lines {
                assert!(sieve.may_match(line.as_bytes()), "{pattern} {line}");
            }
        }
    }

    #[test]
    fn whatever_the_builtin_patterns_match_passes() {
        use proptest::{strategy::Strategy as _, strategy::ValueTree as _, string::bytes_regex, test_runner::TestRunner};
        let text = crate::RuleSet::builtin_text();
        let patterns: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("regex = '''")?.strip_suffix("'''")).collect();
        let sieve = sieve(&patterns);
        let mut runner = TestRunner::deterministic();
        let mut matches = 0;
        for pattern in &patterns {
            // A word's end is no text.
            let strategy = bytes_regex(&pattern.replace("\\b", "")).unwrap();
            for _ in 0..300 {
                let value = strategy.new_tree(&mut runner).unwrap().current();
                let line = [b"seen ".as_slice(), &value, b" today"].concat();
                assert!(sieve.may_match(&line), "{pattern}: {}", String::from_utf8_lossy(&value));
                matches += 1;
            }
        }
        assert!(matches > 3_000);
    }

    #[test]
    fn a_line_of_a_log_does_not() {
        let sieve = sieve(&["[0-9]{3}-[0-9]{2}-[0-9]{4}", "[A-Za-z0-9.]*@[a-z]+", "[A-Z][a-z]+\\^[A-Z]"]);
        assert!(!sieve.may_match(b"2024-01-15T08:30:00.123Z INFO  api-3 request id=9e3779b97f4a7c15 path=/api/v1/orders/7 status=200"));
    }

    #[test]
    fn a_pattern_of_anything_cannot_be_sieved() {
        for pattern in ["[a-z]*", "[0-9]+", "x?", "", "\\b"] {
            assert!(Sieve::new([pattern]).is_none(), "{pattern}");
        }
    }
}

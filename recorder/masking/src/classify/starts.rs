//! Could a label begin at any word of a line? Told by the first letters of words alone, so that the finder of whole labels need not look at
//! the lines of a log.

use crate::words::Word;

/// Letters that are compared.
const LETTERS: usize = 6;
const BITS: u32 = 20;
const WORDS: usize = 1 << (BITS - 6);
const FIRST_BITS: u32 = 16;
const FIRST_WORDS: usize = 1 << (FIRST_BITS - 6);
/// Chosen so that no digit and no other short beginning of a log's words is taken for one of the built-in labels' (a test looks).
const SEED: u32 = 0x9747_b28c;

/// How labels begin, as bits of hashes: it may say yes where no is true, never the other way.
#[derive(Debug)]
pub(crate) struct LabelStarts {
    /// Beginnings that go on.
    open: Box<[u64; WORDS]>,
    /// Whole labels, and beginnings as long as any that is compared.
    ends: Box<[u64; WORDS]>,
    /// The first three letters of labels: few words get beyond them, and this much is always near.
    first: Box<[u64; FIRST_WORDS]>,
    /// A label begins with a sign: words say nothing about it.
    unusual: bool,
}

impl LabelStarts {
    /// `labels` in small letters.
    pub(crate) fn new<'a>(labels: impl Iterator<Item = &'a str>) -> Self {
        let (open, ends, first) = (Box::new([0; WORDS]), Box::new([0; WORDS]), Box::new([0; FIRST_WORDS]));
        let mut made = Self { open, ends, first, unusual: false };
        for label in labels {
            let Some(first) = label.bytes().next() else { continue };
            made.unusual |= first.is_ascii() && !first.is_ascii_alphanumeric();
            match *label.as_bytes() {
                [a, b, c, ..] => made.set_first([a, b, c]),
                [a, b] => (0..=u8::MAX).for_each(|c| made.set_first([a, b, c])),
                _ => made.unusual = true,
            }
            let length = label.len().min(LETTERS);
            let mut start = SEED;
            for (n, byte) in label.bytes().take(length).enumerate() {
                start = step(start, byte);
                let (word, bit) = place(start);
                if n + 1 == length { made.ends[word] |= bit } else { made.open[word] |= bit }
            }
        }
        made
    }

    /// False: no label of the line stands where a label may (see `label::find`): at a word, or at a capital behind a small letter.
    pub(crate) fn may_be_in(&self, line: &str, words: &[Word]) -> bool {
        let bytes = line.as_bytes();
        let humps = |word: &Word| {
            word.hump
                && (word.start + 1..word.end)
                    .any(|n| bytes[n - 1].is_ascii_lowercase() && bytes[n].is_ascii_uppercase() && self.begins(&bytes[n..]))
        };
        self.unusual || !line.is_ascii() || words.iter().any(|word| self.begins(&bytes[word.start..]) || humps(word))
    }

    fn set_first(&mut self, letters: [u8; 3]) {
        let (word, bit) = first_place(letters);
        self.first[word] |= bit;
    }

    fn begins(&self, rest: &[u8]) -> bool {
        let letter = |at: usize| rest.get(at).map_or(0, u8::to_ascii_lowercase);
        let (word, bit) = first_place([letter(0), letter(1), letter(2)]);
        if self.first[word] & bit == 0 {
            return false;
        }
        let mut start = SEED;
        for byte in rest.iter().take(LETTERS) {
            start = step(start, byte.to_ascii_lowercase());
            let (word, bit) = place(start);
            if self.ends[word] & bit != 0 {
                return true;
            }
            if self.open[word] & bit == 0 {
                return false;
            }
        }
        false
    }
}

fn first_place([a, b, c]: [u8; 3]) -> (usize, u64) {
    let hash = u32::from_le_bytes([a, b, c, 0]).wrapping_mul(0x9e37_79b1) >> (32 - FIRST_BITS);
    ((hash >> 6) as usize, 1 << (hash & 63))
}

fn step(start: u32, letter: u8) -> u32 {
    (start ^ u32::from(letter)).wrapping_mul(0x9e37_79b1)
}

fn place(start: u32) -> (usize, u64) {
    let hash = start >> (32 - BITS);
    ((hash >> 6) as usize, 1 << (hash & 63))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::words;

    fn may_be_in(line: &str) -> bool {
        let mut found = Vec::new();
        words(line, &mut found);
        LabelStarts::new(["mrn", "date of birth", "dl no", "order patient id", "姓名"].into_iter()).may_be_in(line, &found)
    }

    #[test]
    fn a_label_is_expected_wherever_it_may_stand() {
        for line in ["MRN 123456", "the Date Of Birth is", "patientMrn 5", "x_dl no 7", "é mrn"] {
            assert!(may_be_in(line), "{line}");
        }
    }

    #[test]
    fn numbers_begin_no_label_of_the_built_in_rules() {
        let starts = crate::rules::RuleSet::builtin().label_starts;
        let numbers = (0..2000).map(|n| n.to_string()).chain((0..60).map(|n| format!("{n:02}:{n:02}")));
        let taken: Vec<String> = numbers.filter(|number| starts.begins(number.as_bytes())).collect();
        assert_eq!(taken, Vec::<String>::new());
        for word in ["INFO ", "WARN ", "ERROR ", "DEBUG ", "request ", "status=", "api-", "GET ", "path=", "bytes="] {
            assert!(!starts.begins(word.as_bytes()), "{word}");
        }
    }

    #[test]
    fn a_line_of_a_log_has_none() {
        for line in ["2024-01-15T08:30:00Z INFO request id=9 path=/api/v1/orders/3", "", "7", "xmrn 5", "update", "orders"] {
            assert!(!may_be_in(line), "{line}");
        }
    }
}

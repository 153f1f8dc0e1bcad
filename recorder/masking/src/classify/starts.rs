//! Could a label begin at any word of a line? Told by the first letters of words alone, so that the finder of whole labels need not look at
//! the lines of a log.

use crate::learned::Word;

/// A table of how labels begin: bits of hashes, so it may say yes where no is true, never the other way.
#[derive(Debug)]
pub(crate) struct LabelStarts {
    bits: Box<[u64; 1 << (BITS - 6)]>,
    /// A label begins with what is no letter or digit: words say nothing about it.
    unusual: bool,
}

const BITS: u32 = 13;

impl LabelStarts {
    /// `labels` in small letters.
    pub(crate) fn new<'a>(labels: impl Iterator<Item = &'a str>) -> Self {
        let mut made = Self { bits: Box::new([0; 1 << (BITS - 6)]), unusual: false };
        for label in labels {
            let bytes = label.as_bytes();
            made.unusual |= bytes.len() < 2 || !bytes[0].is_ascii_alphanumeric();
            let (word, bit) = place(start(bytes, bytes.len().min(4)));
            made.bits[word] |= bit;
        }
        made
    }

    /// False: no label of the line stands where a label may (see `label::find`): at a word, or at a capital behind a small letter.
    pub(crate) fn may_be_in(&self, line: &str, words: &[Word]) -> bool {
        let bytes = line.as_bytes();
        let at = |from: usize| {
            let rest = &bytes[from..];
            (2..=4).any(|length| self.begins(rest, length))
        };
        let humps = |word: &Word| {
            word.hump && (word.start + 1..word.end).any(|n| bytes[n - 1].is_ascii_lowercase() && bytes[n].is_ascii_uppercase() && at(n))
        };
        self.unusual || !line.is_ascii() || words.iter().any(|word| at(word.start) || humps(word))
    }

    fn begins(&self, rest: &[u8], length: usize) -> bool {
        let (word, bit) = place(start(rest, length));
        rest.len() >= length && self.bits[word] & bit != 0
    }
}

/// The first letters, small.
fn start(bytes: &[u8], length: usize) -> u32 {
    bytes.iter().take(length).fold(length as u32, |start, byte| (start << 8) ^ u32::from(byte.to_ascii_lowercase()))
}

fn place(start: u32) -> (usize, u64) {
    let hash = start.wrapping_mul(0x9e37_79b1) >> (32 - BITS);
    ((hash >> 6) as usize, 1 << (hash & 63))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learned::words;

    fn may_be_in(line: &str) -> bool {
        let mut found = Vec::new();
        words(line, &mut found);
        LabelStarts::new(["mrn", "date of birth", "dl no"].into_iter()).may_be_in(line, &found)
    }

    #[test]
    fn a_label_is_expected_wherever_it_may_stand() {
        for line in ["MRN 123456", "the Date Of Birth is", "patientMrn 5", "x_dl no 7", "é mrn"] {
            assert!(may_be_in(line), "{line}");
        }
    }

    #[test]
    fn a_line_of_a_log_has_none() {
        for line in ["2024-01-15T08:30:00Z INFO request id=9 path=/api/v1/orders/3", "", "7", "xmrn 5", "update"] {
            assert!(!may_be_in(line), "{line}");
        }
    }
}

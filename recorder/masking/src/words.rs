//! The words of a line, and which signs stand between them: found once, asked for by everybody.

use std::hash::{BuildHasherDefault, Hasher};

/// Characters between two words of one value.
pub(crate) const MAX_GAP: usize = 3;

/// A word of a line: letters and digits without a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Of the lower-case letters.
    pub(crate) hash: u64,
    pub(crate) has_digit: bool,
    pub(crate) capital: bool,
    /// A capital stands behind a small letter: "patientMrn".
    pub(crate) hump: bool,
}

impl Word {
    /// Worth remembering: long enough, with a digit or a capital.
    pub(crate) fn is_candidate(&self) -> bool {
        self.end - self.start >= 4 && (self.has_digit || self.capital)
    }
}

/// Which bytes are in a line besides ASCII letters and digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Signs(u64);

impl Signs {
    /// For those who want every question asked.
    pub(crate) const ALL: Self = Self(u64::MAX);

    /// Is this sign in the line? Only to be asked of ASCII signs, blanks and tabs.
    pub(crate) const fn has(self, sign: u8) -> bool {
        self.0 & SIGNS[sign as usize] != 0
    }

    pub(crate) const fn has_any(self, signs: &[u8]) -> bool {
        let mut at = 0;
        while at < signs.len() {
            if self.has(signs[at]) {
                return true;
            }
            at += 1;
        }
        false
    }

    pub(crate) const fn is_ascii(self) -> bool {
        self.0 & OTHERS == 0
    }
}

/// Bits that no sign has: 0x30 to 0x39 are digits.
const OTHERS: u64 = 1 << 16;
const CONTROLS: u64 = 1 << 17;
const TAB: u64 = 1 << 18;

static SIGNS: [u64; 256] = {
    let mut signs = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        signs[at] = match byte {
            0x80.. => OTHERS,
            b'\t' => TAB,
            0x20..=0x2f | 0x3a..=0x3f => 1 << (byte - 0x20),
            b'@' => 1 << 32,
            0x5b..=0x60 => 1 << (byte - 0x5b + 33),
            0x7b..=0x7e => 1 << (byte - 0x7b + 39),
            _ if byte.is_ascii_alphanumeric() => 0,
            _ => CONTROLS,
        };
        at += 1;
    }
    signs
};

/// The small letter or digit of each ASCII letter or digit; 0 for what stands between words, `BEYOND` for what is no ASCII.
static FOLDED: [u8; 256] = {
    let mut folded = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        folded[at] = if byte >= 0x80 {
            BEYOND
        } else if byte.is_ascii_alphanumeric() {
            byte.to_ascii_lowercase()
        } else {
            0
        };
        at += 1;
    }
    folded
};
const BEYOND: u8 = 0xff;

/// Appends the words of `text`; returns the signs between them.
pub(crate) fn words(text: &str, to: &mut Vec<Word>) -> Signs {
    let bytes = text.as_bytes();
    let mut signs = 0;
    let mut at = 0;
    while at < bytes.len() {
        let first = bytes[at];
        if FOLDED[usize::from(first)] == 0 {
            signs |= SIGNS[usize::from(first)];
            at += 1;
            continue;
        }
        let start = at;
        let mut hash = Hashing::default();
        let mut has_digit = false;
        let mut capital = first.is_ascii_uppercase();
        let mut hump = false;
        let mut small = false;
        while let Some(byte) = bytes.get(at).copied() {
            let folded = FOLDED[usize::from(byte)];
            if folded == 0 {
                break;
            }
            if folded != BEYOND {
                has_digit |= folded <= b'9';
                // Folding changes capitals only.
                hump |= small & (folded != byte);
                small = byte >= b'a';
                hash.byte(folded);
                at += 1;
                continue;
            }
            signs |= OTHERS;
            let Some(c) = text[at..].chars().next() else { break };
            // A character lost to another encoding is part of its word.
            if !c.is_alphanumeric() && c != '\u{fffd}' {
                break;
            }
            if at == start {
                capital = c.is_uppercase();
            }
            c.to_lowercase().for_each(|lower| hash.letter(lower));
            at += c.len_utf8();
        }
        if at == start {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        }
        to.push(Word { start, end: at, hash: hash.finish(), has_digit, capital, hump });
    }
    Signs(signs)
}

/// The hash of a word, eight letters at a time: good enough to tell words apart, cheap enough for every word of a log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hashing {
    state: u64,
    /// Letters that are not in `state` yet, and how many bits they take.
    chunk: u64,
    filled: u32,
}

impl Default for Hashing {
    fn default() -> Self {
        Self { state: EMPTY, chunk: 0, filled: 0 }
    }
}

impl Hashing {
    #[inline]
    fn byte(&mut self, byte: u8) {
        self.chunk |= u64::from(byte) << self.filled;
        self.filled += 8;
        if self.filled == 64 {
            self.flush();
        }
    }

    pub(crate) fn letter(&mut self, letter: char) {
        match u8::try_from(letter) {
            Ok(byte @ 1..=0x7f) => self.byte(byte),
            _ => {
                self.flush();
                self.chunk = u64::from(u32::from(letter)) | 1 << 63;
                self.flush();
            }
        }
    }

    fn flush(&mut self) {
        self.state = mixed(self.state ^ self.chunk).wrapping_add(EMPTY);
        (self.chunk, self.filled) = (0, 0);
    }

    #[inline]
    pub(crate) fn finish(self) -> u64 {
        mixed(self.state ^ self.chunk)
    }
}

const EMPTY: u64 = 0xcbf2_9ce4_8422_2325;
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// Both halves of a product.
#[inline]
fn mixed(value: u64) -> u64 {
    let product = u128::from(value) * u128::from(MIX);
    (product as u64) ^ ((product >> 64) as u64)
}

pub(crate) fn pair(first: Word, second: Word) -> u64 {
    (first.hash.rotate_left(23) ^ second.hash).wrapping_mul(MIX)
}

pub(crate) fn sequence(words: &[Word]) -> u64 {
    match words {
        [only] => only.hash,
        _ => words.iter().fold(EMPTY, |hash, word| (hash.rotate_left(23) ^ word.hash).wrapping_mul(MIX)),
    }
}

/// For sets and maps whose keys are hashes already.
pub(crate) type Passed = BuildHasherDefault<PassThrough>;

#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct PassThrough(u64);

impl Hasher for PassThrough {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = mixed(self.0 ^ u64::from(*byte));
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// The hash of a key or word that is looked up in a place of its own.
pub(crate) fn quick(text: &str) -> u64 {
    let mut hasher = QuickHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// For sets and maps of words that a rule file brings: nobody who prints something chooses what is in them.
pub(crate) type Quick = BuildHasherDefault<QuickHasher>;

#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct QuickHasher(u64);

impl Hasher for QuickHasher {
    fn finish(&self) -> u64 {
        mixed(self.0)
    }
    fn write(&mut self, bytes: &[u8]) {
        let (whole, rest) = bytes.as_chunks::<8>();
        for chunk in whole {
            self.0 = mixed(self.0 ^ u64::from_le_bytes(*chunk)).wrapping_add(EMPTY);
        }
        let rest = rest.iter().fold(0, |chunk, byte| chunk << 8 | u64::from(*byte));
        self.0 = mixed(self.0 ^ rest).wrapping_add(EMPTY);
    }
    fn write_u8(&mut self, byte: u8) {
        self.0 ^= u64::from(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> (Vec<Word>, Signs) {
        let mut found = Vec::new();
        let signs = words(text, &mut found);
        (found, signs)
    }

    #[test]
    fn a_word_is_the_same_in_any_case_and_place() {
        let (words, _) = found("Whitfield-WHITFIELD whitfieldx Müller MÜLLER K\u{212a} kk");
        let hash: Vec<u64> = words.iter().map(|word| word.hash).collect();
        assert_eq!((hash[0], hash[3], hash[5]), (hash[1], hash[4], hash[6]));
        assert!(hash[0] != hash[2] && hash[0] != hash[3]);
    }

    #[test]
    fn a_word_hashes_as_its_beginnings_do() {
        let text = "abcdefghé123456789ü";
        let mut hash = Hashing::default();
        for (at, c) in text.char_indices() {
            hash.letter(c);
            let (words, _) = found(&text[..at + c.len_utf8()]);
            assert_eq!((words.len(), words[0].hash), (1, hash.finish()));
        }
    }

    #[test]
    fn signs_are_those_between_the_words() {
        let (_, signs) = found("a=b, c\t(d) {e}");
        for sign in b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t" {
            assert_eq!(signs.has(*sign), b"=, \t(){}".contains(sign), "{}", char::from(*sign));
        }
        assert!(signs.is_ascii() && !found("aé").1.is_ascii() && !found("—").1.is_ascii());
    }
}

//! Words that look like one that was masked: read once right and once with a letter wrong, or cut at a window's edge.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

/// Entries kept; a masked word makes as many as it has letters.
const MAX: usize = 400_000;
/// Shorter words are like too many others.
const MIN_LETTERS: usize = 5;
/// The beginning of a masked word that is this long is one as well.
const MIN_BEGINNING: usize = 5;

/// Hashes of masked words, without one letter each, and of their beginnings.
#[derive(Debug, Default)]
pub(super) struct Alike {
    near: HashSet<u64>,
    whole: HashSet<u64>,
    beginnings: HashSet<u64>,
}

impl Alike {
    pub(super) fn learn<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        for word in words {
            let folded = folded(word);
            if folded.len() < MIN_LETTERS || self.near.len() + self.beginnings.len() > MAX || !self.whole.insert(hash(&folded)) {
                continue;
            }
            (0..folded.len()).for_each(|at| _ = self.near.insert(hash(&without(&folded, at))));
            (MIN_BEGINNING..folded.len()).for_each(|end| _ = self.beginnings.insert(hash(&folded[..end])));
        }
    }

    /// Is the word one of those, with at most one letter wrong, missing or too many?
    pub(super) fn knows(&self, word: &str) -> bool {
        let folded = folded(word);
        if folded.len() < MIN_LETTERS || self.whole.is_empty() {
            return false;
        }
        let itself = hash(&folded);
        self.whole.contains(&itself)
            || self.near.contains(&itself)
            || self.beginnings.contains(&itself)
            || (0..folded.len()).map(|at| hash(&without(&folded, at))).any(|near| self.near.contains(&near) || self.whole.contains(&near))
    }
}

/// Letters and digits only, and those that are taken for each other the same.
fn folded(word: &str) -> Vec<char> {
    let same = |c: char| match c {
        '0' | 'o' | 'q' => 'o',
        '1' | 'i' | 'l' | '|' | 'j' => 'l',
        '5' | 's' => 's',
        '8' | 'b' => 'b',
        '2' | 'z' => 'z',
        '6' | 'g' | '9' => 'g',
        'u' | 'v' => 'v',
        c => c,
    };
    word.chars().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric() || *c == '|').map(same).collect()
}

fn without(word: &[char], at: usize) -> Vec<char> {
    word.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, c)| *c).collect()
}

fn hash(word: &[char]) -> u64 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_read_wrong_does_not_show_a_masked_word() {
        let mut alike = Alike::default();
        alike.learn(["Whitfield,", "4512345"].into_iter());
        for seen in ["whitfield", "Whitfie1d", "Whitfeld", "Whiltfield", "VVhitfield", "Whitf", "4512345", "45l2345", "451234S", "451345"] {
            assert_eq!(alike.knows(seen), seen != "VVhitfield", "{seen}");
        }
        for other in ["Whit", "Whiting", "4519345x", "field"] {
            assert!(!alike.knows(other), "{other}");
        }
    }
}

//! What counts as a word, for lines that are kept and for questions alike. Postgres' own parser takes paths, hosts and numbers for one word
//! each; in terminals people look for their parts.
use std::{fmt::Write, ops::Range};

/// Characters of a word that count.
const MAX_WORD: usize = 64;
/// Postgres keeps no later places (`MAXENTRYPOS`).
const MAX_PLACE: usize = 16_383;

/// A word, lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    /// Where it stands in the text it comes from, in bytes.
    pub(crate) range: Range<usize>,
    /// From 1. Words that touch each other but for punctuation have neighbouring places; what was masked takes a place.
    pub(crate) place: usize,
}

/// Letters and digits that stand together.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut all = Vec::new();
    let (mut place, mut begin, mut masked) = (0, None, false);
    let mut end = |range: Range<usize>, place: &mut usize| {
        *place += 1;
        let word = text[range.clone()].chars().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).take(MAX_WORD).collect();
        all.push(Word { text: word, range, place: (*place).min(MAX_PLACE) });
    };
    for (at, c) in text.char_indices() {
        if c.is_alphanumeric() {
            masked = false;
            begin.get_or_insert(at);
            continue;
        }
        if let Some(from) = begin.take() {
            end(from..at, &mut place);
        }
        // The masks of recorder/masking, single and double width.
        let mask = matches!(c, '█' | '〓');
        if mask && !masked {
            place += 1;
        }
        masked = mask || (masked && c.is_whitespace());
    }
    if let Some(from) = begin {
        end(from..text.len(), &mut place);
    }
    all
}

/// The text of a `tsvector`. Words are letters and digits only, so nothing in them has to be escaped.
pub(crate) fn vector(text: &str) -> String {
    words(text).iter().fold(String::new(), |mut out, w| {
        let _ = write!(out, "'{}':{} ", w.text, w.place);
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<(String, usize)> {
        words(text).into_iter().map(|w| (w.text, w.place)).collect()
    }

    #[test]
    fn paths_hosts_and_keys_are_their_parts() {
        let parts = |text| split(text).into_iter().map(|(w, _)| w).collect::<Vec<_>>().join(" ");
        assert_eq!(parts("/var/log/HL7-in.log:42 ehr_db-1.example MÜLLER=x"), "var log hl7 in log 42 ehr db 1 example müller x");
        assert_eq!(parts("── ████ $ … "), "");
    }

    #[test]
    fn what_is_masked_keeps_its_neighbours_apart() {
        assert_eq!(split("name ████ ward"), [("name".into(), 1), ("ward".into(), 3)]);
        assert_eq!(split("mr█████son 4"), [("mr".into(), 1), ("son".into(), 3), ("4".into(), 4)]);
        assert_eq!(split("a 〓〓 ██ b"), [("a".into(), 1), ("b".into(), 3)]);
    }

    #[test]
    fn nothing_in_a_vector_could_be_taken_for_its_syntax() {
        assert_eq!(vector("it's \\ 'x':1 & b"), "'it':1 's':2 'x':3 '1':4 'b':5 ");
        let long = "a".repeat(5_000);
        assert_eq!(words(&long)[0].text.len(), MAX_WORD);
        let many = "w ".repeat(20_000);
        assert!(words(&many).iter().all(|w| w.place <= MAX_PLACE));
    }
}

//! Lines that stand on a screen together, read from its picture: classified as a page, without bytes or a terminal.
//!
//! Whoever read them knows where each word stood. It lays the words out in lines the way a terminal would show them (columns by blanks), and
//! gets back which of their bytes identify somebody.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use crate::{
    MaskedText, RuleSet,
    classify::{Classifier, Context, Found, Rule, State, Verdicts, looks_like_a_name},
    kind::Kind,
    masked::Ink,
    summary::Account,
};

/// Classifies pages of one session. What one page teaches is known on the next.
#[derive(Debug)]
pub struct PageMasker {
    classifier: Classifier,
    account: Account,
}

/// A line that was classified. It is shown as [`PageLine::text`] and in no other way.
#[derive(Debug, Clone)]
pub struct PageLine {
    line: String,
    verdicts: Verdicts,
}

impl PageMasker {
    pub fn new(rules: Arc<RuleSet>) -> Self {
        Self { classifier: Classifier::new(rules), account: Account::default() }
    }

    /// Classifies lines, top to bottom, as one text. Control characters become blanks.
    ///
    /// What any of the lines teaches is known in all of them. The same page gives the same lines again, or masks more.
    pub fn classify<L: AsRef<str>>(&mut self, lines: impl IntoIterator<Item = L>) -> Vec<PageLine> {
        let mut context = Context::default();
        let mut page: Vec<PageLine> = Vec::new();
        for line in lines {
            let line: String = line.as_ref().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let verdicts = self.classifier.line(&mut context, &line, State::Complete);
            // What this line says about those above it.
            for (distance, found) in verdicts.back() {
                if let Some(above) = page.len().checked_sub(*distance as usize).and_then(|at| page.get_mut(at)) {
                    above.verdicts.amend(found);
                }
            }
            page.push(PageLine { line, verdicts });
        }
        for line in &mut page {
            self.classifier.look_again(&line.line, &mut line.verdicts);
        }
        page
    }

    /// Says that a line will be shown: what stays readable of it is remembered, for [`PageMasker::incomplete`].
    pub fn shown(&mut self, line: &mut PageLine) {
        self.classifier.emit(&line.line, &mut line.verdicts, &mut self.account.emitted);
        self.classifier.all_emitted();
    }

    /// The page is done with: what was kept about its lines is given back.
    pub fn done(&mut self) {
        self.classifier.all_emitted();
    }

    /// Could the word by itself be a part of what identifies somebody: a number, a date, a name? Far from certain; meant for words whose
    /// surroundings are not known well enough to be classified.
    pub fn may_identify(&self, word: &str) -> bool {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        digits >= 3 || looks_like_a_name(word, self.classifier.rules())
    }

    /// Does the text say by itself that what stands beside or below it identifies somebody, as "Patient name" does?
    pub fn is_label(&self, text: &str) -> bool {
        self.classifier.rules().vocabulary.label(text.trim_end_matches([':', ' '])).is_some()
    }

    /// Is the text made of words of labels only, and so no value?
    pub fn is_of_labels(&self, text: &str) -> bool {
        let mut words = text.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).peekable();
        words.peek().is_some() && words.all(|word| self.classifier.rules().vocabulary.knows(word))
    }

    /// Distinct identifiers masked so far, by type ("name", "mrn", ...).
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.classifier.learned().counts().map(|(kind, count)| (kind.name().to_owned(), count)).collect()
    }

    /// An identifier that was masked somewhere stayed readable somewhere else, or there were too many to tell.
    pub fn incomplete(&self) -> bool {
        self.classifier.learned().is_full() || self.classifier.learned().any_in(&self.account.emitted)
    }
}

impl PageLine {
    /// Bytes of the line that identify somebody, in ascending order.
    pub fn masked(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.verdicts.ranges()
    }

    /// Masks more of it: `bytes` must lie on borders of characters.
    pub fn mask(&mut self, bytes: Range<usize>) {
        if !bytes.is_empty() && self.line.is_char_boundary(bytes.start) && self.line.is_char_boundary(bytes.end) {
            self.verdicts.add(Found { range: bytes, kind: Kind::Other, rule: Rule::Unfinished });
        }
    }

    pub fn text(&self) -> MaskedText {
        let mut ink = Ink::new();
        ink.line(&self.line, &self.verdicts);
        ink.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(lines: &[&str]) -> Vec<String> {
        let mut pages = PageMasker::new(Arc::new(RuleSet::builtin()));
        pages.classify(lines).iter().map(|line| line.text().into_string()).collect()
    }

    #[test]
    fn a_form_on_a_screen_is_masked_by_its_labels() {
        let shown = masked(&["Patient: Whitfield, Mary", "MRN: 4512345", "Ward: 4 East"]);
        assert_eq!(shown, ["Patient: ██████████ ████", "MRN: ███████", "Ward: 4 East"]);
    }

    #[test]
    fn a_table_on_a_screen_is_masked_by_its_header() {
        let shown =
            masked(&["MRN        Patient Name       Modality", "4512345    Whitfield, Mary    CT", "4512346    Okafor, James      MR"]);
        assert_eq!(
            shown,
            ["MRN        Patient Name       Modality", "███████    ██████████ ████    CT", "███████    ███████ █████      MR"]
        );
    }

    #[test]
    fn what_one_page_taught_is_masked_on_the_next_and_in_lines_above() {
        let mut pages = PageMasker::new(Arc::new(RuleSet::builtin()));
        let first = pages.classify(["Viewer - Whitfield", "Patient: Whitfield, Mary"]);
        assert_eq!(first[0].text().as_str(), "Viewer - █████████");
        let second = pages.classify(["please call Whitfield back"]);
        assert_eq!(second[0].text().as_str(), "please call █████████ back");
        assert_eq!(pages.counts().get("name"), Some(&1));
    }

    #[test]
    fn whoever_knows_more_can_mask_more_and_never_less() {
        let mut pages = PageMasker::new(Arc::new(RuleSet::builtin()));
        let mut line = pages.classify(["MRN: 4512345 on table 3"]).remove(0);
        line.mask(13..15);
        assert_eq!(line.text().as_str(), "MRN: ███████ ██ table 3");
        line.mask(5..6);
        assert_eq!(line.text().as_str(), "MRN: ███████ ██ table 3");
    }
}

//! What somebody asks: words, `"phrases"`, `-without`, `or`; the last word may be a beginning. A question becomes the text of
//! a `tsquery` that holds nothing but letters, digits and what is written here.
use super::words::{Word, words};
use crate::SearchError;

/// Characters and words of a question.
const MAX_CHARS: usize = 200;
const MAX_WORDS: usize = 16;
/// A shorter last word means itself: too much begins with it.
const MIN_BEGINNING: usize = 2;

/// A checked question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// For `::tsquery`.
    pub(crate) tsquery: String,
    /// What is to be marked in a hit: the word, and whether what begins with it counts too.
    pub(crate) marks: Vec<(String, bool)>,
}

/// What stands between two `or`.
#[derive(Default)]
struct Alternative {
    terms: Vec<String>,
    names_a_word: bool,
}

struct Term<'a> {
    text: &'a str,
    without: bool,
    phrase: bool,
}

impl Question {
    pub(crate) fn parse(text: &str) -> Result<Self, SearchError> {
        if text.chars().count() > MAX_CHARS {
            return Err(SearchError::TooLong);
        }
        let mut any = vec![Alternative::default()];
        let (mut marks, mut count) = (Vec::new(), 0);
        let terms = terms(text);
        for (n, term) in terms.iter().enumerate() {
            let between = n > 0 && n + 1 < terms.len();
            if between && !term.phrase && !term.without && term.text.eq_ignore_ascii_case("or") {
                any.push(Alternative::default());
                continue;
            }
            let found = words(term.text);
            let (Some(last), Some(all)) = (found.last(), any.last_mut()) else { continue };
            count += found.len();
            let begins = n + 1 == terms.len() && !term.phrase && !term.without && last.text.chars().count() >= MIN_BEGINNING;
            if !term.without {
                all.names_a_word = true;
                marks.extend(found.iter().map(|w| (w.text.clone(), begins && w == last)));
            }
            all.terms.push(format!("{}({})", if term.without { "!" } else { "" }, phrase(&found, begins)));
        }
        if count > MAX_WORDS {
            return Err(SearchError::TooLong);
        }
        any.retain(|all| !all.terms.is_empty());
        // Without a word that has to be there every line would be looked at.
        if any.is_empty() || any.iter().any(|all| !all.names_a_word) {
            return Err(SearchError::NoWord);
        }
        let tsquery = any.iter().map(|all| format!("({})", all.terms.join(" & "))).collect::<Vec<_>>().join(" | ");
        Ok(Self { tsquery, marks })
    }

    /// Text in pieces, those that were asked for marked.
    pub(crate) fn mark(&self, text: &str) -> Vec<(bool, String)> {
        let mut pieces = Vec::new();
        let mut done = 0;
        for w in words(text) {
            let hit = self.marks.iter().any(|(m, begins)| if *begins { w.text.starts_with(m.as_str()) } else { w.text == *m });
            if hit {
                if done < w.range.start {
                    pieces.push((false, text[done..w.range.start].to_owned()));
                }
                pieces.push((true, text[w.range.clone()].to_owned()));
                done = w.range.end;
            }
        }
        if done < text.len() {
            pieces.push((false, text[done..].to_owned()));
        }
        pieces
    }
}

fn phrase(words: &[Word], begins: bool) -> String {
    let mut out = String::new();
    let mut before: Option<usize> = None;
    for w in words {
        if let Some(place) = before {
            let apart = w.place.saturating_sub(place).max(1);
            out.push_str(&if apart == 1 { " <-> ".to_owned() } else { format!(" <{apart}> ") });
        }
        out.push('\'');
        out.push_str(&w.text);
        out.push('\'');
        before = Some(w.place);
    }
    if begins {
        out.push_str(":*");
    }
    out
}

fn terms(text: &str) -> Vec<Term<'_>> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let without = rest.starts_with('-');
        rest = rest.trim_start_matches('-');
        let (term, after) = match rest.strip_prefix('"') {
            // A phrase that is not closed ends with the question.
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_at(rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len())),
        };
        all.push(Term { text: term, without, phrase: rest.starts_with('"') });
        rest = after.trim_start();
    }
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asked(text: &str) -> String {
        Question::parse(text).unwrap().tsquery
    }

    #[test]
    fn words_phrases_without_and_or() {
        assert_eq!(asked("Vacuum ward"), "(('vacuum') & ('ward':*))");
        assert_eq!(asked("\"vacuum full\" -test"), "(('vacuum' <-> 'full') & !('test'))");
        assert_eq!(asked("disk full or inode"), "(('disk') & ('full')) | (('inode':*))");
        assert_eq!(asked("/var/log/hl7"), "(('var' <-> 'log' <-> 'hl7':*))");
        assert_eq!(asked("or"), "(('or':*))");
        assert_eq!(asked("x"), "(('x'))");
        assert_eq!(asked("\"open end"), "(('open' <-> 'end'))");
        assert_eq!(asked("a or or b"), "(('a')) | (('b'))");
        assert_eq!(asked("a or $"), "(('a'))");
    }

    #[test]
    fn what_names_no_word_or_too_many_is_refused() {
        for nothing in ["", "  ", "-", "\"\"", "-only", "$%&/()", "█████", "-a or -b", "good or -b", "- - \" \""] {
            assert!(matches!(Question::parse(nothing), Err(SearchError::NoWord)), "{nothing:?}");
        }
        assert!(matches!(Question::parse(&"a".repeat(201)), Err(SearchError::TooLong)));
        assert!(matches!(Question::parse(&"a ".repeat(17)), Err(SearchError::TooLong)));
    }

    #[test]
    fn nothing_that_is_typed_reaches_the_query_but_letters_and_digits() {
        for hostile in ["'); drop table session; --", "a' | !'b", "x:*A & (y)", "\\' \\\\ \0 \u{1b}[2J z", "<-> ! & | b", "é'ß\u{301}"] {
            let Ok(question) = Question::parse(hostile) else { continue };
            let words: String = question.tsquery.split('\'').skip(1).step_by(2).collect();
            assert!(words.chars().all(char::is_alphanumeric), "{hostile:?}: {}", question.tsquery);
            let syntax: String = question.tsquery.split('\'').step_by(2).collect();
            assert!(syntax.chars().all(|c| "()!&|<->:* 0123456789".contains(c)), "{hostile:?}: {}", question.tsquery);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_question_of_words_or_none(text in ".{0,220}", line in ".{0,300}") {
            if let Ok(question) = Question::parse(&text) {
                let mut parts = question.tsquery.split('\'');
                proptest::prop_assert!(parts.clone().step_by(2).all(|s| s.chars().all(|c| "()!&|<->:* 0123456789".contains(c))));
                parts.next();
                proptest::prop_assert!(parts.step_by(2).all(|w| !w.is_empty() && w.chars().all(char::is_alphanumeric)));
                let whole: String = question.mark(&line).into_iter().map(|(_, piece)| piece).collect();
                proptest::prop_assert_eq!(whole, line);
            }
        }
    }

    #[test]
    fn what_was_asked_for_is_marked() {
        let question = Question::parse("ward VAC").unwrap();
        let marked: Vec<_> = question.mark("Vacuum of ward 4, wards not").into_iter().filter(|(hit, _)| *hit).map(|(_, t)| t).collect();
        assert_eq!(marked, ["Vacuum", "ward"]);
        let whole: String = question.mark("<b>ward</b>").into_iter().map(|(_, t)| t).collect();
        assert_eq!(whole, "<b>ward</b>");
    }
}

//! People in prose and in the lines of logs: the words around a name say whose it is ("chart of", "wristband for", "... (MRN 123)",
//! "... was admitted"). Only the words around decide: a name alone may be a user's, a developer's or a doctor's (164.514(b)(2)(i)(A) is about
//! individuals, their relatives, employers and household members).

use super::{
    Found, Rule, codes,
    keyed::name_continues,
    letter::{MAX_PERSON_BYTES, person_at, person_of},
    near,
    shapes::{is_name_word, is_particle, may_be_name},
    value,
    verdicts::names_patient,
};
use crate::{
    kind::Kind,
    rules::{Cue, RuleSet},
    words::Word,
};

/// Lines of version control and of packages, whose people are developers.
const DEVELOPERS: [&str; 16] = [
    "Author:",
    "Commit:",
    "AuthorDate:",
    "Committer:",
    "Tagger:",
    "Signed-off-by:",
    "Co-authored-by:",
    "Reviewed-by:",
    "Acked-by:",
    "Tested-by:",
    "Reported-by:",
    "Maintainer:",
    "Packager:",
    "Uploaders:",
    "Original-Maintainer:",
    "Suggested-by:",
];

/// So far around a number it is looked for what is said of calls.
const AROUND_WORDS: usize = 64;
const AROUND_BYTES: usize = 1024;

/// What was found in the line so far, as the words that follow ask for it.
#[derive(Debug, Default)]
pub(super) struct Said {
    taken_in: usize,
    /// Where names and numbers of records end, in ascending order.
    names: Vec<usize>,
    numbers: Vec<usize>,
    /// A patient is named.
    pub(super) named: bool,
    /// A number, a birthday, a way to reach somebody.
    of_patient: bool,
}

impl Said {
    fn take_in(&mut self, found: &[Found]) {
        let new = found.get(self.taken_in..).unwrap_or_default();
        if new.is_empty() {
            return;
        }
        let first = self.taken_in == 0;
        self.taken_in = found.len();
        for found in new {
            self.named |= near::is_name(found);
            self.of_patient |= found.kind != Kind::Name && (names_patient(found) || matches!(found.kind, Kind::Phone | Kind::Email));
            let ends = match found.kind {
                Kind::Name => &mut self.names,
                Kind::Mrn => &mut self.numbers,
                _ => continue,
            };
            // What is found word by word comes nearly in order.
            let at = if first { ends.len() } else { ends.partition_point(|end| *end < found.range.end) };
            ends.insert(at, found.range.end);
        }
        if first {
            self.names.sort_unstable();
            self.numbers.sort_unstable();
        }
    }

    pub(super) fn name_ends(&self, at: usize) -> bool {
        self.names.binary_search(&at).is_ok()
    }

    fn number_ends(&self, at: usize) -> bool {
        self.numbers.binary_search(&at).is_ok()
    }
}

pub(super) fn find(line: &str, words: &[Word], rules: &RuleSet, found: &mut Vec<Found>) {
    carets(line, found);
    let mut taken = 0;
    let mut codes = codes::Codes::default();
    let mut said = Said::default();
    for (at, word) in words.iter().enumerate() {
        said.take_in(found);
        if word.start < taken {
            continue;
        }
        let first = line.as_bytes()[word.start];
        // Most words are small, and no particle: told by their first letter.
        if first.is_ascii_lowercase() && (word.end - word.start > 5 || !b"abdeltvz".contains(&first)) {
            continue;
        }
        let before = word.start.checked_sub(1).map(|before| line.as_bytes()[before]);
        // A number that goes with something else: a clock, a version, the value of a key.
        if first.is_ascii_digit() && before.is_some_and(|b| !matches!(b, b' ' | b'#' | b'"' | b'\'' | b'(' | b'[' | b'<' | b',' | b'/')) {
            continue;
        }
        if (first.is_ascii_digit() || first.is_ascii_uppercase())
            && let Some(end) = codes.find(line, words, at, &said, found)
        {
            taken = end;
            continue;
        }
        if first.is_ascii_digit() {
            number(line, words, at, rules, found);
            continue;
        }
        let text = &line[word.start..word.end];
        let begins = text.starts_with(char::is_uppercase) || leads_on(line, &words[at..]);
        if !begins {
            continue;
        }
        if let Some(length) = name(line, words, at, rules, &said) {
            taken = word.start + length;
            let name = Found::new(word.start..taken, Kind::Name, Rule::Letter);
            name_continues(line, &name, found);
            found.push(name);
            codes.before_name(line, word.start, found);
        }
    }
}

/// "Pereira^Zoë", "VON TRAPP^ROBERT^J": family^given^middle (HL7 v2.5.1 2.A.89 XPN; DICOM PS3.5 6.2 PN) in any alphabet.
fn carets(line: &str, found: &mut Vec<Found>) {
    let part = |c: char| c.is_alphabetic() || matches!(c, '\'' | '’' | '-' | '.');
    let mut from = 0;
    while let Some(caret) = memchr::memchr(b'^', &line.as_bytes()[from..]).map(|at| from + at) {
        from = caret + 1;
        let (before, after) = (&line[..caret], &line[caret + 1..]);
        let mut start = before.trim_end_matches(part).len();
        // "Von Trapp", "de la Cruz", "St. Clair".
        while let Some(rest) = before[..start].strip_suffix(' ') {
            let word = rest.trim_end_matches(part).len();
            const FIRST: [&str; 14] = ["Von", "Van", "De", "La", "Le", "Del", "Di", "Da", "St.", "St", "San", "Santa", "El", "Al"];
            if !(is_particle(&rest[word..]) || FIRST.iter().any(|first| rest[word..].eq_ignore_ascii_case(first))) {
                break;
            }
            start = word;
        }
        let last = &before[start..];
        let bounded = !before[..start].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '^' | '|' | '&' | '_' | '\\' | '/' | '$'));
        let first = after.starts_with(char::is_uppercase);
        if !bounded || !first || !last.contains(char::is_uppercase) || last.chars().filter(|c| c.is_alphabetic()).count() < 2 {
            continue;
        }
        let length = after.find(|c: char| !(part(c) || c == '^')).unwrap_or(after.len());
        let end = caret + 1 + after[..length].trim_end_matches('^').len();
        if line[end..].trim_start_matches('^').starts_with(|c: char| matches!(c, '|' | '&' | '~') || c.is_ascii_digit()) {
            continue;
        }
        let name = Found::new(start..end, Kind::Name, Rule::Letter);
        name_continues(line, &name, found);
        found.push(name);
        from = end;
    }
}

/// "de la Cruz": small words, then a capital.
fn leads_on(line: &str, words: &[Word]) -> bool {
    let text = |word: &Word| &line[word.start..word.end];
    let small = words.iter().take(3).take_while(|word| is_particle(text(word))).count();
    small > 0 && starts_upper(line, words.get(small))
}

/// A word in small letters, without a place of its own; empty if it is long or begins with a digit.
#[derive(Debug, Default, Clone, Copy)]
struct Lower {
    bytes: [u8; 20],
    length: usize,
}

impl Lower {
    fn of(word: &str) -> Self {
        let mut lower = Self::default();
        if word.len() > lower.bytes.len() || word.as_bytes().first().is_none_or(u8::is_ascii_digit) {
            return lower;
        }
        lower.length = word.len();
        for (to, from) in lower.bytes.iter_mut().zip(word.bytes()) {
            *to = from.to_ascii_lowercase();
        }
        lower
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

fn starts_upper(line: &str, word: Option<&Word>) -> bool {
    word.is_some_and(|word| line[word.start..word.end].starts_with(char::is_uppercase))
}

/// The length of the name that begins with this word, if the words around it say that it is a patient's.
fn name(line: &str, words: &[Word], at: usize, rules: &RuleSet, said: &Said) -> Option<usize> {
    let start = words[at].start;
    let before = |back: usize| at.checked_sub(back).map(|before| &line[words[before].start..words[before].end]);
    let lower = before(1).map(Lower::of).unwrap_or_default();
    let last = lower.as_str();
    // What stands between the word before and the name: nothing but blanks and opening signs.
    let between = at.checked_sub(1).map_or(&line[..start], |before| &line[words[before].end..start]);
    let near = !last.is_empty() && between.len() <= 4 && !between.contains(['=', '/', '_', '@', ';', '|', '#', '\\', '*', '{', '<']);
    let cue = if near { rules.cues.of(last) } else { Cue::default() };
    let rest = &line[start..];
    // "E004512 (Whitfield, Marguerite)": a record's number, and whose it is.
    let numbered = || start.checked_sub(2).is_some_and(|end| said.number_ends(end));
    if between == " (" && (codes::ends_with_code(&line[..start - between.len()]) || numbered()) {
        let length = person_at(rest, rules)?;
        let closed = rest[length..].trim_start_matches('.').starts_with(')');
        return (closed && (rest[..length].contains(", ") || numbered())).then_some(length);
    }
    if near && cue.title && !between.contains(':') {
        return person_of(rest, 1, rules).filter(|length| !is_clinician(&rest[*length..], rules));
    }
    let long = || person_of(rest, 2, rules).filter(|length| !is_clinician(&rest[*length..], rules) && !goes_on(&rest[*length..]));
    if near {
        if (cue.patient || cue.relative) && !between.contains('-') {
            let closed = |length: &usize| rest[*length..].chars().next().is_none_or(|c| matches!(c, ',' | '.' | ')' | ';'));
            let alone = || person_of(rest, 1, rules).filter(|length| cue.relative && closed(length) && rest[..*length].chars().count() > 2);
            // "patient Rivers, Mark", "The partner, Hope Banks, can be reached": common words, but where a name is expected.
            let common = || common_name(rest, cue.relative, rules);
            return long().or_else(alone).or_else(common);
        }
        let is_name = matches!(last, "is" | "was" | "called") && before(2).is_some_and(|word| word.eq_ignore_ascii_case("name"));
        if is_name {
            return long().or_else(|| person_of(rest, 1, rules));
        }
        let paper = |back: usize| before(back).is_some_and(|word| rules.cues.of(Lower::of(word).as_str()).paper);
        if matches!(last, "for" | "of" | "on" | "to" | "about" | "regarding" | "concerning" | "from" | "in")
            && (paper(2) || paper(3))
            && let Some(length) = person_at(rest, rules).filter(|length| sure(&rest[..*length], rules))
            && !is_clinician(&rest[length..], rules)
        {
            return Some(length);
        }
        // "97 y/o F, Ruth Abernathy, via EMS"
        if matches!(last, "f" | "m" | "female" | "male" | "woman" | "man" | "lady" | "gentleman") && between == ", " {
            return long();
        }
        let me = matches!(last, "am" | "is")
            && before(2).is_some_and(|word| matches!((Lower::of(word).as_str(), last), ("i", "am") | ("this" | "it", "is")));
        if me && [" I ", " my ", " born", "DOB", "My "].iter().any(|word| line.contains(word)) {
            return long();
        }
        if cue.staff {
            return None;
        }
        // "saved Whitfield, Marguerite, phone ..." in a line with a patient's number or birthday.
        let apart = between.bytes().all(|b| matches!(b, b' ' | b',' | b'(' | b'"' | b'\'' | b':'));
        if apart
            && (cue.paper || said.of_patient)
            && let Some(length) = person_at(rest, rules).filter(|length| rest[..*length].contains(", ") && sure(&rest[..*length], rules))
            && !is_clinician(&rest[length..], rules)
        {
            return Some(length);
        }
    }
    // "Ann Whitfield" takes two words at least; most capitals stand alone.
    if !(starts_upper(line, words.get(at + 1)) || words.get(at + 1).is_some_and(|word| is_particle(&line[word.start..word.end]))) {
        return None;
    }
    let length = person_at(rest, rules)?;
    let after = &rest[length..];
    (!is_clinician(after, rules) && tells(line, after, rules)).then_some(length)
}

/// A name made of words that are common ones too: with a comma, or of two words if `bare` is enough.
fn common_name(text: &str, bare: bool, rules: &RuleSet) -> Option<usize> {
    let text = &text[..text.floor_char_boundary(MAX_PERSON_BYTES)];
    let mut words = text.splitn(3, ' ');
    let (first, second) = (words.next()?, words.next()?);
    let comma = first.ends_with(',');
    let end = second.find(|c: char| !(c.is_alphabetic() || matches!(c, '\'' | '-'))).unwrap_or(second.len());
    let (last, given) = (first.trim_end_matches(','), &second[..end]);
    (may_be_name(last, rules) && may_be_name(given, rules) && (comma || bare)).then_some(first.len() + 1 + end)
}

/// All words of it are of names only.
fn sure(name: &str, rules: &RuleSet) -> bool {
    let words = || name.split([' ', ',']).map(|word| word.trim_end_matches('.')).filter(|word| word.chars().count() > 1);
    // "Park, Siobhán": the comma says that it is a name, if one of the two is no word.
    words().all(|word| is_particle(word) || is_name_word(word, rules))
        || (name.contains(", ") && words().any(|word| is_name_word(word, rules)))
}

/// "Patient Portal_v2", "patient Smith/John=": part of something else.
fn goes_on(after: &str) -> bool {
    after.starts_with(['_', '/', '=', '@', '\\'])
        || after.starts_with(": ") && after.len() > 2 && after[2..].starts_with(char::is_uppercase)
}

fn is_clinician(after: &str, rules: &RuleSet) -> bool {
    let after = after.trim_start_matches([' ', ',']);
    rules.cues.degrees.iter().any(|degree| after.strip_prefix(degree.as_str()).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)))
}

/// What stands behind a name says that it is a patient's.
fn tells(line: &str, after: &str, rules: &RuleSet) -> bool {
    let text = after.trim_start_matches([' ', ',', '(', '[', '-', '/', '|', '"', '\'']);
    if text.len() == after.len() {
        return false;
    }
    // "Ann Whitfield <ann@example.org>" of a mail, not of a commit.
    if let Some(address) = text.strip_prefix('<') {
        return address.split('>').next().is_some_and(|address| address.contains('@')) && !of_developers(line);
    }
    let word_end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(text.len());
    let word = &text[..word_end];
    let labelled = ["mrn", "dob", "d.o.b", "d.o.b.", "born", "ssn", "aged"].iter().any(|label| word.eq_ignore_ascii_case(label));
    let bracket = after.trim_start().starts_with(['(', '[']);
    let code = bracket && value::is_code_alone(word, 5) && !word.contains('.');
    labelled || code || is_age(text) || rules.cues.deeds.iter().any(|deed| text.starts_with(deed.as_str())) || years_old(text)
}

/// "93 y, F", "36-year-old", "67M", "67 yo".
fn is_age(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit = text[digits..].trim_start_matches([' ', '-']);
    let word = unit.bytes().take_while(u8::is_ascii_alphabetic).count();
    (1..=3).contains(&digits) && matches!(&unit[..word], "y" | "yo" | "yr" | "yrs" | "year" | "years" | "M" | "F" | "jährige" | "ans")
}

/// "is a 36-year-old", "a 36-year-old".
fn years_old(text: &str) -> bool {
    let text = ["is a ", "is an ", "was a ", "was an ", "a ", "an "].iter().find_map(|start| text.strip_prefix(start));
    text.is_some_and(is_age)
}

pub(super) fn of_developers(line: &str) -> bool {
    let text = line.trim_start_matches([' ', '*', '-', '#']);
    if ["Copyright", "copyright", "(c) ", "(C) ", "©"].iter().any(|word| line.contains(word)) {
        return true;
    }
    let weekday = text.get(..4).is_some_and(|day| ["Mon ", "Tue ", "Wed ", "Thu ", "Fri ", "Sat ", "Sun "].contains(&day));
    let dated = weekday && line.trim_start().starts_with("* ");
    // RPM's and Debian's changelogs: "* Mon Jan 01 2024 Name <...>", " -- Name <...>  Mon, ...".
    dated
        || line.trim_start().starts_with("-- ")
        || DEVELOPERS.iter().any(|start| text.get(..start.len()).is_some_and(|s| s.eq_ignore_ascii_case(start)))
}

/// Ten digits in a line about calls: "reminder call 4075550124", "sent to 4075550124" (NANP: area and exchange begin with 2-9).
fn number(line: &str, words: &[Word], at: usize, rules: &RuleSet, found: &mut Vec<Found>) {
    let digits = &line[words[at].start..words[at].end];
    let national = digits.strip_prefix('1').filter(|rest| rest.len() == 10).unwrap_or(digits);
    let area = national.len() == 10
        && national.bytes().all(|b| b.is_ascii_digit())
        && matches!(national.as_bytes()[0], b'2'..=b'9')
        && matches!(national.as_bytes()[3], b'2'..=b'9');
    let word = |at: usize| Lower::of(&line[words[at].start..words[at].end]);
    let Some(before) = at.checked_sub(1).filter(|_| area) else { return };
    let gap = &line[words[before].end..words[at].start];
    if !gap.bytes().all(|b| matches!(b, b' ' | b':' | b'(' | b'+' | b'#')) {
        return;
    }
    let calls = |at: usize| rules.cues.of(word(at).as_str()).call;
    let start = words[at].start;
    let around = &line[line.floor_char_boundary(start.saturating_sub(AROUND_BYTES))..line.floor_char_boundary(start + AROUND_BYTES)];
    let near = || {
        (at.saturating_sub(AROUND_WORDS)..at).any(calls) || ["reached", "reminder", "fax", "FAX"].iter().any(|word| around.contains(word))
    };
    let place = matches!(word(before).as_str(), "at" | "to" | "from" | "number" | "reach" | "contact" | "via" | "dest" | "destination");
    if calls(before) || (place && near()) {
        found.push(Found::new(words[at].start..words[at].end, Kind::Phone, Rule::Letter));
    }
}

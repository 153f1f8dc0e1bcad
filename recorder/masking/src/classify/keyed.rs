//! `key=value` and `Label: value`, in logs, forms, property files, query strings, SQL conditions and programs' own dumps. What a key says
//! is told by its words; which words before the sign belong to it, by whether they are words of labels at all.

use std::ops::Range;

use super::{
    Found, Rule,
    letter::name_before,
    shapes::may_be_name,
    value::{MAX_VALUE_BYTES, at_start, fills, is_code_alone},
};
use crate::{
    kind::Kind,
    rules::{Label, RuleSet},
    words::{Signs, quick},
};

/// Keys remembered: a log has the same ones in every line.
const MAX_KEYS: usize = 1024;
/// Words before keys remembered.
const MAX_BEFORE: usize = 256;
/// Longer ones are not remembered.
const MAX_KEY_BYTES: usize = 64;
/// Dot leaders and blanks to fill in: looked for in every line, so made once.
static LEADERS: std::sync::LazyLock<[memchr::memmem::Finder<'static>; 2]> =
    std::sync::LazyLock::new(|| ["....", "____"].map(memchr::memmem::Finder::new));
/// Between an object's name and its number.
const MAX_OBJECT_BYTES: usize = 1024;
/// Of a path and a line's number before a key.
const MAX_PLACE_BYTES: usize = 512;
/// Between a key and its sign.
const MAX_BETWEEN_BYTES: usize = 256;
/// Leaders behind a label's own sign.
const LEADING: [&str; 5] = ["__", "..", "--", "··", "…"];
/// Words of a shell, a container file or a program that declare what follows: `export MRN=...`, `declare -x MRN="..."`, `ENV MRN=...`.
const DECLARING: [&str; 14] =
    ["export", "declare", "set", "setenv", "local", "readonly", "typeset", "env", "let", "var", "const", "val", "ENV", "SET"];

/// What else is known of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Is {
    /// A parser that knows what keys stand under has looked at it.
    pub(super) nested: bool,
    /// Still being typed.
    pub(super) open: bool,
    pub(super) signs: Signs,
}
/// Words of a label.
const MAX_WORDS: usize = 6;

/// What keys stand for, so that each is looked at once. Each key has one place, whatever was there before: whoever chooses keys cannot
/// make looking them up slow.
#[derive(Debug, Default)]
pub(super) struct Keys {
    known: Vec<(Box<str>, Option<Label>)>,
    /// Words that stood before a key, and whether they are words of labels.
    before: Vec<(Box<str>, bool)>,
}

impl Keys {
    pub(super) fn label(&mut self, key: &str, rules: &RuleSet) -> Option<Label> {
        if key.is_empty() || key.len() > MAX_KEY_BYTES {
            return rules.vocabulary.label(key);
        }
        if self.known.is_empty() {
            self.known.resize(MAX_KEYS, (Box::default(), None));
        }
        let place = &mut self.known[quick(key) as usize % MAX_KEYS];
        if *place.0 != *key {
            *place = (key.into(), rules.vocabulary.label(key));
        }
        place.1
    }

    fn knows(&mut self, word: &str, rules: &RuleSet) -> bool {
        if word.is_empty() || word.len() > MAX_KEY_BYTES {
            return rules.vocabulary.knows(word);
        }
        if self.before.is_empty() {
            self.before.resize(MAX_BEFORE, (Box::default(), false));
        }
        let place = &mut self.before[quick(word) as usize % MAX_BEFORE];
        if *place.0 != *word {
            *place = (word.into(), rules.vocabulary.knows(word));
        }
        place.1
    }
}

/// Could there be a key in a line with these signs? Cheap: asked of every line.
pub(super) fn may_be(signs: Signs) -> bool {
    signs.has_any(b":=?._") || !signs.is_ascii() || may_be_called(signs)
}

fn may_be_called(signs: Signs) -> bool {
    signs.has_any(b"([") && signs.has_any(b"\"'")
}

/// Pushes what decides alone to `found` and what needs company to `weak`. Of a nested line only what its parser cannot see is left.
pub(super) fn find(line: &str, keys: &mut Keys, is: Is, rules: &RuleSet, found: &mut Vec<Found>, weak: &mut Vec<Found>) {
    let bytes = line.as_bytes();
    led(line, keys, rules, found, weak);
    if may_be_called(is.signs) {
        called(line, keys, rules, found);
    }
    let mut taken = 0;
    let wide = if line.is_ascii() { None } else { line.find('：') };
    for at in memchr::memchr3_iter(b':', b'=', b'?', bytes).chain(wide) {
        if at < taken || !ties(bytes, at) {
            continue;
        }
        let Some(mut key) = key_before(line, at, keys, rules) else { continue };
        // "Emergency Contact #1", but "Acct #".
        let text = &line[key.clone()];
        if text.ends_with(|c: char| c.is_ascii_digit())
            && let Some(label) = text.trim_end_matches(|c: char| c.is_ascii_digit()).strip_suffix(" #")
        {
            key.end = key.start + label.len();
        }
        let whole = in_brackets(line, at);
        let labelled = whole.and_then(|whole| Some((keys.label(&line[whole.clone()], rules)?, whole)));
        let labelled = labelled.or_else(|| Some((keys.label(&line[key.clone()], rules).or_else(|| patients_id(line, &key))?, key)));
        let Some((label, key)) = labelled else { continue };
        let quoted = line[key.end..].starts_with('"') && !line[..key.start].ends_with("\\\"");
        // JSON's own sign: its parser knows better.
        if is.nested && (!label.strong || (quoted && bytes[at] == b':')) {
            continue;
        }
        let after = at + line[at..].chars().next().map_or(1, char::len_utf8);
        let rest = &line[after..];
        let mut value_text = rest.trim_start_matches([' ', '\t', '=', '>', ':']);
        if LEADING.iter().any(|leader| value_text.starts_with(leader)) {
            value_text = value_text.trim_start_matches(['_', '.', '-', '·', '…', ' ']);
        }
        let start = after + (rest.len() - value_text.len());
        let machine = !line[key.clone()].contains(' ') && start == after;
        let sure = label.strong || is_part_of_name(&line[key.clone()]);
        let (value, kind) = match value(line, start, label, machine, sure, rules) {
            Some(found) => found,
            // What is being typed behind the label will be a value.
            None if is.open && label.strong && is_begun(&line[start..], rules) => (start..line.len(), label.kind),
            None => continue,
        };
        if label.strong {
            taken = value.end;
        }
        // "Last: Whitfield" on a line of its own.
        let alone = sure && line[..key.start].trim().is_empty() && value.end == line.len() && may_be_name(&line[value.clone()], rules);
        // "patient=889126": a number under this word is the patient's, and no count.
        let code = kind == Kind::Mrn && label.kind == Kind::Name && is_code_alone(&line[value.clone()], 5);
        let value = Found::new(value, kind, Rule::Label);
        if label.strong || alone || (code && names_a_patient(&line[key.clone()])) {
            name_comes_first(line, key.start, &value, rules, found);
            name_continues(line, &value, found);
            found.push(value);
        } else {
            weak.push(value);
        }
    }
}

fn names_a_patient(key: &str) -> bool {
    let last = key.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    ["patient", "pt", "subscriber", "resident"].iter().any(|word| last.eq_ignore_ascii_case(word))
}

/// The first characters of an answer: a word or a number, and no other label.
fn is_begun(text: &str, rules: &RuleSet) -> bool {
    !text.is_empty()
        && text.len() <= 48
        && !text.contains([':', '='])
        && !super::value::is_null(text, rules)
        && text.contains(char::is_alphanumeric)
}

/// "ID Number (insurance): ...", "PHONE NUMBER [RESIDENCE]: ...": what stands in brackets says more of the label before it.
fn in_brackets(line: &str, sign: usize) -> Option<Range<usize>> {
    // Asked at every sign of every line.
    if !matches!(line.as_bytes().get(sign.checked_sub(1)?), Some(b')' | b']' | b' ' | b'.' | b'_')) {
        return None;
    }
    let before = line[..sign].trim_end_matches([' ', '.', '_']);
    let from = before.floor_char_boundary(before.len().saturating_sub(MAX_BETWEEN_BYTES));
    let open = match before.bytes().next_back()? {
        b')' => from + before[from..].rfind('(')?,
        b']' => from + before[from..].rfind('[')?,
        _ => return None,
    };
    let inner = &before[open + 1..before.len() - 1];
    let all = line[..open].trim_end();
    let from = all.floor_char_boundary(all.len().saturating_sub(MAX_BETWEEN_BYTES));
    let label = all[from..].rsplit([':', '=', '|', '│', '"', ',']).next()?.rsplit("  ").next()?;
    let label = label.trim_start_matches(|c: char| !c.is_alphanumeric());
    let fits = inner.len() >= 4 && inner.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '-' | '/' | '\''));
    (fits && !label.is_empty() && label.len() <= 48).then(|| all.len() - label.len()..before.len() - 1)
}

/// "Last", "First", "MI": nobody is called so in full, so one word is a whole value; whose it is the company says.
fn is_part_of_name(key: &str) -> bool {
    ["last", "first", "middle", "mi", "given", "family"].iter().any(|part| key.eq_ignore_ascii_case(part))
}

/// "Patient[id=E004512, ...": an object's own number, where the object is a patient.
fn patients_id(line: &str, key: &Range<usize>) -> Option<Label> {
    if !line[key.clone()].eq_ignore_ascii_case("id") {
        return None;
    }
    let before = &line[line.floor_char_boundary(key.start.saturating_sub(MAX_OBJECT_BYTES))..key.start];
    let open = before.rfind(['[', '(', '{'])?;
    let object = before[..open].trim_end_matches([' ', '=']);
    (!before[open..].contains([']', ')', '}']) && (object.ends_with("atient") || object.ends_with("PATIENT")))
        .then_some(Label { kind: Kind::Mrn, strong: true })
}

/// `channelMap.put('patientName', 'GRANT,MARK')`, `set("mrn", "E004512")`, `[["mrn", "E004512"]]`: key and value as arguments (Mirth Connect's
/// maps, Java's) or as a pair (Active Record's log).
fn called(line: &str, keys: &mut Keys, rules: &RuleSet, found: &mut Vec<Found>) {
    let bytes = line.as_bytes();
    for at in memchr::memchr2_iter(b'(', b'[', bytes) {
        let Some(quote) = bytes.get(at + 1).copied().filter(|b| matches!(b, b'"' | b'\'')) else { continue };
        let close = quote_end(line, at + 2, char::from(quote));
        let after = line.get(close + 1..).and_then(|rest| rest.trim_start_matches(' ').strip_prefix(','));
        let Some(text) = after.and_then(|rest| rest.trim_start_matches(' ').strip_prefix(char::from(quote))) else { continue };
        let start = line.len() - text.len();
        let end = quote_end(line, start, char::from(quote));
        if let Some(label) = keys.label(&line[at + 2..close], rules).filter(|label| label.strong)
            && fills(label.kind, &line[start..end], true, rules)
        {
            found.push(Found::new(start..end, label.kind, Rule::Label));
        }
    }
}

/// "Unit No ......... E351456": a form's leaders are a sign too.
fn led(line: &str, keys: &mut Keys, rules: &RuleSet, found: &mut Vec<Found>, weak: &mut Vec<Found>) {
    let Some(at) = LEADERS.iter().find_map(|leaders| leaders.find(line.as_bytes())) else { return };
    let key = line[..at].trim_matches([' ', '│', '|', '*']);
    let value_text = line[at..].trim_start_matches(['.', '_', ' ']);
    if key.is_empty() || key.ends_with([':', '=']) || value_text.starts_with([':', '=']) {
        return;
    }
    let Some(label) = keys.label(key, rules) else { return };
    let start = line.len() - value_text.len();
    let sure = label.strong || is_part_of_name(key);
    if let Some((range, kind)) = value(line, start, label, false, sure, rules) {
        let value = Found::new(range, kind, Rule::Label);
        if label.strong { found.push(value) } else { weak.push(value) }
    }
}

/// Is this colon or equals sign one that ties a value to a key?
fn ties(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| bytes.get(at)).copied();
    let after = bytes.get(at + 1).copied();
    let digit = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_digit());
    if !bytes[at].is_ascii() {
        return true;
    }
    // A question of a program: "Surname? Park".
    if bytes[at] == b'?' {
        return after == Some(b' ') && before.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b')' | b']' | b'#'));
    }
    if bytes[at] == b'=' {
        return before != Some(b'=');
    }
    !(before == Some(b':')
        || after == Some(b':')
        || (after == Some(b'/') && bytes.get(at + 2) == Some(&b'/'))
        || (digit(before) && digit(after))
        || before.is_none())
}

/// The key whose sign is at `sign`: an identifier, or the words of labels before it.
fn key_before(line: &str, sign: usize, keys: &mut Keys, rules: &RuleSet) -> Option<Range<usize>> {
    let before = match line.as_bytes()[..sign].last() {
        Some(last) if last.is_ascii_alphanumeric() => &line[..sign],
        _ => bare(line, sign)?,
    };
    let end = before.len();
    let bytes = before.as_bytes();
    let mut start = end;
    let mut words = 0;
    loop {
        let word_end = start;
        let word_start = word_start(before, word_end);
        let word = &before[word_start..word_end];
        if word.is_empty() {
            break;
        }
        // "PLZ / Ort", "Nom de naissance"
        if words > 0 && word_start > 1 && bytes[word_start - 1] == b' ' && (word == "/" || word == "de" || word == "of") {
            start = word_start - 1;
            continue;
        }
        // The value of the pair before ("id=7 mrn=...") and numbers are no words of a label.
        let value = match word_start.checked_sub(1).map(|at| bytes[at]) {
            Some(b'=') => true,
            Some(b':') => !is_place(&before[..word_start]),
            _ => false,
        };
        if words > 0 && (value || word.bytes().filter(u8::is_ascii_digit).count() > 1 || !keys.knows(word, rules)) {
            // A path's last part may be the label's first word: "/tmp/Patient Name: ...".
            if let Some((_, last)) = word.rsplit_once('/')
                && !value
                && keys.knows(last, rules)
            {
                start = word_end - last.len();
            }
            break;
        }
        // A quote that ends closes the value of another pair.
        if words > 0 && (word.starts_with('-') || word.ends_with('\'') || DECLARING.contains(&word)) {
            break;
        }
        start = word_start;
        words += 1;
        // One blank goes on, two begin another field.
        if words == MAX_WORDS || start < 2 || bytes[start - 1] != b' ' || bytes[start - 2] == b' ' {
            break;
        }
        start -= 1;
    }
    let key = before[start..end].trim_start();
    let start = end - key.len();
    (!key.is_empty() && key.contains(char::is_alphabetic)).then_some(start..end)
}

/// ASCII that words of keys have.
static IN_KEYS: [bool; 256] = {
    let mut inner = [false; 256];
    let mut at: u8 = 0;
    while at < 0x80 {
        inner[at as usize] = at.is_ascii_alphanumeric() || matches!(at, b'_' | b'-' | b'.' | b'#' | b'/' | b'\'');
        at += 1;
    }
    inner
};

/// Where the word of a key that ends at `end` begins.
fn word_start(text: &str, end: usize) -> usize {
    let inner = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '#' | '/' | '\'' | '’');
    match text.as_bytes()[..end].iter().rposition(|byte| !IN_KEYS[usize::from(*byte)]) {
        Some(at) if !text.as_bytes()[at].is_ascii() => {
            text[..end].rfind(|c| !inner(c)).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8))
        }
        Some(at) => at + 1,
        None => 0,
    }
}

/// "193:", "in/a.hl7:204:": where grep found a line.
fn is_place(before: &str) -> bool {
    before.len() <= MAX_PLACE_BYTES
        && before.trim_end_matches(':').ends_with(|c: char| c.is_ascii_digit())
        && !before.contains([' ', '=', '"', ',', '{'])
}

/// What is before a sign without what may stand between it and its key.
fn bare(line: &str, sign: usize) -> Option<&str> {
    let near = &line.as_bytes()[sign.saturating_sub(MAX_BETWEEN_BYTES)..sign];
    if near.iter().all(|byte| byte.is_ascii_punctuation() || matches!(byte, b' ' | b'\t')) {
        return None;
    }
    let before = line[..sign].trim_end_matches(['!', '<', '>', '~', ':', '*', '+']).trim_end_matches([' ', '\t']);
    // Dot leaders of a form, quotes and brackets of a key.
    let before = before.trim_end_matches(['.', '_']).trim_end_matches(' ');
    let mut before = before.trim_end_matches(['"', '\'', '`', '\\', ']']);
    if let Some(inner) = before.strip_suffix(')') {
        let open = inner.rfind('(')?;
        // PostgreSQL's "Key (mrn)=(E004512) already exists." names its column in brackets.
        let column = line[sign..].starts_with("=(");
        let function = column || inner[..open].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        // "lower(last_name) = ..." or "DOB (mm/dd/yyyy): ..." and "Name(s): ...".
        before = if function && (column || inner.len() - open > 3) { inner.trim_end_matches(['"', ' ']) } else { inner[..open].trim_end() };
    }
    Some(before)
}

/// The value that begins at `start`.
fn value(line: &str, start: usize, label: Label, machine: bool, strong: bool, rules: &RuleSet) -> Option<(Range<usize>, Kind)> {
    let rest = line.get(start..)?;
    let kind = label.kind;
    // A quoted value ends at its quote; one without end (still being typed, cut by the screen) goes to the line's.
    let rest = rest.get(call(rest)..)?;
    let start = line.len() - rest.len();
    let opened = rest.trim_start_matches(['\\', 'E', 'N', '%', '(', '[', ' ', '{']);
    if let Some(quote) = opened.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) {
        let from = line.len() - opened.len() + 1;
        let end = quote_end(line, from, quote);
        // `"name": [{"family": ...`: another key, and no value.
        if line[end..].trim_start_matches(quote).trim_start().starts_with(':') {
            return None;
        }
        let inner = line[from..end].trim_end_matches('\\');
        let percent = inner.len() - inner.trim_start_matches('%').len();
        let value = inner[percent..].trim_end_matches('%');
        let from = from + percent;
        return match fills(kind, value, strong, rules) {
            true => Some((from..from + value.len(), kind)),
            false => person_code(label, value, rules).map(|kind| (from..from + value.len(), kind)),
        };
    }
    // A query string's value ends at its ampersand (WHATWG URL, application/x-www-form-urlencoded).
    let near = &rest.as_bytes()[..rest.len().min(MAX_VALUE_BYTES)];
    let limit = match if machine { memchr::memchr2(b'&', 1, near) } else { None } {
        Some(end) => &rest[..end],
        None => rest,
    };
    if machine && limit.len() < rest.len() && limit.contains(['%', '+']) && !limit.contains(' ') && fills(kind, limit, strong, rules) {
        return Some((start..start + limit.len(), kind));
    }
    let bracket = limit.len() - limit.trim_start_matches(['[', '<', '{', '(']).len();
    let (limit, start) = if kind == Kind::Phone { (limit, start) } else { (&limit[bracket..], start + bracket) };
    match at_start(kind, limit, strong, rules) {
        Some(length) => Some((start..start + length, kind)),
        // "Emergency contact: 0171 5550199" names a number to call.
        None if kind == Kind::Name
            && strong
            && at_start(Kind::Phone, limit, true, rules)
                .is_some_and(|length| length > 8 && limit[..length].contains([' ', '-', '.', '('])) =>
        {
            at_start(Kind::Phone, limit, true, rules).map(|length| (start..start + length, Kind::Phone))
        }
        None => {
            // A code is shorter than that.
            let near = &limit[..limit.floor_char_boundary(MAX_KEY_BYTES)];
            let word = near.find([' ', ',', ';', ')', ']', '|', '\t', '>', '}']).map_or(near, |end| &near[..end]);
            person_code(label, word, rules).map(|kind| (start..start + word.len(), kind))
        }
    }
}

/// `ISODate('1954-03-11')`, `Some("078-05-1120")`, `datetime.date(1954, 3, 11)`, `TO_DATE('...`: where the argument begins.
fn call(text: &str) -> usize {
    let name = text.bytes().take(24).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_')).count();
    let rest = &text[name..];
    let called = name > 0 && text.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.starts_with('(');
    let date = ["date", "Date", "Timestamp"].iter().any(|end| text[..name].ends_with(end))
        && rest[1.min(rest.len())..].starts_with(|c: char| c.is_ascii_digit());
    if called && (rest[1..].starts_with(['"', '\'']) || date) { name + 1 } else { 0 }
}

/// "patient: 123456" names a number where a name was expected.
fn person_code(label: Label, value: &str, rules: &RuleSet) -> Option<Kind> {
    (label.kind == Kind::Name && is_code_alone(value, 4) && !value.contains(['/', ':']) && !super::value::is_null(value, rules))
        .then_some(Kind::Mrn)
}

/// A doubled or escaped quote is text (SQL, RFC 4180).
fn quote_end(line: &str, from: usize, quote: char) -> usize {
    let quote = quote as u8;
    let bytes = line.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        if bytes[at] == quote {
            if bytes.get(at + 1) == Some(&quote) && at + 2 < bytes.len() && at > from {
                at += 2;
                continue;
            }
            return at;
        }
        at += 1;
    }
    line.len()
}

/// "WHITFIELD, MARGUERITE (MRN: E004512)": whose number or birth date it is stands before it.
pub(super) fn name_comes_first(line: &str, key: usize, value: &Found, rules: &RuleSet, found: &mut Vec<Found>) {
    if matches!(value.kind, Kind::Mrn | Kind::Birth | Kind::Ssn)
        && let Some(name) = name_before(line, key, rules)
    {
        found.push(Found::new(name, Kind::Name, Rule::Label));
    }
}

/// "Patient: DOE, JOHN (12345)", "DOE^JOHN [A123456]": the number in brackets behind a patient's name is the patient's.
pub(super) fn name_continues(line: &str, value: &Found, found: &mut Vec<Found>) {
    if value.kind != Kind::Name {
        return;
    }
    let rest = &line[value.range.end..];
    let trimmed = rest.trim_start_matches([' ', '"', '\'']);
    let Some(inner) = trimmed.strip_prefix(['(', '[', '#']) else { return };
    let start = line.len() - inner.len();
    let end = inner.find([')', ']', ' ', ',']).unwrap_or(inner.len());
    let code = inner[..end].trim_start_matches('#');
    if is_code_alone(code, 4) && !code.contains([':', '=', '.']) {
        found.push(Found::new(start + end - code.len()..start + end, Kind::Mrn, Rule::Label));
    }
}

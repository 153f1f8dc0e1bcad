//! X12 (005010X222A1/X223A2 837, X221A1 835, X220A1 834, X279A1 270/271): segments by the party they speak of.
//!
//! Delimiters come from ISA (X12.5: a segment of fixed length, element separator at byte 4, component separator at byte 105, terminator at
//! byte 106). Without ISA the usual `*`, `:`, `~` are taken.

use std::ops::Range;

use super::{Found, Rule, value};
use crate::{kind::Kind, rules::RuleSet};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interchange {
    element: u8,
    component: u8,
    terminator: u8,
    /// Segments seen: one alone says little.
    seen: u8,
    /// The last NM1 or N1 named a patient, subscriber or relative.
    person: bool,
    /// Lines since the last segment.
    idle: u8,
}

impl Default for Interchange {
    fn default() -> Self {
        Self { element: b'*', component: b':', terminator: b'~', seen: 0, person: false, idle: 0 }
    }
}

/// Looked for in every line: made once.
static ISA: std::sync::LazyLock<memchr::memmem::Finder<'static>> = std::sync::LazyLock::new(|| memchr::memmem::Finder::new("ISA"));

/// Segments by which an interchange is known when its ISA is not on the screen.
const TELLING: [&str; 9] = ["ISA", "GS", "ST", "NM1", "DMG", "CLM", "CLP", "INS", "BHT"];

/// Entity identifier codes (element 98) of providers and organisations; every other person is the patient or somebody they know.
const OTHERS: [&str; 37] = [
    "85", "87", "82", "77", "DN", "P3", "DK", "DQ", "71", "72", "73", "ZZ", "PE", "PR", "40", "41", "FA", "1P", "2B", "36", "80", "P5",
    "IN", "TV", "AAA", "PW", "45", "QB", "LI", "TT", "NCT", "1I", "X3", "GP", "ACV", "BO", "SJ",
];

/// True for a line with segments in it.
pub(super) fn find(line: &str, state: &mut Option<Interchange>, rules: &RuleSet, found: &mut Vec<Found>) -> bool {
    let bytes = line.as_bytes();
    if let Some(isa) = ISA.find(bytes)
        && let Some(delimiters) = delimiters(bytes, isa)
    {
        *state = Some(delimiters);
    }
    let known = state.is_some();
    let mut now = state.unwrap_or_default();
    // Another interchange, whose ISA was not shown.
    let default = Interchange::default();
    if now.element != default.element && line.len() > 4 && segment_start(line, &default, line.trim_end().ends_with('~')).is_some() {
        now = default;
    }
    if memchr::memchr(now.element, bytes).is_none() {
        if let Some(state) = state {
            state.idle = state.idle.saturating_add(1);
        }
        if now.idle > 3 {
            *state = None;
        }
        return false;
    }
    let before = now.seen;
    now.seen = 0;
    let mut start = 0;
    loop {
        let end = memchr::memchr(now.terminator, &bytes[start..]).map_or(line.len(), |end| start + end);
        let Some(text) = line.get(start..end) else { break };
        // A log's words may stand before the first segment.
        let ended = end < line.len() && now.terminator == b'~';
        if let Some(begin) = segment_start(text, &now, known || before > 0 || ended) {
            segment(line, start + begin..end, &mut now, rules, found);
        }
        if end == line.len() {
            break;
        }
        start = end + 1;
    }
    if now.seen > 0 {
        now.seen = now.seen.saturating_add(before);
        now.idle = 0;
        *state = Some(now);
        return true;
    }
    if let Some(state) = state {
        state.idle = state.idle.saturating_add(1);
    }
    false
}

fn delimiters(bytes: &[u8], at: usize) -> Option<Interchange> {
    let element = *bytes.get(at + 3)?;
    if !element.is_ascii_punctuation() {
        return None;
    }
    // By count and not by place: a copy may have lost its blanks.
    let signs: Vec<usize> = (at + 3..bytes.len().min(at + 140)).filter(|byte| bytes[*byte] == element).take(16).collect();
    let last = *signs.get(15)?;
    let component = *bytes.get(last + 1)?;
    let terminator = bytes.get(last + 2).copied().filter(|b| !b.is_ascii_alphanumeric()).unwrap_or(b'\n');
    Some(Interchange { element, component, terminator, ..Interchange::default() })
}

/// Where a segment begins in this text: at its start or behind blanks; in a log line, at the first telling one.
fn segment_start(text: &str, now: &Interchange, known: bool) -> Option<usize> {
    let trimmed = text.trim_start();
    let start = text.len() - trimmed.len();
    let id = trimmed.bytes().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit()).count();
    if (2..=3).contains(&id) && trimmed.as_bytes().get(id) == Some(&now.element) && (known || TELLING.contains(&&trimmed[..id])) {
        return Some(start);
    }
    let element = char::from(now.element);
    let found = TELLING.iter().filter_map(|id| {
        let at = text.find(id)?;
        let alone = at == 0 || !text.as_bytes()[at - 1].is_ascii_alphanumeric();
        (alone && text[at + id.len()..].starts_with(element)).then_some(at)
    });
    found.min()
}

fn segment(line: &str, range: Range<usize>, now: &mut Interchange, rules: &RuleSet, found: &mut Vec<Found>) {
    let text = line[range.clone()].trim_end();
    let mut start = range.start;
    let elements: Vec<Range<usize>> = text
        .split(char::from(now.element))
        .take(32)
        .map(|element| {
            let range = start..start + element.len();
            start = range.end + 1;
            range
        })
        .collect();
    let element = |number: usize| elements.get(number).map_or("", |range| &line[range.clone()]);
    let id = element(0);
    if elements.len() < 2 {
        return;
    }
    now.seen = now.seen.saturating_add(1);
    let mut take = |number: usize, kind: Kind| {
        if let Some(range) = elements.get(number) {
            let value = line[range.clone()].trim_end();
            if value.contains(char::is_alphanumeric) && !value::is_null(value, rules) {
                found.push(Found::new(range.start..range.start + value.len(), kind, Rule::X12));
            }
        }
    };
    match id {
        // The subscriber's and the dependent's loops begin: nobody is named yet.
        "HL" | "ST" | "GS" | "SE" => now.person = false,
        "INS" => {
            now.person = true;
            take(12, Kind::Date);
        }
        "NM1" => {
            now.person = !OTHERS.contains(&element(1)) && element(2) != "2";
            let provider = OTHERS.contains(&element(1)) && element(2) == "1" && rules.mask_providers;
            if now.person || provider {
                (3..=5).for_each(|number| take(number, Kind::Name));
            }
            if now.person {
                let kind = match element(8) {
                    "34" | "SY" => Kind::Ssn,
                    "MR" | "EI" | "24" => Kind::Mrn,
                    _ => Kind::HealthPlan,
                };
                take(9, kind);
            }
        }
        "N1" => {
            now.person = matches!(element(1), "IL" | "QC" | "74" | "GD" | "QD" | "S1" | "EXS" | "E1" | "IC");
            if now.person {
                take(2, Kind::Name);
                take(4, Kind::HealthPlan);
            }
        }
        "N2" if now.person => (1..=2).for_each(|number| take(number, Kind::Name)),
        "N3" if now.person => (1..=2).for_each(|number| take(number, Kind::Address)),
        "N4" if now.person => {
            take(1, Kind::City);
            take(3, Kind::Zip);
            take(6, Kind::City);
        }
        "DMG" => take(2, Kind::Birth),
        "PER" if now.person => {
            take(2, Kind::Name);
            for number in [3, 5, 7] {
                let kind = match element(number) {
                    "EM" => Kind::Email,
                    "TE" | "HP" | "WP" | "CP" | "FX" | "BN" | "AP" => Kind::Phone,
                    _ => continue,
                };
                take(number + 1, kind);
            }
        }
        "REF" => {
            if let Some(kind) = reference(element(1)) {
                take(2, kind);
            }
        }
        // CLM01 and CLP01 are the patient's account with the provider, CLP07 the payer's number of the claim.
        "CLM" => take(1, Kind::Account),
        "CLP" => {
            take(1, Kind::Account);
            take(7, Kind::Account);
        }
        "SBR" | "COB" => take(3, Kind::HealthPlan),
        "DTP" | "DTM" => {
            // X12 element 374: dates of the patient's life and treatment. 573 (claim paid), 050 (received) and the like are the payer's.
            const DATES: [&str; 29] = [
                "435", "096", "472", "434", "431", "439", "454", "453", "484", "304", "297", "296", "360", "361", "314", "232", "233",
                "150", "151", "471", "455", "444", "090", "091", "102", "295", "356", "357", "350",
            ];
            if DATES.contains(&element(1)) {
                take(if id == "DTP" { 3 } else { 2 }, Kind::Date);
            }
        }
        _ => {}
    }
}

/// Reference identification qualifiers (element 128) that number a person or a person's claim.
fn reference(qualifier: &str) -> Option<Kind> {
    Some(match qualifier {
        "SY" => Kind::Ssn,
        "EA" => Kind::Mrn,
        "1W" | "0F" | "IG" | "1L" | "6P" | "F6" | "NQ" | "18" | "23" | "ABB" | "Q4" | "3H" | "MRN" => Kind::HealthPlan,
        "EJ" | "D9" | "F8" | "Y4" | "1K" | "DP" | "9A" | "9C" => Kind::Account,
        _ => return None,
    })
}

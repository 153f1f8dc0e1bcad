//! Numbers of patients in prose and in the lines of logs: "patient E004512", "encounter 2024-00312 closed", "merged 0930370-8 into 6494341-2".
//! The word before says whose number it is, and a number written like another one beside it is another of the same sort.

use super::{Found, Rule, prose::Said, value};
use crate::{kind::Kind, words::Word};

/// Digits of a record's number.
const LEAST: usize = 5;

/// The numbers of one line so far.
#[derive(Debug, Default)]
pub(super) struct Codes {
    last: Option<(usize, usize, Kind)>,
}

impl Codes {
    /// The number that begins at this word, if it is a patient's: where it ends.
    pub(super) fn find(&mut self, line: &str, words: &[Word], at: usize, said: &Said, found: &mut Vec<Found>) -> Option<usize> {
        let Word { start, end, .. } = words[at];
        // Asked of every number and every capital.
        if end - start < LEAST && line.as_bytes().get(end) != Some(&b'-') {
            return None;
        }
        let token = token(line, start)?;
        let end = start + token.len();
        // "added guardian Zoë Bjornstad to 05-91-11", "Whitfield, Ann -> E004512".
        let behind_name = || {
            const BETWEEN: [&str; 7] = [" to ", " of ", " for ", " -> ", " / ", " = ", " with "];
            let follows = |between: &str| {
                let end = start.checked_sub(between.len()).filter(|end| said.name_ends(*end));
                end.is_some_and(|end| &line[end..start] == between)
            };
            BETWEEN.iter().any(|between| follows(between)).then_some(Kind::Mrn)
        };
        let kind = self.listed(line, start, token).or_else(behind_name).or_else(|| named(line, words, at, said.named))?;
        self.last = Some((start, end, kind));
        found.push(Found::new(start..end, kind, Rule::Label));
        Some(end)
    }

    /// "0930370-8 and 6494341-2", "1002 -> 1003".
    fn listed(&self, line: &str, start: usize, text: &str) -> Option<Kind> {
        const BETWEEN: [&str; 12] = [" and ", " into ", " to ", ", ", " -> ", " => ", " & ", " with ", " or ", " / ", "/", " vs "];
        let (first, end, kind) = self.last?;
        let joined = BETWEEN.contains(&line.get(end..start)?);
        (joined && is_like(&line[first..end], text)).then_some(kind)
    }

    /// "E004512 (Whitfield, Marguerite)": the name is found; the number before it is its record's.
    pub(super) fn before_name(&self, line: &str, name: usize, found: &mut Vec<Found>) {
        let Some(before) = line[..name].strip_suffix(" (") else { return };
        if ends_with_code(before) {
            let start = before.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).map_or(0, |at| at + 1);
            found.push(Found::new(start..before.len(), Kind::Mrn, Rule::Label));
        }
    }
}

/// Does the text end with something that numbers a record?
pub(super) fn ends_with_code(text: &str) -> bool {
    let start = text.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).map_or(0, |at| at + 1);
    token(text, start).is_some_and(|token| start + token.len() == text.len())
}

/// Letters in capitals, digits and inner hyphens, with digits enough; no date and no part of something else.
fn token(line: &str, start: usize) -> Option<&str> {
    let bytes = line.as_bytes();
    if start > 0 && matches!(bytes[start - 1], b'-' | b'.' | b'_' | b'/' | b'=' | b'@' | b'$' | b'+' | b':' | b'*' | b'&') {
        return None;
    }
    let length = bytes[start..].iter().take(21).take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || **b == b'-').count();
    let token = line.get(start..start + length)?.trim_end_matches('-');
    let digits = token.bytes().filter(u8::is_ascii_digit).count();
    let rest = &bytes[start + token.len()..];
    let closed = match rest {
        [] => true,
        [b':' | b'.' | b',', next, ..] => matches!(next, b' ' | b'"' | b'\''),
        [next, ..] => !next.is_ascii_alphanumeric() && !matches!(next, b'_' | b'=' | b'/' | b'@' | b'%' | b'-') && next.is_ascii(),
    };
    (closed && (LEAST..=20).contains(&token.len()) && digits >= LEAST && value::whole_date(token).is_none()).then_some(token)
}

/// What the words before a number say that it is. `named`: the line names a patient.
fn named(line: &str, words: &[Word], at: usize, named: bool) -> Option<Kind> {
    let mut after = words[at].start;
    for back in 1..=3 {
        let before = words[at.checked_sub(back)?];
        let between = &line[before.end..after];
        if between.len() > 4 || !between.bytes().all(|b| matches!(b, b' ' | b'#' | b'"' | b'\'' | b'(' | b'[' | b':' | b'.' | b'<')) {
            return None;
        }
        after = before.start;
        let word = &line[before.start..before.end];
        if word.len() > 12 {
            return None;
        }
        let kind = match word.to_ascii_lowercase().as_str() {
            "id" | "no" | "number" | "num" | "nr" | "nbr" | "is" | "record" if back < 3 && !between.contains(['(', '[']) => continue,
            "patient" | "patients" | "pt" | "chart" | "mrn" | "records" | "encounter" | "encounters" | "visit" | "accession" | "mr"
            | "merge" | "merged" | "merging" | "duplicate" | "unmerged" | "unlinked" | "empi" | "csn" => Kind::Mrn,
            "member" | "subscriber" | "policy" | "insurance" | "beneficiary" | "insured" | "dependent" => Kind::HealthPlan,
            "account" | "acct" | "fin" | "guarantor" | "claim" | "har" => Kind::Account,
            "aetna" | "cigna" | "humana" | "medicare" | "medicaid" | "bcbs" | "anthem" | "kaiser" | "tricare" | "uhc"
            | "unitedhealthcare" => Kind::HealthPlan,
            "serial" | "sn" if named => Kind::Device,
            // "creating E004512" in a line that names a patient.
            "creating" | "created" | "assigned" | "assigning" | "matched" | "matches" | "linked" | "linking" | "using" if named => {
                Kind::Mrn
            }
            _ => return None,
        };
        return Some(kind);
    }
    None
}

/// Written alike: capitals where capitals are, digits where digits are.
fn is_like(one: &str, other: &str) -> bool {
    let class = |b: u8| {
        if b.is_ascii_digit() {
            b'9'
        } else if b.is_ascii_uppercase() {
            b'A'
        } else {
            b
        }
    };
    one.len() == other.len() && one.bytes().zip(other.bytes()).all(|(a, b)| class(a) == class(b))
}

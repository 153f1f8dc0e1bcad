//! JSON, over as many lines as it takes: what a string means depends on the objects around it (FHIR R4: HumanName, Identifier,
//! ContactPoint, Address).

use super::{Found, Rule, value::fills};
use crate::{
    kind::Kind,
    rules::{Label, RuleSet},
    vocabulary::normalise,
};

const MAX_DEPTH: usize = 32;

/// Open objects and arrays, and what their keys mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Nesting {
    open: Vec<Key>,
    /// Open beyond `MAX_DEPTH`: only counted.
    deeper: usize,
    /// A birth date was among its members: FHIR's Patient, RelatedPerson, Person.
    born: bool,
    /// The resource is a patient's (FHIR `resourceType`), or somebody else's.
    resource: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    /// Not known, or no key.
    Plain,
    Name,
    Identifier,
    Telecom,
    Address,
    /// `subject`, `patient`: what is inside speaks of the patient.
    Subject,
    /// `practitioner`, `performer`, `managingOrganization`: of somebody else.
    Other,
    Labelled(Label),
}

impl Nesting {
    fn open(&mut self, key: Key) {
        if self.open.len() < MAX_DEPTH {
            self.open.push(key);
        } else {
            self.deeper += 1;
        }
    }

    fn close(&mut self) {
        match self.deeper.checked_sub(1) {
            Some(deeper) => self.deeper = deeper,
            None => drop(self.open.pop()),
        }
    }

    fn about_patient(&self) -> bool {
        self.resource != Some(false) && !self.open.contains(&Key::Other)
    }

    fn inside(&self, key: Key) -> bool {
        self.open.iter().rev().take(4).any(|open| *open == key)
    }
}

pub(super) fn find(line: &str, nesting: &mut Nesting, rules: &RuleSet, found: &mut Vec<Found>) {
    let text = line.trim_start();
    let start =
        if !nesting.open.is_empty() && text.starts_with(|c: char| matches!(c, '{' | '}' | '[' | ']' | '"' | '-') || c.is_ascii_digit()) {
            line.len() - text.len()
        } else {
            if !nesting.open.is_empty() {
                *nesting = Nesting::default();
            }
            if memchr::memchr2(b'{', b'[', line.as_bytes()).is_none() {
                return;
            }
            let Some(start) = ["{\"", "[{", "{ \""]
                .iter()
                .filter_map(|open| line.find(open))
                .min()
                .or_else(|| matches!(text, "{" | "[").then(|| line.len() - text.len()))
            else {
                return;
            };
            start
        };
    let bytes = line.as_bytes();
    let mut at = start;
    let mut key: Option<(usize, usize)> = None;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let end = string_end(bytes, at + 1);
                // A string before a colon is a key, any other a value.
                let rest = line[end..].trim_start_matches('"').trim_start();
                if rest.starts_with(':') {
                    key = Some((at + 1, end));
                } else {
                    value(line, key, at + 1..end, nesting, rules, found);
                    if !matches!(nesting.open.last(), Some(Key::Labelled(_))) {
                        key = None;
                    }
                }
                at = end + 1;
                continue;
            }
            b'{' | b'[' => {
                let meaning = match key.take() {
                    Some((start, end)) => meaning(&line[start..end], nesting, rules),
                    // An object in an array means what the array means.
                    None => nesting.open.last().copied().unwrap_or(Key::Plain),
                };
                nesting.open(meaning);
            }
            b'}' | b']' => {
                nesting.close();
                key = None;
            }
            b',' => key = None,
            b'0'..=b'9' if key.is_some() => {
                let end = at + bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
                value(line, key.take(), at..end, nesting, rules, found);
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
}

fn value(
    line: &str,
    key: Option<(usize, usize)>,
    range: std::ops::Range<usize>,
    nesting: &mut Nesting,
    rules: &RuleSet,
    found: &mut Vec<Found>,
) {
    let text = &line[range.clone()];
    let name = key.map(|(start, end)| &line[start..end]);
    if name == Some("resourceType") {
        nesting.resource =
            Some(!matches!(text, "Practitioner" | "PractitionerRole" | "Organization" | "Location" | "HealthcareService" | "Endpoint"));
        return;
    }
    nesting.born |= name == Some("birthDate");
    if !nesting.about_patient() {
        return;
    }
    let label = match name {
        Some("value") if nesting.inside(Key::Identifier) => Some(Label { kind: Kind::Mrn, strong: true }),
        Some("value") if nesting.inside(Key::Telecom) => {
            Some(Label { kind: if text.contains('@') { Kind::Email } else { Kind::Phone }, strong: true })
        }
        Some("text" | "display") if nesting.inside(Key::Name) || nesting.inside(Key::Subject) => {
            Some(Label { kind: Kind::Name, strong: true })
        }
        Some("text") if nesting.inside(Key::Address) => Some(Label { kind: Kind::Address, strong: true }),
        Some("id") if (nesting.resource == Some(true) || nesting.born) && nesting.open.len() <= 1 => {
            Some(Label { kind: Kind::Mrn, strong: true })
        }
        Some(name) => match rules.columns.get(&normalise(name)) {
            Some(label) if label.strong || nesting.inside(Key::Name) || nesting.inside(Key::Address) || nesting.inside(Key::Subject) => {
                Some(*label)
            }
            _ => None,
        },
        None => match nesting.open.last() {
            Some(Key::Labelled(label)) => Some(*label),
            _ => None,
        },
    };
    if let Some(label) = label
        && fills(label.kind, text, true, rules)
    {
        found.push(Found::new(range, label.kind, Rule::Json));
    }
}

fn meaning(key: &str, nesting: &Nesting, rules: &RuleSet) -> Key {
    match key {
        // An object, as persons have; an organisation's name is a string.
        "name" | "names" => Key::Name,
        "identifier" | "identifiers" => Key::Identifier,
        "telecom" | "phones" => Key::Telecom,
        "address" | "addresses" => Key::Address,
        "subject" | "patient" | "beneficiary" | "subscriber" | "guarantor" | "contact" | "relatedPerson" | "person" | "member" => {
            Key::Subject
        }
        "practitioner"
        | "performer"
        | "participant"
        | "managingOrganization"
        | "serviceProvider"
        | "generalPractitioner"
        | "requester"
        | "author" => Key::Other,
        _ => match rules.columns.get(&normalise(key)) {
            Some(label) if label.strong || nesting.inside(Key::Name) || nesting.inside(Key::Address) => Key::Labelled(*label),
            _ => Key::Plain,
        },
    }
}

/// Where the string ends: its quote, or the line's end.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

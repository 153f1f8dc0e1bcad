//! How many patients a session has shown. Counts only: no value and nothing made from one.
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Kinds of identifiers that every patient has one of.
const ONE_EACH: [&str; 4] = ["mrn", "ssn", "name", "birth"];

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientsSeen {
    /// Distinct identifiers by type ("mrn", "name", ...), as masking found them.
    pub identifiers: BTreeMap<String, u64>,
}

impl PatientsSeen {
    pub fn new(identifiers: BTreeMap<String, u64>) -> Self {
        Self { identifiers }
    }

    /// About how many patients that are: as many as the most frequent kind of which everybody has one. A name spelled in two ways
    /// counts twice; whoever was only seen by an address counts not at all.
    pub fn patients(&self) -> u64 {
        ONE_EACH.iter().filter_map(|kind| self.identifiers.get(*kind)).copied().max().unwrap_or(0)
    }

    pub fn is_empty(&self) -> bool {
        self.identifiers.values().all(|n| *n == 0)
    }

    /// "about 11 patients".
    pub fn words(&self) -> String {
        match self.patients() {
            0 => "no patients".into(),
            1 => "about 1 patient".into(),
            n => format!("about {n} patients"),
        }
    }

    /// "11 mrn, 9 name".
    pub fn kinds(&self) -> String {
        let kinds: Vec<String> =
            self.identifiers.iter().filter(|(_, n)| **n > 0).map(|(k, n)| format!("{n} {}", k.replace('_', " "))).collect();
        kinds.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(of: &[(&str, u64)]) -> PatientsSeen {
        PatientsSeen::new(of.iter().map(|(k, n)| ((*k).to_owned(), *n)).collect())
    }

    #[test]
    fn patients_are_as_many_as_what_each_has_one_of() {
        assert_eq!(seen(&[]).words(), "no patients");
        assert_eq!(seen(&[("mrn", 11), ("name", 9), ("phone", 40), ("date", 80)]).words(), "about 11 patients");
        assert_eq!(seen(&[("name", 1)]).words(), "about 1 patient");
        assert_eq!(seen(&[("phone", 3)]).patients(), 0);
        assert_eq!(seen(&[("mrn", 2), ("health_plan", 1), ("name", 0)]).kinds(), "1 health plan, 2 mrn");
    }
}

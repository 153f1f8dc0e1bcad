//! What a cell of a row holds: told by the name of its column, or, where that says nothing, by the cell's own form.
//!
//! Nobody knows the names of all columns ("pubpid", "cstm_7"). In a table that names patients (164.514(b)(2)(i): dates and numbers
//! *related to the individual*) a column of unknown name is judged cell by cell; one that is known to be of staff, machines or results is not.

use super::{
    shapes,
    value::{fills, is_private_ip},
};
use crate::{
    kind::Kind,
    rules::{Label, RuleSet},
    vocabulary::normalise,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Known(Label),
    /// The name says nothing; the table is of patients.
    Open,
    /// As `Open`, beside a street or a postcode: a word may be a town.
    Place,
    /// Nobody's.
    Closed,
}

impl Meaning {
    pub(super) fn label(self) -> Option<Label> {
        match self {
            Self::Known(label) => Some(label),
            _ => None,
        }
    }

    /// What this text in the column identifies.
    pub(super) fn of(self, text: &str, rules: &RuleSet) -> Option<Kind> {
        match self {
            // What is only called an address of the network may be a machine's.
            Self::Known(label) if !label.strong && label.kind == Kind::Other && is_private_ip(text) => None,
            Self::Known(label) => fills(label.kind, text, true, rules).then_some(label.kind),
            Self::Open => shapes::alone(text, false, rules),
            Self::Place => shapes::alone(text, true, rules),
            Self::Closed => None,
        }
    }
}

/// What columns of these names hold.
pub(super) fn meanings(names: &[String], rules: &RuleSet) -> Vec<Meaning> {
    let labels = labels(names, rules);
    let of_person =
        |label: &Label| label.strong && matches!(label.kind, Kind::Name | Kind::Mrn | Kind::Birth | Kind::Ssn | Kind::HealthPlan);
    let patients = labels.iter().flatten().any(of_person);
    let state =
        |at: Option<usize>| at.and_then(|at| names.get(at)).is_some_and(|name| normalise(name).split(' ').any(|word| word == "state"));
    let place = |at: Option<usize>| {
        state(at)
            || at.and_then(|at| labels.get(at)).is_some_and(|label| label.is_some_and(|l| matches!(l.kind, Kind::Address | Kind::Zip)))
    };
    labels
        .iter()
        .enumerate()
        .map(|(at, label)| match label {
            Some(label) => Meaning::Known(*label),
            None if !patients || !rules.vocabulary.is_strange(&names[at]) => Meaning::Closed,
            None if place(at.checked_sub(1)) || place(Some(at + 1)) => Meaning::Place,
            None => Meaning::Open,
        })
        .collect()
}

/// Which columns identify. Weak labels need company: a strong one, or weak ones of two kinds in a table that is not of machines.
pub(super) fn labels(names: &[String], rules: &RuleSet) -> Vec<Option<Label>> {
    let found: Vec<Option<Label>> = names.iter().map(|name| rules.vocabulary.label(name)).collect();
    let counts = |label: &&Label| label.kind != Kind::Age;
    // An account, a serial number or an address of the network may be a machine's or its user's.
    let of_things = |label: &Label| matches!(label.kind, Kind::Account | Kind::Device | Kind::Other);
    let strong = found.iter().flatten().filter(counts).any(|label| label.strong && !of_things(label));
    let mut kinds: Vec<_> = found.iter().flatten().filter(counts).map(|label| label.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    const MACHINES: [&str; 22] = [
        "port",
        "host",
        "node",
        "ip",
        "version",
        "driver",
        "image",
        "pod",
        "cluster",
        "namespace",
        "replicas",
        "endpoint",
        "protocol",
        "interface",
        "server",
        "cpu",
        "size",
        "ready",
        "restarts",
        "encoding",
        "owner",
        "schema",
    ];
    let machines = || names.iter().any(|name| normalise(name).split(' ').any(|word| MACHINES.contains(&word)));
    let company = strong || (kinds.len() >= 2 && !machines());
    found.into_iter().map(|label| label.filter(|label| label.strong || company)).collect()
}

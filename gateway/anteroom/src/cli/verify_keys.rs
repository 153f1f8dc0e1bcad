//! Whether the keys of a recording are there, or were destroyed as the log says. Missing keys that the log says nothing of are damage.
use anteroom_approvals::{Evidence, verify::Finding};
use anteroom_domain::{AuditEvent, AuditRecord};
use anteroom_recorder::shred::{Keys, SHREDDED};
use std::collections::BTreeMap;

const CHECK: &str = "recording keys";

pub(super) fn findings(evidence: &Evidence, keys: &Keys) -> Vec<Finding> {
    judge(keys, destroyed(evidence).as_ref())
}

/// The envelopes that the log says were destroyed.
fn destroyed(evidence: &Evidence) -> Option<BTreeMap<String, String>> {
    let records = evidence.records.iter().filter_map(|r| serde_json::from_str::<AuditRecord>(&r.record).ok());
    records.into_iter().find_map(|r| match r.event {
        AuditEvent::RecordingShredded { session, envelopes, .. } if session == evidence.session.id => Some(envelopes),
        _ => None,
    })
}

fn judge(keys: &Keys, logged: Option<&BTreeMap<String, String>>) -> Vec<Finding> {
    let mut wrong = Vec::new();
    match logged {
        None => {
            wrong.extend(keys.missing.iter().map(|name| format!("{name} is missing, and the log does not say that it was destroyed")));
            if keys.marked {
                wrong.push(format!("{SHREDDED} says that they were destroyed, and the log does not"));
            }
        }
        Some(logged) => {
            let unnamed = keys.missing.iter().filter(|name| !logged.contains_key(*name));
            wrong.extend(unnamed.map(|name| format!("{name} is missing, and is not among those that the log says were destroyed")));
            wrong.extend(keys.present.iter().map(|name| format!("{name} is still there, and the log says that the keys were destroyed")));
        }
    }
    let finding = |ok, detail| Finding { check: CHECK.into(), ok, detail };
    if !wrong.is_empty() {
        return wrong.into_iter().map(|detail| finding(false, detail)).collect();
    }
    let (there, gone) = (keys.present.len(), keys.missing.len());
    let fits =
        if logged.is_some() { format!("destroyed, as the log says: {gone} envelopes") } else { format!("{there} envelopes are there") };
    vec![finding(true, fits)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(present: &[&str], missing: &[&str], marked: bool) -> Keys {
        let names = |all: &[&str]| all.iter().map(|n| (*n).to_owned()).collect();
        Keys { present: names(present), missing: names(missing), marked }
    }
    fn wrong(keys: &Keys, logged: Option<&[&str]>) -> Vec<String> {
        let logged = logged.map(|all| all.iter().map(|n| ((*n).to_owned(), String::new())).collect());
        judge(keys, logged.as_ref()).into_iter().filter(|f| !f.ok).map(|f| f.detail).collect()
    }

    #[test]
    fn keys_are_there_or_destroyed_as_logged_and_everything_else_is_damage() {
        assert!(wrong(&keys(&["a", "b"], &[], false), None).is_empty());
        assert!(wrong(&keys(&[], &["a", "b"], true), Some(&["a", "b"])).is_empty());
        assert!(wrong(&keys(&["b"], &["a"], false), None)[0].starts_with("a is missing, and the log does not say"));
        assert!(wrong(&keys(&["a"], &[], true), None)[0].contains("and the log does not"));
        assert!(wrong(&keys(&[], &["a", "b"], true), Some(&["a"]))[0].starts_with("b is missing, and is not among"));
        assert!(wrong(&keys(&["b"], &["a"], true), Some(&["a", "b"]))[0].starts_with("b is still there"));
    }
}

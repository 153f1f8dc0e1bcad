//! Whether a recording was kept as somebody ordered, and by whom its keys were destroyed, as the log says it.
use super::story::{Report, ensure};
use crate::{
    clock::text,
    evidence::{Evidence, Keeping},
    workflow::hash,
};
use anteroom_domain::{AuditEvent, AuditRecord, Handle, HoldId, PersonId};
use std::collections::BTreeSet;

/// Nothing is said about a recording that nobody held or shredded.
pub(super) fn check(report: &mut Report, e: &Evidence, records: &[AuditRecord]) {
    if let Err(why) = kept_as_told(e) {
        report.add("keeping", Err(why));
    }
    let logged = records.iter().any(|r| {
        matches!(&r.event, AuditEvent::LegalHoldPlaced { .. } | AuditEvent::LegalHoldLifted { .. } | AuditEvent::RecordingShredded { .. })
    });
    if e.keeping.is_empty() && !logged {
        return;
    }
    report.add("legal holds", holds(&e.keeping, e, records));
    if e.keeping.shredding.is_some() || records.iter().any(|r| matches!(&r.event, AuditEvent::RecordingShredded { .. })) {
        report.add("keys destroyed", shredding(&e.keeping, e, records));
    }
}

/// What the session's row says follows from the rest.
fn kept_as_told(e: &Evidence) -> Result<(), String> {
    let same =
        e.session.held == e.keeping.holding().next().is_some() && e.session.shredded_at == e.keeping.shredding.as_ref().map(|d| d.at);
    ensure(same, "the session's row says otherwise than its holds and its shredding")
}

fn holds(k: &Keeping, e: &Evidence, records: &[AuditRecord]) -> Result<String, String> {
    let mut told: BTreeSet<(HoldId, bool)> = BTreeSet::new();
    for h in &k.holds {
        ensure(h.session == e.session.id, "a hold is on another session")?;
        let placed = records.iter().any(|r| {
            matches!(&r.event, AuditEvent::LegalHoldPlaced { hold, session, by, reason_sha256 }
                if (*hold, *session, *by) == (h.id, h.session, h.placed_by) && *reason_sha256 == hash(&h.reason) && r.at == h.placed_at)
        });
        ensure(placed, "no entry says that this hold was placed")?;
        named(records, h.placed_by, &h.placed_by_handle)?;
        ensure(told.insert((h.id, true)), "a hold is in the bundle twice")?;
        if let Some(l) = &h.lifted {
            let lifted = records.iter().any(|r| {
                matches!(&r.event, AuditEvent::LegalHoldLifted { hold, session, by, reason_sha256 }
                    if (*hold, *session, *by) == (h.id, h.session, l.by) && *reason_sha256 == hash(&l.reason) && r.at == l.at)
            });
            ensure(lifted, "no entry says that this hold was lifted")?;
            named(records, l.by, &l.by_handle)?;
            told.insert((h.id, false));
        }
    }
    let whole = records.iter().all(|r| match &r.event {
        AuditEvent::LegalHoldPlaced { hold, .. } => told.contains(&(*hold, true)),
        AuditEvent::LegalHoldLifted { hold, .. } => told.contains(&(*hold, false)),
        _ => true,
    });
    ensure(whole, "the log names a legal hold, or its end, that the bundle does not hold")?;
    let counting: Vec<_> =
        k.holding().map(|h| format!("since {} by {}: {}", text(h.placed_at), h.placed_by_handle, one_line(h.reason.as_str()))).collect();
    Ok(match counting.len() {
        0 => format!("{}, none of them counts any more", k.holds.len()),
        _ => counting.join("; "),
    })
}

fn shredding(k: &Keeping, e: &Evidence, records: &[AuditRecord]) -> Result<String, String> {
    let d = k.shredding.as_ref().ok_or("the log says that the keys were destroyed; the bundle does not say why")?;
    let entry = records.iter().position(|r| matches!(&r.event, AuditEvent::RecordingShredded { session, .. } if *session == e.session.id));
    let entry = entry.ok_or("no entry says that the keys were destroyed")?;
    let logged = matches!(&records[entry].event, AuditEvent::RecordingShredded { by, why, reason_sha256, envelopes, session }
        if *session == d.session && *by == d.by && why == d.why() && *reason_sha256 == hash(&d.reason) && *envelopes == d.envelopes)
        && records[entry].at == d.at;
    ensure(logged, "the log says it otherwise: when, who, why or which keys")?;
    match (&d.by, &d.by_handle) {
        (Some(by), Some(handle)) => named(records, *by, handle)?,
        (None, None) => {}
        _ => return Err("who did it has no name, or nobody has one".into()),
    }
    // The records are in the order of the log.
    let mut holding = BTreeSet::new();
    for r in &records[..entry] {
        match &r.event {
            AuditEvent::LegalHoldPlaced { hold, .. } => drop(holding.insert(*hold)),
            AuditEvent::LegalHoldLifted { hold, by, .. } => {
                holding.remove(hold);
                ensure(d.by != Some(*by), "whoever lifted a legal hold destroyed the keys too")?;
            }
            _ => {}
        }
    }
    ensure(holding.is_empty(), "a legal hold was on it when its keys were destroyed")?;
    let (at, by, reason) = (text(d.at), d.decided_by(), one_line(d.reason.as_str()));
    Ok(format!("on {at} by {by}: {reason} ({} envelopes)", d.envelopes.len()))
}

/// The name is the one the log gave this person.
fn named(records: &[AuditRecord], who: PersonId, name: &Handle) -> Result<(), String> {
    let known =
        records.iter().any(|r| matches!(&r.event, AuditEvent::PersonAdded { person, handle, .. } if *person == who && handle == name));
    ensure(known, "no entry says that somebody who held or shredded it has this name")
}

/// As it stands in a report: a reason may have lines, and a report has one for each finding.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

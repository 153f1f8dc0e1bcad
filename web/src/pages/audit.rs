//! Search over everything that was decided and done.
use crate::{
    errors::Problem,
    page::{Asked, Frame, Pager, html, page_number},
    pages::names::Names,
    state::App,
};
use anteroom_approvals::{AuditFilter, AuditLine};
use anteroom_domain::{Handle, Moment};
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;
use time::{Date, Duration, macros::format_description};

/// Kinds offered in the filter, as the log writes them.
pub(crate) const KINDS: [&str; 49] = [
    "request_submitted",
    "request_withdrawn",
    "request_approved",
    "request_denied",
    "review_refused",
    "grant_made",
    "grant_revoked",
    "break_glass",
    "card",
    "step_up_asked",
    "step_up_passed",
    "step_up_remembered",
    "access_refused",
    "session_started",
    "session_ended",
    "session_terminated",
    "channel_refused",
    "forward_opened",
    "file_moved",
    "message_sent",
    "recording_sealed",
    "recording_viewed",
    "recording_exported",
    "recordings_searched",
    "recording_shredded",
    "legal_hold_placed",
    "legal_hold_lifted",
    "signed_in",
    "sign_in_refused",
    "signed_out",
    "person_added",
    "person_suspended",
    "person_reinstated",
    "enrol_link_made",
    "passkey_enrolled",
    "ssh_key_added",
    "ssh_key_removed",
    "certificate_issued",
    "target_certificate_issued",
    "authority_made",
    "authority_retired",
    "target_added",
    "target_changed",
    "target_tested",
    "target_pinned",
    "target_key_changed",
    "credential_stored",
    "gateway_started",
    "gateway_stopped",
];

#[derive(Template)]
#[template(path = "audit.html")]
struct Audit {
    frame: Frame,
    rows: Vec<Row>,
    names: Names,
    pager: Pager,
    q: Query,
    unknown_person: bool,
}

struct Row {
    line: AuditLine,
    kind: String,
    /// What a reader wants first: names and words, without ids and hashes.
    brief: String,
    /// Everything the event says beside its kind.
    facts: Vec<(String, String)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    kind: String,
    /// A handle.
    person: String,
    session: String,
    /// Days, `2026-11-23`; both included.
    from: String,
    until: String,
    page: Option<String>,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    let person = match Handle::new(q.person.trim()) {
        Ok(handle) => app.approvals.person_by_handle(&handle).await?.map(|p| p.id),
        Err(_) => None,
    };
    let unknown_person = !q.person.trim().is_empty() && person.is_none();
    let filter = AuditFilter {
        text: q.q.clone(),
        kind: Some(q.kind.clone()).filter(|k| !k.is_empty()),
        person,
        session: q.session.trim().parse().ok(),
        from: day(&q.from),
        until: day(&q.until).map(|d| d + Duration::days(1)),
    };
    let page = page_number(q.page.as_deref());
    let (lines, total) = if unknown_person {
        (Vec::new(), 0)
    } else {
        let found = app.approvals.audit_search(filter, page).await?;
        (found.rows, found.total)
    };
    let names = Names::of(&app, lines.iter().filter_map(|l| l.record.actor).collect()).await?;
    let pager = Pager::new("/audit", &frame.query, page, lines.len(), total);
    let rows = lines.into_iter().map(row).collect();
    html(&Audit { frame, rows, names, pager, q, unknown_person })
}

fn day(text: &str) -> Option<Moment> {
    Some(Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?.midnight().assume_utc())
}

fn row(line: AuditLine) -> Row {
    let value = serde_json::to_value(&line.record.event).unwrap_or_default();
    let facts: Vec<_> = value.as_object().into_iter().flatten().filter(|(k, _)| *k != "kind").map(|(k, v)| (words(k), text(v))).collect();
    let brief = facts.iter().filter(|(_, v)| is_readable(v)).map(|(k, v)| format!("{k} {v}")).collect::<Vec<_>>().join(", ");
    Row { kind: words(&line.record.event.kind()), line, brief, facts }
}

/// Not an id, a hash or a structure, and short.
fn is_readable(v: &str) -> bool {
    let is_id = v.parse::<uuid::Uuid>().is_ok();
    let is_hash = v.len() == 64 && v.bytes().all(|b| b.is_ascii_hexdigit());
    !v.is_empty() && v.len() <= 80 && !is_id && !is_hash && !v.starts_with(['{', '['])
}

fn text(v: &serde_json::Value) -> String {
    v.as_str().map_or_else(|| v.to_string(), str::to_owned)
}

/// `request_submitted` reads "request submitted".
pub(crate) fn words(snake: &str) -> String {
    snake.replace('_', " ")
}

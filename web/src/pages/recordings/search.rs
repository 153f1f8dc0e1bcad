//! Searching what recordings show. What was asked for can be a name, so it is in no address: a search is posted, kept here for a while,
//! and shown under a number of its own.
use crate::{
    errors::{Explain, Failure, Problem},
    guard::Viewer,
    page::{Asked, FormOf, Frame, Id, html, html_again},
    state::App,
};
use anteroom_approvals::{Hit, Hits, SearchError, SearchFilter, SearchPage};
use anteroom_domain::{Handle, LineKind, Moment, PersonId, SessionId, TargetName};
use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use time::{Date, macros::format_description};
use uuid::Uuid;

/// A search is shown again for so long.
const KEPT: Duration = Duration::from_secs(2 * 3600);
/// Searches kept at once; when full, the oldest go.
const MOST: usize = 5_000;
/// Characters of one field.
const FIELD: usize = 200;

/// What was filled in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fields {
    words: String,
    /// A handle.
    person: String,
    target: String,
    kind: String,
    /// Days, `2026-11-23`; both included.
    from: String,
    until: String,
    /// Only this recording.
    session: String,
}

struct Kept {
    by: PersonId,
    at: Instant,
    fields: Fields,
    shown: bool,
}

/// Searches of the last hours.
#[derive(Default)]
pub(crate) struct Searches(Mutex<HashMap<Uuid, Kept>>);

impl std::fmt::Debug for Searches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Searches(..)")
    }
}

impl Searches {
    fn keep(&self, by: PersonId, fields: Fields, now: Instant) -> Uuid {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.retain(|_, k| now.duration_since(k.at) < KEPT);
        }
        while all.len() >= MOST
            && let Some(oldest) = all.iter().min_by_key(|(_, k)| k.at).map(|(id, _)| *id)
        {
            all.remove(&oldest);
        }
        let id = Uuid::new_v4();
        all.insert(id, Kept { by, at: now, fields, shown: false });
        id
    }

    /// Only for who asked, and whether they see it for the first time.
    fn show(&self, id: Uuid, by: PersonId, now: Instant) -> Option<(Fields, bool)> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all.get_mut(&id).filter(|k| k.by == by && now.duration_since(k.at) < KEPT)?;
        Some((kept.fields.clone(), !std::mem::replace(&mut kept.shown, true)))
    }

    /// One whose results were shown, and that is in the audit log therefore.
    fn shown(&self, id: Uuid, by: PersonId, now: Instant) -> Option<Fields> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all.get(&id).filter(|k| k.shown && k.by == by && now.duration_since(k.at) < KEPT)?;
        Some(kept.fields.clone())
    }
}

#[derive(Template)]
#[template(path = "recordings_search.html")]
struct Page {
    frame: Frame,
    q: Fields,
    groups: Vec<Group>,
    next: Option<String>,
    first_page: bool,
    searched: bool,
    wrong: Option<String>,
    /// This portal makes no index.
    off: bool,
}

/// Hits of one recording.
struct Group {
    session: SessionId,
    title: (String, String, String),
    started_at: Moment,
    hits: Vec<Row>,
}

struct Row {
    href: String,
    clock: String,
    kind: &'static str,
    pieces: Vec<(bool, String)>,
}

impl Page {
    fn new(app: &App, frame: Frame, q: Fields) -> Self {
        let off = !app.search;
        Self { frame, q, groups: Vec::new(), next: None, first_page: true, searched: false, wrong: None, off }
    }
    fn kinds(&self) -> [(&'static str, &'static str); 5] {
        LineKind::ALL.map(|k| (k.as_str(), words_of(k)))
    }
}

fn words_of(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Screen => "shown",
        LineKind::Command => "command",
        LineKind::File => "file",
        LineKind::Forward => "forward",
        LineKind::Note => "note or message",
    }
}

/// The form alone; links name a recording to look into.
pub(crate) async fn form(State(app): State<App>, frame: Frame, Asked(q): Asked<Fields>) -> Result<Response, Problem> {
    // Whatever else stands in the address was not put there by us.
    let q = Fields { session: q.session.parse::<SessionId>().map(|s| s.to_string()).unwrap_or_default(), ..Fields::default() };
    html(&Page::new(&app, frame, q))
}

pub(crate) async fn ask(State(app): State<App>, frame: Frame, viewer: Viewer, FormOf(q): FormOf<Fields>) -> Result<Response, Problem> {
    let long = [&q.words, &q.person, &q.target, &q.kind, &q.from, &q.until, &q.session].iter().any(|f| f.chars().count() > FIELD);
    let wrong = if long { Some(SearchError::TooLong.to_string()) } else { filter(&app, &q).await?.err() };
    let wrong = wrong.or_else(|| q.words.trim().is_empty().then(|| SearchError::NoWord.to_string()));
    if wrong.is_some() {
        let q = if long { Fields::default() } else { q };
        return html_again(&Page { wrong, ..Page::new(&app, frame, q) });
    }
    let id = app.searches.keep(viewer.person.id, q, Instant::now());
    Ok(Redirect::to(&format!("/recordings/search/{id}")).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Where {
    after: Option<String>,
}

pub(crate) async fn show(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Id(id): Id<Uuid>,
    Asked(q): Asked<Where>,
) -> Result<Response, Problem> {
    let me = viewer.person.id;
    let Some((fields, new)) = app.searches.show(id, me, Instant::now()) else {
        let wrong = Some("This search is not kept any more. Ask again.".into());
        return html_again(&Page { wrong, ..Page::new(&app, frame, Fields::default()) });
    };
    let after = q.after.and_then(|a| a.parse().ok());
    let page = if new { SearchPage::New } else { SearchPage::Again(after) };
    let found = match filter(&app, &fields).await? {
        Ok(filter) => app.approvals.search_recordings(me, &fields.words, &filter, page).await,
        Err(wrong) => return html_again(&Page { wrong: Some(wrong), ..Page::new(&app, frame, fields) }),
    };
    let Hits { rows, next } = match found {
        Ok(hits) => hits,
        Err(e @ (SearchError::NoWord | SearchError::TooLong | SearchError::TooMany)) => {
            return html_again(&Page { wrong: Some(e.to_string()), ..Page::new(&app, frame, fields) });
        }
        Err(e) => return Err(e.into()),
    };
    let next = next.map(|n| format!("/recordings/search/{id}?after={n}"));
    html(&Page { groups: groups(id, rows), next, first_page: after.is_none(), searched: true, ..Page::new(&app, frame, fields) })
}

/// What the fields say; in words, what is wrong with them.
async fn filter(app: &App, q: &Fields) -> Result<Result<SearchFilter, String>, Problem> {
    let (person, target) = (q.person.trim(), q.target.trim());
    let mut filter = SearchFilter {
        kind: LineKind::from_name(&q.kind),
        session: q.session.parse().ok(),
        from: day(&q.from),
        until: day(&q.until).map(|d| d + time::Duration::days(1)),
        ..SearchFilter::default()
    };
    if !person.is_empty() {
        let found = match Handle::new(person) {
            Ok(handle) => app.approvals.person_by_handle(&handle).await?,
            Err(_) => None,
        };
        match found {
            Some(p) => filter.person = Some(p.id),
            None => return Ok(Err(format!("there is nobody with the handle “{person}”"))),
        }
    }
    if !target.is_empty() {
        let found = match TargetName::new(target) {
            Ok(name) => app.approvals.target_by_name(&name).await?,
            Err(_) => None,
        };
        match found {
            Some(t) => filter.target = Some(t.id),
            None => return Ok(Err(format!("there is no target “{target}”"))),
        }
    }
    Ok(Ok(filter))
}

fn day(text: &str) -> Option<Moment> {
    Some(Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?.midnight().assume_utc())
}

/// What a search of theirs found in one recording, for its timeline; nothing when it is not kept any more.
pub(super) async fn found_in(app: &App, me: PersonId, search: Uuid, session: SessionId) -> Result<Vec<Hit>, Problem> {
    let Some(fields) = app.searches.shown(search, me, Instant::now()) else { return Ok(Vec::new()) };
    let Ok(filter) = filter(app, &fields).await? else { return Ok(Vec::new()) };
    if filter.session.is_some_and(|s| s != session) {
        return Ok(Vec::new());
    }
    let filter = SearchFilter { session: Some(session), ..filter };
    let found = app.approvals.search_recordings(me, &fields.words, &filter, SearchPage::Again(None)).await;
    Ok(found.map(|hits| hits.rows).unwrap_or_default())
}

fn groups(search: Uuid, rows: Vec<Hit>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for hit in rows {
        let row = Row {
            href: format!("/recordings/{}?channel={}&at={}&found={search}", hit.session, hit.channel, at(hit.at_us)),
            clock: clock(hit.at_us),
            kind: words_of(hit.kind),
            pieces: hit.pieces,
        };
        match groups.last_mut().filter(|g| g.session == hit.session) {
            Some(group) => group.hits.push(row),
            None => groups.push(Group {
                session: hit.session,
                title: (hit.person_handle, hit.account.to_string(), hit.target_name.to_string()),
                started_at: hit.started_at,
                hits: vec![row],
            }),
        }
    }
    groups
}

/// Seconds since the session's start for a link; rounded up, so that what is looked for stands there.
pub(super) fn at(us: u64) -> String {
    let ms = us.div_ceil(1_000);
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

/// "1:02:33" since the session's start.
pub(super) fn clock(us: u64) -> String {
    let s = us / 1_000_000;
    let (h, m, s) = (s / 3600, s / 60 % 60, s % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m}:{s:02}") }
}

impl Explain for SearchError {
    fn failure(self) -> Failure {
        let text = self.to_string();
        match self {
            Self::Store(e) => e.failure(),
            Self::NotAllowed => Failure { status: StatusCode::NOT_FOUND, text },
            Self::NoWord | Self::TooLong | Self::TooMany => Failure::unprocessable(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_its_askers_own_and_does_not_stay_for_ever() {
        let (searches, now) = (Searches::default(), Instant::now());
        let who = |n| PersonId(Uuid::from_u128(n));
        let id = searches.keep(who(1), Fields { words: "ward".into(), ..Fields::default() }, now);
        assert!(searches.show(id, who(2), now).is_none());
        assert!(searches.shown(id, who(1), now).is_none(), "nothing is marked of a question that the audit log does not know");
        assert!(searches.show(id, who(1), now).is_some_and(|(q, new)| new && q.words == "ward"));
        assert!(searches.shown(id, who(1), now).is_some() && searches.shown(id, who(2), now).is_none());
        assert!(searches.show(id, who(1), now).is_some_and(|(_, new)| !new));
        assert!(searches.show(id, who(1), now + KEPT).is_none());
        for n in 0..MOST + 5 {
            searches.keep(who(1), Fields::default(), now + Duration::from_secs(1 + n as u64 / 1_000));
        }
        assert!(searches.0.lock().is_ok_and(|all| all.len() == MOST && !all.contains_key(&id)));
    }

    #[test]
    fn moments_in_links_are_not_before_what_is_looked_for() {
        assert_eq!(
            (at(0), at(31_040_001), clock(3_753_000_000), clock(59_999_999)),
            ("0.000".into(), "31.041".into(), "1:02:33".into(), "0:59".into())
        );
    }
}

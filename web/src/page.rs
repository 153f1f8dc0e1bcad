//! What all pages share: who looks, the navigation, the outcome of the last action, paging, and reading forms.
use crate::{
    errors::{Failure, Problem, Refusal},
    guard::{Answers, Source, Viewer, hide},
    moments::Now,
    state::App,
};
use anteroom_approvals::{Page, RequestFilter, UnmaskFilter, Watching};
use anteroom_domain::{Person, RequestState};
use anteroom_policy::{Action, may};
use askama::Template;
use axum::{
    body::Body,
    extract::{Form, FromRequest, FromRequestParts, Json, Path, Query, Request},
    http::{StatusCode, Uri, request::Parts},
    response::{Html, IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use std::str::FromStr;

/// Rows on one page of a list.
pub(crate) const ROWS: u32 = 25;
/// Largest body that is looked at.
const MAX_BODY: usize = 1024 * 1024;
/// A larger body is read to its end up to here, so that the browser sees the answer and not a broken connection.
const MAX_DRAIN: usize = 32 * 1024 * 1024;

/// Everything around a page's own content.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) person: Person,
    pub(crate) nav: Vec<NavItem>,
    pub(crate) now: Now,
    /// "The request was withdrawn."
    pub(crate) done: Option<&'static str>,
    pub(crate) query: String,
}

#[derive(Debug)]
pub(crate) struct NavItem {
    pub(crate) href: &'static str,
    pub(crate) label: &'static str,
    pub(crate) here: bool,
    /// How many wait; none when nothing does.
    pub(crate) count: Option<u64>,
}

impl Frame {
    pub(crate) fn may(&self, action: Action) -> bool {
        may(&self.person, action)
    }
}

impl FromRequestParts<App> for Frame {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Viewer { person, .. } = Viewer::from_request_parts(parts, app).await?;
        let waiting = if may(&person, Action::ReviewRequests) {
            let pending = RequestFilter { state: Some(RequestState::Pending), ..Default::default() };
            Some(app.approvals.requests(pending, Page { number: 0, size: 1 }).await?.total).filter(|n| *n > 0)
        } else {
            None
        };
        let unmasks = if may(&person, Action::ReviewUnmask) {
            let mine = UnmaskFilter { waits_for: Some(person.id), ..Default::default() };
            Some(app.approvals.unmasks(mine, Page { number: 0, size: 1 }).await?.total).filter(|n| *n > 0)
        } else {
            None
        };
        let glass = if may(&person, Action::ReviewBreakGlass) {
            Some(app.approvals.broken_glass(true, Page { number: 0, size: 1 }).await?.total).filter(|n| *n > 0)
        } else {
            None
        };
        let cards = if may(&person, Action::IssueCards) {
            Some(app.approvals.cards_waiting_for(person.id).await?).filter(|n| *n > 0)
        } else {
            None
        };
        let unwatched = if may(&person, Action::Supervise) {
            let Ok(Source(source)) = Source::from_request_parts(parts, app).await;
            let sessions = app.approvals.to_watch(&person, source).await?;
            Some(sessions.iter().filter(|s| s.watching != Watching::Watched).count() as u64).filter(|n| *n > 0)
        } else {
            None
        };
        let path = parts.uri.path();
        let nav = navigation(&person, path, &Counts { waiting, unmasks, glass, cards, unwatched });
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let done = url::form_urlencoded::parse(query.as_bytes()).find(|(k, _)| k == "done").and_then(|(_, v)| outcome(&v));
        Ok(Self { person, nav, now: Now::read(), done, query })
    }
}

/// What waits for the viewer.
struct Counts {
    waiting: Option<u64>,
    unmasks: Option<u64>,
    glass: Option<u64>,
    cards: Option<u64>,
    /// Sessions that stand still until somebody watches.
    unwatched: Option<u64>,
}

fn navigation(person: &Person, path: &str, counts: &Counts) -> Vec<NavItem> {
    let all: [(Option<Action>, &'static str, &'static str); 17] = [
        (None, "/", "Home"),
        (Some(Action::RequestAccess), "/requests", "My requests"),
        (Some(Action::ReviewRequests), "/approvals", "Approvals"),
        (Some(Action::SeeSessions), "/sessions", "Live sessions"),
        (Some(Action::Supervise), "/supervise", "Supervise"),
        (Some(Action::ReplayMasked), "/recordings", "Recordings"),
        (Some(Action::AskUnmask), "/unmask", "Unmask requests"),
        (Some(Action::ReviewUnmask), "/key-holder", "Key-holder"),
        (Some(Action::ReviewBreakGlass), "/break-glass/all", "Emergencies"),
        (Some(Action::IssueCards), "/cards", "Cards"),
        (Some(Action::SearchAudit), "/audit", "Audit log"),
        (Some(Action::ManagePeople), "/people", "People"),
        (Some(Action::ManageTargets), "/targets", "Targets"),
        (Some(Action::Lock), "/companies", "Companies"),
        (Some(Action::Lock), "/locks", "Locks"),
        (Some(Action::SeePolicies), "/policies", "Policies"),
        (None, "/keys", "My keys"),
    ];
    all.into_iter()
        .filter(|(action, ..)| action.is_none_or(|a| may(person, a)))
        .map(|(_, href, label)| NavItem {
            href,
            label,
            here: path == href || (href != "/" && path.strip_prefix(href).is_some_and(|r| r.starts_with('/'))),
            count: match href {
                "/approvals" => counts.waiting,
                "/key-holder" => counts.unmasks,
                "/break-glass/all" => counts.glass,
                "/cards" => counts.cards,
                "/supervise" => counts.unwatched,
                _ => None,
            },
        })
        .collect()
}

/// What is said after an action. Codes, not texts, in the URL: nobody can put words into our mouth with a link.
fn outcome(code: &str) -> Option<&'static str> {
    Some(match code {
        "requested" => "Your request was sent. Approvers see it now.",
        "withdrawn" => "The request was withdrawn.",
        "approved" => "You approved this request.",
        "signed" => "Your approval is signed and counts. Others have to approve too.",
        "denied" => "You denied this request.",
        "commented" => "Your comment stands below the request.",
        "away" => "You are away now. Your deputy may approve in your place.",
        "back" => "You are back. Nobody fills your place any more.",
        "notice-again" => "It is tried again now.",
        "revoked" => "The grant was revoked. Sessions under it end within a second.",
        "message-sent" => "The message stands in their terminal.",
        "paused" => "The session stands still: the person sees it and can do nothing in it.",
        "resumed" => "The session goes on.",
        "terminated" => "The session was told to end.",
        "person-added" => "The person was added. Make a sign-in link for them next.",
        "suspended" => "The person is suspended: signed out, and their sessions end.",
        "reinstated" => "The person may sign in again.",
        "locked" => "It is locked. Sessions end within a second, and nothing new begins.",
        "unlocked" => "The lock is lifted. Grants that have not ended count again.",
        "company-added" => "The company is known. Say who works for it and which targets it keeps.",
        "contract-changed" => "The contract was changed. Running sessions are judged by it.",
        "employed" => "They work for this company from now on.",
        "left" => "They are the hospital’s own from now on.",
        "kept" => "The company keeps it from now on: its people may ask for it.",
        "kept-no-longer" => "The company keeps it no longer. Its people reach it no more.",
        "turned" => "The switch is turned. Running sessions are judged by it.",
        "policy-set" => "These policies count now, on every gateway. Running sessions are judged by them.",
        "glass-broken" => "You have access now. Approvers, auditors and operators have been told.",
        "glass-reviewed" => "Your finding is signed and kept.",
        "card-begun" => "The card is signed by you. Print it now; then another key-holder has to sign it.",
        "card-valid" => "The card counts now. Its gateway fetches it.",
        "card-revoked" => "The card is revoked. Its gateway refuses it as soon as it hears of it.",
        "unmask-asked" => "Your request was sent. Key-holders see it now; two of them have to approve.",
        "unmask-first" => "You approved this request. A second key-holder has to approve too.",
        "unmask-approved" => "You approved this request. It was the second approval: it can be opened now.",
        "unmask-denied" => "You denied this request.",
        "unmask-withdrawn" => "The request was withdrawn, and its keys are forgotten.",
        "unmask-closed" => "The keys are forgotten. Your passkey opens it again.",
        "hold-placed" => "The hold is placed: the recording is not shredded.",
        "hold-lifted" => "The hold is lifted.",
        "target-added" => "The target was added. Pin its host key or certificate and store a credential next.",
        "changed" => "The target was changed. New connections take the new way.",
        "pinned-certificates" => "The certificates are pinned.",
        "pinned" => "The host keys are pinned.",
        "stored" => "The credential is in the vault.",
        "key-removed" => "The SSH key was removed.",
        "key-added" => "The SSH key is yours now.",
        "passkey-added" => "The passkey was added.",
        "welcome" => "You are signed in, and your passkey is enrolled.",
        _ => return None,
    })
}

/// Renders a template as a page.
pub(crate) fn html(template: &impl Template) -> Result<Response, Problem> {
    match template.render() {
        Ok(text) => Ok(Html(text).into_response()),
        Err(e) => {
            tracing::error!(error = %e, "a page could not be rendered");
            Err(Problem::status(StatusCode::INTERNAL_SERVER_ERROR, "That did not work", "This page could not be made."))
        }
    }
}

/// Same, for a form that has to be filled in again.
pub(crate) fn html_again(template: &impl Template) -> Result<Response, Problem> {
    let mut response = html(template)?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

/// Where in a list, as links need it.
#[derive(Debug)]
pub(crate) struct Pager {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) total: u64,
    pub(crate) previous: Option<String>,
    pub(crate) next: Option<String>,
}

impl Pager {
    /// `page` counts from 1 in URLs. Other filters in the query stay as they are.
    pub(crate) fn new(path: &str, query: &str, page: Page, shown: usize, total: u64) -> Self {
        let at = u64::from(page.number) * u64::from(page.size);
        let link = |number: u32| {
            let kept = url::form_urlencoded::parse(query.as_bytes()).filter(|(k, v)| k != "page" && k != "done" && !v.is_empty());
            let q = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(kept)
                .append_pair("page", &(number + 1).to_string())
                .finish();
            format!("{path}?{q}")
        };
        let last = at + shown as u64;
        Self {
            first: if shown == 0 { 0 } else { at + 1 },
            last,
            total,
            previous: page.number.checked_sub(1).map(link),
            next: (last < total && shown > 0).then(|| link(page.number.saturating_add(1))),
        }
    }
    pub(crate) fn is_needed(&self) -> bool {
        self.previous.is_some() || self.next.is_some()
    }
}

/// The part of a list an URL asks for: `?page=2`. Nonsense is page 1.
pub(crate) fn page_number(page: Option<&str>) -> Page {
    // Beyond a million nobody looks; the bound keeps OFFSET sane.
    let number = page.and_then(|p| p.parse::<u32>().ok()).unwrap_or(1).clamp(1, 1_000_000) - 1;
    Page { number, size: ROWS }
}

/// A form post. Too large, malformed or not UTF-8 is said in words.
#[derive(Debug)]
pub(crate) struct FormOf<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for FormOf<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = bounded(request).await?;
        if !is_text(&body) {
            return Err(Failure { status: StatusCode::BAD_REQUEST, text: "What was sent is not text (UTF-8).".into() }.into());
        }
        let request = Request::from_parts(parts, Body::from(body));
        let Form(value) = Form::<T>::from_request(request, app).await.map_err(|_| Failure {
            status: StatusCode::BAD_REQUEST,
            text: "The form could not be read. Go back, check what you typed and try again.".into(),
        })?;
        Ok(Self(value))
    }
}

/// A JSON post.
#[derive(Debug)]
pub(crate) struct JsonOf<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for JsonOf<T> {
    type Rejection = Refusal;
    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        let (parts, body) = bounded(request).await?;
        let request = Request::from_parts(parts, Body::from(body));
        // The library's text may repeat what was sent; ours does not.
        let Json(value) = Json::<T>::from_request(request, app)
            .await
            .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "the request could not be read; reload the page and try again"))?;
        Ok(Self(value))
    }
}

async fn bounded(request: Request) -> Result<(Parts, Bytes), Failure> {
    bounded_to(request, MAX_BODY, "What was sent is longer than 1 MiB and was not looked at. A reason may have 2,000 characters.").await
}

/// The body as it came, if it is no longer than this. What is longer is read and thrown away, up to a bound.
pub(crate) async fn bounded_to(request: Request, most: usize, longer: &'static str) -> Result<(Parts, Bytes), Failure> {
    let (parts, body) = request.into_parts();
    let (mut kept, mut seen) = (BytesMut::new(), 0usize);
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Failure { status: StatusCode::BAD_REQUEST, text: "The upload broke off.".into() })?;
        seen = seen.saturating_add(chunk.len());
        if seen > MAX_DRAIN {
            break;
        }
        if seen <= most {
            kept.extend_from_slice(&chunk);
        } else {
            kept = BytesMut::new();
        }
    }
    if seen > most {
        return Err(Failure { status: StatusCode::PAYLOAD_TOO_LARGE, text: longer.into() });
    }
    Ok((parts, kept.freeze()))
}

/// Whether a form's bytes decode to UTF-8. The form decoder would put a replacement character for what does not, and a name would be stored
/// that nobody typed.
fn is_text(form: &[u8]) -> bool {
    let mut bytes = Vec::with_capacity(form.len());
    let mut rest = form;
    while let [first, tail @ ..] = rest {
        let hex = |b: u8| char::from(b).to_digit(16);
        match (first, tail) {
            (b'%', [h, l, after @ ..]) if hex(*h).is_some() && hex(*l).is_some() => {
                let value = hex(*h).unwrap_or_default() * 16 + hex(*l).unwrap_or_default();
                bytes.extend(u8::try_from(value));
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    std::str::from_utf8(&bytes).is_ok()
}

/// An id in the path. What is no id does not exist.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Id<T>(pub(crate) T);

impl<T: FromStr + Send> FromRequestParts<App> for Id<T> {
    type Rejection = Response;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let text = Path::<String>::from_request_parts(parts, app).await.ok().and_then(|Path(text)| text.parse().ok());
        let answers = parts.extensions.get::<Answers>().copied().unwrap_or(Answers::Page);
        text.map(Self).ok_or_else(|| hide(answers))
    }
}

/// The query string; what cannot be read counts as empty.
#[derive(Debug, Default)]
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequestParts<App> for Asked<T> {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Self::Rejection> {
        let uri: &Uri = &parts.uri;
        Ok(Self(Query::try_from_uri(uri).map(|Query(q)| q).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paging_keeps_the_filters() {
        let p = Pager::new("/audit", "q=a%26b&page=2&done=x", Page { number: 1, size: 25 }, 25, 60);
        assert_eq!((p.first, p.last), (26, 50));
        assert_eq!(p.previous.as_deref(), Some("/audit?q=a%26b&page=1"));
        assert_eq!(p.next.as_deref(), Some("/audit?q=a%26b&page=3"));
        assert!(!Pager::new("/x", "", page_number(Some("-7")), 3, 3).is_needed());
    }
}

//! Who may call a route. The table in [`crate::routes`] says what each needs; here it is enforced, before any handler runs.
use crate::{
    errors::{Explain, Failure, Problem, Refusal},
    layers::own_path,
    state::App,
};
use anteroom_domain::{Person, Secret};
use anteroom_policy::{Action, may};
use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

/// What a caller has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Anybody; the handler tells nothing about anybody.
    Nothing,
    /// Signed in; the handler shows only the caller's own things, or checks the object itself.
    SignedIn,
    May(Action),
    /// One of two actions is enough.
    MayEither(Action, Action),
}

/// How a route answers, which decides the shape of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    Page,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    SignIn,
    /// Not theirs; said like "not there".
    Hide,
}

/// Pure, so that the whole table can be walked in a test.
pub(crate) fn judge(needs: Needs, person: Option<&Person>) -> Verdict {
    match (needs, person) {
        (Needs::Nothing, _) => Verdict::Pass,
        (_, None) => Verdict::SignIn,
        (_, Some(p)) if p.is_suspended() => Verdict::SignIn,
        (Needs::SignedIn, Some(_)) => Verdict::Pass,
        (Needs::May(a), Some(p)) => {
            if may(p, a) {
                Verdict::Pass
            } else {
                Verdict::Hide
            }
        }
        (Needs::MayEither(a, b), Some(p)) => {
            if may(p, a) || may(p, b) {
                Verdict::Pass
            } else {
                Verdict::Hide
            }
        }
    }
}

pub(crate) async fn guard(State((app, needs, answers)): State<(App, Needs, Answers)>, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(answers);
    if needs == Needs::Nothing {
        return next.run(request).await;
    }
    let token = token(request.headers(), app.origin.secure);
    let person = match &token {
        Some(t) => match app.approvals.web_session(t.expose()).await {
            Ok(p) => p,
            Err(e) => return refuse(answers, e.failure()),
        },
        None => None,
    };
    match judge(needs, person.as_ref()) {
        Verdict::Pass => {}
        Verdict::SignIn => return sign_in(answers, &request),
        Verdict::Hide => return hide(answers),
    }
    let (Some(person), Some(token)) = (person, token) else { return sign_in(answers, &request) };
    request.extensions_mut().insert(Viewer { person, token });
    next.run(request).await
}

fn refuse(answers: Answers, failure: Failure) -> Response {
    match answers {
        Answers::Page => Problem::from(failure).into_response(),
        Answers::Json => Refusal::from(failure).into_response(),
    }
}

/// The one answer for what is not there and for what is not theirs.
pub(crate) fn hide(answers: Answers) -> Response {
    match answers {
        Answers::Page => Problem::not_found().into_response(),
        Answers::Json => Refusal::not_found().into_response(),
    }
}

fn sign_in(answers: Answers, request: &Request) -> Response {
    if answers == Answers::Json {
        return Refusal::new(StatusCode::UNAUTHORIZED, "you are signed out; sign in and try again").into_response();
    }
    let here = request.uri().path_and_query().map_or("/", |p| p.as_str());
    match own_path(here).filter(|p| *p != "/" && request.method() == Method::GET) {
        Some(here) => {
            let next: String = url::form_urlencoded::byte_serialize(here.as_bytes()).collect();
            Redirect::to(&format!("/sign-in?next={next}")).into_response()
        }
        None => Redirect::to("/sign-in").into_response(),
    }
}

/// Who looks at the page; put there by [`guard`].
#[derive(Debug, Clone)]
pub(crate) struct Viewer {
    pub(crate) person: Person,
    pub(crate) token: Secret<String>,
}

impl FromRequestParts<App> for Viewer {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::not_found)
    }
}

/// Client's address. IPv4 in IPv6 clothes is written as IPv4, so that it compares with what the SSH side saw.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source(pub(crate) IpAddr);

impl<S: Sync> FromRequestParts<S> for Source {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let ip = parts.extensions.get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |c| c.0.ip());
        Ok(Self(ip.to_canonical()))
    }
}

/// `__Host-` binds the cookie to this host, path / and TLS. On loopback in clear (demo, tests) browsers disagree about `Secure`, so it has
/// a name of its own there; the portal refuses to be served in clear anywhere else.
fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-anteroom" } else { "anteroom" }
}

/// The `Set-Cookie` value of a new session. Lax, not Strict: an approver arrives by a link in a message; posts are guarded by origin.
pub(crate) fn session_cookie(secure: bool, token: &str, max_age: time::Duration) -> String {
    let flag = if secure { "; Secure" } else { "" };
    format!("{}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{flag}", cookie_name(secure), max_age.whole_seconds().max(0))
}

fn token(headers: &HeaderMap, secure: bool) -> Option<Secret<String>> {
    let name = cookie_name(secure);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(n, _)| *n == name)
        .map(|(_, v)| Secret::new(v.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_session_cookie_is_out_of_reach_for_scripts_and_other_sites() {
        let c = session_cookie(true, "T", time::Duration::hours(8));
        assert_eq!(c, "__Host-anteroom=T; Path=/; HttpOnly; SameSite=Lax; Max-Age=28800; Secure");
        assert_eq!(session_cookie(false, "T", time::Duration::ZERO), "anteroom=T; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    }

    #[test]
    fn only_the_exact_cookie_counts() {
        let mut h = HeaderMap::new();
        h.insert(header::COOKIE, "x=1; anteroom=plain; __Host-anteroom=host".parse().unwrap());
        assert_eq!(token(&h, true).unwrap().expose(), "host");
        assert_eq!(token(&h, false).unwrap().expose(), "plain");
        h.insert(header::COOKIE, "xanteroom=1".parse().unwrap());
        assert!(token(&h, false).is_none());
    }
}

//! Requests for another host (DNS rebinding) and posts from another site (CSRF) stop here.
use crate::{
    errors::{Problem, Refusal},
    state::App,
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

/// Answered under any name: a load balancer knows only addresses.
const ANY_HOST: &str = "/healthz";

pub(super) async fn right_host(State(app): State<App>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok());
    // HTTP/2 has no Host header; hyper leaves :authority in the URI.
    let host = request.uri().authority().map(|a| a.as_str()).or(host);
    if request.uri().path() == ANY_HOST || host.is_some_and(|h| h.eq_ignore_ascii_case(&app.origin.host)) {
        return next.run(request).await;
    }
    if request.method() == Method::GET {
        // Somebody typed 127.0.0.1 for localhost, or an old name: passkeys work only at the one address.
        let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
        if let Some(path) = own_path(path) {
            return Redirect::temporary(&format!("{}{path}", app.origin.text)).into_response();
        }
    }
    Problem::status(StatusCode::MISDIRECTED_REQUEST, "Wrong address", format!("This portal answers only at {}.", app.origin.text))
        .into_response()
}

pub(super) async fn same_origin(State(app): State<App>, request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || is_same_origin(request.headers(), &app.origin.text) {
        return next.run(request).await;
    }
    tracing::warn!(path = %request.uri().path(), "a post from another site was refused");
    Refusal::new(StatusCode::FORBIDDEN, "this came from another site and was refused; open the page here and try again").into_response()
}

/// Browsers tell in `Sec-Fetch-Site` (all since 2023) or `Origin` (all since 2020) where a request comes from. A client that sends neither
/// is not a browser, so it holds no ambient cookie that somebody else could borrow.
pub(crate) fn is_same_origin(headers: &HeaderMap, origin: &str) -> bool {
    let text = |name| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    match (text(header::HeaderName::from_static("sec-fetch-site")), text(header::ORIGIN)) {
        // With `Referrer-Policy: no-referrer` a form post of our own carries `Origin: null`.
        (Some("same-origin" | "none"), None | Some("null")) => true,
        (Some("same-origin" | "none") | None, Some(o)) => o == origin,
        (Some(_), _) => false,
        (None, None) => true,
    }
}

/// Whether the page that opens a WebSocket is ours. Browsers send this GET from any page, with our cookie, and let the page read what
/// comes (no CORS): here `Origin` has to be there, once, and be ours exactly (RFC 6455 section 10.2).
pub(crate) fn is_own_socket(headers: &HeaderMap, origin: &str) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let ours = matches!((origins.next(), origins.next()), (Some(o), None) if o.as_bytes() == origin.as_bytes());
    ours && headers.get("sec-fetch-site").is_none_or(|s| s == "same-origin")
}

/// A path on this site, or None: `//evil.example` and `/\evil.example` are other sites to a browser.
pub(crate) fn own_path(next: &str) -> Option<&str> {
    let mut chars = next.chars();
    let ok = chars.next() == Some('/')
        && !matches!(chars.next(), Some('/' | '\\'))
        && next.len() <= 1_000
        && !next.chars().any(|c| c.is_control() || c == '\\');
    ok.then_some(next)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn from(site: Option<&str>, origin: Option<&str>) -> bool {
        let mut h = HeaderMap::new();
        if let Some(s) = site {
            h.insert("sec-fetch-site", s.parse().unwrap());
        }
        if let Some(o) = origin {
            h.insert("origin", o.parse().unwrap());
        }
        is_same_origin(&h, "https://bastion.example")
    }

    #[test]
    fn only_our_own_pages_may_post() {
        assert!(from(Some("same-origin"), Some("https://bastion.example")));
        assert!(from(Some("same-origin"), Some("null")));
        assert!(from(None, Some("https://bastion.example")));
        assert!(from(None, None), "not a browser");
        for (site, origin) in [
            (Some("cross-site"), Some("https://evil.example")),
            (Some("cross-site"), None),
            (Some("same-site"), Some("https://other.bastion.example")),
            (Some("same-origin"), Some("https://evil.example")),
            (None, Some("https://evil.example")),
            (None, Some("null")),
            (None, Some("http://bastion.example")),
        ] {
            assert!(!from(site, origin), "{site:?} {origin:?}");
        }
    }

    #[test]
    fn a_socket_is_opened_by_our_own_page_only() {
        let socket = |origins: &[&str], site: Option<&str>| {
            let mut h = HeaderMap::new();
            for o in origins {
                h.append("origin", o.parse().unwrap());
            }
            if let Some(s) = site {
                h.insert("sec-fetch-site", s.parse().unwrap());
            }
            is_own_socket(&h, "https://bastion.example")
        };
        assert!(socket(&["https://bastion.example"], None) && socket(&["https://bastion.example"], Some("same-origin")));
        assert!(!socket(&[], None) && !socket(&[], Some("same-origin")), "a socket without an origin");
        for bad in [
            "null",
            "https://evil.example",
            "https://bastion.example.evil.example",
            "http://bastion.example",
            "https://bastion.example:444",
        ] {
            assert!(!socket(&[bad], None), "{bad}");
        }
        assert!(!socket(&["https://bastion.example", "https://evil.example"], None));
        assert!(!socket(&["https://bastion.example"], Some("cross-site")) && !socket(&["https://bastion.example"], Some("same-site")));
    }

    #[test]
    fn next_never_leaves_this_site() {
        for good in ["/", "/requests/new?target=a&account=b", "/step-up/1"] {
            assert_eq!(own_path(good), Some(good));
        }
        for bad in
            ["", "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "/a\nb", "/a\\b", "x"]
        {
            assert_eq!(own_path(bad), None, "{bad:?}");
        }
    }
}

//! Files for browsers, built by npm and embedded by the build script.
use axum::{
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

pub(crate) struct Asset {
    name: &'static str,
    url: &'static str,
    mime: &'static str,
    bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The address of an asset, with its hash in it. The build script made sure that those the templates name exist.
pub(crate) fn url(name: &str) -> &'static str {
    ALL.iter().find(|a| a.name == name).map_or("", |a| a.url)
}

pub(crate) async fn serve(Path(file): Path<String>) -> Response {
    match ALL.iter().find(|a| a.url.strip_prefix("/assets/") == Some(&file)) {
        Some(a) => (
            [
                (header::CONTENT_TYPE, HeaderValue::from_static(a.mime)),
                (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
            ],
            a.bytes,
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

//! A desktop part by part: what the canvas player reads. Each part begins with the whole picture as it was.
use super::admit::{admit, reading, refusal, viewed};
use crate::{errors::Refusal, guard::Viewer, state::App};
use anteroom_recorder::{
    FilmParts, MarkKind, ReplayError, Timeline,
    film::{NOT_READ, Shot, ShotKind},
};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde::Serialize;
use std::{convert::Infallible, time::Duration};
use tokio::sync::mpsc;

/// Of what is sent at once, about.
const PIECE: usize = 64 << 10;
/// Pieces that wait for a slow browser.
const WAITING: usize = 4;
pub(crate) const FILM: &str = "application/vnd.anteroom.film";

/// Times in ms since the channel's opening.
#[derive(Debug, Serialize)]
struct Index {
    duration: u64,
    /// What is later was not read when the recording ended, and is blurred. None if all of it was read.
    cleared: Option<u64>,
    parts: Vec<Part>,
}

#[derive(Debug, Serialize)]
struct Part {
    start: u64,
    url: String,
}

pub(crate) async fn index(
    State(app): State<App>,
    viewer: Viewer,
    headers: HeaderMap,
    Path((session, channel)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let a = admit(&app, &viewer, &headers, (&session, &channel), None).await?;
    let (id, channel, replayer) = (a.session.id, a.channel, a.replayer);
    let (mut parts, opened) = reading(move || {
        let opened = replayer.info(id)?.channels.iter().find(|c| c.id == channel).map(|c| c.opened_at).unwrap_or_default();
        Ok((replayer.film_parts(id, channel)?, opened))
    })
    .await
    .map_err(|e| refusal(&e))?;
    viewed(&app, &viewer, id).await;
    let timeline = app.approvals.indexed(id).await?.and_then(|i| serde_json::from_value::<Timeline>(i.timeline).ok()).unwrap_or_default();
    if let Some(at) = not_read(&timeline, channel, opened) {
        parts.cleared_until = parts.cleared_until.min(at);
    }
    Ok(Json(described(&parts)).into_response())
}

/// Since the channel's opening.
fn not_read(timeline: &Timeline, channel: u32, opened: Duration) -> Option<Duration> {
    let said = timeline.marks.iter().find(|m| m.channel == channel && m.kind == MarkKind::Note && m.text == NOT_READ)?;
    Some(Duration::from_micros(said.at_us).saturating_sub(opened))
}

fn described(parts: &FilmParts) -> Index {
    let until = parts.starts.iter().skip(1).map(|d| d.as_micros().to_string()).chain(["end".into()]);
    let url = |(start, until): (&Duration, String)| Part { start: ms(*start), url: format!("film/{}-{until}", start.as_micros()) };
    let cleared = Some(parts.cleared_until).filter(|c| *c < parts.duration).map(ms);
    Index { duration: ms(parts.duration), cleared, parts: parts.starts.iter().zip(until).map(url).collect() }
}

fn ms(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) async fn part(
    State(app): State<App>,
    viewer: Viewer,
    headers: HeaderMap,
    Path((session, channel, span)): Path<(String, String, String)>,
) -> Result<Response, Refusal> {
    let a = admit(&app, &viewer, &headers, (&session, &channel), None).await?;
    let (from, until) = stretch(&span).ok_or_else(Refusal::not_found)?;
    let (id, channel, replayer) = (a.session.id, a.channel, a.replayer);
    let film = reading(move || replayer.film(id, channel, from, until)).await.map_err(|e| refusal(&e))?;
    viewed(&app, &viewer, id).await;
    Ok(streamed(film))
}

/// `FROM-UNTIL` or `FROM-end`, in µs.
fn stretch(span: &str) -> Option<(Duration, Duration)> {
    let micros = |text: &str| text.parse().ok().map(Duration::from_micros);
    let (from, until) = span.split_once('-')?;
    Some((micros(from)?, if until == "end" { Duration::MAX } else { micros(until)? }))
}

/// Read on a thread that may wait for the disk, no faster than the browser takes it.
pub(in crate::pages) fn streamed(film: impl Iterator<Item = Result<Shot, ReplayError>> + Send + 'static) -> Response {
    let (send, receive) = mpsc::channel(WAITING);
    // Owned by its receiver: it ends when that is dropped.
    drop(tokio::task::spawn_blocking(move || feed(film, &send)));
    let pieces = stream::unfold(receive, |mut r: mpsc::Receiver<Bytes>| async move { Some((Ok::<_, Infallible>(r.recv().await?), r)) });
    ([(header::CONTENT_TYPE, FILM)], Body::from_stream(pieces)).into_response()
}

fn feed(film: impl Iterator<Item = Result<Shot, ReplayError>>, send: &mpsc::Sender<Bytes>) {
    let mut piece = Vec::with_capacity(PIECE);
    let mut last = Duration::ZERO;
    for shot in film {
        let (shot, broken) = match shot {
            Ok(shot) => (shot, false),
            Err(e) => (Shot { at: last, kind: ShotKind::Damaged(broken(&e).into()) }, true),
        };
        last = shot.at;
        shot.put(&mut piece);
        if broken {
            break;
        }
        if piece.len() >= PIECE && send.blocking_send(std::mem::take(&mut piece).into()).is_err() {
            return;
        }
    }
    if !piece.is_empty() {
        let _ = send.blocking_send(piece.into());
    }
}

/// In the player's words; no paths, no library texts.
fn broken(e: &ReplayError) -> &'static str {
    match e {
        ReplayError::Expired => "The time of the released keys is over.",
        ReplayError::Away(_) => "The rest of the recording lies in the archive, which cannot be reached now. Try again later.",
        _ => "The recording is damaged from here on.",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use anteroom_recorder::Mark;

    #[test]
    fn parts_are_named_from_one_start_to_the_next() {
        let us = Duration::from_micros;
        let parts = FilmParts {
            width: 1280,
            height: 800,
            duration: us(9_000_000),
            starts: vec![us(0), us(1_500_000), us(4_000_001)],
            cleared_until: us(9_000_000),
        };
        let json = serde_json::to_value(described(&parts)).unwrap();
        assert_eq!(json["parts"][0], serde_json::json!({"start": 0, "url": "film/0-1500000"}));
        assert_eq!(json["parts"][2], serde_json::json!({"start": 4_000, "url": "film/4000001-end"}));
        assert_eq!((&json["cleared"], &json["duration"]), (&serde_json::Value::Null, &9_000.into()));
        let torn = serde_json::to_value(described(&FilmParts { cleared_until: us(2_000_000), ..parts })).unwrap();
        assert_eq!(torn["cleared"], 2_000);
        assert_eq!(stretch("4000001-end"), Some((us(4_000_001), Duration::MAX)));
        assert!(["", "1", "-5-2", "a-b", "1-"].iter().all(|bad| stretch(bad).is_none()));
    }

    #[test]
    fn where_reading_ended_is_known_from_the_note() {
        let note = |channel, text: &str| Mark { at_us: 7_000_000, channel, kind: MarkKind::Note, text: text.into() };
        let timeline = |mark| Timeline { marks: vec![note(1, "paused"), mark], ..Timeline::default() };
        let opened = Duration::from_secs(2);
        assert_eq!(not_read(&timeline(note(1, NOT_READ)), 1, opened), Some(Duration::from_secs(5)));
        assert_eq!(not_read(&timeline(note(2, NOT_READ)), 1, opened), None);
    }

    #[tokio::test]
    async fn a_film_that_breaks_says_so_where_it_does() {
        let (send, mut receive) = mpsc::channel(WAITING);
        let at = Duration::from_secs(3);
        let film = vec![
            Ok(Shot { at, kind: ShotKind::Size { width: 64, height: 64 } }),
            Err(ReplayError::Damaged("/var/lib/secret/path".into())),
            Ok(Shot { at, kind: ShotKind::Over }),
        ];
        tokio::task::spawn_blocking(move || feed(film.into_iter(), &send)).await.unwrap();
        let shots = Shot::read_all(&receive.recv().await.unwrap()).unwrap();
        assert_eq!(shots[1], Shot { at, kind: ShotKind::Damaged("The recording is damaged from here on.".into()) });
        assert_eq!(shots.len(), 2);
        assert!(receive.recv().await.is_none());
    }
}

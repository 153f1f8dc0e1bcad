//! A channel piece by piece: what the player's "segmented" source reads. Hours are jumped through; each piece begins with the screen
//! as it was.
use super::admit::{admit, reading, refusal, viewed};
use crate::{errors::Refusal, guard::Viewer, state::App};
use anteroom_recorder::{Cast, Parts, ReplayError, Timeline};
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

/// Of what is sent at once.
const PIECE: usize = 64 << 10;

/// Seconds with six digits, the same text wherever the moment is named: the player compares them.
fn seconds(d: Duration) -> serde_json::Number {
    let text = format!("{}.{:06}", d.as_secs(), d.subsec_micros());
    text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).unwrap_or(serde_json::Number::from(0))
}

#[derive(Serialize)]
struct Index {
    version: u8,
    duration: serde_json::Number,
    term: Term,
    segments: Vec<Segment>,
    markers: Vec<(serde_json::Number, String)>,
}

#[derive(Serialize)]
struct Term {
    cols: u16,
    rows: u16,
}

#[derive(Serialize)]
struct Segment {
    start: serde_json::Number,
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
    let (parts, opened) = reading(move || {
        let info = replayer.info(id)?;
        let opened = info.channels.iter().find(|c| c.id == channel).map(|c| c.opened_at).unwrap_or_default();
        Ok((replayer.parts(id, channel)?, opened))
    })
    .await
    .map_err(|e| refusal(&e))?;
    viewed(&app, &viewer, id).await;
    let timeline = app.approvals.indexed(id).await?.and_then(|i| serde_json::from_value::<Timeline>(i.timeline).ok()).unwrap_or_default();
    Ok(Json(Index {
        version: 1,
        duration: seconds(parts.duration),
        term: Term { cols: parts.cols, rows: parts.rows },
        segments: segments(&parts),
        markers: markers(&timeline, channel, opened, parts.duration),
    })
    .into_response())
}

fn segments(parts: &Parts) -> Vec<Segment> {
    let until = parts.starts.iter().skip(1).map(|d| d.as_micros().to_string()).chain(["end".into()]);
    parts
        .starts
        .iter()
        .zip(until)
        .map(|(start, until)| Segment { start: seconds(*start), url: format!("parts/{}-{until}", start.as_micros()) })
        .collect()
}

/// What happened on this channel, in order and within its time.
fn markers(timeline: &Timeline, channel: u32, opened: Duration, duration: Duration) -> Vec<(serde_json::Number, String)> {
    let mine = timeline.marks.iter().filter(|m| m.channel == channel);
    let mut at: Vec<(Duration, String)> =
        mine.map(|m| (Duration::from_micros(m.at_us).saturating_sub(opened).min(duration), m.text.clone())).collect();
    at.sort_by_key(|(at, _)| *at);
    at.into_iter().map(|(at, text)| (seconds(at), text)).collect()
}

pub(crate) async fn part(
    State(app): State<App>,
    viewer: Viewer,
    headers: HeaderMap,
    Path((session, channel, span)): Path<(String, String, String)>,
) -> Result<Response, Refusal> {
    let a = admit(&app, &viewer, &headers, (&session, &channel), None).await?;
    let micros = |text: &str| text.parse().ok().map(Duration::from_micros);
    let (from, until) = match span.split_once('-') {
        Some((from, "end")) => (micros(from), Some(None)),
        Some((from, until)) => (micros(from), micros(until).map(Some)),
        None => (None, None),
    };
    let (Some(from), Some(until)) = (from, until) else { return Err(Refusal::not_found()) };
    let (id, channel, replayer) = (a.session.id, a.channel, a.replayer);
    let (cast, last) = reading(move || {
        // The last part ends when the channel does.
        let last = if until.is_none() { Some(replayer.parts(id, channel)?.duration) } else { None };
        Ok((replayer.part(id, channel, from, until.unwrap_or(Duration::MAX))?, last))
    })
    .await
    .map_err(|e| refusal(&e))?;
    viewed(&app, &viewer, id).await;
    let (send, receive) = mpsc::channel(4);
    // Owned by its receiver: it ends when that is dropped.
    drop(tokio::task::spawn_blocking(move || feed(cast, from, last, &send)));
    let pieces = stream::unfold(receive, |mut r: mpsc::Receiver<Bytes>| async move { Some((Ok::<_, Infallible>(r.recv().await?), r)) });
    Ok(([(header::CONTENT_TYPE, "application/json")], Body::from_stream(pieces)).into_response())
}

/// A JSON object of a screen and the events after it. The player wants an event at the very beginning, and at the end of the last part.
fn feed(cast: Cast, from: Duration, last: Option<Duration>, send: &mpsc::Sender<Bytes>) {
    let nothing_at = |d: Duration| format!("[{}.{:06},\"o\",\"\"]", d.as_secs(), d.subsec_micros());
    let mut cast = cast;
    let (cols, rows) = cast.next().and_then(Result::ok).and_then(|header| size(&header)).unwrap_or((80, 24));
    let mut piece = format!("{{\"snapshot\":{{\"cols\":{cols},\"rows\":{rows},\"init\":\"\"}},\"events\":[{}", nothing_at(from));
    for line in cast {
        match line {
            // Markers are named by the index.
            Ok(line) if line.contains(",\"m\",") && is_marker(&line) => continue,
            Ok(line) => {
                piece.push(',');
                piece.push_str(line.trim_end());
            }
            Err(e) => {
                piece.push_str(&damaged(&e, from, last));
                break;
            }
        }
        if piece.len() >= PIECE && send.blocking_send(std::mem::take(&mut piece).into()).is_err() {
            return;
        }
    }
    if let Some(end) = last {
        piece.push(',');
        piece.push_str(&nothing_at(end));
    }
    piece.push_str("]}");
    let _ = send.blocking_send(piece.into());
}

fn is_marker(line: &str) -> bool {
    serde_json::from_str::<(f64, String, String)>(line).is_ok_and(|(_, code, _)| code == "m")
}

fn size(header: &str) -> Option<(u64, u64)> {
    let header: serde_json::Value = serde_json::from_str(header).ok()?;
    Some((header["width"].as_u64()?, header["height"].as_u64()?))
}

/// Where the player can show it, what was good is over.
fn damaged(_: &ReplayError, from: Duration, last: Option<Duration>) -> String {
    match last {
        Some(at) => format!(",[{}.{:06},\"o\",\"\\r\\n(the recording is damaged from here on)\\r\\n\"]", at.as_secs(), at.subsec_micros()),
        None => {
            tracing::debug!(from_us = from.as_micros(), "a part of a recording is damaged");
            String::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_from_one_start_to_the_next() {
        let us = Duration::from_micros;
        let parts = Parts { cols: 80, rows: 24, duration: us(9_000_000), starts: vec![us(0), us(1_500_000), us(4_000_001)] };
        let json = serde_json::to_value(segments(&parts)).unwrap_or_default();
        assert_eq!(json[0]["url"], "parts/0-1500000");
        assert_eq!(json[2], serde_json::json!({"start": 4.000_001, "url": "parts/4000001-end"}));
    }
}

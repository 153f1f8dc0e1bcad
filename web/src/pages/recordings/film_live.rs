//! A running desktop, as its masked track grows: the same shots as a replay's, some seconds behind, because nothing is shown before it was
//! read and cleared.
use super::{
    admit::{admit, reading, refusal, viewed},
    film::FILM,
    live::too_many,
    watching::{Follow, Look, Watching},
};
use crate::{errors::Refusal, guard::Viewer, pages::live::Stop, state::App};
use anteroom_recorder::{
    FilmFollower, ReplayError,
    film::{Shot, ShotKind},
};
use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

/// How often a watcher is told what time it is, so that they see how far behind the picture is.
const TELL_TIME: Duration = Duration::from_secs(2);

pub(crate) async fn follow(
    State(app): State<App>,
    Extension(Stop(stop)): Extension<Stop>,
    viewer: Viewer,
    headers: HeaderMap,
    Path((session, channel)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let a = admit(&app, &viewer, &headers, (&session, &channel), None).await?;
    let room = app.watchers.room().ok_or_else(too_many)?;
    let (id, channel, replayer) = (a.session.id, a.channel, a.replayer);
    let changes = app.approvals.changes();
    let follower = reading(move || replayer.follow_film(id, channel)).await.map_err(|e| refusal(&e))?;
    let desktop = Desktop { follower, told_time: None };
    viewed(&app, &viewer, id).await;
    let watching = Watching::new(app, (id, viewer.person.id), (desktop, None), changes, stop, room);
    let pieces = stream::unfold(watching, |mut w| async move { w.next().await.map(|p| (Ok::<_, Infallible>(p), w)) });
    Ok(([(header::CONTENT_TYPE, FILM)], Body::from_stream(pieces)).into_response())
}

struct Desktop {
    follower: FilmFollower,
    told_time: Option<Instant>,
}

impl Follow for Desktop {
    type Piece = Bytes;

    fn look(&mut self) -> Result<Look<Bytes>, ReplayError> {
        // Each look tells the time. That is no news: else nobody would ask whether the session still runs.
        let (shots, more) = self.follower.look()?;
        let news = shots.iter().any(|s| !matches!(s.kind, ShotKind::Now(_)));
        let over = shots.iter().any(|s| s.kind == ShotKind::Over);
        let mut told = Vec::new();
        if news || self.told_time.is_none_or(|at| at.elapsed() >= TELL_TIME) {
            self.told_time = Some(Instant::now());
            let mut piece = Vec::new();
            shots.iter().for_each(|shot| shot.put(&mut piece));
            told.push(piece.into());
        }
        Ok(Look { told, news, more, over })
    }

    fn over() -> Bytes {
        let mut piece = Vec::new();
        Shot { at: Duration::ZERO, kind: ShotKind::Over }.put(&mut piece);
        piece.into()
    }
}

//! The player of what was released. What it plays comes from [`super::cast`].
use crate::{
    errors::Problem,
    guard::Viewer,
    layers::Player,
    page::{Asked, Frame, Id, html},
    pages::names::Names,
    state::App,
};
use anteroom_approvals::UnmaskView;
use anteroom_domain::{UnmaskId, UnmaskStage, content::Verdict};
use anteroom_recorder::{ChannelInfo, ChannelKind};
use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use std::time::Duration;

#[derive(Template)]
#[template(path = "unmask_watch.html")]
struct Watch {
    frame: Frame,
    view: UnmaskView,
    names: Names,
    /// Those that were open in the interval.
    channels: Vec<ChannelInfo>,
    channel: u32,
    /// Where the interval begins in the shown channel, in seconds.
    starts: u64,
    /// When it was opened, in seconds since the session's start.
    opened: f64,
    /// It is a picture, not text.
    desktop: bool,
}

impl Watch {
    fn approved_by(&self) -> String {
        let names: Vec<&str> =
            self.view.answers.iter().filter(|a| a.verdict == Verdict::Approve).map(|a| self.names.get(&a.holder)).collect();
        names.join(" and ")
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    channel: Option<u32>,
}

pub(crate) async fn show(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Id(id): Id<UnmaskId>,
    Asked(q): Asked<Query>,
) -> Result<Response, Problem> {
    let me = viewer.person.id;
    let view = app.approvals.unmask(id).await?.filter(|v| v.request.requester == me).ok_or_else(Problem::not_found)?;
    let open = view.request.stage(frame.now.0) == UnmaskStage::Open;
    let (true, Some(_), Some(replayer)) = (open, app.held.get(id, me, &viewer.token), app.replayer.clone()) else {
        return Ok(Redirect::to(&format!("/unmask/{id}")).into_response());
    };
    let session = view.request.session;
    let unreadable = || Problem::status(StatusCode::INTERNAL_SERVER_ERROR, "That did not work", "The recording could not be read.");
    let info = tokio::task::spawn_blocking(move || replayer.info(session)).await.map_err(|_| unreadable())?.map_err(|_| unreadable())?;
    let (from, until) = (Duration::from_micros(view.request.from_us), Duration::from_micros(view.request.until_us));
    let mut channels = info.channels;
    channels.retain(|c| c.opened_at <= until && c.opened_at + c.duration >= from);
    let shown = channels.iter().find(|c| q.channel == Some(c.id)).or(channels.first());
    let starts = shown.map_or(0, |c| from.saturating_sub(c.opened_at).as_secs());
    let opened = shown.map_or(0.0, |c| c.opened_at.as_secs_f64());
    let desktop = shown.is_some_and(|c| matches!(c.kind, ChannelKind::Desktop { .. }));
    let channel = shown.map_or(0, |c| c.id);
    let mut people = vec![view.request.requester];
    people.extend(view.answers.iter().map(|a| a.holder));
    let names = Names::of(&app, people).await?;
    let mut response = html(&Watch { frame, view, names, channels, channel, starts, opened, desktop })?;
    if !desktop {
        response.extensions_mut().insert(Player);
    }
    Ok(response)
}

//! The player. What it plays comes from [`super::cast`].
use super::needed;
use crate::{
    errors::Problem,
    layers::Player,
    moments,
    page::{Asked, Frame, Id, html},
    pages::names::Names,
    state::App,
};
use anteroom_domain::{RecordingState, SessionId, SessionRecord};
use anteroom_policy::Action;
use anteroom_recorder::{ChannelInfo, RecordingInfo};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "recording.html")]
struct Show {
    frame: Frame,
    session: SessionRecord,
    names: Names,
    seen: Seen,
    /// The channel that is shown.
    channel: u32,
}

/// What can be shown of the recording itself.
enum Seen {
    Info(Box<RecordingInfo>),
    /// In words, why not.
    No(String),
}

impl Show {
    fn channels(&self) -> &[ChannelInfo] {
        match &self.seen {
            Seen::Info(i) => &i.channels,
            Seen::No(_) => &[],
        }
    }
    fn why_not(&self) -> Option<&str> {
        match &self.seen {
            Seen::Info(i) if i.channels.is_empty() => Some("Nothing was opened in this session, so there is nothing to play."),
            Seen::Info(_) => None,
            Seen::No(why) => Some(why),
        }
    }
    fn length(&self) -> Option<String> {
        match &self.seen {
            Seen::Info(i) => Some(moments::duration(time::Duration::try_from(i.duration).unwrap_or_default())),
            Seen::No(_) => None,
        }
    }
    fn channel_length(&self, c: &&ChannelInfo) -> String {
        moments::duration(time::Duration::try_from(c.duration).unwrap_or_default())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    channel: Option<u32>,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Id(id): Id<SessionId>, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    let session = app.approvals.session(id).await?.ok_or_else(Problem::not_found)?;
    let names = Names::of(&app, vec![session.person]).await?;
    let seen = if frame.may(needed(&session)) {
        look(&app, id).await?
    } else {
        Seen::No("Masking of this recording is incomplete: something that should be hidden was found in it. It is closed until two people unmask it.".into())
    };
    let channel = match &seen {
        Seen::Info(i) => q.channel.filter(|c| i.channels.iter().any(|x| x.id == *c)).or(i.channels.first().map(|c| c.id)),
        Seen::No(_) => None,
    };
    let mut response = html(&Show { frame, session, names, seen, channel: channel.unwrap_or(0) })?;
    response.extensions_mut().insert(Player);
    Ok(response)
}

async fn look(app: &App, id: SessionId) -> Result<Seen, Problem> {
    let Some(replayer) = app.replayer.clone() else {
        return Ok(Seen::No("This portal holds no key to open recordings. Ask your operator where replay is set up.".into()));
    };
    let info = tokio::task::spawn_blocking(move || replayer.info(id))
        .await
        .map_err(|_| Problem::status(StatusCode::INTERNAL_SERVER_ERROR, "That did not work", "The recording could not be read."))?;
    Ok(match info {
        Ok(i) => Seen::Info(Box::new(i)),
        Err(e) => Seen::No(super::cast::words(&e)),
    })
}

//! The player, or the live view of a session that runs. What they show comes from [`super::parts`] and [`super::live`].
use super::{admit, keeping, needed, search, timeline, timeline::View};
use crate::{
    errors::Problem,
    guard::Viewer,
    layers::Player,
    moments,
    page::{Asked, Frame, Id, html},
    pages::names::Names,
    state::App,
};
use anteroom_approvals::{SessionPatients, Supervised, SupervisionNote};
use anteroom_domain::{RecordingState, SessionId, SessionRecord};
use anteroom_policy::Action;
use anteroom_recorder::{ChannelInfo, ChannelKind, RecordingInfo};
use askama::Template;
use axum::{extract::State, response::Response};
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
    /// Seconds since the session's start to begin at.
    at: f64,
    /// It runs, and the reader wants to see it do so.
    live: bool,
    /// It is a picture, not text.
    desktop: bool,
    /// Of a desktop that is watched live; none: it cannot be paused.
    paused: Option<bool>,
    timeline: Option<View>,
    can_search: bool,
    watched: Vec<Supervised>,
    notes: Vec<SupervisionNote>,
    /// What masking found of patients.
    patients: Option<SessionPatients>,
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
    fn runs(&self) -> bool {
        self.session.ended_at.is_none()
    }
    /// The session has only just begun: there will be something to watch in a moment.
    fn looks_again(&self) -> bool {
        matches!(&self.seen, Seen::Info(i) if i.channels.is_empty()) && self.runs()
    }
    fn why_not(&self) -> Option<&str> {
        match &self.seen {
            Seen::Info(i) if i.channels.is_empty() && self.runs() => {
                Some("Nothing was opened in this session yet. This page looks again every two seconds.")
            }
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
    /// When the shown channel was opened, in seconds since the session's start.
    fn opened(&self) -> f64 {
        self.channels().iter().find(|c| c.id == self.channel).map_or(0.0, |c| c.opened_at.as_secs_f64())
    }
    /// Where everything about one channel is.
    fn place(&self) -> String {
        format!("/recordings/{}/channels/{}", self.session.id, self.channel)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    channel: Option<u32>,
    /// Seconds since the session's start.
    at: Option<f64>,
    /// Of a session that runs: from its beginning instead of live.
    replay: Option<String>,
    /// A search of the reader's, whose hits are marked.
    found: Option<String>,
}

pub(crate) async fn show(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Id(id): Id<SessionId>,
    Asked(q): Asked<Query>,
) -> Result<Response, Problem> {
    let session = app.approvals.session(id).await?.ok_or_else(Problem::not_found)?;
    let names = Names::of(&app, vec![session.person]).await?;
    let seen = if let Some(gone) = keeping::shredded(&app, &session).await? {
        Seen::No(gone)
    } else if frame.may(needed(&session)) {
        look(&app, id).await
    } else {
        Seen::No("Masking of this recording is incomplete: something that should be hidden was found in it. It is closed until two people unmask it.".into())
    };
    let channel = match &seen {
        Seen::Info(i) => i.channels.iter().find(|c| q.channel == Some(c.id)).or(i.channels.first()),
        Seen::No(_) => None,
    };
    let live = session.ended_at.is_none() && q.replay.is_none() && q.at.is_none();
    let hits = match q.found.as_deref().and_then(|found| found.parse().ok()) {
        Some(search) if channel.is_some() && app.search => search::found_in(&app, viewer.person.id, search, id).await?,
        _ => Vec::new(),
    };
    let timeline = match channel {
        Some(_) if session.recording != RecordingState::Recording => timeline::view(&app, &session, channel, &hits).await?,
        _ => None,
    };
    let desktop = channel.is_some_and(|c| matches!(c.kind, ChannelKind::Desktop { .. }));
    let paused = if desktop && live { app.approvals.pausing(&[id]).await?.get(&id).map(|p| p.stands()) } else { None };
    let channel = channel.map_or(0, |c| c.id);
    let at = q.at.filter(|at| at.is_finite() && *at >= 0.0).unwrap_or_default();
    let patients = app.approvals.patients_of(&[id]).await?.remove(&id);
    let can_search = app.search && session.recording != RecordingState::Recording;
    let (watched, notes) = (app.approvals.supervisions(id).await?, app.approvals.supervision_notes(id).await?);
    let mut response =
        html(&Show { frame, session, names, seen, channel, at, live, desktop, paused, timeline, can_search, watched, notes, patients })?;
    if !desktop {
        response.extensions_mut().insert(Player);
    }
    Ok(response)
}

async fn look(app: &App, id: SessionId) -> Seen {
    let Some(replayer) = app.replayer.clone() else {
        return Seen::No("This portal holds no key to open recordings. Ask your operator where replay is set up.".into());
    };
    match admit::reading(move || replayer.info(id)).await {
        Ok(i) => Seen::Info(Box::new(i)),
        Err(e) => Seen::No(admit::words(&e)),
    }
}

//! Who gets the content of a recording: authorised for every request, audited once a viewing and before the first byte.
use super::{keeping, needed};
use crate::{errors::Refusal, guard::Viewer, state::App};
use anteroom_domain::{AuditEvent, SessionId, SessionRecord};
use anteroom_policy::{Action, may};
use anteroom_recorder::{ReplayError, Replayer};
use axum::http::{HeaderMap, StatusCode};
use std::time::Instant;

/// Somebody may have it, and nothing is written down yet.
pub(super) struct Admitted {
    pub(super) session: SessionRecord,
    pub(super) replayer: Replayer,
    pub(super) channel: u32,
}

/// `also`: what it takes besides watching.
pub(super) async fn admit(
    app: &App,
    viewer: &Viewer,
    headers: &HeaderMap,
    (session, channel): (&str, &str),
    also: Option<Action>,
) -> Result<Admitted, Refusal> {
    // A link on another site must not make a viewing that nobody wanted.
    if headers.get("sec-fetch-site").is_some_and(|s| s != "same-origin") {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "recordings are played on the portal's own pages only"));
    }
    let (Ok(id), Ok(channel)) = (session.parse::<SessionId>(), channel.parse::<u32>()) else { return Err(Refusal::not_found()) };
    let session = app.approvals.session(id).await?.ok_or_else(Refusal::not_found)?;
    let watches = also.is_none() && !session.mask_incomplete && app.approvals.watches(id, viewer.person.id).await?;
    if !(may(&viewer.person, needed(&session)) || watches) || also.is_some_and(|action| !may(&viewer.person, action)) {
        return Err(Refusal::not_found());
    }
    if let Some(gone) = keeping::shredded(app, &session).await? {
        return Err(Refusal::new(StatusCode::GONE, gone));
    }
    let replayer = app.replayer.clone();
    let replayer = replayer.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "this portal holds no key to open recordings"))?;
    Ok(Admitted { session, replayer, channel })
}

/// Notes that somebody watches, if this begins a viewing.
pub(super) async fn viewed(app: &App, viewer: &Viewer, session: SessionId) {
    let me = viewer.person.id;
    if app.viewings.begins(me, session, Instant::now()) {
        app.approvals.note(AuditEvent::RecordingViewed { session, by: me }, Some(me)).await;
    }
}

pub(super) fn refusal(e: &ReplayError) -> Refusal {
    let status = match e {
        ReplayError::NotFound(_) | ReplayError::NoChannel(_) => StatusCode::NOT_FOUND,
        ReplayError::Shredded => StatusCode::GONE,
        ReplayError::Away(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Refusal::new(status, words(e))
}

/// For the page; no paths, no library texts.
pub(in crate::pages) fn words(e: &ReplayError) -> String {
    match e {
        ReplayError::NotFound(_) => "There are no recorded bytes of this session here yet.",
        ReplayError::NoChannel(_) => "The recording has no such channel.",
        ReplayError::WrongKey => "This portal's key does not open this recording.",
        // What was decided is told before anything is read.
        ReplayError::Shredded => {
            "The keys of this recording are not here, and nobody decided to destroy them. Tell your operator; to learn more: anteroom \
             recording export, then anteroom verify."
        }
        ReplayError::Away(_) => "The recording lies in the archive, which cannot be reached now. Try again later.",
        ReplayError::Damaged(_) => "The recording is damaged. Export it to learn where: anteroom recording export, then anteroom verify.",
        _ => "The recording cannot be read at the moment.",
    }
    .into()
}

/// Reading happens on a thread that may wait for the disk.
pub(super) async fn reading<T: Send + 'static>(work: impl FnOnce() -> Result<T, ReplayError> + Send + 'static) -> Result<T, ReplayError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| ReplayError::Io(std::io::Error::other("the reading thread is gone")))?
}

//! Signed, stored and in the log; then the unsealer is asked, and what it released stays here.
use super::open_begin::{full, not_set_up};
use crate::{
    errors::Refusal,
    guard::Viewer,
    page::{Id, JsonOf},
    pages::Signed,
    state::App,
};
use anteroom_domain::{AuditEvent, UnmaskId};
use anteroom_recorder::unmask::{UnmaskProof, UnsealError};
use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

pub(crate) async fn finish(
    State(app): State<App>,
    viewer: Viewer,
    Id(id): Id<UnmaskId>,
    JsonOf(s): JsonOf<Signed>,
) -> Result<Json<Value>, Refusal> {
    let me = viewer.person.id;
    let unsealer = app.unsealer.clone().ok_or_else(not_set_up)?;
    let gone = || Refusal::new(StatusCode::GONE, "this took too long or was sent twice; please start again");
    let recipient = app.held.take(s.ceremony, me, &viewer.token).ok_or_else(gone)?;
    let opened = Box::pin(app.approvals.finish_unmask_opening(&viewer.person, s.ceremony, &s.credential)).await?;
    let request = &opened.request;
    if request.id != id {
        return Err(Refusal::not_found());
    }
    let (unmask, session) = (request.id, request.session);
    let released = match unsealer.release(UnmaskProof { approvals: opened.approvals, opening: opened.opening }, recipient).await {
        Ok(released) => released,
        Err(e) => {
            app.approvals.note_unmask_refused(unmask, me, e.to_string()).await;
            return Err(refusal(&e));
        }
    };
    if released.unmask() != unmask || released.session() != session {
        app.approvals.note_unmask_refused(unmask, me, UnsealError::OtherAnswer.to_string()).await;
        return Err(refusal(&UnsealError::OtherAnswer));
    }
    let event = AuditEvent::UnmaskReleased { unmask, session, chunks: released.chunk_count() as u64 };
    app.approvals.note(event, Some(me)).await;
    app.held.put(unmask, me, &viewer.token, released).map_err(full)?;
    Ok(Json(json!({ "next": format!("/unmask/{unmask}/watch") })))
}

fn refusal(e: &UnsealError) -> Refusal {
    tracing::warn!(error = %e, "nothing was released");
    match e {
        UnsealError::Refused { why, .. } => Refusal::new(StatusCode::FORBIDDEN, format!("the unsealer refused: {why}")),
        UnsealError::Unreachable(_) | UnsealError::Slow(_) => Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the unsealer does not answer; nothing was released. Tell your operator, or try again",
        ),
        _ => Refusal::new(StatusCode::BAD_GATEWAY, "the unsealer's answer is not understood; nothing is shown. Tell your operator"),
    }
}

//! Counts what a session shows while it runs, and does what policy wants done about it.
use super::{Common, EndSignal, Notices, Registry};
use anteroom_domain::{EndReason, Hold, PatientsSeen, PersonId, SessionId};
use anteroom_policy::Reaction;
use anteroom_recorder::Recording;
use std::time::Duration;

/// How often is looked, at most.
const EVERY: Duration = Duration::from_secs(2);

/// Ends with the session. While the database is away nothing is counted; the next look finds it all.
pub(super) async fn count(common: Common, recording: Recording, session: SessionId, person: PersonId, end: EndSignal, notices: Notices) {
    let mut told = PatientsSeen::default();
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = end.ended() => return,
        }
        let seen = PatientsSeen::new(recording.seen());
        if seen == told {
            continue;
        }
        match common.approvals.patients_seen(session, person, &seen, &common.patients).await {
            Ok(reaction) => {
                obey(reaction, &seen, session, &common.registry, &end, &notices);
                told = seen;
            }
            Err(e) => tracing::warn!(%session, error = %e, "patients seen could not be counted; trying again"),
        }
    }
}

fn obey(reaction: Reaction, seen: &PatientsSeen, session: SessionId, registry: &Registry, end: &EndSignal, notices: &Notices) {
    if reaction != Reaction::Nothing {
        tracing::warn!(%session, reaction = reaction.as_str(), patients = seen.patients(), "a session showed more patients than policy expects");
    }
    match reaction {
        Reaction::Nothing => {}
        Reaction::Alert => {
            notices.say(&format!("this session has shown {}, more than is usual; it was reported", seen.words()));
        }
        Reaction::Pause => {
            notices.say(&format!("this session has shown {}; it stands still now, and it was reported", seen.words()));
            // What cannot stand still ends.
            if !registry.hold(session, Hold::Limit) {
                end.end(EndReason::PolicyDenied);
            }
        }
        Reaction::Lock => {
            end.end(EndReason::Locked);
        }
    }
}

//! Counts what a session shows while it runs, and does what policy wants done about it.
use super::{Common, EndSignal, Notices, Registry, orders::stopped};
use anteroom_approvals::StoreError;
use anteroom_domain::{EndReason, Hold, PatientsSeen, PersonId, SessionId};
use anteroom_policy::Reaction;
use anteroom_recorder::Recording;
use std::time::Duration;
use tokio::time::timeout;

/// How often is looked, at most.
const EVERY: Duration = Duration::from_secs(2);

/// How long the database has for it: what a session shows does not wait for long.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ends with the session. While the database does not answer the absolute limits count; once it does it hears of everything.
pub(super) async fn count(common: Common, recording: Recording, session: SessionId, person: PersonId, end: EndSignal, notices: Notices) {
    let mut told = PatientsSeen::default();
    let mut obeyed = Reaction::Nothing;
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = end.ended() => return,
        }
        let seen = PatientsSeen::new(recording.seen());
        if seen == told {
            continue;
        }
        let (approvals, limits) = (&common.approvals, &common.patients);
        let answer = timeout(PATIENCE, approvals.patients_seen(session, person, &seen, limits)).await;
        let reaction = match answer.unwrap_or(Err(StoreError::Away)) {
            Ok(reaction) => {
                told = seen.clone();
                reaction
            }
            Err(e) => {
                tracing::warn!(%session, error = %e, "patients seen could not be counted; trying again");
                approvals.patients_seen_meanwhile(session, person, &seen, limits, obeyed).await
            }
        };
        // What was obeyed before the database heard of it is no news when it does: somebody may have let the session go on.
        if reaction > obeyed {
            obeyed = reaction;
            obey(reaction, &seen, session, &common.registry, &end, &notices);
            if reaction == Reaction::Pause {
                stopped(approvals, session).await;
            }
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

//! Keeps deciding while a connection lives: its deadline, revocations, suspensions and orders all end it.
use super::EndSignal;
use anteroom_approvals::{Approvals, Change};
use anteroom_domain::{EndReason, GrantId, PersonId, SessionId};
use std::time::Duration;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, sleep, sleep_until},
};

/// Between two questions to a database that does not answer.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// What a permit was made of, as far as a later change can take it away.
#[derive(Debug, Clone, Copy)]
pub struct Guard {
    pub session: SessionId,
    pub person: PersonId,
    pub grant: GrantId,
    /// Monotonic: no step of the wall clock moves it (invariant 7).
    pub deadline: Instant,
}

/// What a change means for one session.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Stays,
    Ends(EndReason),
    /// Something was missed: look at the facts again.
    LookAgain,
}

impl Guard {
    fn judge(&self, change: Result<Change, RecvError>) -> Verdict {
        match change {
            Ok(Change::GrantRevoked(g)) if g == self.grant => Verdict::Ends(EndReason::GrantRevoked),
            Ok(Change::PersonSuspended(p)) if p == self.person => Verdict::Ends(EndReason::PersonSuspended),
            Ok(Change::Terminate { session, by }) if session == self.session => Verdict::Ends(EndReason::Terminated { by }),
            Ok(Change::Person(p)) if p != self.person => Verdict::Stays,
            // Whose company, and who keeps the target, decides whether a vendor may be there.
            Ok(Change::Person(_) | Change::Target(_) | Change::Company(_) | Change::Resync) | Err(RecvError::Lagged(_)) => {
                Verdict::LookAgain
            }
            Ok(_) => Verdict::Stays,
            Err(RecvError::Closed) => Verdict::Ends(EndReason::GatewayStopped),
        }
    }
}

/// Runs until the session has ended, by whatever cause. `changes` must have been subscribed to before the permit
/// was asked for, so that nothing falls between.
pub async fn guard(mut g: Guard, approvals: Approvals, mut changes: Receiver<Change>, end: EndSignal) {
    loop {
        let verdict = tokio::select! {
            _ = end.ended() => return,
            () = sleep_until(g.deadline) => Verdict::Ends(EndReason::GrantEnded),
            c = changes.recv() => g.judge(c),
        };
        match verdict {
            Verdict::Stays => {}
            Verdict::Ends(reason) => {
                end.end(reason);
                return;
            }
            Verdict::LookAgain => {
                // A session goes on to its deadline while the database is away; it is judged again when it is back.
                let look = tokio::select! {
                    _ = end.ended() => return,
                    () = sleep_until(g.deadline) => Err(EndReason::GrantEnded),
                    judged = judge_again(&g, &approvals) => judged,
                };
                match look {
                    // A contract that ends sooner now ends what runs under it.
                    Ok(Some(left)) => g.deadline = g.deadline.min(Instant::now() + left),
                    Ok(None) => {}
                    Err(reason) => {
                        end.end(reason);
                        return;
                    }
                }
            }
        }
    }
}

/// Asks until there is an answer: a database that has just come back may fail the first question.
async fn judge_again(g: &Guard, approvals: &Approvals) -> Result<Option<Duration>, EndReason> {
    loop {
        let judged = async {
            Ok::<_, anteroom_approvals::StoreError>((approvals.rejudge(g.person, g.grant).await?, approvals.contract_left(g.person).await?))
        };
        match judged.await {
            Ok((judged, left)) => return judged.map(|()| left),
            Err(e) => tracing::debug!(session = %g.session, error = %e, "cannot be judged again yet"),
        }
        sleep(ASK_AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anteroom_domain::TargetId;
    use uuid::Uuid;

    fn g() -> Guard {
        let id = Uuid::from_u128;
        Guard { session: SessionId(id(1)), person: PersonId(id(2)), grant: GrantId(id(3)), deadline: Instant::now() }
    }

    #[test]
    fn only_what_concerns_the_session_ends_it() {
        let other = Uuid::from_u128(99);
        let by = PersonId(other);
        for (change, verdict) in [
            (Change::GrantRevoked(g().grant), Verdict::Ends(EndReason::GrantRevoked)),
            (Change::GrantRevoked(GrantId(other)), Verdict::Stays),
            (Change::PersonSuspended(g().person), Verdict::Ends(EndReason::PersonSuspended)),
            (Change::PersonSuspended(PersonId(other)), Verdict::Stays),
            (Change::Terminate { session: g().session, by }, Verdict::Ends(EndReason::Terminated { by })),
            (Change::Terminate { session: SessionId(other), by }, Verdict::Stays),
            (Change::Person(g().person), Verdict::LookAgain),
            (Change::Person(PersonId(other)), Verdict::Stays),
            (Change::Target(TargetId(other)), Verdict::LookAgain),
            (Change::Resync, Verdict::LookAgain),
        ] {
            assert_eq!(g().judge(Ok(change)), verdict);
        }
    }

    #[test]
    fn missed_changes_are_looked_up_and_a_dead_feed_ends_the_session() {
        assert_eq!(g().judge(Err(RecvError::Lagged(3))), Verdict::LookAgain);
        assert_eq!(g().judge(Err(RecvError::Closed)), Verdict::Ends(EndReason::GatewayStopped));
    }
}

//! "Test connection": what every address of a target answers, as the gateway sees it. The gateway looks and never signs in.
use super::show::Show;
use crate::{
    errors::Problem,
    guard::Viewer,
    moments::Now,
    page::{Frame, Id, html},
    state::App,
};
use anteroom_domain::{AuditEvent, Moment, PersonId, Probe, Target, TargetId, TargetProbe, probe::summary};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio_util::task::TaskTracker;

/// Targets tested at once, by everybody together.
const AT_ONCE: usize = 4;
/// Rest between two tests of one target.
const REST: Duration = Duration::from_secs(2);

/// What the page says about a test that was asked for.
pub(super) enum Tested {
    Found { at: Moment, answers: Vec<Probe> },
    NotNow(&'static str),
}

impl Tested {
    fn status(&self) -> StatusCode {
        match self {
            Self::Found { .. } => StatusCode::OK,
            Self::NotNow(_) => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

pub(crate) async fn test(State(app): State<App>, mut frame: Frame, viewer: Viewer, Id(id): Id<TargetId>) -> Result<Response, Problem> {
    let target = app.approvals.target(id).await?.ok_or_else(Problem::not_found)?;
    // A portal without a gateway has no such button.
    let Some(probe) = app.probe.clone() else { return Err(Problem::not_found()) };
    let tested = match app.tests.begin(id, Instant::now()) {
        Err(why) => Tested::NotNow(why),
        Ok(place) => {
            // A task of its own: who closes the browser leaves no test behind that the log knows nothing of.
            let looking = app.tests.tasks.spawn(look(app.clone(), probe, target, viewer.person.id, place));
            let broke = |_| Problem::status(StatusCode::INTERNAL_SERVER_ERROR, "That did not work", "The test broke off. Try again.");
            Tested::Found { answers: looking.await.map_err(broke)?, at: Moment::now_utc() }
        }
    };
    frame.now = Now::read();
    let status = tested.status();
    let page = Show::page(&app, frame, id, None, None).await?.with(tested);
    Ok((status, html(&page)?).into_response())
}

async fn look(app: App, probe: Arc<dyn TargetProbe>, target: Target, by: PersonId, _place: Place) -> Vec<Probe> {
    let found = probe.probe(&target).await;
    let event = AuditEvent::TargetTested { target: target.id, by: Some(by), outcome: summary(&found) };
    app.approvals.note(event, Some(by)).await;
    found
}

/// When each target was last tested; none while it is.
type Known = HashMap<TargetId, Option<Instant>>;

/// The tests that run: one at a time for each target, a few in all, so that the button is no tool against a device.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tests {
    known: Arc<Mutex<Known>>,
    tasks: TaskTracker,
}

impl Tests {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, target: TargetId, now: Instant) -> Result<Place, &'static str> {
        let mut known = self.known();
        known.retain(|_, ended| ended.is_none_or(|at| now.duration_since(at) < REST));
        match known.get(&target) {
            Some(None) => return Err("This target is being tested right now. Wait for that result."),
            Some(Some(_)) => return Err("This target was tested a moment ago. Wait two seconds."),
            None if known.values().filter(|ended| ended.is_none()).count() >= AT_ONCE => {
                return Err("Several other targets are being tested right now. Try again in a moment.");
            }
            None => {}
        }
        known.insert(target, None);
        Ok(Place { target, tests: self.clone() })
    }

    /// Returns when none runs any more; none begins after.
    pub(crate) async fn all_ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

struct Place {
    target: TargetId,
    tests: Tests,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.tests.known().insert(self.target, Some(Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn target(n: u128) -> TargetId {
        TargetId(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn a_target_is_tested_once_at_a_time_and_not_hammered() {
        let tests = Tests::default();
        let place = tests.begin(target(1), Instant::now()).unwrap();
        assert!(tests.begin(target(1), Instant::now()).err().unwrap().contains("being tested"));
        drop(place);
        let now = Instant::now();
        assert!(tests.begin(target(1), now).err().unwrap().contains("a moment ago"));
        assert!(tests.begin(target(1), now + REST).is_ok());
    }

    #[test]
    fn only_a_few_targets_are_tested_at_once() {
        let (tests, now) = (Tests::default(), Instant::now());
        let running: Vec<_> = (0..4).map(|n| tests.begin(target(n), now).unwrap()).collect();
        assert!(tests.begin(target(9), now).err().unwrap().contains("other targets"));
        drop(running);
        assert!(tests.begin(target(9), now).is_ok(), "places come back");
        assert!(tests.begin(target(10), Instant::now() + REST).is_ok() && tests.known().len() == 1, "nothing is remembered for ever");
    }
}

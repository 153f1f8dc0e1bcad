//! A session that may run only while it is watched: who said what when, and whether it runs. Pure; the driver owns clock and database.
//!
//! Time is counted from any fixed moment on a monotonic clock. What the driver learns from the database is a *lease*: somebody watches
//! until then, unless it is renewed. Not to know is to have no lease, so a database that is away ends the watching when the last lease does.
use std::time::Duration;

/// How long a supervisor counts after their browser was last heard of.
pub const LEASE: Duration = Duration::from_secs(4);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Nobody has come yet; the target is not touched.
    Lobby { since: Duration },
    /// Somebody watches until then.
    Watched { until: Duration },
    /// Whoever watched is gone.
    StandingStill { since: Duration },
    /// Nobody came for too long.
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// The database says until when somebody watches.
    Lease { until: Duration },
    /// The database says that nobody does.
    Nobody,
    /// Time passed, or the database could not be asked.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Supervision {
    state: State,
    /// How long a session waits for somebody, at first and later.
    patience: Duration,
}

impl Supervision {
    pub fn new(now: Duration, patience: Duration) -> Self {
        Self { state: State::Lobby { since: now }, patience }
    }

    /// Of a session that ran without anybody and has to be watched from now on.
    pub fn from_now_on(now: Duration, patience: Duration) -> Self {
        Self { state: State::StandingStill { since: now }, patience }
    }

    pub fn state(&self) -> State {
        self.state
    }

    /// Whether anything may pass at this moment. Asks the clock itself: a driver that is late lets nothing through.
    pub fn runs(&self, now: Duration) -> bool {
        matches!(self.state, State::Watched { until } if now < until)
    }

    /// When it has to be told the time at the latest.
    pub fn due(&self) -> Option<Duration> {
        match self.state {
            State::Lobby { since } | State::StandingStill { since } => Some(since + self.patience),
            State::Watched { until } => Some(until),
            State::Ended => None,
        }
    }

    #[must_use]
    pub fn step(self, input: Input, now: Duration) -> Self {
        let lease = match input {
            // Nobody is believed for longer than a lease, whatever a database says.
            Input::Lease { until } => Some(until.min(now + LEASE)).filter(|until| now < *until),
            Input::Nobody => None,
            Input::Nothing => match self.state {
                State::Watched { until } => Some(until).filter(|until| now < *until),
                _ => None,
            },
        };
        let state = match (self.state, lease) {
            (State::Ended, _) => State::Ended,
            // Too late is too late, even for who comes in the same moment.
            (State::Lobby { since } | State::StandingStill { since }, _) if now >= since + self.patience => State::Ended,
            (_, Some(until)) => State::Watched { until },
            // From the moment nobody watched, not from when that was noticed.
            (State::Watched { until }, None) => {
                let since = until.min(now);
                if now >= since + self.patience { State::Ended } else { State::StandingStill { since } }
            }
            (waiting, None) => waiting,
        };
        Self { state, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const PATIENCE: u64 = 6;

    fn at(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    /// Every sequence of inputs over fourteen seconds, in steps of 0 to 5 seconds; states met twice are explored once. `told`: until when the
    /// newest answer of the database said somebody watches.
    fn explore(mut check: impl FnMut(Supervision, u64, u64)) -> usize {
        let begins = [Supervision::new, Supervision::from_now_on].map(|begin| (begin(at(0), at(PATIENCE)), 0_u64, 0_u64));
        let (mut seen, mut todo) = (HashSet::from(begins), begins.to_vec());
        while let Some((s, now, told)) = todo.pop() {
            check(s, now, told);
            for step in 0..=5 {
                let later = now + step;
                if later > 14 {
                    continue;
                }
                let leases = (0..=8).map(|n| (Input::Lease { until: at((later + n).saturating_sub(2)) }, (later + n).saturating_sub(2)));
                for (input, told) in leases.chain([(Input::Nobody, 0), (Input::Nothing, told)]) {
                    let next = (s.step(input, at(later)), later, told);
                    if seen.insert(next) {
                        todo.push(next);
                    }
                }
            }
        }
        seen.len()
    }

    #[test]
    fn it_never_runs_unwatched() {
        let mut ran = 0;
        let states = explore(|s, now, told| {
            for later in 0..=10 {
                if s.runs(at(now + later)) {
                    ran += 1;
                    assert!(now + later < told, "{s:?} runs at {} though somebody watches until {told} only", now + later);
                    assert!(later < LEASE.as_secs(), "{s:?} runs {later} s after it was last told");
                }
            }
        });
        assert!(states > 500 && ran > 100, "{states} states, {ran} moments");
    }

    #[test]
    fn what_has_ended_stays_ended_and_nobody_waits_longer_than_its_patience() {
        explore(|s, now, _| {
            let later = at(now) + at(PATIENCE) + LEASE;
            assert_eq!(s.step(Input::Nothing, later).state(), State::Ended, "{s:?}");
            if s.state() == State::Ended {
                assert_eq!(s.step(Input::Lease { until: at(now + 4) }, at(now)).state(), State::Ended);
                assert_eq!(s.due(), None);
            }
        });
    }

    #[test]
    fn somebody_who_watches_lets_it_run_and_somebody_who_comes_back_too() {
        let s = Supervision::new(at(0), at(600));
        assert!(!s.runs(at(1)));
        let s = s.step(Input::Lease { until: at(6) }, at(2));
        assert!(s.runs(at(2)) && s.runs(at(5)) && !s.runs(at(6)));
        let s = s.step(Input::Nothing, at(7));
        assert_eq!(s.state(), State::StandingStill { since: at(6) });
        let s = s.step(Input::Lease { until: at(12) }, at(8));
        assert!(s.runs(at(9)));
        let late = Supervision::from_now_on(at(3), at(600));
        assert!(!late.runs(at(3)) && late.due() == Some(at(603)) && late.step(Input::Lease { until: at(6) }, at(4)).runs(at(5)));
        assert_eq!(s.step(Input::Nobody, at(9)).state(), State::StandingStill { since: at(9) }, "leaving closes at once");
    }

    #[test]
    fn a_lease_from_the_future_is_cut_to_its_length() {
        let s = Supervision::new(at(0), at(600)).step(Input::Lease { until: at(1_000) }, at(1));
        assert_eq!(s.state(), State::Watched { until: at(5) });
    }
}

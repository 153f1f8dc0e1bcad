//! How many patients are too many, for one session and one person. Pure.
use anteroom_domain::PatientsSeen;

/// Sessions of one person that have to be known before they say what is usual.
const ENOUGH: usize = 5;
/// Fewer patients than this are never unusual by comparison.
const FLOOR: u64 = 5;

/// What a person's earlier sessions showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Baseline {
    pub median: u64,
    /// Median distance from the median.
    pub spread: u64,
    pub sessions: usize,
}

impl Baseline {
    /// From the numbers of patients of earlier sessions that showed any; none while there are fewer than five.
    pub fn of(earlier: &[u64]) -> Option<Self> {
        if earlier.len() < ENOUGH {
            return None;
        }
        let median = middle(earlier.to_vec());
        let spread = middle(earlier.iter().map(|n| n.abs_diff(median)).collect());
        Some(Self { median, spread, sessions: earlier.len() })
    }

    /// From which number on a session shows so many times what is usual. What varies much by itself may vary more.
    pub fn times(self, times: u32) -> u64 {
        let far = self.median.saturating_add(self.spread.saturating_mul(3)).saturating_add(1);
        self.median.saturating_mul(times.into()).max(far).max(FLOOR)
    }
}

fn middle(mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().unwrap_or(0)
}

/// A bound: so many patients, or so many times what this person's sessions usually show. Whichever is reached first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limit {
    pub patients: Option<u64>,
    pub times: Option<u32>,
}

impl Limit {
    fn is_reached(self, seen: u64, usual: Option<Baseline>) -> bool {
        self.patients.is_some_and(|most| seen >= most) || self.times.zip(usual).is_some_and(|(times, usual)| seen >= usual.times(times))
    }
}

/// What is done about it, the milder first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reaction {
    #[default]
    Nothing,
    /// Written down and told.
    Alert,
    /// The session stands still until somebody looks.
    Pause,
    /// The person is suspended, which ends all their sessions.
    Lock,
}

impl Reaction {
    pub const ALL: [Self; 4] = [Self::Nothing, Self::Alert, Self::Pause, Self::Lock];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Alert => "alert",
            Self::Pause => "pause",
            Self::Lock => "lock",
        }
    }
    pub fn from_name(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == s)
    }
}

/// What policy says of it; by default nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PatientLimits {
    pub alert: Limit,
    pub pause: Limit,
    pub lock: Limit,
}

impl PatientLimits {
    #[must_use]
    pub fn judge(&self, seen: &PatientsSeen, usual: Option<Baseline>) -> Reaction {
        let n = seen.patients();
        let of = [(self.lock, Reaction::Lock), (self.pause, Reaction::Pause), (self.alert, Reaction::Alert)];
        of.into_iter().find(|(limit, _)| limit.is_reached(n, usual)).map_or(Reaction::Nothing, |(_, reaction)| reaction)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn seen(n: u64) -> PatientsSeen {
        PatientsSeen::new([("mrn".to_owned(), n)].into())
    }
    const LIMITS: PatientLimits = PatientLimits {
        alert: Limit { patients: Some(50), times: Some(5) },
        pause: Limit { patients: Some(200), times: Some(20) },
        lock: Limit { patients: Some(1000), times: None },
    };

    #[test]
    fn without_limits_nothing_happens_and_with_them_the_strictest_reached_counts() {
        assert_eq!(PatientLimits::default().judge(&seen(1_000_000), None), Reaction::Nothing);
        for (n, reaction) in
            [(0, Reaction::Nothing), (49, Reaction::Nothing), (50, Reaction::Alert), (200, Reaction::Pause), (1000, Reaction::Lock)]
        {
            assert_eq!(LIMITS.judge(&seen(n), None), reaction, "{n}");
        }
    }

    #[test]
    fn what_is_usual_for_one_is_not_for_another() {
        let quiet = Baseline::of(&[1, 2, 1, 3, 2, 2]);
        assert_eq!(quiet, Some(Baseline { median: 2, spread: 1, sessions: 6 }));
        assert_eq!(LIMITS.judge(&seen(9), quiet), Reaction::Nothing);
        assert_eq!(LIMITS.judge(&seen(10), quiet), Reaction::Alert);
        assert_eq!(LIMITS.judge(&seen(40), quiet), Reaction::Pause);
        let busy = Baseline::of(&[30, 35, 28, 40, 33]);
        assert_eq!(LIMITS.judge(&seen(40), busy), Reaction::Nothing);
        assert_eq!(Baseline::of(&[1, 1, 1, 1]), None, "four sessions say nothing yet");
    }

    #[test]
    fn one_patient_more_than_none_is_no_alarm() {
        let never = Baseline::of(&[0; 10]);
        assert_eq!(LIMITS.judge(&seen(4), never), Reaction::Nothing);
        assert_eq!(LIMITS.judge(&seen(5), never), Reaction::Pause);
    }

    proptest! {
        #[test]
        fn more_patients_never_mean_less(earlier in prop::collection::vec(0..10_000u64, 0..40), n in 0..100_000u64, more in 0..100_000u64) {
            let usual = Baseline::of(&earlier);
            prop_assert!(LIMITS.judge(&seen(n), usual) <= LIMITS.judge(&seen(n + more), usual));
        }

        #[test]
        fn the_order_of_sessions_does_not_matter(mut earlier in prop::collection::vec(any::<u64>(), 0..40)) {
            let before = Baseline::of(&earlier);
            earlier.reverse();
            prop_assert_eq!(before, Baseline::of(&earlier));
        }
    }
}

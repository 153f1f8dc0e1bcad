//! Whether the time of a recording is over.
use anteroom_domain::Moment;
use time::Duration;

/// What is known of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// When its session ended; none while it runs.
    pub ended_at: Option<Moment>,
    /// It is closed: nothing is written to it any more.
    pub sealed: bool,
    /// A legal hold is on it.
    pub held: bool,
}

/// Whether its keys are to be destroyed at `now`, when recordings are kept for `keep` after their session's end.
pub fn expires(recording: &Kept, keep: Duration, now: Moment) -> bool {
    let over = |at: Moment| at.checked_add(keep).is_some_and(|end| end <= now);
    !recording.held && recording.sealed && recording.ended_at.is_some_and(over)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Moment = time::macros::datetime!(2032-11-27 12:00 UTC);
    const SIX_YEARS: Duration = Duration::days(6 * 365 + 2);

    fn ended(ago: Duration) -> Kept {
        Kept { ended_at: Some(NOW - ago), sealed: true, held: false }
    }

    #[test]
    fn it_goes_at_its_end_and_not_a_second_before() {
        assert!(expires(&ended(SIX_YEARS), SIX_YEARS, NOW));
        assert!(!expires(&ended(SIX_YEARS - Duration::SECOND), SIX_YEARS, NOW));
    }

    #[test]
    fn what_is_held_runs_or_is_being_written_stays_whatever_its_age() {
        let old = ended(SIX_YEARS * 10);
        for stays in [Kept { held: true, ..old }, Kept { sealed: false, ..old }, Kept { ended_at: None, ..old }] {
            assert!(!expires(&stays, Duration::DAY, NOW), "{stays:?}");
        }
    }

    proptest! {
        /// A later moment never brings a recording back, a longer time to keep never takes one, and a hold always keeps it.
        #[test]
        fn time_only_takes_and_keeping_only_keeps(age in 0i64..200_000, keep in 1i64..100_000, more in 0i64..100_000, held: bool) {
            let recording = Kept { held, ..ended(Duration::days(age)) };
            let gone = expires(&recording, Duration::days(keep), NOW);
            prop_assert_eq!(gone, !held && age >= keep);
            if gone {
                prop_assert!(expires(&recording, Duration::days(keep), NOW + Duration::days(more)));
            } else {
                prop_assert!(!expires(&recording, Duration::days(keep + more), NOW));
            }
        }
    }
}

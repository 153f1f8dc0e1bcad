//! Moments, spans and states as people say them.
use crate::view::State;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// The end of the year 9999.
const LAST: u64 = 253_402_300_799;

/// `16:00 UTC`, with the date if it is not that of `now`.
pub(crate) fn moment(unix: u64, now: u64) -> String {
    let unix = unix.min(LAST);
    let time = format!("{:02}:{:02} UTC", unix % DAY / HOUR, unix % HOUR / MINUTE);
    if unix / DAY == now / DAY { time } else { format!("{} {time}", date(unix / DAY)) }
}

/// The Gregorian date of a day counted from 1970-01-01, by years that begin in March.
fn date(days: u64) -> String {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `52 minutes`, `1 hour 5 minutes`, `3 days`.
pub(crate) fn span(seconds: u64) -> String {
    let count = |n: u64, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    match seconds {
        0..MINUTE => "less than a minute".to_owned(),
        MINUTE..HOUR => count(seconds / MINUTE, "minute"),
        HOUR..DAY if seconds % HOUR < MINUTE => count(seconds / HOUR, "hour"),
        HOUR..DAY => format!("{} {}", count(seconds / HOUR, "hour"), count(seconds % HOUR / MINUTE, "minute")),
        _ => count(seconds / DAY, "day"),
    }
}

/// For a column of twelve.
fn short_span(seconds: u64) -> String {
    match seconds {
        0..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => format!("{} h", seconds / HOUR),
        _ => format!("{} d", (seconds / DAY).min(9999)),
    }
}

/// The whole story of an entry in one line.
pub(crate) fn state(state: &State, may_ask: bool, now: u64) -> String {
    match state {
        State::Live { ends_at, .. } if *ends_at <= now => format!("ended at {}", moment(*ends_at, now)),
        State::Live { ends_at, .. } => format!("until {}, {} left", moment(*ends_at, now), span(ends_at - now)),
        State::NotBegun { begins_at, .. } => format!("approved, begins at {}", moment(*begins_at, now)),
        State::Pending { since, .. } => format!("waiting for approval since {}", span(now.saturating_sub(*since))),
        State::Denied { by, .. } => format!("denied by {by}"),
        State::Expired { .. } => "nobody answered the request in time".to_owned(),
        State::Askable if may_ask => "may be asked for".to_owned(),
        State::Askable => "may not be asked for".to_owned(),
    }
}

/// The same in one or two words.
pub(crate) fn short_state(state: &State, may_ask: bool, now: u64) -> String {
    match state {
        State::Live { ends_at, .. } if *ends_at <= now => "ended".to_owned(),
        State::Live { ends_at, .. } => short_span(ends_at - now),
        State::NotBegun { .. } => "later".to_owned(),
        State::Pending { .. } => "waiting".to_owned(),
        State::Denied { .. } => "denied".to_owned(),
        State::Expired { .. } => "no answer".to_owned(),
        State::Askable if may_ask => "ask".to_owned(),
        State::Askable => "closed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_name_the_day_only_if_it_is_another() {
        // 2026-12-02 16:00:00 UTC.
        let at = 1_796_227_200;
        assert_eq!(moment(at, at - 60), "16:00 UTC");
        assert_eq!(moment(at, at - DAY), "2026-12-02 16:00 UTC");
        assert_eq!(moment(951_782_400, at), "2000-02-29 00:00 UTC");
        assert_eq!(moment(0, at), "1970-01-01 00:00 UTC");
        assert_eq!(moment(u64::MAX, at), "9999-12-31 23:59 UTC");
    }

    #[test]
    fn spans_are_said_as_people_say_them() {
        for (seconds, said) in [
            (5, "less than a minute"),
            (60, "1 minute"),
            (3120, "52 minutes"),
            (3630, "1 hour"),
            (3900, "1 hour 5 minutes"),
            (7200, "2 hours"),
            (90_000, "1 day"),
        ] {
            assert_eq!(span(seconds), said);
        }
    }
}

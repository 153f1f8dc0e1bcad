//! What a person is told before their session ends by the clock, and when. Pure; the guard owns the clock.
use anteroom_domain::AtEnd;
use std::time::Duration;
use tokio::time::Instant;

/// So long before the end something is said.
const BEFORE: [Duration; 3] = [Duration::from_secs(15 * 60), Duration::from_secs(5 * 60), Duration::from_secs(60)];
/// One that comes this late is still said: its guard was busy.
const LATE: Duration = Duration::from_secs(2);

/// Of one session. An end that moves (a supervisor lets it go on, policy shortens it) is warned of anew.
#[derive(Debug, Clone, Default)]
pub(super) struct Warnings {
    /// The end they are about, and how many of [`BEFORE`] are over.
    of: Option<(Instant, usize)>,
}

impl Warnings {
    /// The next one before this end: when, and how long before.
    pub(super) fn next(&mut self, end: Instant, now: Instant) -> Option<(Instant, Duration)> {
        let mut over = self.of.filter(|(of, _)| *of == end).map_or(0, |(_, over)| over);
        let next = loop {
            let Some(before) = BEFORE.get(over) else { break None };
            match end.checked_sub(*before) {
                Some(at) if now <= at + LATE => break Some((at, *before)),
                _ => over += 1,
            }
        };
        self.of = Some((end, over));
        next
    }

    /// The one that [`next`](Self::next) named was said.
    pub(super) fn said(&mut self) {
        if let Some((_, over)) = &mut self.of {
            *over += 1;
        }
    }
}

/// In words, for the person.
pub(super) fn words(before: Duration, at_end: Option<AtEnd>, prolonged: bool) -> String {
    let span = span(before);
    match at_end {
        Some(AtEnd::SupervisorDecides { .. }) if prolonged => format!("this session ends in {span}, whatever anybody does"),
        Some(AtEnd::SupervisorDecides { .. }) => {
            format!("your grant ends in {span}; the session ends with it, unless your supervisor lets it go on")
        }
        Some(AtEnd::Cut) | None => format!("your grant ends in {span}; the session ends with it"),
    }
}

/// "15 minutes", "40 seconds".
pub(super) fn span(d: Duration) -> String {
    let s = d.as_secs();
    let (n, unit) = if s < 60 || s < 120 && !s.is_multiple_of(60) { (s, "second") } else { (s / 60, "minute") };
    format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn each_is_said_once_and_an_end_that_moves_is_warned_of_anew() {
        let now = Instant::now();
        let (mut w, end) = (Warnings::default(), now + 6 * MINUTE);
        assert_eq!(w.next(end, now), Some((now + MINUTE, 5 * MINUTE)), "too late for fifteen minutes");
        assert_eq!(w.next(end, now), Some((now + MINUTE, 5 * MINUTE)), "asked twice, said once");
        w.said();
        assert_eq!(w.next(end, now + MINUTE), Some((now + 5 * MINUTE, MINUTE)));
        w.said();
        assert_eq!(w.next(end, now + 5 * MINUTE), None);
        let later = end + 10 * MINUTE;
        assert_eq!(w.next(later, now + 5 * MINUTE), Some((later - 5 * MINUTE, 5 * MINUTE)), "let go on for ten minutes");
    }

    #[test]
    fn a_guard_that_was_busy_says_it_a_little_late_and_not_much() {
        let now = Instant::now();
        let end = now + MINUTE;
        assert_eq!(Warnings::default().next(end, now + LATE), Some((now, MINUTE)));
        assert_eq!(Warnings::default().next(end, now + LATE + Duration::from_millis(1)), None);
    }

    #[test]
    fn nobody_is_told_that_it_ends_with_a_grant_that_it_outlives() {
        let decides = Some(AtEnd::SupervisorDecides { minutes: 10 });
        assert_eq!(words(5 * MINUTE, None, false), "your grant ends in 5 minutes; the session ends with it");
        assert_eq!(words(MINUTE, Some(AtEnd::Cut), false), "your grant ends in 1 minute; the session ends with it");
        assert!(words(MINUTE, decides, false).ends_with("unless your supervisor lets it go on"));
        let prolonged = words(MINUTE, decides, true);
        assert!(prolonged == "this session ends in 1 minute, whatever anybody does" && !prolonged.contains("grant"));
    }

    #[test]
    fn spans_are_said_as_people_say_them() {
        let said = [1, 45, 60, 105, 120, 3_600].map(|s| span(Duration::from_secs(s)));
        assert_eq!(said, ["1 second", "45 seconds", "1 minute", "105 seconds", "2 minutes", "60 minutes"]);
    }
}

//! Seeing an interval of a recording as it was: asking, answering, opening, watching.
pub(crate) mod ask;
pub(crate) mod cast;
pub(crate) mod close;
pub(crate) mod held;
pub(crate) mod list;
pub(crate) mod open_begin;
pub(crate) mod open_finish;
pub(crate) mod review_begin;
pub(crate) mod review_finish;
pub(crate) mod show;
pub(crate) mod waiting;
pub(crate) mod watch;
pub(crate) mod wish;
pub(crate) mod withdraw;

/// `1:02:03`, rounded down to whole seconds.
pub(crate) fn clock(us: &u64) -> String {
    let s = us / 1_000_000;
    format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

/// The same rounded up: an interval that ends in the middle of a second ends no earlier.
pub(crate) fn clock_up(us: &u64) -> String {
    clock(&us.saturating_add(999_999))
}

/// Reads `1:02:03` or `2:03`; in microseconds.
fn moment(text: &str) -> Option<u64> {
    let parts: Vec<&str> = text.trim().split(':').collect();
    if !(2..=3).contains(&parts.len()) || parts.iter().any(|p| p.is_empty() || p.len() > 3 || !p.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    let numbers: Vec<u64> = parts.iter().map(|p| p.parse().ok()).collect::<Option<_>>()?;
    if numbers[1..].iter().any(|n| *n > 59) {
        return None;
    }
    Some(numbers.iter().fold(0, |sum, n| sum * 60 + n) * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_it_is_shown() {
        assert_eq!(moment("1:02:03"), Some(3_723_000_000));
        assert_eq!(moment(" 2:03 "), Some(123_000_000));
        assert_eq!(moment(&clock(&3_723_900_000)), Some(3_723_000_000));
        for bad in ["", "5", "1:60", "1:2:3:4", "-1:00", "1::2", "1:+2", "9999:00"] {
            assert_eq!(moment(bad), None, "{bad}");
        }
    }
}

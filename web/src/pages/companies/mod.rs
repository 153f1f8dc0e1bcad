//! Vendor companies: until when their contracts run, who works for them, what they keep. Approvers read; operators change.
pub(crate) mod add;
mod belonging;
pub(crate) mod contract;
pub(crate) mod list;
pub(crate) mod people;
pub(crate) mod show;
pub(crate) mod targets;

use anteroom_domain::{Moment, company::last_moment};
use time::{Date, Duration, macros::format_description};

/// How a contract stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    Ended,
    /// Within a month.
    Soon,
    Runs,
}

const SOON: Duration = Duration::days(30);

fn stands(ends: &Moment, now: &Moment) -> Stands {
    match *ends - *now {
        left if !left.is_positive() => Stands::Ended,
        left if left < SOON => Stands::Soon,
        _ => Stands::Runs,
    }
}

/// As a form's field has it.
fn day(at: &Moment) -> String {
    at.to_offset(time::UtcOffset::UTC).format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
}

/// A contract runs to the last second of the day that somebody chose.
fn read_day(typed: &str) -> Result<Moment, String> {
    Date::parse(typed.trim(), format_description!("[year]-[month]-[day]"))
        .map(last_moment)
        .map_err(|_| "the contract’s end: write a day like 2027-06-30".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_contract_has_ended_with_its_last_second_and_ends_soon_within_a_month() {
        let ends = datetime!(2027-06-30 23:59:59 UTC);
        assert_eq!(read_day(" 2027-06-30 "), Ok(ends));
        assert_eq!(day(&ends), "2027-06-30");
        for (now, expected) in [
            (ends, Stands::Ended),
            (ends + Duration::DAY, Stands::Ended),
            (ends - Duration::SECOND, Stands::Soon),
            (ends - SOON, Stands::Runs),
        ] {
            assert_eq!(stands(&ends, &now), expected, "{now}");
        }
        assert!(read_day("30.6.2027").is_err() && read_day("").is_err());
    }
}

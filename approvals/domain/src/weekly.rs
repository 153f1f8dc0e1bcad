//! Times that come back every week: shifts and maintenance windows.
use crate::Moment;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use time::{UtcOffset, Weekday};

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];
const DAY: u16 = 24 * 60;

/// Some hours of some days, at a fixed distance from UTC: `mon-fri 07:00-19:00 +01:00`, `sat 22:00-04:00 +00:00` (into Sunday),
/// `mon,wed 00:00-24:00 -05:00`. Hospitals with daylight saving write two, or the wider one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Weekly {
    /// Bit 0 is Monday.
    days: u8,
    /// Minutes of the day, 0 to 1439.
    from: u16,
    /// 1 to 1440; not after `from`: of the next day.
    until: u16,
    /// Minutes east of UTC.
    offset: i16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("times are written like \"mon-fri 07:00-19:00 +01:00\": days (mon to sun, with - and ,), hours, distance from UTC")]
pub struct WeeklyError;

impl Weekly {
    /// Whether this moment lies in it; the end does not.
    pub fn contains(&self, at: Moment) -> bool {
        let offset = UtcOffset::from_whole_seconds(i32::from(self.offset) * 60).unwrap_or(UtcOffset::UTC);
        let Some(local) = at.checked_to_offset(offset) else { return false };
        let minute = u16::from(local.hour()) * 60 + u16::from(local.minute());
        let on = |day: u8| self.days & (1 << (day % 7)) != 0;
        let today = local.weekday().number_days_from_monday();
        if self.from < self.until {
            on(today) && (self.from..self.until).contains(&minute)
        } else {
            (on(today) && minute >= self.from) || (on(today + 6) && minute < self.until)
        }
    }
}

fn clock(s: &str) -> Option<u16> {
    let (h, m) = s.split_once(':')?;
    let two = |t: &str| (t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit())).then(|| t.parse::<u16>().ok()).flatten();
    let (h, m) = (two(h)?, two(m)?);
    (m < 60 && h * 60 + m <= DAY).then_some(h * 60 + m)
}

fn day(s: &str) -> Option<u8> {
    DAYS.iter().position(|(name, _)| *name == s).and_then(|i| u8::try_from(i).ok())
}

impl FromStr for Weekly {
    type Err = WeeklyError;
    fn from_str(s: &str) -> Result<Self, WeeklyError> {
        read(s).ok_or(WeeklyError)
    }
}

fn read(s: &str) -> Option<Weekly> {
    let mut parts = s.split_ascii_whitespace();
    let (names, hours, offset) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let mut days = 0;
    for range in names.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (day(first)?, day(last)?);
        let span = (last + 7 - first) % 7;
        for d in 0..=span {
            days |= 1 << ((first + d) % 7);
        }
    }
    let (from, until) = hours.split_once('-')?;
    let (from, until) = (clock(from)?, clock(until)?);
    if from == until || from == DAY || until == 0 {
        return None;
    }
    let (sign, distance) = (offset.get(..1)?, clock(offset.get(1..)?)?);
    let distance = i16::try_from(distance).ok().filter(|d| *d <= 14 * 60)?;
    let offset = match sign {
        "+" => distance,
        "-" => -distance,
        _ => return None,
    };
    Some(Weekly { days, from, until, offset })
}

impl fmt::Display for Weekly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        let mut d = 0;
        while d < 7 {
            let run = (d..7).take_while(|x| self.days & (1 << x) != 0).count();
            if run > 0 {
                if !first {
                    f.write_str(",")?;
                }
                first = false;
                f.write_str(DAYS[d].0)?;
                if run > 1 {
                    write!(f, "-{}", DAYS[d + run - 1].0)?;
                }
            }
            d += run.max(1);
        }
        let sign = if self.offset < 0 { '-' } else { '+' };
        let (from, until, o) = (self.from, self.until, self.offset.unsigned_abs());
        write!(f, " {:02}:{:02}-{:02}:{:02} {sign}{:02}:{:02}", from / 60, from % 60, until / 60, until % 60, o / 60, o % 60)
    }
}

impl TryFrom<String> for Weekly {
    type Error = WeeklyError;
    fn try_from(s: String) -> Result<Self, WeeklyError> {
        s.parse()
    }
}
impl From<Weekly> for String {
    fn from(w: Weekly) -> Self {
        w.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    fn at(w: &str, m: Moment) -> bool {
        w.parse::<Weekly>().is_ok_and(|w| w.contains(m))
    }

    #[test]
    fn a_window_counts_in_its_own_time_and_its_end_is_outside() {
        // 2026-11-26 is a Thursday.
        assert!(at("mon-fri 07:00-19:00 +01:00", datetime!(2026-11-26 06:00 UTC)));
        assert!(!at("mon-fri 07:00-19:00 +01:00", datetime!(2026-11-26 05:59 UTC)));
        assert!(!at("mon-fri 07:00-19:00 +01:00", datetime!(2026-11-26 18:00 UTC)));
        assert!(!at("sat,sun 00:00-24:00 +00:00", datetime!(2026-11-26 12:00 UTC)));
    }

    #[test]
    fn a_night_belongs_to_the_day_it_began_on() {
        let night = "thu 22:00-04:00 +00:00";
        assert!(at(night, datetime!(2026-11-26 23:00 UTC)) && at(night, datetime!(2026-11-27 03:59 UTC)));
        assert!(!at(night, datetime!(2026-11-27 04:00 UTC)) && !at(night, datetime!(2026-11-26 03:00 UTC)));
        assert!(at("sun 22:00-04:00 +00:00", datetime!(2026-11-30 01:00 UTC)), "over the week's end");
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for bad in [
            "",
            "mon",
            "mon 07:00-19:00",
            "mon 07:00-07:00 +00:00",
            "mon 7:00-19:00 +00:00",
            "mon 07:00-25:00 +00:00",
            "day 07:00-19:00 +00:00",
            "mon 24:00-07:00 +00:00",
            "mon 07:00-19:00 01:00",
            "mon 07:00-19:00 +15:00",
            "mon 07:00-19:00 +00:00 x",
            "é 07:00-19:00 +00:00",
        ] {
            assert!(bad.parse::<Weekly>().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn it_reads_what_it_writes(days in 1u8..128, from in 0u16..1440, until in 1u16..=1440, offset in -840i16..=840) {
            prop_assume!(from != until);
            let w = Weekly { days, from, until, offset };
            prop_assert_eq!(w.to_string().parse::<Weekly>(), Ok(w));
        }
    }
}

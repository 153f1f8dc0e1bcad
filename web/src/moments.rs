//! Time as people say it, with the exact moment on hover. Pages are rendered in UTC; the browser's script turns
//! clock times into the reader's own zone.
use anteroom_domain::Moment;
use askama::{FastWritable, filters::HtmlSafe};
use std::fmt;
use time::{Duration, macros::format_description};

/// "now", read once for a page so that all of it agrees.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now(pub(crate) Moment);

impl Now {
    pub(crate) fn read() -> Self {
        Self(Moment::now_utc())
    }

    pub(crate) fn moment(&self) -> &Moment {
        &self.0
    }

    /// "in 12 minutes", "3 hours ago".
    pub(crate) fn rel(&self, at: &Moment) -> When {
        When { at: *at, words: relative(*at, self.0), kind: "rel" }
    }

    /// "today 14:00 UTC".
    pub(crate) fn clock(&self, at: &Moment) -> When {
        When { at: *at, words: clock(*at, self.0), kind: "clock" }
    }

    /// "today 14:00 to 16:00 UTC"; each end is a moment of its own.
    pub(crate) fn window(&self, from: &Moment, until: &Moment) -> Window {
        Window { from: self.clock(from), until: self.clock(until), words_until: until_words(*from, *until, self.0) }
    }
}

/// A `<time>` element.
#[derive(Debug, Clone)]
pub(crate) struct When {
    at: Moment,
    words: String,
    kind: &'static str,
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        element(f, self.at, self.kind, &self.words)
    }
}
// Made of numbers and our own words only, so there is nothing to escape.
impl HtmlSafe for When {}
impl FastWritable for When {
    fn write_into(&self, dest: &mut dyn fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
        Ok(write!(dest, "{self}")?)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Window {
    from: When,
    until: When,
    words_until: String,
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The zone is said once, at the end.
        let from = self.from.words.trim_end_matches(" UTC");
        f.write_str("<span class=\"window\">")?;
        element(f, self.from.at, "from", from)?;
        f.write_str(" to ")?;
        element(f, self.until.at, "until", &self.words_until)?;
        f.write_str("</span>")
    }
}
impl HtmlSafe for Window {}
impl FastWritable for Window {
    fn write_into(&self, dest: &mut dyn fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
        Ok(write!(dest, "{self}")?)
    }
}

fn element(f: &mut fmt::Formatter<'_>, at: Moment, kind: &str, words: &str) -> fmt::Result {
    write!(f, "<time datetime=\"{}\" title=\"{}\" data-as=\"{kind}\">{words}</time>", iso(at), exact(at))
}

/// RFC 3339 in UTC, whole seconds.
pub(crate) fn iso(at: Moment) -> String {
    at.to_offset(time::UtcOffset::UTC).format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z")).unwrap_or_default()
}

/// "23 November 2026 15:40:34 UTC".
pub(crate) fn exact(at: Moment) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    at.format(format_description!("[day padding:none] [month repr:long] [year] [hour]:[minute]:[second] UTC")).unwrap_or_default()
}

pub(crate) fn relative(at: Moment, now: Moment) -> String {
    let d = at - now;
    let words = duration(d.abs());
    match (d.is_negative(), words.as_str()) {
        (_, "a moment") => "just now".into(),
        (false, w) => format!("in {w}"),
        (true, w) => format!("{w} ago"),
    }
}

/// "12 minutes", "3 hours", "2 days"; under 10 seconds "a moment".
pub(crate) fn duration(d: Duration) -> String {
    let s = d.whole_seconds().max(0);
    let (n, unit) = match s {
        0..10 => return "a moment".into(),
        10..60 => (s, "second"),
        60..3_570 => ((s + 30) / 60, "minute"),
        3_570..84_600 => ((s + 1_800) / 3_600, "hour"),
        _ => ((s + 43_200) / 86_400, "day"),
    };
    if n == 1 { format!("1 {unit}") } else { format!("{n} {unit}s") }
}

fn hour_minute(at: Moment) -> String {
    at.format(format_description!("[hour]:[minute]")).unwrap_or_default()
}

fn day(at: Moment, now: Moment) -> String {
    let days = (at.date() - now.to_offset(time::UtcOffset::UTC).date()).whole_days();
    match days {
        0 => "today".into(),
        1 => "tomorrow".into(),
        -1 => "yesterday".into(),
        _ if at.year() == now.year() => at.format(format_description!("[day padding:none] [month repr:long]")).unwrap_or_default(),
        _ => at.format(format_description!("[day padding:none] [month repr:long] [year]")).unwrap_or_default(),
    }
}

fn clock(at: Moment, now: Moment) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    format!("{} {} UTC", day(at, now), hour_minute(at))
}

fn until_words(from: Moment, until: Moment, now: Moment) -> String {
    let (from, until) = (from.to_offset(time::UtcOffset::UTC), until.to_offset(time::UtcOffset::UTC));
    if from.date() == until.date() { format!("{} UTC", hour_minute(until)) } else { clock(until, now) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;
    const NOW: Moment = datetime!(2026-11-23 12:00:00 UTC);

    #[test]
    fn moments_are_said_as_people_say_them() {
        for (seconds, words) in [
            (3, "just now"),
            (45, "in 45 seconds"),
            (720, "in 12 minutes"),
            (-60, "1 minute ago"),
            (3_599, "in 1 hour"),
            (-7_200, "2 hours ago"),
            (86_400 * 3, "in 3 days"),
        ] {
            assert_eq!(relative(NOW + Duration::seconds(seconds), NOW), words);
        }
    }

    #[test]
    fn a_window_names_its_day_once_and_carries_exact_moments() {
        let html = Now(NOW).window(&datetime!(2026-11-23 14:00 UTC), &datetime!(2026-11-23 16:00 UTC)).to_string();
        assert!(html.contains(">today 14:00</time> to "), "{html}");
        assert!(html.contains("datetime=\"2026-11-23T16:00:00Z\" title=\"23 November 2026 16:00:00 UTC\""), "{html}");
        let html = Now(NOW).window(&datetime!(2026-11-23 22:00 UTC), &datetime!(2026-11-24 2:00 UTC)).to_string();
        assert!(html.contains(">tomorrow 02:00 UTC</time>"), "{html}");
    }
}

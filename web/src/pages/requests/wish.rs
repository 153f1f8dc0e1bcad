//! What the request form says, from text to checked values, with a sentence for each field that cannot be understood.
use super::choice::Choice;
use anteroom_approvals::{Also, RequestForm};
use anteroom_domain::{AccountName, Moment, NameError, Reason, TargetName, TicketNumber};
use serde::Deserialize;
use time::{Duration, PrimitiveDateTime, macros::format_description};

/// The fields as they came; also what the form is filled with again after an error.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wish {
    pub(crate) target: String,
    pub(crate) account: String,
    pub(crate) reason: String,
    /// Hours from now, or "custom".
    pub(crate) window: String,
    /// In UTC. The `_utc` twins are filled by the script from what was typed in local time; without it the plain fields are UTC.
    pub(crate) from: String,
    pub(crate) until: String,
    pub(crate) from_utc: String,
    pub(crate) until_utc: String,
    /// More logins, `account@target`, one a line.
    pub(crate) also: String,
    pub(crate) ticket: String,
    /// Following weeks with the same time.
    pub(crate) weeks: String,
    /// A grant's id.
    pub(crate) extends: String,
    #[serde(flatten)]
    pub(crate) choice: Choice,
}

/// A field and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) field: &'static str,
    pub(crate) text: String,
}

pub(crate) fn wrong(field: &'static str, text: impl Into<String>) -> Wrong {
    Wrong { field, text: text.into() }
}

impl Wish {
    pub(crate) fn read(&self, now: Moment) -> Result<RequestForm, Vec<Wrong>> {
        let mut bad = Vec::new();
        let target = keep(&mut bad, "target", TargetName::new(self.target.trim()));
        let account = keep(&mut bad, "account", AccountName::new(self.account.trim()));
        // Forms send line breaks as CR LF.
        let reason = keep(&mut bad, "reason", Reason::new(self.reason.replace("\r\n", "\n").trim()));
        let capabilities = self.choice.read(&mut bad);
        let window = self.window(now).map_err(|w| bad.push(w)).ok();
        let also = self.also(&mut bad);
        match (target, account, reason, capabilities, window) {
            (Some(target), Some(account), Some(reason), Some(capabilities), Some((from, until))) if bad.is_empty() => {
                Ok(RequestForm { target, account, reason, from, until, capabilities, also })
            }
            _ => Err(bad),
        }
    }

    fn also(&self, bad: &mut Vec<Wrong>) -> Also {
        let mut also = Also::default();
        for line in self.also.lines().map(str::trim).filter(|l| !l.is_empty()) {
            let login = line.rsplit_once('@').and_then(|(a, t)| Some((TargetName::new(t).ok()?, AccountName::new(a).ok()?)));
            match login {
                Some(login) => also.more.push(login),
                None => bad.push(wrong("also", "write each login as account@target, one a line")),
            }
        }
        let ticket = self.ticket.trim();
        if !ticket.is_empty() {
            also.ticket = keep(bad, "ticket", TicketNumber::new(ticket));
        }
        let weeks = self.weeks.trim();
        if !weeks.is_empty() {
            match weeks.parse() {
                Ok(n) => also.weeks = n,
                Err(_) => bad.push(wrong("weeks", "the number of following weeks is a whole number")),
            }
        }
        if !self.extends.is_empty() {
            match self.extends.parse() {
                Ok(grant) => also.extends = Some(grant),
                Err(_) => bad.push(wrong("until", "there is no such grant to extend")),
            }
        }
        also
    }

    /// What a date field shows again after an error: UTC, which the script turns back into local time.
    pub(crate) fn shown_from(&self) -> &str {
        if self.from_utc.is_empty() { &self.from } else { &self.from_utc }
    }
    pub(crate) fn shown_until(&self) -> &str {
        if self.until_utc.is_empty() { &self.until } else { &self.until_utc }
    }

    fn window(&self, now: Moment) -> Result<(Option<Moment>, Moment), Wrong> {
        if self.window != "custom" {
            let hours = self.window.parse::<i64>().ok().filter(|h| (1..=24).contains(h));
            let hours = hours.ok_or_else(|| wrong("window", "choose for how long you need access"))?;
            return Ok((None, now + Duration::hours(hours)));
        }
        let (from, until) = (self.shown_from(), self.shown_until());
        let from =
            if from.is_empty() { None } else { Some(moment(from).ok_or_else(|| wrong("from", "the start is not a date and time"))?) };
        let until = moment(until).ok_or_else(|| wrong("until", "enter the date and time when you will be done"))?;
        Ok((from, until))
    }
}

fn keep<T>(bad: &mut Vec<Wrong>, field: &'static str, read: Result<T, NameError>) -> Option<T> {
    read.map_err(|e| {
        bad.push(match e {
            NameError::Empty { .. } => wrong(field, if field == "reason" { "say why you need access" } else { "this is needed" }),
            e => wrong(field, e.to_string()),
        });
    })
    .ok()
}

/// `2026-11-23T14:00`, as a datetime-local field writes it, some with seconds; in UTC.
fn moment(text: &str) -> Option<Moment> {
    let minutes = format_description!("[year]-[month]-[day]T[hour]:[minute]");
    let seconds = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    PrimitiveDateTime::parse(text, minutes).or_else(|_| PrimitiveDateTime::parse(text, seconds)).ok().map(PrimitiveDateTime::assume_utc)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use time::macros::datetime;
    const NOW: Moment = datetime!(2026-11-23 12:00 UTC);

    fn wish() -> Wish {
        Wish {
            target: " ehr-db-1 ".into(),
            account: "root".into(),
            reason: "upgrade\r\nfor ward 4".into(),
            window: "1".into(),
            ..Default::default()
        }
    }

    #[test]
    fn for_one_hour_means_from_now() {
        let f = wish().read(NOW).unwrap();
        assert_eq!((f.from, f.until), (None, datetime!(2026-11-23 13:00 UTC)));
        assert_eq!((f.target.as_str(), f.reason.as_str()), ("ehr-db-1", "upgrade\nfor ward 4"));
    }

    #[test]
    fn several_logins_a_ticket_and_following_weeks_are_read() {
        let f = Wish { also: " service@mri-3 \r\nDOM\\x@ct-2\n\n".into(), ticket: "CHG-4711".into(), weeks: "3".into(), ..wish() };
        let also = f.read(NOW).unwrap().also;
        let logins: Vec<_> = also.more.iter().map(|(t, a)| format!("{a}@{t}")).collect();
        assert_eq!(logins, ["service@mri-3", "DOM\\x@ct-2"]);
        assert_eq!((also.ticket.unwrap().as_str(), also.weeks), ("CHG-4711", 3));
        let bad = Wish { also: "mri-3".into(), ticket: "no spaces please".into(), weeks: "many".into(), extends: "x".into(), ..wish() };
        let fields: Vec<_> = bad.read(NOW).unwrap_err().into_iter().map(|w| w.field).collect();
        assert_eq!(fields, ["also", "ticket", "weeks", "until"]);
    }

    #[test]
    fn own_times_work_with_and_without_scripts() {
        let plain = Wish { window: "custom".into(), until: "2026-11-23T16:00".into(), ..wish() };
        assert_eq!(plain.read(NOW).unwrap().until, datetime!(2026-11-23 16:00 UTC));
        let scripted =
            Wish { from: "2026-11-23T15:00".into(), from_utc: "2026-11-23T14:00".into(), until_utc: "2026-11-23T15:30".into(), ..plain };
        let f = scripted.read(NOW).unwrap();
        assert_eq!((f.from, f.until), (Some(datetime!(2026-11-23 14:00 UTC)), datetime!(2026-11-23 15:30 UTC)));
    }

    #[test]
    fn each_field_that_cannot_be_understood_is_named() {
        let bad =
            Wish { target: "../x".into(), account: "-o".into(), reason: "x".repeat(2_001), window: "99".into(), ..Default::default() };
        let fields: Vec<_> = bad.read(NOW).unwrap_err().into_iter().map(|w| w.field).collect();
        assert_eq!(fields, ["target", "account", "reason", "window"]);
        let long = Wish { reason: "x".repeat(2_001), ..wish() }.read(NOW).unwrap_err();
        assert_eq!(long[0].text, "reason has 2001 characters; at most 2000 are allowed");
        let never = Wish { window: "custom".into(), until: "tomorrow".into(), ..wish() }.read(NOW).unwrap_err();
        assert_eq!(never[0].field, "until");
    }
}

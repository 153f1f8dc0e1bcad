//! A case that somebody thinks of, as a form has it.
use anteroom_approvals::WhatIf;
use anteroom_domain::{AccountName, Capabilities, Handle, Moment, TargetName};
use anteroom_policy::{
    Ask,
    pdp::{Factor, FactorKind},
};
use std::net::IpAddr;
use time::{Duration, PrimitiveDateTime, macros::format_description};

/// Longest that can be asked about, minutes.
const MOST_MINUTES: u32 = 60 * 24 * 366;

/// What somebody typed. Empty fields say nothing.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Fields {
    pub(crate) ask: String,
    pub(crate) person: String,
    pub(crate) target: String,
    pub(crate) account: String,
    /// As browsers send a local time; here UTC.
    pub(crate) at: String,
    pub(crate) from: String,
    pub(crate) key: String,
    /// `passkey`, `certificate`, ...; `none`.
    pub(crate) factor: String,
    /// Its age, minutes.
    pub(crate) age: String,
    pub(crate) minutes: String,
    /// One a line; empty: the usual ones.
    pub(crate) capabilities: String,
    pub(crate) emergency: String,
}

impl Fields {
    pub(crate) fn is_empty(&self) -> bool {
        self.person.trim().is_empty() && self.target.trim().is_empty()
    }

    pub(crate) fn asks(&self, ask: &str) -> bool {
        if self.ask.is_empty() { ask == Ask::Connect.as_str() } else { self.ask == ask }
    }

    pub(crate) fn has_factor(&self, factor: &str) -> bool {
        if self.factor.is_empty() { factor == FactorKind::Passkey.as_str() } else { self.factor == factor }
    }

    /// Or which field is wrong, in words.
    pub(crate) fn read(&self) -> Result<WhatIf, String> {
        let told = |field: &'static str| move |e: &dyn std::fmt::Display| format!("{field}: {e}");
        let number = |field: &'static str, text: &str, usual: u32| match text.trim() {
            "" => Ok(usual),
            t => t.parse().ok().filter(|n| *n <= MOST_MINUTES).ok_or_else(|| format!("{field}: a number of minutes")),
        };
        let ask = if self.ask.is_empty() { Ok(Ask::Connect) } else { self.ask.parse() };
        let account = if self.account.trim().is_empty() { "root" } else { self.account.trim() };
        let from = self.from.trim();
        let factor = match self.factor.as_str() {
            "none" => None,
            "" => Some(FactorKind::Passkey),
            name => Some(name.parse().map_err(|_| "Second factor: choose one of the list")?),
        };
        let age = number("Age of the second factor", &self.age, 0)?;
        Ok(WhatIf {
            ask: ask.map_err(|e| told("What")(&e))?,
            person: Handle::new(self.person.trim()).map_err(|e| told("Person")(&e))?,
            target: TargetName::new(self.target.trim()).map_err(|e| told("Target")(&e))?,
            account: AccountName::new(account).map_err(|e| told("Account")(&e))?,
            at: moment(self.at.trim())?,
            comes_from: match from {
                "" => None,
                text => Some(text.parse::<IpAddr>().map_err(|_| "Address: an IP address like 10.1.2.3")?),
            },
            key: Some(self.key.trim().to_owned()).filter(|k| !k.is_empty()),
            factor: factor.map(|kind| Factor { kind, age: Duration::minutes(age.into()) }),
            capabilities: match self.capabilities.trim() {
                "" => None,
                some => {
                    let lines = some.lines().map(str::trim).filter(|l| !l.is_empty());
                    Some(Capabilities::parse(lines).map_err(|e| told("What for")(&e))?)
                }
            },
            minutes: number("For how long", &self.minutes, 60)?,
            emergency: !self.emergency.is_empty(),
        })
    }
}

fn moment(text: &str) -> Result<Option<Moment>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    let minutes = text.get(..16).unwrap_or(text);
    let read = PrimitiveDateTime::parse(minutes, format_description!("[year]-[month]-[day]T[hour]:[minute]"));
    read.map(|t| Some(t.assume_utc())).map_err(|_| "When: a day and a time like 2026-11-27T02:00")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn little_is_enough_and_what_is_wrong_is_named() {
        let little = Fields { person: "ada".into(), target: " mri-3 ".into(), ..Fields::default() };
        let q = little.read().unwrap();
        assert_eq!((q.ask, q.account.as_str(), q.minutes, q.at), (Ask::Connect, "root", 60, None));
        assert_eq!((q.factor, q.capabilities), (Some(Factor::NEW_PASSKEY), None));
        let all = Fields {
            at: "2026-11-27T02:00".into(),
            from: "10.1.2.3".into(),
            factor: "none".into(),
            emergency: "yes".into(),
            capabilities: "shell\r\n\n download:/var/log/*;max=1MiB ".into(),
            ..little.clone()
        };
        let q = all.read().unwrap();
        assert_eq!(q.at, Some(time::macros::datetime!(2026-11-27 02:00 UTC)));
        assert!(q.factor.is_none() && q.emergency && q.comes_from.is_some());
        assert_eq!(q.capabilities, Some(Capabilities::parse(["shell", "download:/var/log/*;max=1MiB"]).unwrap()));
        let older = Fields { factor: "certificate".into(), age: "50".into(), ..little.clone() };
        assert_eq!(older.read().unwrap().factor, Some(Factor { kind: FactorKind::Certificate, age: Duration::minutes(50) }));
        type Change = fn(&mut Fields);
        let wrong: [(Change, &str); 8] = [
            (|f| f.person = "A b".into(), "Person:"),
            (|f| f.target = String::new(), "Target:"),
            (|f| f.at = "é2026-11-27T02:00".into(), "When:"),
            (|f| f.from = "10.0.0.0/8".into(), "Address:"),
            (|f| f.age = "-1".into(), "Age"),
            (|f| f.factor = "otp".into(), "Second factor:"),
            (|f| f.ask = "fly".into(), "What:"),
            (|f| f.capabilities = "shell\nfly".into(), "What for:"),
        ];
        for (change, said) in wrong {
            let mut f = little.clone();
            change(&mut f);
            assert!(f.read().unwrap_err().starts_with(said), "{said}");
        }
    }
}

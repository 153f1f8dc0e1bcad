//! `@supervise`, `@longest("4h")` and the others, read once when a policy is loaded.
use anteroom_domain::{AtEnd, Capabilities, Capability, GroupName, Obligations, Quorum, request::MAX_GRANT};

/// What a policy says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Notes {
    pub(super) id: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) obligations: Obligations,
    /// `@pause`, on a forbid.
    pub(super) pauses: bool,
    /// The first annotation that asks for something.
    pub(super) obliges: Option<String>,
}

/// An annotation that means nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bad {
    pub(super) key: String,
    pub(super) what: String,
    pub(super) hint: &'static str,
}

/// Longest text for people.
const MAX_REASON: usize = 300;
/// Most people a quorum may ask for.
const MAX_APPROVERS: u8 = 10;
/// Longest age of a second factor and longest time a supervisor may add.
const MAX_FACTOR_AGE: u32 = 24 * 3600;
const MAX_AT_END: u32 = 8 * 60;

pub(super) fn read<'a>(annotations: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Notes, Vec<Bad>> {
    let (mut notes, mut bad) = (Notes::default(), Vec::new());
    for (key, value) in annotations {
        if let Err((what, hint)) = one(&mut notes, key, value.trim()) {
            bad.push(Bad { key: key.into(), what, hint });
        }
    }
    if bad.is_empty() { Ok(notes) } else { Err(bad) }
}

fn one(notes: &mut Notes, key: &str, value: &str) -> Result<(), (String, &'static str)> {
    let o = &mut notes.obligations;
    match key {
        "id" => {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_' || c == '.';
            if value.is_empty() || value.len() > 64 || !value.chars().all(plain) {
                return Err(("@id is no name".into(), "a-z, 0-9, '-', '_' and '.', at most 64, for example @id(\"vendors-own-devices\")"));
            }
            notes.id = Some(value.into());
            return Ok(());
        }
        "reason" => {
            if value.is_empty() || value.chars().count() > MAX_REASON || value.chars().any(char::is_control) {
                return Err((format!("@reason is empty or longer than {MAX_REASON}"), "one line that the person will read"));
            }
            notes.reason = Some(value.into());
            return Ok(());
        }
        "pause" => {
            notes.pauses = flag(key, value)?;
            return Ok(());
        }
        "supervise" => o.supervise = flag(key, value)?,
        "live_mask" => o.live_mask = flag(key, value)?,
        "ticket" => o.ticket = flag(key, value)?,
        "ordered" => o.ordered = flag(key, value)?,
        "approvals" => {
            const HINT: &str = "for example @approvals(\"1 of clinical-engineering, 1\"): one of that group, and one approver";
            o.approvals = quorums(value).ok_or_else(|| (format!("@approvals says {value:?}"), HINT))?;
        }
        "factor_age" => {
            const HINT: &str = "a time up to 24h, for example @factor_age(\"15m\"); \"0s\" is a passkey for each connection";
            let age = seconds(value).filter(|s| *s <= MAX_FACTOR_AGE);
            o.factor_age = Some(age.ok_or_else(|| (format!("@factor_age says {value:?}"), HINT))?);
        }
        "longest" => {
            const HINT: &str = "a time from 1m to 24h, for example @longest(\"4h\")";
            let most = u32::try_from(MAX_GRANT.whole_seconds()).unwrap_or(u32::MAX);
            let span = seconds(value).filter(|s| (60..=most).contains(s) && s % 60 == 0);
            o.longest = Some(span.ok_or_else(|| (format!("@longest says {value:?}"), HINT))? / 60);
        }
        "capabilities" => {
            const HINT: &str = "as in a request, for example @capabilities(\"shell, exec:systemctl *, download:/var/log/**\")";
            let parsed = Capabilities::parse(value.split(',')).map_err(|e| (format!("@capabilities: {e}"), HINT))?;
            // A desktop's parts need it; a ceiling without it would be one that looks wider than it is.
            let part = |c: &Capability| !c.fits(anteroom_domain::Protocol::Ssh) && *c != Capability::Desktop;
            if parsed.0.iter().any(part) && !parsed.desktop() {
                return Err(("@capabilities names parts of a desktop without desktop".into(), "add desktop"));
            }
            o.capabilities = Some(parsed);
        }
        "at_end" => {
            const HINT: &str = "@at_end(\"cut\"), or @at_end(\"supervisor 10m\"): whoever watches decides, for at most 10 minutes";
            o.at_end = Some(at_end(value).ok_or_else(|| (format!("@at_end says {value:?}"), HINT))?);
        }
        "at_once" => {
            let n = value.parse().ok().filter(|n: &u16| *n > 0);
            const HINT: &str = "how many sessions at the same time, for example @at_once(\"1\")";
            o.at_once = Some(n.ok_or_else(|| (format!("@at_once says {value:?}"), HINT))?);
        }
        _ => {
            const ALL: &str = "there are @id, @reason, @pause, @supervise, @live_mask, @ticket, @ordered, @approvals, @factor_age, @longest, \
                               @capabilities, @at_end and @at_once";
            return Err((format!("unknown annotation @{key}"), ALL));
        }
    }
    notes.obliges.get_or_insert_with(|| key.into());
    Ok(())
}

fn flag(key: &str, value: &str) -> Result<bool, (String, &'static str)> {
    if value.is_empty() { Ok(true) } else { Err((format!("@{key} takes no value"), "leave the parentheses away")) }
}

fn quorums(value: &str) -> Option<Vec<Quorum>> {
    let mut all: Vec<Quorum> = Vec::new();
    for part in value.split(',') {
        let (count, group) = match part.trim().split_once(" of ") {
            Some((n, g)) => (n, Some(GroupName::new(g.trim()).ok()?)),
            None => (part.trim(), None),
        };
        let count = count.trim().parse().ok().filter(|n| (1..=MAX_APPROVERS).contains(n))?;
        if all.iter().any(|q| q.group == group) {
            return None;
        }
        all.push(Quorum { group, count });
    }
    Some(all)
}

fn at_end(value: &str) -> Option<AtEnd> {
    if value == "cut" {
        return Some(AtEnd::Cut);
    }
    let span = seconds(value.strip_prefix("supervisor ")?.trim())?;
    let minutes = Some(span / 60).filter(|m| span % 60 == 0 && (1..=MAX_AT_END).contains(m))?;
    Some(AtEnd::SupervisorDecides { minutes: u16::try_from(minutes).ok()? })
}

/// `90s`, `15m`, `4h`.
fn seconds(value: &str) -> Option<u32> {
    let (digits, factor) = match value.char_indices().next_back()? {
        (i, 's') => (&value[..i], 1),
        (i, 'm') => (&value[..i], 60),
        (i, 'h') => (&value[..i], 3600),
        _ => return None,
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u32>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_annotation_is_read_and_a_bad_value_is_told_with_an_example() {
        let good = [
            ("id", "a-1"),
            ("reason", "Because."),
            ("supervise", ""),
            ("live_mask", ""),
            ("ticket", ""),
            ("ordered", ""),
            ("approvals", "1 of clinical-engineering, 2"),
            ("factor_age", "0s"),
            ("longest", "4h"),
            ("capabilities", "shell, exec:ls *"),
            ("at_end", "supervisor 10m"),
            ("at_once", "1"),
        ];
        let n = read(good.into_iter()).unwrap();
        let o = n.obligations;
        assert!(o.supervise && o.live_mask && o.ticket && o.ordered);
        assert_eq!(o.approvals.iter().map(ToString::to_string).collect::<Vec<_>>(), ["1 of clinical-engineering", "2 approvers"]);
        assert_eq!((o.factor_age, o.longest, o.at_once), (Some(0), Some(240), Some(1)));
        assert_eq!(o.at_end, Some(AtEnd::SupervisorDecides { minutes: 10 }));
        assert_eq!(o.capabilities.unwrap().names(), ["shell", "exec:ls *"]);
        for (key, value) in [
            ("superwise", ""),
            ("supervise", "yes"),
            ("approvals", "0"),
            ("approvals", "1, 2"),
            ("approvals", "two"),
            ("approvals", "99"),
            ("factor_age", "25h"),
            ("factor_age", "-1s"),
            ("longest", "25h"),
            ("longest", "0m"),
            ("longest", "61s"),
            ("longest", "4 hours"),
            ("longest", "99999999999999999999h"),
            ("capabilities", "root"),
            ("capabilities", "drives"),
            ("at_end", "maybe"),
            ("at_end", "supervisor"),
            ("at_once", "0"),
            ("id", "A b"),
            ("reason", ""),
        ] {
            let bad = read([(key, value)].into_iter()).unwrap_err();
            assert!(bad.len() == 1 && bad[0].key == key && !bad[0].hint.is_empty(), "{key} {value}");
        }
    }
}

//! What people read in their terminal. Lines end with CR LF: a terminal may be in raw mode.
use anteroom_approvals::StepUpAsked;
use anteroom_domain::Moment;
use anteroom_policy::Refusal;
use std::{fmt::Display, fmt::Write as _, net::IpAddr};
use url::Url;

pub(super) fn confirm(portal: &Url, asked: &StepUpAsked, user: &str, source: IpAddr) -> String {
    let link = link(portal, &format!("step-up/{}", asked.id));
    format!(
        "\nConfirm this connection with your passkey:\n\n    {link}\n\n    Number: {}\n\nThe page shows the same number, {} and the address {source}.\nIf it does not, somebody else is connecting: refuse it there.\nWhat you do there is recorded. Waiting up to 2 minutes ...\n",
        asked.number,
        printable(user),
    )
}

pub(super) fn no_access(why: &Refusal, account: &str, target: &str, may_ask: bool, portal: &Url) -> String {
    let mut s = format!("anteroom: {why}: {}@{}\r\n", printable(account), printable(target));
    if let Refusal::NotYet { from } = why {
        s = format!("anteroom: your grant for {}@{} starts at {}\r\n", printable(account), printable(target), clock(*from));
    } else if may_ask {
        let mut ask = portal.clone();
        ask.set_path("/requests/new");
        ask.query_pairs_mut().append_pair("target", &printable(target)).append_pair("account", &printable(account));
        let _ = write!(s, "Ask for access: {ask}\r\n");
    }
    s
}

pub(super) fn refused(why: &impl Display) -> String {
    format!("anteroom: new sessions are refused: {why}\r\n")
}

pub(super) fn ended(reason: &impl Display) -> String {
    format!("\r\nanteroom: this session has ended: {reason}\r\n")
}

/// A line on its own in whatever stands on the screen. The text comes from `Notices`, which let no control character pass.
pub(super) fn message(text: &str) -> String {
    format!("\r\n\x1b[7m anteroom: {} \x1b[0m\r\n", text)
}

/// What is recorded, before anything else stands in a terminal.
pub(super) fn recorded(grant_ends: Moment) -> String {
    format!("anteroom: what you see and type is recorded, sealed. Your grant ends {}.", clock(grant_ends))
}

/// Said where policy masks.
pub(super) const MASKED: &str =
    "anteroom: patient data is masked in what you see here. To see it, ask for a grant with the capability unmask.";

fn link(portal: &Url, path: &str) -> String {
    let mut u = portal.clone();
    u.set_path(path);
    u.into()
}

fn clock(m: Moment) -> String {
    let m = m.to_offset(time::UtcOffset::UTC);
    format!("{} {:02}:{:02} UTC", m.date(), m.hour(), m.minute())
}

/// What strangers typed comes back only as plain text: no escape sequence may act on a terminal.
pub(super) fn printable(s: &str) -> String {
    s.chars().filter(|c| !c.is_control()).take(128).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_first_line_says_what_is_recorded_and_until_when() {
        let said = recorded(time::macros::datetime!(2026-11-25 23:09:59 +1));
        assert_eq!(said, "anteroom: what you see and type is recorded, sealed. Your grant ends 2026-11-25 22:09 UTC.");
    }

    #[test]
    fn what_a_stranger_typed_cannot_act_on_the_terminal() {
        let t = no_access(&Refusal::NoSuchAccess, "\x1b]52;c;eA\x07root", "db", true, &"https://portal.example/".parse().unwrap());
        assert!(!t.contains('\x1b') && !t.contains('\x07'), "{t}");
        assert!(t.contains("https://portal.example/requests/new?target=db&account="), "{t}");
    }
}

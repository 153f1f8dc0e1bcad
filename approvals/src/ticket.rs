//! A ticket: a user name and a secret that open one RDP session, once. What it is, and what it is worth at a moment; pure.
use crate::{TicketRefusal, clock, store::tickets::Found};
use anteroom_domain::{Moment, Secret, SessionId, TicketId};
use anteroom_policy::Permit;
use zeroize::Zeroize;

/// What can't be taken for something else when it is read and typed: no i, l, o, 0 and 1.
const ALPHABET: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
const NAME_LEN: usize = 10;
/// 28 characters of 31 are 138 bits.
const GROUPS: usize = 7;
const GROUP_LEN: usize = 4;

/// A ticket that was just made. The secret is in no log and no table in clear; it can't be shown again.
#[derive(Debug)]
pub struct IssuedTicket {
    /// The user name, `t-` and ten letters and digits; no secret.
    pub name: String,
    /// The password: groups of four with hyphens between them, which belong to it.
    pub secret: Secret<String>,
    pub expires_at: Moment,
}

/// What somebody's user name stands for, or seems to: for an unknown name the secret is one that nobody knows.
#[derive(Debug)]
pub struct Ticket {
    pub(crate) name: String,
    pub(crate) secret: Secret<String>,
    pub(crate) known: Result<Known, TicketRefusal>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) id: TicketId,
    pub(crate) session: Option<SessionId>,
}

impl Ticket {
    /// As the log names it: what was given as user name, if it could be a ticket's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What NTLM has to be proven with.
    pub fn secret(&self) -> &Secret<String> {
        &self.secret
    }

    /// Whether this is its secret, where it is sent in clear over TLS. In constant time.
    pub fn opens(&self, given: &Secret<String>) -> bool {
        self.secret == *given && self.known.is_ok()
    }

    /// The session it has opened and may open again. To be believed only when the secret has been proven.
    pub fn session(&self) -> Option<SessionId> {
        self.known.as_ref().ok().and_then(|k| k.session)
    }
}

/// A ticket that was used.
#[derive(Debug)]
pub struct Redeemed {
    pub permit: Permit,
    /// The permit is for a session that waits for its client to come back.
    pub again: bool,
}

/// What a ticket is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worth {
    First,
    /// Its session runs; it may be opened again if its client has gone away.
    Session {
        session: SessionId,
        waits: bool,
    },
}

/// For a client at `source`. The address is looked at first: nobody elsewhere learns what became of a ticket.
pub(crate) fn worth(f: &Found, source: &str, now: Moment) -> Result<Worth, TicketRefusal> {
    let t = &f.ticket;
    if t.source != source {
        return Err(TicketRefusal::Address);
    }
    if t.voided {
        return Err(TicketRefusal::Voided);
    }
    match t.session {
        None if now >= t.expires_at => Err(TicketRefusal::Expired),
        None => Ok(Worth::First),
        Some(_) if !f.open => Err(TicketRefusal::Over),
        Some(session) => match t.reopens_until {
            None => Ok(Worth::Session { session, waits: false }),
            Some(until) if now < until => Ok(Worth::Session { session, waits: true }),
            Some(_) => Err(TicketRefusal::Over),
        },
    }
}

fn letters(n: usize) -> String {
    let mut out = String::with_capacity(n + n / GROUP_LEN);
    while out.len() < n {
        let mut bytes = clock::random::<32>();
        // The 32nd value is thrown away: no letter is likelier than another.
        out.extend(bytes.iter().filter_map(|b| ALPHABET.get(usize::from(b & 31))).map(|b| char::from(*b)).take(n - out.len()));
        bytes.zeroize();
    }
    out
}

pub(crate) fn new_name() -> String {
    format!("t-{}", letters(NAME_LEN))
}

pub(crate) fn new_secret() -> Secret<String> {
    let mut plain = letters(GROUPS * GROUP_LEN);
    let mut secret = String::with_capacity(plain.len() + GROUPS);
    for (i, c) in plain.chars().enumerate() {
        if i > 0 && i % GROUP_LEN == 0 {
            secret.push('-');
        }
        secret.push(c);
    }
    plain.zeroize();
    Secret::new(secret)
}

/// The name as it is stored, from what somebody typed; none if no ticket can be called so.
pub(crate) fn read_name(typed: &str) -> Option<String> {
    let name = typed.trim().to_ascii_lowercase();
    let letters = name.strip_prefix("t-")?;
    (letters.len() == NAME_LEN && letters.bytes().all(|b| ALPHABET.contains(&b))).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{targets::Sealed, tickets};
    use anteroom_domain::{GrantId, PersonId, StepUpId};
    use time::Duration;
    use uuid::Uuid;

    const NOW: Moment = time::macros::datetime!(2026-11-26 12:00 UTC);

    fn found() -> Found {
        let id = Uuid::from_u128;
        Found {
            ticket: tickets::Ticket {
                id: TicketId(id(1)),
                name: new_name(),
                person: PersonId(id(2)),
                grant: GrantId(id(3)),
                step_up: StepUpId(id(4)),
                source: "10.0.0.7".into(),
                issued_at: NOW,
                expires_at: NOW + Duration::MINUTE,
                voided: false,
                session: None,
                reopens_until: None,
            },
            target: "mri-3".into(),
            account: "service".into(),
            open: false,
            sealed: Sealed { kind: "ticket".into(), key_version: 1, nonce: vec![], sealed: vec![] },
        }
    }
    fn used(open: bool, reopens_until: Option<Moment>) -> Found {
        let mut f = found();
        f.ticket.session = Some(SessionId(Uuid::from_u128(9)));
        (f.open, f.ticket.reopens_until) = (open, reopens_until);
        f
    }
    fn at(f: &Found, seconds: i64) -> Result<Worth, TicketRefusal> {
        worth(f, "10.0.0.7", NOW + Duration::seconds(seconds))
    }

    #[test]
    fn a_ticket_is_good_until_its_time_is_over_and_from_one_address() {
        let mut f = found();
        assert_eq!(at(&f, 0), Ok(Worth::First));
        assert_eq!(at(&f, 59), Ok(Worth::First));
        assert_eq!(at(&f, 60), Err(TicketRefusal::Expired));
        assert_eq!(worth(&f, "10.0.0.8", NOW), Err(TicketRefusal::Address));
        f.ticket.voided = true;
        assert_eq!(at(&f, 0), Err(TicketRefusal::Voided));
        assert_eq!(worth(&f, "10.0.0.8", NOW), Err(TicketRefusal::Address), "elsewhere nobody learns what became of it");
    }

    #[test]
    fn a_used_ticket_opens_its_own_session_again_while_that_waits() {
        let session = SessionId(Uuid::from_u128(9));
        assert_eq!(at(&used(true, None), 0), Ok(Worth::Session { session, waits: false }), "its client is there");
        let waits = used(true, Some(NOW + Duration::minutes(2)));
        assert_eq!(at(&waits, 119), Ok(Worth::Session { session, waits: true }), "longer than the ticket's own time");
        assert_eq!(at(&waits, 120), Err(TicketRefusal::Over));
        assert_eq!(at(&used(false, Some(NOW + Duration::minutes(2))), 0), Err(TicketRefusal::Over), "the session has ended");
        assert_eq!(at(&used(false, None), 0), Err(TicketRefusal::Over));
    }

    #[test]
    fn name_and_secret_are_typed_without_doubt() {
        let (mut names, mut secrets) = (std::collections::HashSet::new(), std::collections::HashSet::new());
        for _ in 0..500 {
            let (name, secret) = (new_name(), new_secret());
            assert!(name.len() == 12 && read_name(&name) == Some(name.clone()), "{name}");
            let groups: Vec<&str> = secret.expose().split('-').collect();
            assert!(groups.len() == 7 && groups.iter().all(|g| g.len() == 4 && g.bytes().all(|b| ALPHABET.contains(&b))));
            assert!(names.insert(name) && secrets.insert(secret.expose().clone()));
        }
    }

    #[test]
    fn what_no_ticket_is_called_is_not_looked_at_further() {
        assert_eq!(read_name(" T-ABCDEFGH23 ").as_deref(), Some("t-abcdefgh23"));
        for no in ["", "t-", "t-abcdefgh2", "t-abcdefgh234", "t-abcdefgh01", "x-abcdefgh23", "t-abcdefg\u{e9}23", "administrator"] {
            assert_eq!(read_name(no), None, "{no}");
        }
    }
}

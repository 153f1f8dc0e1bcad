//! Signing in by a break-glass card while the database is away: the key that signed says who, the card's code says that they may.
use super::{
    auth::{Access, Authentication, Confirm, Stage, reject},
    connection::Permitted,
    notice,
};
use anteroom_approvals::ShownCard;
use anteroom_domain::{CardCode, Reason};
use anteroom_policy::Decision;
use russh::server::{Auth, Response};
use std::borrow::Cow;
use tokio::time::Instant;
use zeroize::Zeroizing;

/// How often somebody may mistype before the connection is over.
const TRIES: u8 = 3;
/// Longest answer that is looked at, bytes.
const MAX_ANSWER: usize = 1024;

/// Before anybody has signed in.
pub(super) const BANNER: &str = "anteroom: the database is away: safe mode. A grant you have counts with a security key that verifies you; a break-glass card\r\nopens what is printed on it. Running sessions go on. Everything is recorded.\r\n";

/// Why a passkey is not asked for.
pub(super) const NO_PASSKEY: &str = "the database is away, so no passkey can be asked for; a security key that verifies you (ssh-keygen -t ed25519-sk -O verify-required) works without";

/// Somebody who was asked for a card.
#[derive(Debug)]
pub(super) struct Asked {
    who: Confirm,
    /// What stands above the prompts.
    said: String,
    shown: bool,
    left: u8,
}

impl Asked {
    pub(super) fn new(who: Confirm, why: String) -> Self {
        Self { who, said: why, shown: false, left: TRIES }
    }

    /// The prompts, with what is to be said above them.
    fn again(mut self, said: String) -> (Self, Auth) {
        let text = match self.shown {
            false => format!(
                "\nSafe mode: {said}.\nA break-glass card for {}@{} opens it once, recorded, and everybody is told.\n",
                notice::printable(&self.who.account),
                notice::printable(&self.who.target)
            ),
            true => format!("\n{said}\n"),
        };
        self.shown = true;
        let prompts = vec![(Cow::Borrowed("Code of the card: "), true), (Cow::Borrowed("Why it is needed now: "), true)];
        (self, Auth::Partial { name: Cow::Borrowed(""), instructions: Cow::Owned(text), prompts: Cow::Owned(prompts) })
    }
}

/// What was typed, in order; nothing of what is too long or no text.
pub(super) fn answers(given: Response<'_>) -> Vec<Zeroizing<String>> {
    let text = |b: &[u8]| String::from_utf8(b.to_vec()).ok().filter(|t| t.len() <= MAX_ANSWER).unwrap_or_default();
    given.take(2).map(|b| Zeroizing::new(text(&b))).collect()
}

impl Authentication {
    pub(super) async fn card(&mut self, mut asked: Asked, user: &str, given: &[Zeroizing<String>]) -> Auth {
        // A different user name would be a different request (RFC 4252 section 5).
        if asked.who.user != user {
            return reject();
        }
        if !asked.shown {
            let said = asked.said.clone();
            return self.ask_card(asked, said);
        }
        let [code, reason] = given else { return reject() };
        asked.left -= 1;
        let (code, reason) = match (CardCode::parse(code), Reason::new(reason.trim())) {
            (Ok(code), Ok(reason)) => (code, reason),
            (Err(e), _) => return self.once_more(asked, e.to_string()),
            (_, Err(e)) => return self.once_more(asked, format!("the reason: {e}")),
        };
        // Taken before the judgement: the monotonic deadline is never later than the judged one.
        let asked_at = Instant::now();
        let (conn, who) = (self.connection.clone(), &asked.who);
        let judged = conn
            .shared
            .approvals
            .authorize_by_card(&who.person, conn.session, &who.target, &who.account, conn.peer.ip(), ShownCard { code: &code, reason })
            .await;
        match judged {
            Ok(Decision::Permit(permit)) => {
                let deadline = asked_at + permit.remaining();
                conn.permit(Permitted { permit, deadline });
                self.stage = Stage::In(Access::Permitted);
                Auth::Accept
            }
            Ok(Decision::Deny(why)) => self.once_more(asked, why.to_string()),
            Ok(Decision::NeedsSecondFactor(_)) => reject(),
            Err(e) => {
                self.stage = Stage::In(Access::Refused(notice::refused(&e)));
                Auth::Accept
            }
        }
    }

    fn ask_card(&mut self, asked: Asked, said: String) -> Auth {
        let (asked, auth) = asked.again(said);
        self.stage = Stage::Card(Box::new(asked));
        auth
    }

    /// Counted, so that nobody guesses.
    fn once_more(&mut self, asked: Asked, why: String) -> Auth {
        let person = asked.who.person.id;
        let over = self.failed(Some(person));
        if asked.left == 0 { over } else { self.ask_card(asked, format!("anteroom: {why}")) }
    }
}

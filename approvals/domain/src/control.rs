//! Where `web` and `gateway` meet: the registry of live sessions implements this, the portal calls it.
use crate::{AccountName, GrantId, Holds, Moment, PersonId, SessionId, TargetId, TargetName};
use serde::Serialize;

/// One session that is running now on this gateway.
#[derive(Debug, Clone, Serialize)]
pub struct LiveSession {
    pub id: SessionId,
    pub grant: GrantId,
    pub person: PersonId,
    pub person_handle: String,
    pub target: TargetId,
    pub target_name: TargetName,
    pub account: AccountName,
    pub source: String,
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: Moment,
    #[serde(with = "time::serde::rfc3339")]
    pub grant_ends_at: Moment,
    /// Channels open at the moment.
    pub channels: usize,
    /// Bytes the target has sent so far.
    pub bytes_out: u64,
    /// Why it stands still; nothing of it: it runs.
    pub holds: Holds,
}

/// What a supervisor may write into a terminal: one line of printable text, at most 500 characters. White space is one space.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageText(String);

impl MessageText {
    pub const LONGEST: usize = 500;

    pub fn new(text: &str) -> Result<Self, &'static str> {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // A terminal obeys control characters; the others change in which order text is read.
        let hidden = |c: char| {
            c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        };
        match line.chars().count() {
            0 => Err("write what they should read"),
            n if n > Self::LONGEST => Err("at most 500 characters fit"),
            _ if line.chars().any(hidden) => Err("only printable text can be sent"),
            _ => Ok(Self(line)),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Without the text: what people write to each other is in no log.
impl std::fmt::Debug for MessageText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MessageText(..)")
    }
}

/// Seeing, pausing and ending live sessions.
pub trait SessionControl: Send + Sync + 'static {
    fn list(&self) -> Vec<LiveSession>;
    /// Orders the end of a session; false if it is not running here. The session ends within a second.
    fn terminate(&self, id: SessionId, by: PersonId) -> bool;
    /// What the person types and clicks goes nowhere from now on; false if it is not running here.
    fn pause(&self, id: SessionId, by: PersonId) -> bool;
    fn resume(&self, id: SessionId, by: PersonId) -> bool;
    /// Shows a line of text in the terminals of a session; false if it is not running here or nobody takes it.
    fn message(&self, id: SessionId, from: &str, text: &str) -> bool;
    /// Why no new session is taken at the moment, in words; none: it may. Looks at the recordings' disk.
    fn refusal(&self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::MessageText;

    #[test]
    fn a_message_is_one_line_that_no_terminal_obeys() {
        assert_eq!(MessageText::new(" please\r\n stop\tnow ").as_ref().map(MessageText::as_str), Ok("please stop now"));
        for bad in ["", " \r\n ", "\x1b[2J", "a\u{7}b", "\u{9b}2J", "a\u{202e}b", &"x".repeat(501)] {
            assert!(MessageText::new(bad).is_err(), "{bad:?}");
        }
    }
}

//! A message as it came: three headers and a body.
use crate::FeedKey;
use anteroom_domain::Moment;
use base64::{Engine, engine::general_purpose::STANDARD as B64};
use time::Duration;

/// Of a body.
pub const MAX_BYTES: usize = 16 * 1024;
/// A message is taken for this long after (or before: clocks differ) it was signed.
pub const WINDOW: Duration = Duration::minutes(5);
/// Of one message; several stand there while a key is changed.
const MAX_SIGNATURES: usize = 4;
/// Characters of `webhook-id`.
const MAX_ID: usize = 128;

/// The headers `webhook-id`, `webhook-timestamp`, `webhook-signature`, and what they are over.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    pub id: &'a str,
    pub timestamp: &'a str,
    pub signature: &'a str,
    pub body: &'a [u8],
}

impl Envelope<'_> {
    /// Over id, timestamp and body, exactly as they came.
    pub fn signed_by(&self, key: &FeedKey) -> bool {
        let fine = !self.id.is_empty() && self.id.len() <= MAX_ID && self.id.bytes().all(|b| b.is_ascii_graphic() && b != b'.');
        if !fine || self.timestamp.len() > 20 || self.body.len() > MAX_BYTES {
            return false;
        }
        let message = [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", self.body].concat();
        let signatures = self.signature.split_ascii_whitespace().take(MAX_SIGNATURES).filter_map(|s| s.strip_prefix("v1a,"));
        let mut decoded = signatures.filter_map(|s| B64.decode(s).ok()?.try_into().ok());
        decoded.any(|s: [u8; 64]| key.signed(&message, &s))
    }

    /// Signed a short while ago by our clock.
    pub fn is_of(&self, now: Moment) -> bool {
        let at = self.timestamp.parse().ok().and_then(|s: i64| Moment::from_unix_timestamp(s).ok());
        at.is_some_and(|at| (now - at).abs() <= WINDOW)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::FeedSecret;
    use proptest::prelude::*;

    const AT: i64 = 1_764_115_200;

    fn signed(secret: &FeedSecret, body: &[u8]) -> String {
        secret.sign("msg_1", AT, body)
    }

    #[test]
    fn one_of_several_signatures_is_enough_and_other_schemes_are_passed_over() {
        let (secret, body) = (FeedSecret::of([1; 32]), b"{}");
        let own = signed(&secret, body);
        let other = signed(&FeedSecret::of([2; 32]), body);
        let with = |signature: &str| Envelope { id: "msg_1", timestamp: "1764115200", signature, body }.signed_by(&secret.public());
        assert!(with(&own) && with(&format!("v1,AAAA {other} {own}")));
        assert!(!with(&other) && !with("") && !with("v1a,") && !with(own.trim_start_matches("v1a,")) && !with(&own.replace("v1a,", "v1,")));
        assert!(!with(&format!("{other} {other} {other} {other} {own}")), "no more than four are looked at");
    }

    #[test]
    fn a_message_is_taken_around_the_time_it_was_signed() {
        let at = |timestamp: &'static str| Envelope { id: "m", timestamp, signature: "", body: b"" };
        let now = Moment::from_unix_timestamp(AT).unwrap();
        assert!(at("1764115200").is_of(now + WINDOW) && at("1764115200").is_of(now - WINDOW));
        assert!(!at("1764115200").is_of(now + WINDOW + Duration::SECOND) && !at("1764115200").is_of(now - WINDOW - Duration::SECOND));
        for bad in ["", "now", "1764115200.0", "99999999999999999999", "-9223372036854775808"] {
            assert!(!at(bad).is_of(now), "{bad}");
        }
    }

    proptest! {
        /// No change of anything that is signed goes by unseen.
        #[test]
        fn what_was_changed_is_not_signed(body in proptest::collection::vec(any::<u8>(), 1..200), at: prop::sample::Index, to: u8) {
            let secret = FeedSecret::of([1; 32]);
            let signature = signed(&secret, &body);
            let with = |id, timestamp, body: &[u8]| Envelope { id, timestamp, signature: &signature, body }.signed_by(&secret.public());
            prop_assert!(with("msg_1", "1764115200", &body));
            prop_assert!(!with("msg_2", "1764115200", &body));
            prop_assert!(!with("msg_1", "1764115201", &body));
            let mut changed = body.clone();
            let i = at.index(body.len());
            changed[i] = to;
            prop_assert_eq!(with("msg_1", "1764115200", &changed), changed == body);
        }
    }
}

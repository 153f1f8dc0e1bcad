//! The only place that looks at the clock and at the dice.
use anteroom_domain::{Moment, Secret};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use sha2::{Digest, Sha256};
use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};
use time::OffsetDateTime;
use uuid::Uuid;

/// Now, in the microseconds that Postgres keeps: what is signed or hashed now reads the same when it comes back.
///
/// A wall clock that is set back does not take us back: an ended grant stays ended (THREATS 13).
pub(crate) fn now() -> Moment {
    static START: LazyLock<(Moment, Instant)> = LazyLock::new(|| (OffsetDateTime::now_utc(), Instant::now()));
    let (wall, ticking) = *START;
    let n = never_back(OffsetDateTime::now_utc(), wall, ticking.elapsed());
    n.replace_microsecond(n.microsecond()).unwrap_or(n)
}

/// The later of what the wall clock says and what has passed since we first looked at it.
fn never_back(wall_now: Moment, wall_then: Moment, elapsed: Duration) -> Moment {
    wall_now.max(wall_then.saturating_add(elapsed.try_into().unwrap_or(time::Duration::MAX)))
}

/// RFC 3339 in UTC, as it stands in the audit log.
pub(crate) fn text(m: Moment) -> String {
    // Formatting fails only for years beyond 9999, which no checked window holds.
    m.to_offset(time::UtcOffset::UTC).format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}

/// A new id; sorts by time of making, so that rows made together lie together.
pub(crate) fn new_id<T: From<Uuid>>() -> T {
    Uuid::now_v7().into()
}

/// Random bytes of the operating system. There is no sensible way on without them.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut b = [0; N];
    getrandom::fill(&mut b).expect("the operating system gives random bytes");
    b
}

/// A 256-bit bearer token, base64url.
pub(crate) fn new_token() -> Secret<String> {
    Secret::new(B64.encode(random::<32>()))
}

/// What is stored of a token. Plain SHA-256 is enough: the token has 256 bits of its own.
pub(crate) fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

pub(crate) use anteroom_domain::hex;

/// Reads what [`hex`] wrote.
pub(crate) fn unhex(s: &str) -> Option<Vec<u8>> {
    if !s.len().is_multiple_of(2) || !s.is_ascii() {
        return None;
    }
    (0..s.len()).step_by(2).map(|i| u8::from_str_radix(&s[i..i + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_moment_reads_the_same_when_it_comes_back() {
        assert_eq!(now().nanosecond() % 1000, 0);
        assert_eq!(text(Moment::UNIX_EPOCH), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn a_clock_set_back_does_not_take_us_back_and_one_set_forward_does() {
        let then = Moment::UNIX_EPOCH + time::Duration::days(20_000);
        let (hour, elapsed) = (time::Duration::HOUR, Duration::from_secs(60));
        assert_eq!(never_back(then - hour, then, elapsed), then + time::Duration::MINUTE);
        assert_eq!(never_back(then + hour, then, elapsed), then + hour);
    }

    #[test]
    fn hexadecimal_there_and_back() {
        assert_eq!(unhex(&hex(&[0, 255, 16])).unwrap(), [0, 255, 16]);
        assert!(unhex("0").is_none() && unhex("zz").is_none() && unhex("é").is_none());
    }
}

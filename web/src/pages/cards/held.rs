//! Codes between the first officer's passkey and the printer. In memory only, for one web session, for a few minutes, and taken out once:
//! afterwards a code is on paper and nowhere.
use anteroom_domain::{CardCode, CardId, CeremonyId, Secret};
use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Long enough to sign and to find the printer.
const LONGEST: Duration = Duration::from_secs(10 * 60);
/// Of everybody together; more are refused.
const MOST: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Signing(CeremonyId),
    Printing(CardId),
}

struct Entry {
    at: At,
    token: Secret<String>,
    code: CardCode,
    until: Instant,
}

#[derive(Default)]
pub(crate) struct Codes(Mutex<Vec<Entry>>);

impl fmt::Debug for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Codes")
    }
}

impl Codes {
    fn all(&self) -> MutexGuard<'_, Vec<Entry>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        all.retain(|e| e.until > now);
        all
    }

    /// False if too many are being made at the moment.
    pub(super) fn signing(&self, ceremony: CeremonyId, token: &Secret<String>, code: CardCode) -> bool {
        let mut all = self.all();
        let fits = all.len() < MOST;
        if fits {
            all.push(Entry { at: At::Signing(ceremony), token: token.clone(), code, until: Instant::now() + LONGEST });
        }
        fits
    }

    /// The card is signed: its code may be printed, by the same web session. False if it is gone.
    pub(super) fn signed(&self, ceremony: CeremonyId, token: &Secret<String>, card: CardId) -> bool {
        let mut all = self.all();
        let found = all.iter_mut().find(|e| e.at == At::Signing(ceremony) && e.token == *token);
        found.map(|e| (e.at, e.until) = (At::Printing(card), Instant::now() + LONGEST)).is_some()
    }

    /// Whether the signature that is under way has its code here.
    pub(super) fn knows(&self, ceremony: CeremonyId, token: &Secret<String>) -> bool {
        self.all().iter().any(|e| e.at == At::Signing(ceremony) && e.token == *token)
    }

    pub(super) fn waits(&self, card: CardId, token: &Secret<String>) -> bool {
        self.all().iter().any(|e| e.at == At::Printing(card) && e.token == *token)
    }

    /// Once.
    pub(super) fn take(&self, card: CardId, token: &Secret<String>) -> Option<CardCode> {
        let mut all = self.all();
        let at = all.iter().position(|e| e.at == At::Printing(card) && e.token == *token)?;
        Some(all.swap_remove(at).code)
    }

    pub(crate) fn signed_out(&self, token: &Secret<String>) {
        self.all().retain(|e| e.token != *token);
    }

    /// Looking is forgetting what is over.
    pub(crate) fn sweep(&self) {
        drop(self.all());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use uuid::Uuid;

    fn token(t: &str) -> Secret<String> {
        Secret::new(t.into())
    }

    #[test]
    fn a_code_is_printed_once_by_who_began_it_and_not_before_it_is_signed() {
        let (codes, ceremony, card) = (Codes::default(), CeremonyId(Uuid::from_u128(1)), CardId(Uuid::from_u128(2)));
        let (mine, other) = (token("mine"), token("other"));
        let code = CardCode::new(&Secret::new([5; 26]));
        assert!(codes.signing(ceremony, &mine, code.clone()));
        assert!(codes.take(card, &mine).is_none(), "not signed yet");
        assert!(!codes.signed(ceremony, &other, card), "somebody else's session");
        assert!(codes.knows(ceremony, &mine) && codes.signed(ceremony, &mine, card));
        assert!(codes.waits(card, &mine) && !codes.waits(card, &other));
        assert!(codes.take(card, &other).is_none());
        assert_eq!(codes.take(card, &mine), Some(code));
        assert!(codes.take(card, &mine).is_none(), "once");
    }

    #[test]
    fn signing_out_forgets_and_there_is_a_bound() {
        let (codes, mine) = (Codes::default(), token("mine"));
        let code = || CardCode::new(&Secret::new([5; 26]));
        for n in 0..64 {
            assert!(codes.signing(CeremonyId(Uuid::from_u128(n)), &mine, code()));
        }
        assert!(!codes.signing(CeremonyId(Uuid::from_u128(64)), &mine, code()));
        codes.signed_out(&mine);
        assert!(!codes.knows(CeremonyId(Uuid::from_u128(0)), &mine));
        assert!(codes.signing(CeremonyId(Uuid::from_u128(64)), &mine, code()));
    }
}

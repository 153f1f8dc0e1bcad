//! `[safe_mode]`: what a gateway does while its database is away.
use super::{check::Checker, file};
use std::time::Duration;

/// Long enough for a night in which nobody mends a database, short against what may be revoked meanwhile.
const USUAL: Duration = Duration::from_secs(12 * 3600);
const MOST: Duration = Duration::from_secs(72 * 3600);

impl Checker<'_> {
    pub(super) fn safe_mode(&mut self, s: &file::SafeMode) -> Duration {
        let longest = self.duration("safe_mode.longest", s.longest.as_ref(), USUAL);
        if let Some(w) = s.longest.as_ref().filter(|_| longest > MOST) {
            self.wrong("safe_mode.longest", w, "at most 72h; 0s for no safe mode");
        }
        longest
    }
}

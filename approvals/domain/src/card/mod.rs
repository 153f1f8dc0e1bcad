//! Sealed break-glass cards: paper that opens one login on one target, once, through one gateway, when nobody can be asked.
mod code;
pub use code::{CardCode, CardCodeError};

use crate::{
    Handle, Moment, PersonId, RequestId,
    break_glass::{LONGEST, SHORTEST},
    content::CardTerms,
};
use serde::{Deserialize, Serialize};
use time::Duration;

/// How long a card may count, and what is offered.
pub const LONGEST_LIFE: Duration = Duration::days(365);
pub const USUAL_LIFE: Duration = Duration::days(90);

/// What becomes of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardState {
    /// One officer signed; it opens nothing.
    Begun,
    /// Two did.
    Valid,
    Used,
    Revoked,
    Expired,
}

impl CardState {
    pub const ALL: [Self; 5] = [Self::Begun, Self::Valid, Self::Used, Self::Revoked, Self::Expired];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Valid => "valid",
            Self::Used => "used",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
    pub fn from_name(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == s)
    }
}

/// Somebody who signed, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardSignature {
    pub officer: PersonId,
    pub handle: Handle,
    #[serde(with = "time::serde::rfc3339")]
    pub at: Moment,
}

/// Who was let in with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardUsed {
    pub request: RequestId,
    pub by: PersonId,
    pub handle: Handle,
    #[serde(with = "time::serde::rfc3339")]
    pub at: Moment,
}

/// A card as it is shown: everything but its code, which nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    pub terms: CardTerms,
    /// At the moment it was read.
    pub state: CardState,
    pub begun: CardSignature,
    pub countersigned: Option<CardSignature>,
    /// Its gateway has fetched it since both had signed, and will take it when the database is away.
    pub kept: bool,
    /// When the gateway last fetched its cards.
    #[serde(with = "time::serde::rfc3339")]
    pub fetched_at: Moment,
    #[serde(with = "time::serde::rfc3339::option")]
    pub revoked_at: Option<Moment>,
    pub revoked_by: Option<Handle>,
    pub used: Option<CardUsed>,
}

/// Why a card cannot say this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CardTermsError {
    #[error("access with a card lasts from {} to {} minutes", SHORTEST.whole_minutes(), LONGEST.whole_minutes())]
    Minutes,
    #[error("a card counts for a day to {} days", LONGEST_LIFE.whole_days())]
    Life,
}

impl CardTerms {
    /// The limits that no officer can sign away; asked when a card is made and again whenever one is used.
    pub fn check(&self) -> Result<(), CardTermsError> {
        let access = Duration::minutes(self.minutes.into());
        if access < SHORTEST || access > LONGEST {
            return Err(CardTermsError::Minutes);
        }
        let life = self.until - self.from;
        if life < Duration::DAY || life > LONGEST_LIFE { Err(CardTermsError::Life) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Capabilities, CardId, TargetId, TargetKind};
    use proptest::prelude::*;
    use uuid::Uuid;

    fn terms(minutes: u32, life: Duration) -> CardTerms {
        CardTerms {
            card: CardId(Uuid::from_u128(1)),
            gateway: "east".parse().unwrap(),
            target: TargetId(Uuid::from_u128(2)),
            target_name: "mri-3".parse().unwrap(),
            target_kind: TargetKind::MedicalDevice,
            account: "service".parse().unwrap(),
            capabilities: Capabilities::interactive(),
            minutes,
            from: Moment::UNIX_EPOCH,
            until: Moment::UNIX_EPOCH + life,
            code_sha256: "0".repeat(64),
        }
    }

    proptest! {
        /// Whatever two officers sign.
        #[test]
        fn no_card_says_more_than_cards_may(minutes: u32, seconds in -400 * 86_400i64..400 * 86_400) {
            let life = Duration::seconds(seconds);
            let fits = (5..=240).contains(&minutes) && life >= Duration::DAY && life <= Duration::days(365);
            prop_assert_eq!(terms(minutes, life).check().is_ok(), fits);
            prop_assert_eq!(terms(60, life).check().is_ok(), life >= Duration::DAY && life <= Duration::days(365));
        }
    }

    #[test]
    fn the_limits_themselves_are_fine_and_one_beyond_is_not() {
        let year = Duration::days(365);
        assert_eq!((terms(5, year).check(), terms(240, Duration::DAY).check()), (Ok(()), Ok(())));
        assert_eq!((terms(4, year).check(), terms(241, year).check()), (Err(CardTermsError::Minutes), Err(CardTermsError::Minutes)));
        assert_eq!(terms(60, year + Duration::SECOND).check(), Err(CardTermsError::Life));
        // An end before the beginning.
        assert_eq!(terms(60, -year).check(), Err(CardTermsError::Life));
    }
}

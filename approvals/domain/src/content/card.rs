//! A sealed break-glass card: what it opens, and what each of its two officers signs.
use super::{Nonce, Signable};
use crate::{AccountName, Capabilities, CardId, GatewayName, Handle, Moment, PersonId, TargetId, TargetKind, TargetName};
use serde::{Deserialize, Serialize};

/// What a card opens, where and until when. Both officers sign it word for word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardTerms {
    pub card: CardId,
    /// The one gateway that takes it, so that it can be used once without asking anybody.
    pub gateway: GatewayName,
    pub target: TargetId,
    pub target_name: TargetName,
    pub target_kind: TargetKind,
    pub account: AccountName,
    pub capabilities: Capabilities,
    /// How long the access lasts at most, in minutes.
    pub minutes: u32,
    /// The card counts from here on.
    #[serde(with = "time::serde::rfc3339")]
    pub from: Moment,
    /// Nobody is let in with it from here on.
    #[serde(with = "time::serde::rfc3339")]
    pub until: Moment,
    /// [`CardCode::sha256`](crate::CardCode::sha256), hex. The code itself is on the paper and nowhere else.
    pub code_sha256: String,
}

/// "*officer*: whoever may break the glass and has this card's code reaches *account* on *target* through *gateway*, once."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardContent {
    pub v: u8,
    pub terms: CardTerms,
    pub officer: PersonId,
    pub officer_handle: Handle,
    pub nonce: Nonce,
}

impl Signable for CardContent {
    const DOMAIN: &'static str = "anteroom.break-glass-card.v1";
}

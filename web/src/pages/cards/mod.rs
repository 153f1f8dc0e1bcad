//! Sealed break-glass cards: two key-holders make them, and any of them unmakes them.
pub(crate) mod begin;
pub(crate) mod finish;
pub(crate) mod held;
pub(crate) mod list;
pub(crate) mod new;
pub(crate) mod print;
mod qr;
pub(crate) mod revoke;
pub(crate) mod show;
pub(crate) mod sign;

use anteroom_domain::{Card, CardState};

/// A state in words: what to do about it belongs to them.
pub(crate) fn words(card: &Card) -> &'static str {
    match card.state {
        CardState::Begun => "waits for a second officer",
        CardState::Valid if card.kept => "valid",
        CardState::Valid => "valid, not yet at its gateway",
        CardState::Used => "used",
        CardState::Revoked => "revoked",
        CardState::Expired => "time is over",
    }
}

pub(crate) fn tag(card: &Card) -> &'static str {
    match card.state {
        CardState::Valid if card.kept => "tag",
        CardState::Begun | CardState::Valid => "tag warn",
        CardState::Used | CardState::Revoked | CardState::Expired => "tag off",
    }
}

use crate::{AccountName, CanonicalText, CardId, GatewayName, GrantId, PersonId, RequestId, TargetId};
use serde::{Deserialize, Serialize};

/// The life of a sealed break-glass card. The code is in none of it; `code_sha256` is what both officers signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum CardEvent {
    /// The first officer signed. It opens nothing yet.
    Begun {
        card: CardId,
        officer: PersonId,
        gateway: GatewayName,
        target: TargetId,
        account: AccountName,
        from: CanonicalText,
        until: CanonicalText,
        code_sha256: String,
        content_sha256: String,
        evidence_sha256: String,
    },
    /// The second officer did: from now on it counts.
    Countersigned {
        card: CardId,
        officer: PersonId,
        content_sha256: String,
        evidence_sha256: String,
    },
    Revoked {
        card: CardId,
        by: Option<PersonId>,
    },
    /// Somebody was let in with it. `irregular`: the gateway could not know that it did not count any more, and why.
    Used {
        card: CardId,
        request: RequestId,
        grant: GrantId,
        person: PersonId,
        target: TargetId,
        account: AccountName,
        from: CanonicalText,
        until: CanonicalText,
        reason_sha256: String,
        source: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        irregular: Option<String>,
    },
    /// Somebody tried what is not allowed, with a card or around one.
    Refused {
        card: Option<CardId>,
        person: Option<PersonId>,
        /// Where the person came from, if that is known.
        source: Option<String>,
        why: String,
    },
}

impl CardEvent {
    pub fn card(&self) -> Option<CardId> {
        match self {
            Self::Begun { card, .. } | Self::Countersigned { card, .. } | Self::Revoked { card, .. } | Self::Used { card, .. } => {
                Some(*card)
            }
            Self::Refused { card, .. } => *card,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::AuditEvent;
    use uuid::Uuid;

    #[test]
    fn a_line_names_its_card_and_reads_back() {
        let id = Uuid::from_u128(7);
        let refused = CardEvent::Refused { card: None, person: None, source: None, why: "the code is mistyped".into() };
        assert_eq!(refused.card(), None);
        let revoked = CardEvent::Revoked { card: CardId(id), by: None };
        assert_eq!(revoked.card(), Some(CardId(id)));
        let text = serde_json::to_value(AuditEvent::Card(revoked.clone())).unwrap();
        assert_eq!(text, serde_json::json!({"kind": "card", "what": "revoked", "card": id, "by": null}));
        for event in [refused, revoked] {
            let event = AuditEvent::Card(event);
            assert_eq!(serde_json::from_value::<AuditEvent>(serde_json::to_value(&event).unwrap()).unwrap(), event);
        }
    }
}

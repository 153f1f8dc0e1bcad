//! A sealed break-glass card, checked without asking anybody: two officers' signatures, the code, the gateway and the time.
use crate::{AssertionEvidence, signed};
use anteroom_domain::{CardCode, Handle, Moment, PersonId, content::CardContent, content::CardTerms};
use serde::{Deserialize, Serialize};

/// The one web site whose signatures count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The relying party id passkeys are bound to: the portal's host name.
    pub rp_id: String,
    /// `https://host[:port]`, as browsers write it.
    pub origin: String,
}

/// Who signed, and with which passkey, as the database knew them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardOfficer {
    pub person: PersonId,
    pub handle: Handle,
    /// base64url, as in the evidence.
    pub credential_id: String,
    /// See [`crate::key_sha256`].
    pub key_sha256: String,
}

/// A card as a gateway keeps it for the time when its database is away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfflineCard {
    /// What the two signed, word for word the same in both.
    pub terms: CardTerms,
    /// In the order of the signatures.
    pub officers: [CardOfficer; 2],
    pub signatures: [AssertionEvidence; 2],
}

/// Why a card does not open anything. Told to whoever holds it, so it says what to do where something can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CardRefused {
    #[error("this is not the code of a card for this target; look at the target's name on the card")]
    WrongCode,
    #[error("the card is for another gateway; its name is on the card")]
    WrongGateway,
    #[error("the card does not count yet")]
    NotYet,
    #[error("the card's time is over; have another issued")]
    Expired,
    #[error("the card says what no card may say")]
    Terms,
    #[error("the officers' signatures were given on another site")]
    Site,
    #[error("{0} of the two officers' signatures is not what it should be")]
    Signature(&'static str),
    #[error("the officers did not sign what the card says")]
    Changed,
    #[error("both signatures are from the same officer")]
    OneOfficer,
    #[error("you signed this card; somebody else has to use it")]
    OwnCard,
}

impl OfflineCard {
    /// Whether `code` opens what this card says, for this person, here and now. All that a card is worth is looked at each time: what keeps it may have been
    /// changed. Whether it was used before is for the journal of the gateway.
    pub fn check(&self, code: &CardCode, person: PersonId, gateway: &str, now: Moment, site: &Site) -> Result<CardTerms, CardRefused> {
        if !code.fits(&self.terms.code_sha256) {
            return Err(CardRefused::WrongCode);
        }
        if self.terms.gateway.as_str() != gateway {
            return Err(CardRefused::WrongGateway);
        }
        self.check_signatures(site)?;
        // An approver is never the requester, on paper neither.
        if self.officers.iter().any(|o| o.person == person) {
            return Err(CardRefused::OwnCard);
        }
        if now < self.terms.from {
            return Err(CardRefused::NotYet);
        }
        if now >= self.terms.until {
            return Err(CardRefused::Expired);
        }
        Ok(self.terms.clone())
    }

    /// What does not change with time, and needs no code: two different officers signed exactly these terms, which a card may say.
    pub fn check_signatures(&self, site: &Site) -> Result<(), CardRefused> {
        self.terms.check().map_err(|_| CardRefused::Terms)?;
        let [first, second] = &self.officers;
        let [a, b] = &self.signatures;
        check_one(&self.terms, first, a, site, "the first")?;
        check_one(&self.terms, second, b, site, "the second")?;
        let same = first.person == second.person || first.credential_id == second.credential_id || first.key_sha256 == second.key_sha256;
        if same { Err(CardRefused::OneOfficer) } else { Ok(()) }
    }
}

fn check_one(terms: &CardTerms, officer: &CardOfficer, a: &AssertionEvidence, site: &Site, which: &'static str) -> Result<(), CardRefused> {
    if a.rp_id != site.rp_id || a.origin != site.origin {
        return Err(CardRefused::Site);
    }
    let bad = CardRefused::Signature(which);
    let content: CardContent = signed(a).map_err(|_| bad)?;
    if content.v != 1 || content.terms != *terms {
        return Err(CardRefused::Changed);
    }
    let theirs = content.officer == officer.person
        && content.officer_handle == officer.handle
        && a.credential_id == officer.credential_id
        && a.key_sha256().is_some_and(|k| k == officer.key_sha256);
    if theirs { Ok(()) } else { Err(bad) }
}

//! The life of a sealed break-glass card: two different officers make it valid, one use or a word of any officer ends it.
use crate::break_glass::{self, NoGlass};
use anteroom_domain::{Capabilities, Capability, CardState, Moment, Obligations, PersonId, RequestId};
use time::Duration;

/// One card's life so far. Made of what the database says by [`Life::of`]; whatever becomes of it goes through the functions below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Life {
    begun_by: PersonId,
    countersigned_by: Option<PersonId>,
    until: Moment,
    revoked: Option<Moment>,
    used: Option<(RequestId, Moment)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoCard {
    #[error("you began this card; another key holder has to sign it")]
    SameOfficer,
    #[error("two officers have signed this card already")]
    Countersigned,
    #[error("the card was revoked")]
    Revoked,
    #[error("the card was used")]
    Used,
    #[error("the card's time is over")]
    Expired,
    #[error("only one officer has signed the card")]
    OneOfficer,
    #[error("the card was used by an officer who had signed it")]
    OwnCard,
}

/// What a use is worth that a gateway tells of afterwards: it happened, whether it should have or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Told {
    /// As it should be.
    Regular(Life),
    /// The same use, told again.
    Known,
    /// The card did not count then, and the gateway could not know, or was not what it should be.
    Irregular(Life, NoCard),
}

impl Life {
    pub fn begun(officer: PersonId, until: Moment) -> Self {
        Self { begun_by: officer, countersigned_by: None, until, revoked: None, used: None }
    }

    /// As it is kept.
    pub fn of(
        begun_by: PersonId,
        countersigned_by: Option<PersonId>,
        until: Moment,
        revoked: Option<Moment>,
        used: Option<(RequestId, Moment)>,
    ) -> Self {
        Self { begun_by, countersigned_by, until, revoked, used }
    }

    pub fn state(&self, now: Moment) -> CardState {
        if self.used.is_some() {
            CardState::Used
        } else if self.revoked.is_some() {
            CardState::Revoked
        } else if now >= self.until {
            CardState::Expired
        } else if self.countersigned_by.is_some_and(|c| c != self.begun_by) {
            CardState::Valid
        } else {
            CardState::Begun
        }
    }

    pub fn countersign(self, officer: PersonId, now: Moment) -> Result<Self, NoCard> {
        self.open(now)?;
        if self.countersigned_by.is_some() {
            return Err(NoCard::Countersigned);
        }
        if officer == self.begun_by {
            return Err(NoCard::SameOfficer);
        }
        Ok(Self { countersigned_by: Some(officer), ..self })
    }

    /// By any officer, also by one who signed it.
    pub fn revoke(self, now: Moment) -> Result<Self, NoCard> {
        self.open(now)?;
        Ok(Self { revoked: Some(now), ..self })
    }

    /// A gateway let `by` in with it at `at`. Never refused: what happened is kept. The first use stays the one that counts.
    pub fn told_of_use(self, request: RequestId, by: PersonId, at: Moment) -> Told {
        if let Some((known, _)) = self.used {
            return if known == request { Told::Known } else { Told::Irregular(self, NoCard::Used) };
        }
        let used = Self { used: Some((request, at)), ..self };
        match self.state(at) {
            CardState::Valid if by == self.begun_by || self.countersigned_by == Some(by) => Told::Irregular(used, NoCard::OwnCard),
            CardState::Valid => Told::Regular(used),
            CardState::Begun => Told::Irregular(used, NoCard::OneOfficer),
            CardState::Expired => Told::Irregular(used, NoCard::Expired),
            // Revoked while the gateway could not hear of it; or before, and then it should have known.
            CardState::Revoked => Told::Irregular(used, NoCard::Revoked),
            CardState::Used => Told::Irregular(self, NoCard::Used),
        }
    }

    fn open(&self, now: Moment) -> Result<(), NoCard> {
        match self.state(now) {
            CardState::Begun | CardState::Valid => Ok(()),
            CardState::Used => Err(NoCard::Used),
            CardState::Revoked => Err(NoCard::Revoked),
            CardState::Expired => Err(NoCard::Expired),
        }
    }
}

/// Why a card would not open what it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Useless {
    #[error("a card lifts no masking: ask for that as usual, or have an auditor unmask the recording afterwards")]
    Unmask,
    #[error("of this an emergency there has {0} only, says policy; a card for more would open less than it says")]
    Beyond(String),
    #[error("an emergency lasts {} minutes at most there, says policy; a card for longer would open nothing", .0.whole_minutes())]
    Longer(Duration),
    #[error("policy lets nobody break the glass there with this: {0}")]
    Denied(String),
}

/// Whether somebody at least could use a card for this, with all that it says. `rulings`: what policy says now of each person who might,
/// breaking the glass with these capabilities. Where it lets nobody at all, that may pass (a device is in use, it is night): then a card
/// can allow what people usually do there and no more. Policy is asked again when the card is used.
pub fn worth(
    asked: &Capabilities,
    usual: &Capabilities,
    length: Duration,
    rulings: impl IntoIterator<Item = Result<Obligations, Vec<String>>>,
) -> Result<(), Useless> {
    if asked.has(&Capability::Unmask) {
        return Err(Useless::Unmask);
    }
    let (mut less, mut longest, mut denied) = (None, None, None);
    for ruling in rulings {
        match break_glass::judge(&break_glass::Wish { length, before: 0, ruling: &ruling }) {
            Ok(owed) => match owed.leaves(asked) {
                left if left == *asked => return Ok(()),
                left if less.as_ref().is_none_or(|l: &Capabilities| l.0.len() < left.0.len()) => less = Some(left),
                _ => {}
            },
            Err(NoGlass::Length { longest: l }) => longest = longest.max(Some(l)),
            Err(e @ (NoGlass::Policy(_) | NoGlass::TooOften)) => denied = denied.or(Some(e)),
        }
    }
    if let Some(left) = less {
        return Err(Useless::Beyond(if left.0.is_empty() { "nothing".into() } else { left.names().join(", ") }));
    }
    if let Some(longest) = longest {
        return Err(Useless::Longer(longest));
    }
    match denied {
        _ if asked.beyond(usual).is_empty() => Ok(()),
        Some(NoGlass::Policy(why)) => Err(Useless::Denied(why.join("; "))),
        _ => Err(Useless::Denied("there is nobody who may".into())),
    }
}

#[cfg(test)]
mod tests;

//! May this person reach this account of this target now?
use crate::pdp::Ruling;
use crate::standing::{self, Circumstances, Standing};
use crate::stricter::Given;
use crate::vendor::{self, Terms, VendorRefusal};
use anteroom_domain::{
    AccountId, AccountName, Capabilities, Capability, CardId, Company, Grant, GrantId, GrantState, Handle, Lock, Moment, Obligations,
    Person, PersonId, Posture, Role, SessionId, StepUpId, Target,
};
use std::{cmp::Reverse, net::IpAddr};

/// What is known of the second factor of *this* connection (invariant 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactor {
    Missing,
    /// A passkey signed this connection's digest.
    Passed(StepUpId),
    /// A short-lived certificate of our own authority, issued after a passkey, signed this connection.
    Certificate {
        serial: u64,
    },
    /// A security key signed this connection and said that it had verified its person (FIDO's UV flag).
    SecurityKey,
    /// It did a short while ago for the same key, address and target, and policy remembers that.
    Remembered,
    /// A break-glass card that two officers signed, used for this connection.
    Card(CardId),
}

impl SecondFactor {
    /// It was given for this very connection.
    pub fn is_of_now(self) -> bool {
        matches!(self, Self::Passed(_) | Self::SecurityKey | Self::Card(_))
    }
}

/// Everything the decision is made from. Gathered by the caller; judged without looking anywhere else.
#[derive(Debug)]
pub struct Facts<'a> {
    pub session: SessionId,
    pub person: &'a Person,
    /// None if the name is unknown; answered like "forbidden".
    pub target: Option<&'a Target>,
    /// The person's, if they are a vendor's.
    pub company: Option<&'a Company>,
    pub account: &'a AccountName,
    pub grants: &'a [Grant],
    /// Those of them that the person took in an emergency.
    pub emergencies: &'a [GrantId],
    /// Those that are on this person, their company or this target.
    pub locks: &'a [Lock],
    /// Client's address.
    pub source: IpAddr,
    /// SHA-256 fingerprint of the SSH key that signed this connection; none where no key did.
    pub key: Option<&'a str>,
    /// Of the machine they come from, if a report fits.
    pub posture: Option<&'a Posture>,
    pub second_factor: SecondFactor,
    /// When it was proven.
    pub factor_at: Moment,
    /// The database is away: what it takes to watch and to count is not there.
    pub alone: bool,
    pub now: Moment,
}

#[must_use]
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // made once a connection and taken apart at once; a box would only be in the way
pub enum Decision {
    Permit(Permit),
    /// There is a live grant; a passkey has to confirm this connection first.
    NeedsSecondFactor(GrantId),
    Deny(Refusal),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// One answer for unknown and forbidden, so that nothing can be enumerated.
    #[error("you have no current grant for this")]
    NoSuchAccess,
    #[error("your grant starts at {from}")]
    NotYet { from: Moment },
    #[error("your access is suspended")]
    Suspended,
    #[error("policy does not let this be now: {}", .0.join(" "))]
    Policy(Vec<String>),
    #[error("policy asks for {0} by now, and your grant has fewer; ask again")]
    Approvals(String),
    #[error("your company's contract has ended")]
    ContractEnded,
    /// Not while the database is away.
    #[error("not in safe mode: {0}")]
    SafeMode(&'static str),
    #[error("the card does not open this: {0}")]
    Card(String),
    /// The reason is not told: a lock is also what an inquiry begins with.
    #[error("access is locked; ask the people who run this gateway")]
    Locked,
}

/// The witness that the policy allowed one session. It can't be made, copied or changed anywhere else, and
/// nothing that reaches a target can be called without one (invariant 1).
///
/// ```compile_fail
/// let p = anteroom_policy::Permit { };
/// ```
#[derive(Debug)]
pub struct Permit {
    session: SessionId,
    now: Circumstances,
    capabilities: Capabilities,
    obligations: Obligations,
    source: IpAddr,
    key: Option<String>,
    second_factor: SecondFactor,
    factor_at: Moment,
    not_after: Moment,
    judged_at: Moment,
}

impl Permit {
    pub fn session(&self) -> SessionId {
        self.session
    }
    pub fn grant(&self) -> GrantId {
        self.now.grant.id
    }
    pub fn person(&self) -> PersonId {
        self.now.person.id
    }
    pub fn person_handle(&self) -> &Handle {
        &self.now.person.handle
    }
    pub fn target(&self) -> &Target {
        &self.now.target
    }
    pub fn account(&self) -> &AccountName {
        &self.now.grant.account_name
    }
    pub fn account_id(&self) -> AccountId {
        self.now.grant.account
    }
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }
    /// What this session owes: the grant's obligations and the policy's of this moment.
    pub fn obligations(&self) -> &Obligations {
        &self.obligations
    }
    /// Patient data is masked in what the person themself sees.
    pub fn masks_live(&self) -> bool {
        self.obligations.masks(&self.capabilities)
    }
    pub fn source(&self) -> IpAddr {
        self.source
    }
    pub fn second_factor(&self) -> SecondFactor {
        self.second_factor
    }
    pub fn not_after(&self) -> Moment {
        self.not_after
    }
    pub fn judged_at(&self) -> Moment {
        self.judged_at
    }
    /// What the session stands on, for whoever judges it again while it runs.
    pub fn standing(&self) -> Standing {
        Standing {
            session: self.session,
            person: self.now.person.id,
            grant: self.now.grant.id,
            target: self.now.target.id,
            source: self.source,
            key: self.key.clone(),
            second_factor: self.second_factor,
            factor_at: self.factor_at,
            not_after: self.not_after,
            judged_at: self.judged_at,
        }
    }
    /// What the session has for its life, whatever policy asks later.
    pub fn given(&self) -> Given {
        Given::new(&self.capabilities, &self.obligations)
    }
    /// Everything else that was known when it was judged.
    pub fn circumstances(&self) -> &Circumstances {
        &self.now
    }
    /// How long the session may live, counted from `judged_at`. Turned into a monotonic deadline at once, so that
    /// no later step of the wall clock can lengthen it (invariant 7, THREATS 13).
    pub fn remaining(&self) -> std::time::Duration {
        (self.not_after - self.judged_at).try_into().unwrap_or_default()
    }
}

/// `ruling` says what policy says of a connection to this target under this grant.
///
/// Of several live grants each is judged by itself, and the session stands on one of them for its whole life: nothing is mixed. The first
/// that permits is taken, in this order: one taken in an emergency, one that lifts masking, the one that lasts longest. So an emergency
/// counts whatever older grants would say, and lends nothing from them: it is masked and unmasked by what it was taken for itself, also
/// beside a grant with `unmask`. (Who has to see patients' data in an emergency says so when breaking the glass.)
///
/// If none permits, the answer is of the one that came furthest ([`Short`]); of several that came as far, of the first in that order.
pub fn judge(f: &Facts<'_>, ruling: impl Fn(&Target, &Grant) -> Ruling) -> Decision {
    if f.person.is_suspended() {
        return Decision::Deny(Refusal::Suspended);
    }
    if f.locks.iter().any(|l| l.keeps_out(f.person)) {
        return Decision::Deny(Refusal::Locked);
    }
    let Some(target) = f.target else { return Decision::Deny(Refusal::NoSuchAccess) };
    if !f.person.roles.has(Role::Admin) {
        return Decision::Deny(Refusal::NoSuchAccess);
    }
    let terms = match vendor::terms(f.person, target, f.company, f.now) {
        Ok(terms) => terms,
        Err(VendorRefusal::NotTheirs) => return Decision::Deny(Refusal::NoSuchAccess),
        Err(VendorRefusal::ContractEnded) => return Decision::Deny(Refusal::ContractEnded),
    };
    let mine = || f.grants.iter().filter(|g| g.person == f.person.id && g.target == target.id && &g.account_name == f.account);
    let mut live: Vec<&Grant> = mine().filter(|g| g.state(f.now) == GrantState::Live).collect();
    live.sort_by_key(|g| Reverse((f.emergencies.contains(&g.id), g.capabilities.has(&Capability::Unmask), g.not_after, g.id)));
    let Some(first) = live.first() else {
        let next = mine().filter(|g| g.state(f.now) == GrantState::NotYet).map(|g| g.not_before).min();
        return Decision::Deny(next.map_or(Refusal::NoSuchAccess, |from| Refusal::NotYet { from }));
    };
    // After the grant: that a target exists and is locked is told to those who have business there.
    if f.locks.iter().any(|l| l.closes(target)) {
        return Decision::Deny(Refusal::Locked);
    }
    if f.second_factor == SecondFactor::Missing {
        return Decision::NeedsSecondFactor(first.id);
    }
    // A permit under which nothing can be done is better than none, and worse than every other.
    let (mut empty, mut furthest): (Option<Permit>, Option<Short>) = (None, None);
    for grant in live {
        match under(f, target, &terms, grant, ruling(target, grant)) {
            Ok(permit) if permit.capabilities.0.is_empty() => _ = empty.get_or_insert(permit),
            Ok(permit) => return Decision::Permit(permit),
            // A new passkey is a step on the way, and the better grant is worth it. Behind a certificate nobody is there to be asked.
            Err(Short::Stale(grant)) if f.second_factor == SecondFactor::Remembered => return Decision::NeedsSecondFactor(grant),
            Err(short) if furthest.as_ref().is_none_or(|f| f.came() < short.came()) => furthest = Some(short),
            Err(_) => {}
        }
    }
    match (empty, furthest) {
        (Some(permit), _) => Decision::Permit(permit),
        (None, Some(short)) => short.decision(),
        (None, None) => Decision::Deny(Refusal::NoSuchAccess),
    }
}

/// Where a live grant that does not permit was stopped. In the order in which it is looked at: the later, the less is missing.
#[derive(Debug)]
enum Short {
    /// By policy, whoever approved it.
    Denied(Vec<String>),
    /// Policy asks for more people by now than agreed to it.
    Lacks(String),
    /// Policy allows less time than it has run.
    Over,
    /// What it asks in return cannot be had while the database is away.
    Alone(&'static str),
    /// All that is missing is a newer second factor.
    Stale(GrantId),
}

impl Short {
    fn came(&self) -> u8 {
        match self {
            Self::Denied(_) => 0,
            Self::Lacks(_) => 1,
            Self::Over => 2,
            Self::Alone(_) => 3,
            Self::Stale(_) => 4,
        }
    }

    fn decision(self) -> Decision {
        Decision::Deny(match self {
            Self::Denied(reasons) => Refusal::Policy(reasons),
            Self::Lacks(quorum) => Refusal::Approvals(quorum),
            Self::Over => Refusal::Policy(vec!["the time that it allows is over".into()]),
            Self::Alone(why) => Refusal::SafeMode(why),
            Self::Stale(grant) => return Decision::NeedsSecondFactor(grant),
        })
    }
}

/// What this one live grant is worth.
fn under(f: &Facts<'_>, target: &Target, terms: &Terms, grant: &Grant, ruling: Ruling) -> Result<Permit, Short> {
    let emergency = f.emergencies.contains(&grant.id);
    let owed = match ruling {
        Ruling::Permit { obligations, .. } => obligations,
        Ruling::Deny { reasons } => return Err(Short::Denied(reasons.iter().map(ToString::to_string).collect())),
    };
    // In an emergency nobody has approved, and a review follows.
    if !emergency && let Some(lacking) = grant.obligations.lacks(&owed) {
        return Err(Short::Lacks(lacking.to_string()));
    }
    let obligations = grant.obligations.clone().and(terms.obligations.clone()).and(owed);
    let not_after = standing::ends(grant, time::Duration::ZERO, terms.until, &obligations);
    if not_after <= f.now {
        return Err(Short::Over);
    }
    if f.alone
        && let Some(why) = needs_the_database(&obligations)
    {
        return Err(Short::Alone(why));
    }
    let too_old = |age: u32| f.now - f.factor_at >= time::Duration::seconds(age.into());
    if obligations.factor_age.is_some_and(too_old) && !f.second_factor.is_of_now() {
        return Err(Short::Stale(grant.id));
    }
    Ok(Permit {
        session: f.session,
        capabilities: obligations.leaves(&grant.capabilities),
        obligations,
        source: f.source,
        key: f.key.map(str::to_owned),
        second_factor: f.second_factor,
        factor_at: f.factor_at,
        not_after,
        judged_at: f.now,
        now: Circumstances {
            person: f.person.clone(),
            grant: grant.clone(),
            target: target.clone(),
            emergency,
            prolonged: false,
            locks: f.locks.to_vec(),
            company: f.company.cloned(),
            posture: f.posture.cloned(),
        },
    })
}

/// Why a session with these obligations cannot begin while nobody can look at the database; none: it can.
pub fn needs_the_database(o: &Obligations) -> Option<&'static str> {
    if o.supervise {
        return Some("it has to be watched, and nobody can watch while the database is away");
    }
    // Other gateways' sessions cannot be counted.
    o.at_once.map(|_| "how many sessions run there cannot be counted while the database is away")
}

#[cfg(test)]
mod tests;

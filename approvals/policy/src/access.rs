//! May this person reach this account of this target now?
use crate::pdp::Ruling;
use crate::standing::{self, Circumstances, Standing};
use crate::vendor::{self, VendorRefusal};
use anteroom_domain::{
    AccountId, AccountName, Capabilities, Capability, CardId, Company, Grant, GrantId, GrantState, Handle, Lock, Moment, Obligations,
    Person, PersonId, Posture, Role, SessionId, StepUpId, Target,
};
use std::net::IpAddr;

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
    // Of several live grants the one that lifts masking, then the one that lasts longest, so that a session isn't cut short needlessly.
    let live = mine().filter(|g| g.state(f.now) == GrantState::Live).max_by_key(|g| (g.capabilities.has(&Capability::Unmask), g.not_after));
    let Some(grant) = live else {
        let next = mine().filter(|g| g.state(f.now) == GrantState::NotYet).map(|g| g.not_before).min();
        return Decision::Deny(next.map_or(Refusal::NoSuchAccess, |from| Refusal::NotYet { from }));
    };
    // After the grant: that a target exists and is locked is told to those who have business there.
    if f.locks.iter().any(|l| l.closes(target)) {
        return Decision::Deny(Refusal::Locked);
    }
    if f.second_factor == SecondFactor::Missing {
        return Decision::NeedsSecondFactor(grant.id);
    }
    let owed = match ruling(target, grant) {
        Ruling::Permit { obligations, .. } => obligations,
        Ruling::Deny { reasons } => return Decision::Deny(Refusal::Policy(reasons.iter().map(ToString::to_string).collect())),
    };
    // In an emergency nobody has approved, and a review follows.
    if !f.emergencies.contains(&grant.id)
        && let Some(lacking) = grant.obligations.lacks(&owed)
    {
        return Decision::Deny(Refusal::Approvals(lacking.to_string()));
    }
    let obligations = grant.obligations.clone().and(terms.obligations).and(owed);
    let too_old = |age: u32| f.now - f.factor_at >= time::Duration::seconds(age.into());
    if obligations.factor_age.is_some_and(too_old) && !f.second_factor.is_of_now() {
        return Decision::NeedsSecondFactor(grant.id);
    }
    let not_after = standing::ends(grant, time::Duration::ZERO, terms.until, &obligations);
    if not_after <= f.now {
        return Decision::Deny(Refusal::Policy(vec!["the time that it allows is over".into()]));
    }
    Decision::Permit(Permit {
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
            emergency: f.emergencies.contains(&grant.id),
            prolonged: false,
            locks: f.locks.to_vec(),
            company: f.company.cloned(),
            posture: f.posture.cloned(),
        },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use anteroom_domain::{CompanyId, LockId, Lockable, Reason, TargetKind};
    use anteroom_test_samples as samples;
    use time::{Duration, macros::datetime};
    use uuid::Uuid;

    const NOW: Moment = datetime!(2026-11-23 12:00 UTC);

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }
    fn person(n: u128) -> Person {
        Person { id: PersonId(id(n)), ..samples::person() }
    }
    fn target() -> Target {
        Target {
            name: samples::target_name("ehr-db-1"),
            kind: TargetKind::Server,
            accounts: vec![samples::account("root")],
            ..samples::target()
        }
    }
    fn grant(p: &Person, from: Duration, until: Duration) -> Grant {
        Grant { not_before: NOW + from, not_after: NOW + until, ..samples::grant(p, &target()) }
    }
    fn ask(p: &Person, t: Option<&Target>, account: &str, grants: &[Grant], second_factor: SecondFactor) -> Decision {
        let account = AccountName::new(account).unwrap();
        let facts = Facts {
            session: SessionId(id(50)),
            person: p,
            target: t,
            company: None,
            account: &account,
            grants,
            emergencies: &[],
            locks: &[],
            source: "10.0.0.1".parse().unwrap(),
            key: None,
            posture: None,
            second_factor,
            factor_at: NOW,
            now: NOW,
        };
        judge(&facts, |_, _| Ruling::Permit { obligations: POLICY.with_borrow(Clone::clone), reasons: vec![] })
    }
    thread_local! {
        /// What policy asks in these tests.
        static POLICY: std::cell::RefCell<Obligations> = std::cell::RefCell::default();
    }
    const HOUR: Duration = Duration::HOUR;

    #[test]
    fn a_live_grant_and_a_second_factor_make_a_permit_that_ends_with_the_grant() {
        let p = person(1);
        let Decision::Permit(permit) = ask(&p, Some(&target()), "root", &[grant(&p, -HOUR, HOUR)], SecondFactor::Remembered) else {
            panic!()
        };
        assert_eq!(permit.remaining(), std::time::Duration::from_secs(3600));
        assert_eq!(permit.session(), SessionId(id(50)));
    }

    #[test]
    fn of_two_grants_the_one_that_lifts_masking_counts_and_what_cannot_be_masked_is_taken_away() {
        let p = person(1);
        let mut long = grant(&p, -HOUR, 3 * HOUR);
        long.obligations.live_mask = true;
        long.capabilities = Capabilities::parse(["shell", "download"]).unwrap();
        let mut lifts = Grant { id: GrantId(id(31)), ..long.clone() };
        lifts.not_after = NOW + HOUR;
        lifts.capabilities = Capabilities::parse(["shell", "download", "unmask"]).unwrap();
        let permit = |grants: &[Grant]| match ask(&p, Some(&target()), "root", grants, SecondFactor::Remembered) {
            Decision::Permit(permit) => permit,
            other => panic!("{other:?}"),
        };
        let masked = permit(std::slice::from_ref(&long));
        assert!(masked.masks_live());
        assert_eq!(masked.capabilities().names(), ["shell"]);
        let open = permit(&[long, lifts.clone()]);
        assert!(!open.masks_live());
        assert_eq!((open.grant(), open.capabilities()), (lifts.id, &lifts.capabilities));
    }

    #[test]
    fn without_a_second_factor_there_is_no_permit() {
        let p = person(1);
        assert!(matches!(
            ask(&p, Some(&target()), "root", &[grant(&p, -HOUR, HOUR)], SecondFactor::Missing),
            Decision::NeedsSecondFactor(_)
        ));
    }

    #[test]
    fn a_certificate_or_a_security_key_is_a_second_factor_and_never_a_grant() {
        let p = person(1);
        for factor in [SecondFactor::Certificate { serial: 7 }, SecondFactor::SecurityKey] {
            assert!(matches!(ask(&p, Some(&target()), "root", &[grant(&p, -HOUR, HOUR)], factor), Decision::Permit(_)), "{factor:?}");
            assert!(matches!(ask(&p, Some(&target()), "root", &[], factor), Decision::Deny(Refusal::NoSuchAccess)), "{factor:?}");
            let later = ask(&p, Some(&target()), "root", &[grant(&p, HOUR, 2 * HOUR)], factor);
            assert!(matches!(later, Decision::Deny(Refusal::NotYet { .. })), "{factor:?}");
        }
    }

    #[test]
    fn unknown_and_forbidden_get_the_same_answer() {
        let (p, other) = (person(1), person(2));
        let denied = |d: Decision| matches!(d, Decision::Deny(Refusal::NoSuchAccess));
        let passed = SecondFactor::Remembered;
        assert!(denied(ask(&p, None, "root", &[], passed)));
        assert!(denied(ask(&p, Some(&target()), "root", &[], passed)));
        assert!(denied(ask(&p, Some(&target()), "root", &[grant(&other, -HOUR, HOUR)], passed)));
        assert!(denied(ask(&p, Some(&target()), "oracle", &[grant(&p, -HOUR, HOUR)], passed)));
        assert!(denied(ask(&p, Some(&target()), "root", &[grant(&p, -HOUR, Duration::ZERO)], passed)));
        let mut revoked = grant(&p, -HOUR, HOUR);
        revoked.revoked_at = Some(NOW);
        assert!(denied(ask(&p, Some(&target()), "root", &[revoked], passed)));
    }

    #[test]
    fn a_grant_that_has_not_begun_says_when() {
        let p = person(1);
        let d = ask(&p, Some(&target()), "root", &[grant(&p, HOUR, 2 * HOUR)], SecondFactor::Remembered);
        assert!(matches!(d, Decision::Deny(Refusal::NotYet { from }) if from == NOW + HOUR));
    }

    #[test]
    fn suspension_beats_everything() {
        let mut p = person(1);
        p.suspended_at = Some(NOW);
        let g = grant(&p, -HOUR, HOUR);
        assert!(matches!(
            ask(&p, Some(&target()), "root", std::slice::from_ref(&g), SecondFactor::Remembered),
            Decision::Deny(Refusal::Suspended)
        ));
    }

    #[test]
    fn a_lock_beats_a_grant_and_tells_nobody_of_targets_they_have_no_business_with() {
        let (p, t) = (person(1), target());
        let g = grant(&p, -HOUR, HOUR);
        let lock = |on| Lock { id: LockId(id(60)), on, reason: Reason::new("lost laptop").unwrap(), by: None, at: NOW, lifted_at: None };
        let with = |grants: &[Grant], locks: &[Lock]| {
            let facts = Facts {
                session: SessionId(id(50)),
                person: &p,
                target: Some(&t),
                company: None,
                account: &g.account_name,
                grants,
                emergencies: &[],
                locks,
                source: "10.0.0.1".parse().unwrap(),
                key: None,
                posture: None,
                second_factor: SecondFactor::SecurityKey,
                factor_at: NOW,
                now: NOW,
            };
            judge(&facts, |_, _| Ruling::Permit { obligations: Obligations::default(), reasons: vec![] })
        };
        let mine = std::slice::from_ref(&g);
        for on in [Lockable::Person(p.id), Lockable::Target(t.id)] {
            assert!(matches!(with(mine, &[lock(on)]), Decision::Deny(Refusal::Locked)), "{on:?}");
            let lifted = Lock { lifted_at: Some(NOW), ..lock(on) };
            assert!(matches!(with(mine, &[lifted]), Decision::Permit(_)), "{on:?}");
        }
        assert!(matches!(with(&[], &[lock(Lockable::Target(t.id))]), Decision::Deny(Refusal::NoSuchAccess)));
        assert!(matches!(with(mine, &[lock(Lockable::Company(CompanyId(id(8))))]), Decision::Permit(_)), "another company's");
    }
}

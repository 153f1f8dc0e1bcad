//! The question of [`judge`](crate::judge), asked again while a session runs: does what it stands on still hold?
//!
//! What cannot change while it runs is its [`Standing`]; what can are its [`Circumstances`]. The gateway keeps the newest of these, so
//! that what only time changes (a grant's end, a second factor's age, a report's age) is judged without the database.
use crate::{SecondFactor, vendor};
use anteroom_domain::{
    AtEnd, Company, EndReason, Grant, GrantId, GrantState, Lock, Moment, Obligations, Person, PersonId, Posture, Role, SessionId, Target,
    TargetId,
};
use std::net::IpAddr;

/// Of one running session.
#[derive(Debug, Clone)]
pub struct Standing {
    pub session: SessionId,
    pub person: PersonId,
    pub grant: GrantId,
    pub target: TargetId,
    /// Client's address.
    pub source: IpAddr,
    /// SHA-256 fingerprint of the SSH key that signed the connection; none where no key did.
    pub key: Option<String>,
    pub second_factor: SecondFactor,
    /// When that was proven.
    pub factor_at: Moment,
    /// As it was permitted.
    pub not_after: Moment,
    pub judged_at: Moment,
}

/// Those it is about, as they were when somebody last looked.
#[derive(Debug, Clone)]
pub struct Circumstances {
    pub person: Person,
    pub grant: Grant,
    pub target: Target,
    /// The person took the grant in an emergency: nobody has approved it, and a review follows.
    pub emergency: bool,
    /// Whoever watches has let the session go on after the grant's end, as the grant allows.
    pub prolonged: bool,
    /// On the person, their company or the target.
    pub locks: Vec<Lock>,
    /// The person's, if they are a vendor's.
    pub company: Option<Company>,
    /// Of the machine they come from, as it was reported last; none if no report fits, or more than one.
    pub posture: Option<Posture>,
}

/// What the policies say of it now. Policy only narrows: whatever it says, the rest is asked too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicySays {
    Permits(Obligations),
    /// Not now; what denies it may pass (a device is in use, a report is too old). The text is for the person.
    Pauses(String),
    Denies,
}

#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Stays {
        /// Signed ones and the policy's of now.
        obligations: Obligations,
        /// Ends then, unless it is judged anew with another result.
        deadline: Moment,
    },
    /// Until it is judged anew. The text is for the person.
    StandsStill {
        why: String,
        deadline: Moment,
    },
    Ends(EndReason),
}

/// The same rules as at the start, in the same order.
pub fn rejudge(s: &Standing, now: &Circumstances, policy: PolicySays, at: Moment) -> Verdict {
    let Circumstances { person, grant, target, emergency, prolonged, locks, company, posture: _ } = now;
    if person.is_suspended() {
        return Verdict::Ends(EndReason::PersonSuspended);
    }
    if locks.iter().any(|l| l.keeps_out(person) || l.closes(target)) {
        return Verdict::Ends(EndReason::Locked);
    }
    match grant.state(at) {
        GrantState::Live => {}
        // For how long is judged below.
        GrantState::Expired if *prolonged => {}
        GrantState::Revoked => return Verdict::Ends(EndReason::GrantRevoked),
        GrantState::Expired | GrantState::NotYet => return Verdict::Ends(EndReason::GrantEnded),
    }
    // The last three cannot be but for a caller's mistake: then nothing holds.
    if !person.roles.has(Role::Admin) || grant.person != person.id || grant.target != target.id || s.second_factor == SecondFactor::Missing
    {
        return Verdict::Ends(EndReason::PolicyDenied);
    }
    if let Err(why) = vendor::still(person, target, company.as_ref(), at) {
        return Verdict::Ends(why);
    }
    let Ok(terms) = vendor::terms(person, target, company.as_ref(), at) else { return Verdict::Ends(EndReason::PolicyDenied) };
    let (policy, paused) = match policy {
        PolicySays::Permits(o) => (o, None),
        PolicySays::Pauses(why) => (Obligations::default(), Some(why)),
        PolicySays::Denies => return Verdict::Ends(EndReason::PolicyDenied),
    };
    // Since it began, policy may have come to ask for more people than agreed.
    if !emergency && grant.obligations.lacks(&policy).is_some() {
        return Verdict::Ends(EndReason::PolicyDenied);
    }
    let obligations = grant.obligations.clone().and(terms.obligations).and(policy);
    // What the approvers signed, and the policy of now does not shorten.
    let signed = matches!(grant.obligations.at_end, Some(AtEnd::SupervisorDecides { .. })) && *prolonged;
    let more = match obligations.at_end {
        Some(AtEnd::SupervisorDecides { minutes }) if signed => time::Duration::minutes(minutes.into()),
        _ => time::Duration::ZERO,
    };
    let ends = ends(grant, more, terms.until, &obligations);
    let deadline = factor_ends(s, &obligations).map_or(ends, |factor| factor.min(ends));
    if deadline <= at {
        return Verdict::Ends(if grant.not_after <= at { EndReason::GrantEnded } else { EndReason::PolicyDenied });
    }
    match paused {
        Some(why) => Verdict::StandsStill { why, deadline },
        None => Verdict::Stays { obligations, deadline },
    }
}

/// When a session under this grant is over at the latest.
pub(crate) fn ends(grant: &Grant, more: time::Duration, terms_until: Option<Moment>, o: &Obligations) -> Moment {
    let longest = o.longest.map(|minutes| grant.not_before + time::Duration::minutes(minutes.into()));
    [terms_until, longest].into_iter().flatten().fold(grant.not_after.saturating_add(more), Moment::min)
}

/// A second factor that is to be no older than so many seconds carries its session no longer either. One made for this connection (zero)
/// counts as long as the connection, and no other does.
fn factor_ends(s: &Standing, o: &Obligations) -> Option<Moment> {
    let of_now = |age: u32| age == 0 && s.second_factor.is_of_now();
    o.factor_age.filter(|age| !of_now(*age)).map(|age| s.factor_at.saturating_add(time::Duration::seconds(age.into())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use anteroom_domain::{CompanyId, LockId, Lockable, Reason, Roles};
    use anteroom_test_samples as samples;
    use proptest::prelude::*;
    use time::{Duration, macros::datetime};
    use uuid::Uuid;

    const NOW: Moment = datetime!(2026-11-26 12:00 UTC);

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn running() -> (Standing, Circumstances) {
        let standing = Standing {
            session: SessionId(id(1)),
            person: PersonId(id(1)),
            grant: GrantId(id(30)),
            target: TargetId(id(10)),
            source: "10.0.0.7".parse().unwrap(),
            key: None,
            second_factor: SecondFactor::SecurityKey,
            factor_at: NOW - Duration::minutes(10),
            not_after: NOW + Duration::HOUR,
            judged_at: NOW - Duration::minutes(10),
        };
        let person = samples::person();
        let target = samples::target();
        let grant = Grant { not_before: NOW - Duration::HOUR, not_after: NOW + Duration::HOUR, ..samples::grant(&person, &target) };
        let now = Circumstances { person, grant, target, emergency: false, prolonged: false, locks: vec![], company: None, posture: None };
        (standing, now)
    }

    #[test]
    fn a_supervisor_lets_it_go_on_for_as_long_as_the_approvers_signed_and_no_longer() {
        let ends = |minutes: Option<u16>, prolonged: bool, policy: Obligations, after: Duration| {
            let (s, mut c) = running();
            c.grant.obligations.at_end = minutes.map(|minutes| AtEnd::SupervisorDecides { minutes });
            c.prolonged = prolonged;
            match rejudge(&s, &c, PolicySays::Permits(policy), c.grant.not_after + after) {
                Verdict::Stays { deadline, .. } => Ok(deadline - c.grant.not_after),
                Verdict::Ends(why) => Err(why),
                other => panic!("{other:?}"),
            }
        };
        let (none, minute) = (Obligations::default, Duration::MINUTE);
        assert_eq!(ends(Some(10), true, none(), minute), Ok(10 * minute));
        assert_eq!(ends(Some(10), true, none(), 10 * minute), Err(EndReason::GrantEnded), "the hard stop");
        assert_eq!(ends(Some(10), false, none(), Duration::ZERO), Err(EndReason::GrantEnded), "nobody decided");
        assert_eq!(ends(None, true, none(), Duration::ZERO), Err(EndReason::GrantEnded), "nobody signed that");
        let five = Obligations { at_end: Some(AtEnd::SupervisorDecides { minutes: 5 }), ..none() };
        assert_eq!(ends(Some(10), true, five.clone(), minute), Ok(5 * minute), "policy makes it shorter");
        assert_eq!(ends(None, true, five, Duration::ZERO), Err(EndReason::GrantEnded), "and never longer");
        assert_eq!(ends(Some(10), true, Obligations { at_end: Some(AtEnd::Cut), ..none() }, Duration::ZERO), Err(EndReason::GrantEnded));
    }

    fn lock(on: Lockable) -> Lock {
        Lock { id: LockId(id(7)), on, reason: Reason::new("lost laptop").unwrap(), by: None, at: NOW, lifted_at: None }
    }

    fn permits(factor_age: Option<u32>) -> PolicySays {
        PolicySays::Permits(Obligations { factor_age, ..Obligations::default() })
    }

    #[test]
    fn each_thing_it_stands_on_ends_it_with_its_own_reason() {
        type Change = fn(&mut Circumstances);
        let cases: [(Change, EndReason); 9] = [
            (|c| c.person.suspended_at = Some(NOW), EndReason::PersonSuspended),
            (|c| c.person.roles = Roles::from_iter([Role::Auditor]), EndReason::PolicyDenied),
            (|c| c.grant.revoked_at = Some(NOW), EndReason::GrantRevoked),
            (|c| c.grant.not_after = NOW, EndReason::GrantEnded),
            (|c| c.grant.not_before = NOW + Duration::SECOND, EndReason::GrantEnded),
            (|c| c.locks.push(lock(Lockable::Person(c.person.id))), EndReason::Locked),
            (|c| c.locks.push(lock(Lockable::Target(c.target.id))), EndReason::Locked),
            (
                |c| {
                    c.person.attributes.company = Some(CompanyId(id(8)));
                    c.locks.push(lock(Lockable::Company(CompanyId(id(8)))));
                },
                EndReason::Locked,
            ),
            (|c| c.grant.person = PersonId(id(99)), EndReason::PolicyDenied),
        ];
        for (n, (change, reason)) in cases.into_iter().enumerate() {
            let (s, mut c) = running();
            assert!(matches!(rejudge(&s, &c, permits(None), NOW), Verdict::Stays { .. }), "before {n}");
            change(&mut c);
            assert_eq!(rejudge(&s, &c, permits(None), NOW), Verdict::Ends(reason), "{n}");
        }
    }

    #[test]
    fn a_lock_that_was_lifted_or_is_on_others_changes_nothing() {
        let (s, mut c) = running();
        c.locks = vec![
            Lock { lifted_at: Some(NOW), ..lock(Lockable::Person(c.person.id)) },
            lock(Lockable::Person(PersonId(id(99)))),
            lock(Lockable::Company(CompanyId(id(8)))),
        ];
        assert!(matches!(rejudge(&s, &c, permits(None), NOW), Verdict::Stays { .. }));
    }

    #[test]
    fn policy_ends_it_or_lets_it_stand_still() {
        let (s, c) = running();
        assert_eq!(rejudge(&s, &c, PolicySays::Denies, NOW), Verdict::Ends(EndReason::PolicyDenied));
        let (why, deadline) = ("mri-3 is in clinical use".to_owned(), c.grant.not_after);
        assert_eq!(rejudge(&s, &c, PolicySays::Pauses(why.clone()), NOW), Verdict::StandsStill { why, deadline });
    }

    #[test]
    fn a_second_factor_that_may_not_be_older_ends_its_session_when_it_is() {
        let (s, mut c) = running();
        let deadline = |v| match v {
            Verdict::Stays { deadline, .. } => deadline,
            other => panic!("{other:?}"),
        };
        assert_eq!(deadline(rejudge(&s, &c, permits(Some(900)), NOW)), NOW + Duration::minutes(5));
        assert_eq!(rejudge(&s, &c, permits(Some(600)), NOW), Verdict::Ends(EndReason::PolicyDenied));
        assert_eq!(deadline(rejudge(&s, &c, permits(Some(0)), NOW)), c.grant.not_after, "made for this connection");
        for factor in [SecondFactor::Remembered, SecondFactor::Certificate { serial: 7 }] {
            let s = Standing { second_factor: factor, ..s.clone() };
            assert_eq!(rejudge(&s, &c, permits(Some(0)), NOW), Verdict::Ends(EndReason::PolicyDenied), "{factor:?} was not");
            assert_eq!(deadline(rejudge(&s, &c, permits(None), NOW)), c.grant.not_after);
        }
        c.grant.obligations.factor_age = Some(700);
        assert_eq!(deadline(rejudge(&s, &c, permits(Some(900)), NOW)), NOW + Duration::seconds(100), "the stricter counts");
    }

    #[test]
    fn signed_obligations_stay_whatever_policy_says_later() {
        let (s, mut c) = running();
        c.grant.obligations.supervise = true;
        let Verdict::Stays { obligations, .. } = rejudge(&s, &c, permits(None), NOW) else { panic!() };
        assert!(obligations.supervise);
    }

    proptest! {
        /// No mixture of circumstances lets a session outlive its grant or pass a suspension, a lock or a policy that denies.
        #[test]
        fn it_stays_only_if_nothing_speaks_against_it(
            suspended: bool, admin: bool, locked: bool, revoked: bool, says in 0..3, from in -100i64..100, until in -100i64..100, age in proptest::option::of(0u32..1200),
        ) {
            let (s, mut c) = running();
            c.person.suspended_at = suspended.then_some(NOW);
            c.person.roles = if admin { Roles::from_iter([Role::Admin]) } else { Roles::default() };
            if locked { c.locks.push(lock(Lockable::Target(c.target.id))); }
            c.grant.revoked_at = revoked.then_some(NOW);
            c.grant.not_before = NOW + Duration::seconds(from);
            c.grant.not_after = NOW + Duration::seconds(until);
            let policy = match says { 0 => permits(age), 1 => PolicySays::Pauses("in use".into()), _ => PolicySays::Denies };
            let fresh = says != 0 || age.is_none_or(|a| a == 0 || a > 600);
            let holds = !suspended && admin && !locked && !revoked && says != 2 && from <= 0 && until > 0 && fresh;
            match rejudge(&s, &c, policy, NOW) {
                Verdict::Stays { deadline, .. } => prop_assert!(holds && says == 0 && deadline > NOW && deadline <= c.grant.not_after),
                Verdict::StandsStill { deadline, .. } => prop_assert!(holds && says == 1 && deadline > NOW && deadline <= c.grant.not_after),
                Verdict::Ends(_) => prop_assert!(!holds),
            }
        }
    }
}

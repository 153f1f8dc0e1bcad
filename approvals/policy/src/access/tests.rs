#![allow(clippy::unwrap_used)]
use super::*;
use crate::pdp::Ground;
use anteroom_domain::{CompanyId, LockId, Lockable, Quorum, Reason, TargetKind};
use anteroom_test_samples as samples;
use proptest::prelude::*;
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
fn facts<'a>(
    p: &'a Person,
    t: Option<&'a Target>,
    account: &'a AccountName,
    grants: &'a [Grant],
    second_factor: SecondFactor,
) -> Facts<'a> {
    Facts {
        session: SessionId(id(50)),
        person: p,
        target: t,
        company: None,
        account,
        grants,
        emergencies: &[],
        locks: &[],
        source: "10.0.0.1".parse().unwrap(),
        key: None,
        posture: None,
        second_factor,
        factor_at: NOW,
        alone: false,
        now: NOW,
    }
}
fn ask(p: &Person, t: Option<&Target>, account: &str, grants: &[Grant], second_factor: SecondFactor) -> Decision {
    let account = AccountName::new(account).unwrap();
    judge(&facts(p, t, &account, grants, second_factor), |_, _| permits(POLICY.with_borrow(Clone::clone)))
}
fn permits(obligations: Obligations) -> Ruling {
    Ruling::Permit { obligations, reasons: vec![] }
}
fn denies(says: &str) -> Ruling {
    Ruling::Deny { reasons: vec![Ground { policy: None, says: says.into(), pauses: false }] }
}
thread_local! {
    /// What policy asks in these tests.
    static POLICY: std::cell::RefCell<Obligations> = std::cell::RefCell::default();
}
const HOUR: Duration = Duration::HOUR;

#[test]
fn a_live_grant_and_a_second_factor_make_a_permit_that_ends_with_the_grant() {
    let p = person(1);
    let Decision::Permit(permit) = ask(&p, Some(&target()), "root", &[grant(&p, -HOUR, HOUR)], SecondFactor::Remembered) else { panic!() };
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
    assert!(matches!(ask(&p, Some(&target()), "root", &[grant(&p, -HOUR, HOUR)], SecondFactor::Missing), Decision::NeedsSecondFactor(_)));
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
        let facts = Facts { locks, ..facts(&p, Some(&t), &g.account_name, grants, SecondFactor::SecurityKey) };
        judge(&facts, |_, _| permits(Obligations::default()))
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

const LONG: u128 = 31;
const GLASS: u128 = 32;
const SHORT: u128 = 33;

/// Eight hours that somebody approved, one hour that was taken in an emergency, and two more that somebody approved.
struct Ada {
    person: Person,
    target: Target,
    long: Grant,
    glass: Grant,
    short: Grant,
}

impl Ada {
    fn new() -> Self {
        let person = person(1);
        let with = |n, hours| Grant { id: GrantId(id(n)), ..grant(&person, -HOUR, hours) };
        let (long, glass, short) = (with(LONG, 8 * HOUR), with(GLASS, HOUR), with(SHORT, 2 * HOUR));
        Self { long, glass, short, target: target(), person }
    }

    fn judged(&self, grants: &[&Grant], factor: SecondFactor, ruling: impl Fn(u128) -> Ruling) -> Decision {
        self.judged_when(grants, factor, false, ruling)
    }

    fn judged_when(&self, grants: &[&Grant], factor: SecondFactor, alone: bool, ruling: impl Fn(u128) -> Ruling) -> Decision {
        let grants: Vec<Grant> = grants.iter().map(|g| (*g).clone()).collect();
        let account = &self.target.accounts[0].name;
        let of_now = facts(&self.person, Some(&self.target), account, &grants, factor);
        let facts = Facts { emergencies: &[self.glass.id], factor_at: NOW - Duration::minutes(10), alone, ..of_now };
        judge(&facts, |_, g| ruling(g.id.0.as_u128()))
    }
}

fn stands_on(d: Decision) -> u128 {
    match d {
        Decision::Permit(permit) => permit.grant().0.as_u128(),
        other => panic!("{other:?}"),
    }
}
fn refused(d: Decision) -> Refusal {
    match d {
        Decision::Deny(why) => why,
        other => panic!("{other:?}"),
    }
}
fn two() -> Obligations {
    Obligations { approvals: vec![Quorum { group: None, count: 2 }], ..Obligations::default() }
}

#[test]
fn an_emergency_counts_whatever_an_older_and_longer_grant_would_say() {
    let ada = Ada::new();
    let all = [&ada.long, &ada.glass];
    for (what, long) in [
        ("a maintenance window", denies("Only in its maintenance windows.")),
        ("more approvers", permits(two())),
        ("a supervisor", permits(Obligations { supervise: true, ..Obligations::default() })),
        ("nothing", permits(Obligations::default())),
    ] {
        let d = ada.judged(&all, SecondFactor::SecurityKey, |g| if g == LONG { long.clone() } else { permits(Obligations::default()) });
        let Decision::Permit(permit) = d else { panic!("{what}: {d:?}") };
        assert_eq!(permit.grant(), ada.glass.id, "{what}");
        assert!(permit.circumstances().emergency && !permit.obligations().supervise && permit.remaining().as_secs() == 3600, "{what}");
    }
    let no_emergency = ada.judged(&all, SecondFactor::SecurityKey, |g| if g == GLASS { denies("No.") } else { permits(two()) });
    assert_eq!(refused(no_emergency), Refusal::Approvals("2 approvers".into()));
    let approved =
        ada.judged(&all, SecondFactor::SecurityKey, |g| if g == GLASS { denies("No.") } else { permits(Obligations::default()) });
    assert_eq!(stands_on(approved), LONG, "what was approved goes on counting");
}

#[test]
fn an_emergency_is_masked_as_it_was_taken_and_borrows_no_unmasking() {
    let mut ada = Ada::new();
    ada.long.capabilities = Capabilities::parse(["shell", "download", "unmask"]).unwrap();
    ada.glass.capabilities = Capabilities::parse(["shell", "download"]).unwrap();
    let masks = |_| permits(Obligations { live_mask: true, ..Obligations::default() });
    let permit = |ada: &Ada| match ada.judged(&[&ada.long, &ada.glass], SecondFactor::SecurityKey, masks) {
        Decision::Permit(permit) => (permit.grant(), permit.masks_live(), permit.capabilities().names()),
        other => panic!("{other:?}"),
    };
    assert_eq!(permit(&ada), (ada.glass.id, true, vec!["shell".to_owned()]));
    ada.glass.capabilities = ada.long.capabilities.clone();
    assert_eq!(permit(&ada), (ada.glass.id, false, ada.glass.capabilities.names()), "asked for when the glass was broken");
}

#[test]
fn a_shorter_grant_that_more_people_approved_opens_what_a_longer_one_does_not() {
    let mut ada = Ada::new();
    ada.short.obligations = two();
    let d = ada.judged(&[&ada.long, &ada.short], SecondFactor::SecurityKey, |_| permits(two()));
    assert_eq!(stands_on(d), SHORT);
    let d = ada.judged(&[&ada.long, &ada.short], SecondFactor::SecurityKey, |_| permits(Obligations::default()));
    assert_eq!(stands_on(d), LONG, "else the one that lasts");
}

#[test]
fn a_grant_under_which_nothing_could_be_done_comes_after_every_other() {
    let mut ada = Ada::new();
    ada.long.capabilities = Capabilities::parse(["download"]).unwrap();
    ada.short.capabilities = Capabilities::parse(["shell"]).unwrap();
    let masks = |_| permits(Obligations { live_mask: true, ..Obligations::default() });
    assert_eq!(stands_on(ada.judged(&[&ada.long, &ada.short], SecondFactor::SecurityKey, masks)), SHORT);
    // By itself it opens a session in which each thing that is asked for is refused with its reason.
    assert_eq!(stands_on(ada.judged(&[&ada.long], SecondFactor::SecurityKey, masks)), LONG);
}

#[test]
fn of_several_refusals_the_one_that_lacks_least_is_told() {
    let mut ada = Ada::new();
    let all = |ada: &Ada, long: Ruling, glass: Ruling, factor| {
        ada.judged(&[&ada.long, &ada.glass], factor, |g| if g == LONG { long.clone() } else { glass.clone() })
    };
    let key = SecondFactor::SecurityKey;
    let says = |s: &str| Refusal::Policy(vec![s.into()]);
    assert_eq!(refused(all(&ada, denies("Window."), denies("Network."), key)), says("Network."), "as far as each other: the emergency's");
    assert_eq!(refused(all(&ada, permits(two()), denies("Network."), key)), Refusal::Approvals("2 approvers".into()));
    let half = || permits(Obligations { longest: Some(30), ..Obligations::default() });
    assert_eq!(refused(all(&ada, half(), denies("Network."), key)), says("the time that it allows is over"));
    // A certificate cannot be made anew on this connection: what permits with it is taken, and else it is said that it is too old.
    let fresh = || permits(Obligations { factor_age: Some(0), ..Obligations::default() });
    let certificate = SecondFactor::Certificate { serial: 7 };
    assert_eq!(stands_on(all(&ada, permits(Obligations::default()), fresh(), certificate)), LONG);
    assert!(matches!(all(&ada, half(), fresh(), certificate), Decision::NeedsSecondFactor(g) if g == ada.glass.id));
    // Where somebody can be asked, the better grant is worth a touch.
    let d = all(&ada, permits(Obligations::default()), fresh(), SecondFactor::Remembered);
    assert!(matches!(d, Decision::NeedsSecondFactor(g) if g == ada.glass.id), "{d:?}");
    ada.long.obligations.supervise = true;
    let d = ada.judged_when(&[&ada.long, &ada.short], key, true, |_| permits(Obligations::default()));
    assert_eq!(stands_on(d), SHORT, "without the database: what nobody has to watch");
    let d = ada.judged_when(&[&ada.long], key, true, |_| permits(Obligations::default()));
    assert!(matches!(refused(d), Refusal::SafeMode(_)));
}

proptest! {
    /// Several grants beside each other open nothing that none of them opens, and whatever one of them opens is opened; the session
    /// owes and may what its own grant says.
    #[test]
    fn many_grants_open_what_one_of_them_opens_and_nothing_else(says in proptest::collection::vec(0..5u8, 3), glass: bool) {
        let ada = Ada::new();
        let ruling = |g: u128| match says[usize::try_from(g - LONG).unwrap()] {
            0 => permits(Obligations::default()),
            1 => permits(Obligations { supervise: true, ..Obligations::default() }),
            2 => permits(two()),
            3 => permits(Obligations { longest: Some(30), ..Obligations::default() }),
            _ => denies("No."),
        };
        let grants: Vec<&Grant> = if glass { vec![&ada.long, &ada.glass, &ada.short] } else { vec![&ada.long, &ada.short] };
        let alone = |g: &Grant| matches!(ada.judged(&[g], SecondFactor::SecurityKey, ruling), Decision::Permit(_));
        match ada.judged(&grants, SecondFactor::SecurityKey, ruling) {
            Decision::Permit(permit) => {
                let own = grants.iter().find(|g| g.id == permit.grant()).unwrap();
                prop_assert!(alone(own));
                prop_assert_eq!(permit.not_after(), own.not_after);
                let supervised = matches!(ruling(own.id.0.as_u128()), Ruling::Permit { obligations, .. } if obligations.supervise);
                prop_assert_eq!(permit.obligations().supervise, supervised);
                prop_assert!(own.id == ada.glass.id || !glass || !alone(&ada.glass), "an emergency counts before all others");
            }
            other => prop_assert!(grants.iter().all(|g| !alone(g)), "{other:?}"),
        }
    }
}

//! Every life of a request, its grant and its session, as far as five points in time and four people go, also beside a grant that was taken
//! in an emergency, with the rules that decide in the product: who may answer, who has to, whether to let in and under which grant, whether
//! to let go on, whether somebody watches. Breadth first, no luck.
#![allow(clippy::unwrap_used)]
use anteroom_domain::{
    CompanyId, DisplayName, Grant, GrantId, GrantState, GroupName, Lock, LockId, Lockable, Moment, Obligations, Person, PersonId, Quorum,
    Reason, SessionId, Target, TargetId, content::Verdict as Says,
};
use anteroom_policy::{
    Circumstances, Decision, Facts, Given, More, Needed, PolicySays, Ruling, SecondFactor, Standing, Tally, Verdict, Voice, judge, rejudge,
    supervision::{Input, State as Watch, Supervision},
};
use anteroom_test_samples as samples;
use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    time::Duration,
};
use time::macros::datetime;
use uuid::Uuid;

const ZERO: Moment = datetime!(2026-11-26 12:00 UTC);
/// The grant counts from 1 and ends with 4; a request that nobody answered is over at 3.
const FROM: u8 = 1;
const UNTIL: u8 = 4;
const UNANSWERED: u8 = 3;
const LAST: u8 = 5;
/// An emergency counts so long.
const GLASS: u8 = 1;
/// Its grant. (The one that people signed is number 30.)
const BROKEN: GrantId = GrantId(Uuid::from_u128(31));

/// The requester, two approvers (the first a clinical engineer) and a colleague of the requester's company.
const PEOPLE: [u128; 4] = [1, 2, 3, 4];
const REQUESTER: u128 = 1;
const ENGINEER: u128 = 2;
const COLLEAGUE: u128 = 4;
const COMPANY: u128 = 9;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Request {
    Open,
    Granted,
    Denied,
    Withdrawn,
    Expired,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Policy {
    AsSigned,
    /// Asks for two approvers by now.
    Two,
    /// Asks by now that somebody watches.
    Watches,
    Denies,
    /// Denies what is no emergency, as a maintenance window does.
    Window,
    /// Denies for a while.
    Pauses,
}

/// Which grant a session stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Under {
    Signed,
    Emergency,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Session {
    None,
    Runs { under: Under, held: bool, watch: Option<Supervision> },
    Ended,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    clock: u8,
    request: Request,
    /// In the order they were given; true: approves.
    voices: Vec<(u128, bool)>,
    revoked: bool,
    /// When the glass was broken.
    glass: Option<u8>,
    glass_revoked: bool,
    suspended: bool,
    locked: bool,
    policy: Policy,
    session: Session,
}

fn at(clock: u8) -> Moment {
    ZERO + time::Duration::hours(clock.into())
}
fn seconds(clock: u8) -> Duration {
    Duration::from_secs(3600 * u64::from(clock))
}
fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// What one world asks for in return: fixed for its whole life, signed with the request.
struct World {
    owed: Obligations,
    vendor: bool,
    /// Somebody may break the glass beside it.
    glass: bool,
}

impl World {
    fn needed(&self) -> Needed {
        Needed::new(&self.owed, PersonId(id(REQUESTER)))
    }

    fn voice(&self, (who, yes): (u128, bool)) -> Voice {
        let of_company = self.vendor && [REQUESTER, COLLEAGUE].contains(&who);
        Voice {
            approver: PersonId(id(who)),
            stands_for: None,
            groups: (who == ENGINEER).then(|| GroupName::new("clinical-engineering").unwrap()).into_iter().collect(),
            companies: of_company.then_some(CompanyId(id(COMPANY))).into_iter().collect(),
            verdict: if yes { Says::Approve } else { Says::Deny },
        }
    }

    fn voices(&self, s: &State) -> Vec<Voice> {
        s.voices.iter().map(|v| self.voice(*v)).collect()
    }

    /// Said a second time, without asking the rules: who has to have agreed before anybody may be let in.
    fn agreed(&self, s: &State) -> bool {
        let yes: BTreeSet<u128> = s.voices.iter().filter(|(_, yes)| *yes).map(|(who, _)| *who).collect();
        let counts: BTreeSet<u128> = yes.into_iter().filter(|w| *w != REQUESTER && !(self.vendor && *w == COLLEAGUE)).collect();
        let people = self.owed.approvals.iter().map(|q| usize::from(q.count)).sum::<usize>().max(1);
        let engineer = self.owed.approvals.iter().any(|q| q.group.is_some());
        counts.len() >= people && (!engineer || counts.contains(&ENGINEER))
    }

    fn person(&self, s: &State) -> Person {
        let mut person = Person { id: PersonId(id(REQUESTER)), suspended_at: s.suspended.then_some(ZERO), ..samples::person() };
        person.attributes.company = self.vendor.then_some(CompanyId(id(COMPANY)));
        person
    }

    fn target(&self) -> Target {
        let mut target = samples::target();
        target.attributes.vendor = self.vendor.then_some(CompanyId(id(COMPANY)));
        target
    }

    fn company(&self) -> Option<anteroom_domain::Company> {
        self.vendor.then(|| anteroom_domain::Company {
            id: CompanyId(id(COMPANY)),
            name: DisplayName::new("Acme").unwrap(),
            contract_ends: at(200),
            supervised: false,
            sponsors: None,
        })
    }

    fn grant(&self, s: &State) -> Option<Grant> {
        (s.request == Request::Granted).then(|| Grant {
            obligations: self.owed.clone(),
            not_before: at(FROM),
            not_after: at(UNTIL),
            revoked_at: s.revoked.then_some(ZERO),
            ..samples::grant(&self.person(s), &self.target())
        })
    }

    /// The one that was taken in an emergency.
    fn broken(&self, s: &State) -> Option<Grant> {
        s.glass.map(|from| Grant {
            id: BROKEN,
            not_before: at(from),
            not_after: at(from + GLASS),
            revoked_at: s.glass_revoked.then_some(ZERO),
            ..samples::grant(&self.person(s), &self.target())
        })
    }

    fn locks(&self, s: &State) -> Vec<Lock> {
        let lock = |on| Lock { id: LockId(id(40)), on, reason: Reason::new("lost laptop").unwrap(), by: None, at: ZERO, lifted_at: None };
        s.locked.then(|| lock(Lockable::Target(TargetId(id(10))))).into_iter().collect()
    }

    /// What a gateway does when somebody connects.
    fn connects(&self, s: &State) -> Option<State> {
        let (person, target, locks, company) = (self.person(s), self.target(), self.locks(s), self.company());
        let grants: Vec<Grant> = self.grant(s).into_iter().chain(self.broken(s)).collect();
        let facts = Facts {
            session: SessionId(id(50)),
            person: &person,
            target: Some(&target),
            company: company.as_ref(),
            account: &target.accounts[0].name,
            grants: &grants,
            emergencies: &[BROKEN],
            locks: &locks,
            source: "10.0.0.7".parse().unwrap(),
            key: None,
            posture: None,
            second_factor: SecondFactor::SecurityKey,
            factor_at: at(s.clock),
            alone: false,
            now: at(s.clock),
        };
        let permits = |obligations| Ruling::Permit { obligations, reasons: vec![] };
        let ruling = |_: &Target, g: &Grant| match s.policy {
            Policy::AsSigned => permits(Obligations::default()),
            Policy::Two => permits(two()),
            Policy::Watches => permits(watched()),
            Policy::Window if g.id == BROKEN => permits(Obligations::default()),
            Policy::Window | Policy::Denies | Policy::Pauses => Ruling::Deny { reasons: vec![] },
        };
        let decision = judge(&facts, ruling);
        let emergency = s.glass.is_some_and(|from| (from..from + GLASS).contains(&s.clock)) && !s.glass_revoked;
        if emergency && !s.suspended && !s.locked && !matches!(s.policy, Policy::Denies | Policy::Pauses) {
            let watches = s.policy == Policy::Watches;
            let counts = matches!(&decision, Decision::Permit(p) if p.grant() == BROKEN && p.obligations().supervise == watches);
            assert!(counts, "an emergency that does not count beside another grant: {s:?} {decision:?}");
        }
        let Decision::Permit(permit) = decision else { return None };
        let under = if permit.grant() == BROKEN { Under::Emergency } else { Under::Signed };
        let watch = permit.obligations().supervise.then(|| Supervision::new(seconds(s.clock), seconds(2)));
        Some(State { session: Session::Runs { under, held: false, watch }, ..s.clone() })
    }

    /// What a guard does whenever anything is otherwise, and by the clock.
    fn guarded(&self, mut s: State) -> State {
        let Session::Runs { under, watch, .. } = s.session else { return s };
        let own = if under == Under::Emergency { self.broken(&s) } else { self.grant(&s) };
        let Some(grant) = own else { panic!("a session without a grant: {s:?}") };
        let watch = watch.map(|w| w.step(Input::Nothing, seconds(s.clock)));
        let standing = Standing {
            session: SessionId(id(50)),
            person: PersonId(id(REQUESTER)),
            grant: grant.id,
            target: grant.target,
            source: "10.0.0.7".parse().unwrap(),
            key: None,
            second_factor: SecondFactor::SecurityKey,
            factor_at: grant.not_before,
            not_after: grant.not_after,
            judged_at: grant.not_before,
        };
        let now = Circumstances {
            person: self.person(&s),
            grant,
            target: self.target(),
            emergency: under == Under::Emergency,
            prolonged: false,
            locks: self.locks(&s),
            company: self.company(),
            posture: None,
        };
        let says = match s.policy {
            Policy::AsSigned => PolicySays::Permits(Obligations::default()),
            Policy::Two => PolicySays::Permits(two()),
            Policy::Watches => PolicySays::Permits(watched()),
            Policy::Window if under == Under::Emergency => PolicySays::Permits(Obligations::default()),
            Policy::Window | Policy::Denies => PolicySays::Denies,
            Policy::Pauses => PolicySays::Pauses("wait".into()),
        };
        s.session = match rejudge(&standing, &now, says, at(s.clock)) {
            _ if watch.is_some_and(|w| w.state() == Watch::Ended) => Session::Ended,
            Verdict::Stays { obligations, .. } => {
                let had = Obligations { supervise: watch.is_some(), ..Obligations::default() };
                match Given::new(&now.grant.capabilities, &had).against(&obligations, &now.grant.capabilities) {
                    More::Nothing => Session::Runs { under, held: false, watch },
                    // It stands still from the moment this is known.
                    More::Watching => {
                        Session::Runs { under, held: false, watch: Some(Supervision::from_now_on(seconds(s.clock), seconds(2))) }
                    }
                    More::Anew(_) => Session::Ended,
                }
            }
            Verdict::StandsStill { .. } => Session::Runs { under, held: true, watch },
            Verdict::Ends(_) => Session::Ended,
        };
        s
    }

    /// Everything that anybody can do, and time.
    fn next(&self, s: &State) -> Vec<State> {
        let mut all = Vec::new();
        if s.request == Request::Open {
            let said = self.voices(s);
            for who in PEOPLE {
                for yes in [true, false] {
                    if self.needed().hears(&said, &self.voice((who, yes))).is_err() {
                        continue;
                    }
                    let mut t = s.clone();
                    t.voices.push((who, yes));
                    t.request = match self.needed().tally(&self.voices(&t)) {
                        Tally::Satisfied => Request::Granted,
                        Tally::Denied(_) => Request::Denied,
                        Tally::Waiting(_) => Request::Open,
                    };
                    all.push(t);
                }
            }
            all.push(State { request: Request::Withdrawn, ..s.clone() });
        }
        if s.clock < LAST {
            let clock = s.clock + 1;
            let over = s.request == Request::Open && clock >= UNANSWERED;
            all.push(State { clock, request: if over { Request::Expired } else { s.request }, ..s.clone() });
        }
        if s.request == Request::Granted {
            all.push(State { revoked: true, ..s.clone() });
        }
        if self.glass && s.glass.is_none() && !s.suspended && !s.locked {
            all.push(State { glass: Some(s.clock), ..s.clone() });
        }
        if s.glass.is_some() {
            all.push(State { glass_revoked: true, ..s.clone() });
        }
        all.push(State { suspended: !s.suspended, ..s.clone() });
        all.push(State { locked: !s.locked, ..s.clone() });
        for policy in [Policy::AsSigned, Policy::Two, Policy::Watches, Policy::Denies, Policy::Window, Policy::Pauses] {
            all.push(State { policy, ..s.clone() });
        }
        match s.session {
            Session::None => all.extend(self.connects(s)),
            Session::Runs { under, held, watch: Some(w) } => {
                let (now, lease) = (seconds(s.clock), seconds(s.clock) + Duration::from_secs(3));
                for input in [Input::Lease { until: lease }, Input::Nobody, Input::Nothing] {
                    all.push(State { session: Session::Runs { under, held, watch: Some(w.step(input, now)) }, ..s.clone() });
                }
            }
            Session::Runs { .. } | Session::Ended => {}
        }
        all.into_iter().map(|t| self.guarded(t)).collect()
    }

    fn check(&self, s: &State) {
        if s.request == Request::Granted {
            assert!(self.agreed(s), "granted without those who had to agree: {s:?}");
            assert!(s.voices.iter().all(|(_, yes)| *yes), "granted although somebody denied: {s:?}");
        }
        let Session::Runs { under, held, watch } = s.session else { return };
        assert!(!s.suspended && !s.locked && s.policy != Policy::Denies, "runs although nobody may: {s:?}");
        assert!(held == (s.policy == Policy::Pauses), "policy says wait, or go on: {s:?}");
        if under == Under::Emergency {
            // By nobody's approval: then by the emergency alone, for its time, and not a moment more by the other grant.
            assert!(
                s.glass.is_some_and(|from| (from..from + GLASS).contains(&s.clock)) && !s.glass_revoked,
                "outlives its emergency: {s:?}"
            );
            assert!(self.glass, "{s:?}");
        } else {
            self.check_signed(s);
        }
        // What was asked once is asked to its end.
        let asked = under == Under::Signed && self.owed.supervise || s.policy == Policy::Watches;
        assert!(watch.is_some() || !asked, "not watched although it has to be: {s:?}");
        if let Some(w) = watch {
            let watched = matches!(w.state(), Watch::Watched { until } if seconds(s.clock) < until);
            assert_eq!(w.runs(seconds(s.clock)), watched, "lets something through unwatched: {s:?}");
        }
    }

    /// Of a session under the grant that people signed.
    fn check_signed(&self, s: &State) {
        assert!(s.request == Request::Granted && self.agreed(s), "runs without its approvals: {s:?}");
        assert!((FROM..UNTIL).contains(&s.clock), "runs outside of its time: {s:?}");
        assert!(!s.revoked, "runs although it was taken back: {s:?}");
        assert!(s.policy != Policy::Window, "runs against policy: {s:?}");
        let two = self.owed.approvals.iter().map(|q| q.count).sum::<u8>() >= 2;
        assert!(s.policy != Policy::Two || two, "runs with fewer approvals than policy asks for by now: {s:?}");
    }

    /// How many states; how many with a session that somebody approved; with one of an emergency while the other grant counts too; with one
    /// that nobody had to watch when it began and somebody does by now.
    fn explore(&self) -> (usize, usize, usize, usize) {
        let first = State {
            clock: 0,
            request: Request::Open,
            voices: vec![],
            revoked: false,
            glass: None,
            glass_revoked: false,
            suspended: false,
            locked: false,
            policy: Policy::AsSigned,
            session: Session::None,
        };
        let (mut seen, mut todo) = (HashSet::from([first.clone()]), VecDeque::from([first]));
        let (mut ran, mut beside, mut late) = (0, 0, 0);
        while let Some(s) = todo.pop_front() {
            self.check(&s);
            let under = |u| matches!(s.session, Session::Runs { under, .. } if under == u);
            ran += usize::from(under(Under::Signed));
            beside += usize::from(under(Under::Emergency) && self.grant(&s).is_some_and(|g| g.state(at(s.clock)) == GrantState::Live));
            late += usize::from(
                matches!(s.session, Session::Runs { watch: Some(w), .. } if s.policy != Policy::Watches && !self.owed.supervise && w.runs(seconds(s.clock))),
            );
            for t in self.next(&s) {
                if seen.insert(t.clone()) {
                    todo.push_back(t);
                }
            }
        }
        (seen.len(), ran, beside, late)
    }
}

fn watched() -> Obligations {
    Obligations { supervise: true, ..Obligations::default() }
}

fn two() -> Obligations {
    Obligations { approvals: vec![of(None, 2)], ..Obligations::default() }
}

fn of(group: Option<&str>, count: u8) -> Quorum {
    Quorum { group: group.map(|g| GroupName::new(g).unwrap()), count }
}

#[test]
fn no_path_leads_in_without_approvals_beyond_its_time_or_unwatched() {
    let engineer = || vec![of(Some("clinical-engineering"), 1), of(None, 1)];
    for (approvals, ordered) in [(vec![], false), (vec![of(None, 2)], false), (engineer(), false), (engineer(), true)] {
        for supervise in [false, true] {
            // A vendor's person never breaks the glass.
            for (vendor, glass) in [(false, false), (true, false), (false, true)] {
                let owed = Obligations { approvals: approvals.clone(), ordered, supervise, ..Obligations::default() };
                let (states, ran, beside, late) = World { owed, vendor, glass }.explore();
                let met = format!(
                    "{approvals:?} {ordered} {supervise} {vendor} {glass}: {states} states, {ran} with a session, {beside} beside, {late} late"
                );
                // A model in which nothing ever runs proves nothing.
                assert!(states > 500 && ran > 0 && (beside > 0) == glass && (late > 0) != supervise, "{met}");
            }
        }
    }
}

//! Every life of an emergency, as far as six points in time, five people, one gateway that is cut off now and then, and two sessions go:
//! used by signature or by a card, ended, revoked, told of late, looked at, looked at again. With the rules that decide in the product.
//! Breadth first, no luck.
#![allow(clippy::unwrap_used)]
use anteroom_domain::{
    BreakGlass, CardState, Grant, GrantId, Moment, Obligations, Person, PersonId, Reason, RequestId, Role, Roles, SessionId, TargetId,
    break_glass::Reviewed, content::Finding,
};
use anteroom_policy::{
    Circumstances, Decision, Facts, PolicySays, Ruling, SecondFactor, Standing, Verdict,
    aftermath::{self, is_overdue, reopens},
    break_glass::{self, Wish},
    cards::{Life, Told},
    judge, rejudge,
};
use anteroom_test_samples::{self as samples, id};
use std::collections::{HashSet, VecDeque};
use time::macros::datetime;

const ZERO: Moment = datetime!(2026-11-26 12:00 UTC);
/// Hours. An emergency lasts two; a day after its end somebody should have looked.
const POINTS: [i64; 6] = [0, 1, 2, 3, 27, 51];
const LASTS: i64 = 2;
const MOST_SESSIONS: u8 = 2;

/// Breaks the glass, and could review others' (an approver too).
const USER: u128 = 1;
/// An approver, who may lose that role.
const REVIEWER: u128 = 2;
/// An auditor, who may be suspended.
const AUDITOR: u128 = 3;
/// Two key-holders who signed the card; the second is an admin and an auditor too.
const OFFICERS: [u128; 2] = [4, 5];
const PEOPLE: [u128; 5] = [USER, REVIEWER, AUDITOR, OFFICERS[0], OFFICERS[1]];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Use {
    by: u128,
    from: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    /// Index into [`POINTS`].
    clock: usize,
    /// The gateway does not reach the database. The portal does.
    cut_off: bool,
    used: Option<Use>,
    /// It stands in the database.
    known: bool,
    revoked: bool,
    /// The gateway knows of the use, or of its end by revocation.
    gate_knows: bool,
    gate_heard_revoked: bool,
    card: Option<Life>,
    /// The gateway keeps the card as one that opens.
    kept: bool,
    /// Sessions that stand in the database, and such that the gateway has still to tell of.
    told: u8,
    untold: u8,
    runs: bool,
    /// Somebody began to sign what they found, over so many sessions.
    looking: Option<(u128, u8)>,
    closed: Option<(u128, u8)>,
    reminded: Option<usize>,
    role_lost: bool,
    suspended: bool,
}

/// What has to come up somewhere, or nothing was proven.
#[derive(Debug, Default)]
struct Met {
    closed: usize,
    reopened: usize,
    irregular: usize,
    reminded: usize,
    ran_unheard: usize,
    refused_own: usize,
    refused_live: usize,
    refused_role: usize,
    changed: usize,
}

fn hour(h: i64) -> Moment {
    ZERO + time::Duration::hours(h)
}

impl State {
    fn now(&self) -> Moment {
        hour(POINTS[self.clock])
    }

    fn person(&self, n: u128) -> Person {
        let roles: &[Role] = match n {
            USER => &[Role::Admin, Role::Approver],
            REVIEWER if self.role_lost => &[Role::Operator],
            REVIEWER => &[Role::Approver, Role::Operator],
            AUDITOR => &[Role::Auditor],
            n if n == OFFICERS[1] => &[Role::KeyHolder, Role::Admin, Role::Auditor],
            _ => &[Role::KeyHolder],
        };
        Person {
            id: PersonId(id(n)),
            roles: Roles::from_iter(roles.iter().copied()),
            suspended_at: (n == AUDITOR && self.suspended).then_some(ZERO),
            ..samples::person()
        }
    }

    /// As a gateway that heard of the revocation, or did not, has it.
    fn grant(&self, u: Use, heard: bool) -> Grant {
        Grant {
            not_before: hour(u.from),
            not_after: hour(u.from + LASTS),
            revoked_at: (self.revoked && heard).then(|| self.now()),
            ..samples::grant(&self.person(u.by), &samples::target())
        }
    }

    /// As the database has it.
    fn glass(&self) -> Option<BreakGlass> {
        let u = self.used.filter(|_| self.known)?;
        let review = self.closed.map(|(by, _)| Reviewed {
            by: PersonId(id(by)),
            at: self.now(),
            finding: Finding::Justified,
            findings: Reason::new("looked").unwrap(),
        });
        Some(BreakGlass {
            request: RequestId(id(40)),
            grant: GrantId(id(30)),
            person: PersonId(id(u.by)),
            person_handle: samples::handle("somebody"),
            target: TargetId(id(10)),
            target_name: samples::target_name("mri-3"),
            account: samples::account("service").name,
            reason: Reason::new("ventilators").unwrap(),
            source: "10.0.0.7".into(),
            card: None,
            from: hour(u.from),
            until: hour(u.from + LASTS),
            revoked_at: self.revoked.then(|| self.now()),
            sessions: (0..self.told).map(|n| SessionId(id(50 + u128::from(n)))).collect(),
            review,
        })
    }

    fn is_over(&self, u: Use) -> bool {
        self.revoked || self.now() >= hour(u.from + LASTS)
    }
}

/// Somebody connects, and the gateway judges by what it knows.
fn connects(s: &State) -> Option<State> {
    let u = s.used.filter(|_| s.gate_knows)?;
    let heard = !s.cut_off || s.gate_heard_revoked;
    let (person, target, grants) = (s.person(u.by), samples::target(), [s.grant(u, heard)]);
    let facts = Facts {
        session: SessionId(id(50)),
        person: &person,
        target: Some(&target),
        company: None,
        account: &target.accounts[0].name,
        grants: &grants,
        emergencies: &[GrantId(id(30))],
        locks: &[],
        source: "10.0.0.7".parse().unwrap(),
        key: None,
        posture: None,
        second_factor: SecondFactor::SecurityKey,
        factor_at: s.now(),
        alone: s.cut_off,
        now: s.now(),
    };
    let Decision::Permit(permit) = judge(&facts, |_, _| Ruling::Permit { obligations: Obligations::default(), reasons: vec![] }) else {
        return None;
    };
    assert!(permit.not_after() <= hour(u.from + LASTS) && s.now() < permit.not_after(), "a permit beyond its end: {s:?}");
    assert!(s.cut_off || !s.revoked, "a permit after it was taken back: {s:?}");
    let mut t = *s;
    t.runs = true;
    if s.cut_off {
        t.untold += 1
    } else {
        t.told += 1
    }
    Some(t)
}

/// What a guard does whenever anything is otherwise, and by the clock.
fn guarded(mut s: State) -> State {
    let (true, Some(u)) = (s.runs, s.used) else { return s };
    let heard = !s.cut_off || s.gate_heard_revoked;
    let grant = s.grant(u, heard);
    let standing = Standing {
        session: SessionId(id(50)),
        person: grant.person,
        grant: grant.id,
        target: grant.target,
        source: "10.0.0.7".parse().unwrap(),
        key: None,
        second_factor: SecondFactor::SecurityKey,
        factor_at: hour(u.from),
        not_after: grant.not_after,
        judged_at: hour(u.from),
    };
    let now = Circumstances {
        person: s.person(u.by),
        grant,
        target: samples::target(),
        emergency: true,
        prolonged: false,
        locks: vec![],
        company: None,
        posture: None,
    };
    let verdict = rejudge(&standing, &now, PolicySays::Permits(Obligations::default()), s.now());
    s.runs = matches!(verdict, Verdict::Stays { .. });
    s
}

/// The gateway hears what there is to hear, as it does whenever it reaches the database.
fn synced(mut s: State) -> State {
    if !s.cut_off {
        s.gate_knows |= s.known;
        s.gate_heard_revoked |= s.revoked;
        s.kept = s.card.is_some_and(|c| c.state(s.now()) == CardState::Valid);
    }
    s
}

/// The gateway tells of a card that it took.
fn tells_use(s: &State, met: &mut Met) -> Option<State> {
    let (u, card) = (s.used.filter(|_| !s.known && !s.cut_off)?, s.card?);
    let mut t = *s;
    t.known = true;
    match card.told_of_use(RequestId(id(40)), PersonId(id(u.by)), hour(u.from)) {
        Told::Regular(life) => t.card = Some(life),
        Told::Irregular(life, _) => {
            met.irregular += 1;
            t.card = Some(life);
        }
        Told::Known => panic!("told once: {s:?}"),
    }
    Some(t)
}

/// The gateway tells of a session that it let in meanwhile; after the card's use.
fn tells_session(s: &State, met: &mut Met) -> Option<State> {
    let glass = s.glass().filter(|_| !s.cut_off && s.untold > 0)?;
    let mut t = *s;
    (t.untold, t.told) = (s.untold - 1, s.told + 1);
    if reopens(&glass) {
        met.reopened += 1;
        (t.closed, t.reminded) = (None, Some(s.clock));
    }
    Some(t)
}

/// Everything that anybody can do, and time. `by_card`: there is a card, and the glass is broken with it alone.
fn next(s: &State, by_card: bool, met: &mut Met) -> Vec<State> {
    let mut all =
        vec![State { cut_off: !s.cut_off, ..*s }, State { role_lost: !s.role_lost, ..*s }, State { suspended: !s.suspended, ..*s }];
    if s.clock + 1 < POINTS.len() {
        all.push(State { clock: s.clock + 1, ..*s });
    }
    let used = |by| Some(Use { by, from: POINTS[s.clock] });
    if s.used.is_none() && s.clock < 2 {
        let length = time::Duration::hours(LASTS);
        if !by_card && break_glass::judge(&Wish { length, before: 0, ruling: &Ok(Obligations::default()) }).is_ok() {
            all.push(State { used: used(USER), known: true, ..*s });
        }
        if s.kept && s.cut_off {
            // Whoever has the paper. An officer's own use is irregular, and kept all the same.
            all.extend([USER, OFFICERS[1]].map(|by| State { used: used(by), gate_knows: true, kept: false, ..*s }));
        }
    }
    if let Some(life) = s.card {
        let signed = OFFICERS.into_iter().filter_map(|o| life.countersign(PersonId(id(o)), s.now()).ok());
        all.extend(signed.chain(life.revoke(s.now()).ok()).map(|card| State { card: Some(card), ..*s }));
    }
    if s.told + s.untold < MOST_SESSIONS {
        all.extend(connects(s));
    }
    all.extend(tells_use(s, met));
    all.extend(tells_session(s, met));
    if let Some(glass) = s.glass() {
        if glass.is_live(s.now()) {
            all.push(State { revoked: true, ..*s });
        }
        if is_overdue(&glass, s.reminded.map(|at| hour(POINTS[at])), s.now()) {
            met.reminded += 1;
            all.push(State { reminded: Some(s.clock), ..*s });
        }
        all.extend(looks(s, &glass, met));
    }
    all.into_iter().map(|t| guarded(synced(t))).collect()
}

/// Beginning a review, and signing it.
fn looks(s: &State, glass: &BreakGlass, met: &mut Met) -> Vec<State> {
    let mut all = Vec::new();
    for who in PEOPLE {
        match aftermath::review(&s.person(who), glass, s.now()) {
            Ok(()) => all.push(State { looking: Some((who, s.told)), ..*s }),
            Err(aftermath::NoReview::Own) => met.refused_own += 1,
            Err(aftermath::NoReview::Live) => met.refused_live += 1,
            Err(aftermath::NoReview::NotAllowed) => met.refused_role += 1,
            Err(aftermath::NoReview::Reviewed) => assert!(s.closed.is_some(), "{s:?}"),
        }
    }
    let Some((who, over)) = s.looking else { return all };
    if aftermath::review(&s.person(who), glass, s.now()).is_ok() {
        if over == s.told {
            met.closed += 1;
            all.push(State { looking: None, closed: Some((who, over)), ..*s });
        } else {
            // What was signed does not name a session that is known by now.
            met.changed += 1;
            all.push(State { looking: None, ..*s });
        }
    }
    all
}

/// The rules said a second time, without asking them.
fn check(s: &State, before: Option<&State>) {
    let Some(u) = s.used else {
        assert!(s.closed.is_none() && !s.runs && s.told + s.untold == 0, "{s:?}");
        return;
    };
    if s.runs {
        assert!(POINTS[s.clock] < u.from + LASTS, "runs beyond its end: {s:?}");
        assert!(s.cut_off || !s.revoked, "runs although it was taken back: {s:?}");
    }
    if let Some((by, over)) = s.closed {
        assert!(s.known && s.is_over(u), "closed before it was over: {s:?}");
        assert_ne!(by, u.by, "closed by the one who did it: {s:?}");
        assert_eq!(over, s.told, "closed over other sessions than are known: {s:?}");
    }
    if let (Some((by, _)), Some(None)) = (s.closed, before.map(|b| b.closed)) {
        let able = match by {
            REVIEWER => !s.role_lost,
            AUDITOR => !s.suspended,
            by => by == USER || by == OFFICERS[1],
        };
        assert!(able, "closed by somebody who may not: {s:?}");
    }
    if by_now_told(s).is_some_and(|t| t.closed.is_some_and(|(_, over)| over < t.told)) {
        panic!("a session stays that nobody looked at: {s:?}");
    }
}

/// The same after the gateway was heard in full: every use has its row then, open or closed.
fn by_now_told(s: &State) -> Option<State> {
    s.used?;
    let mut met = Met::default();
    let mut t = synced(State { cut_off: false, ..*s });
    if let Some(told) = tells_use(&t, &mut met) {
        t = told;
    }
    while let Some(told) = tells_session(&t, &mut met) {
        t = told;
    }
    let glass = t.glass().unwrap_or_else(|| panic!("a use that nobody ever reviews: {s:?}"));
    assert_eq!(t.untold, 0);
    // Nobody forgets it: open and over for a day, and whoever may look is told.
    let ended = t.used.map_or(0, |u| u.from + LASTS);
    if t.closed.is_none() && t.reminded.is_none() && POINTS[t.clock] >= ended + 24 {
        assert!(is_overdue(&glass, None, t.now()), "forgotten: {t:?}");
    }
    if t.closed.is_some() || glass.is_live(t.now()) {
        assert!(!is_overdue(&glass, None, t.now()), "reminded of what needs no look: {t:?}");
    }
    Some(t)
}

fn explore(by_card: bool) -> (usize, Met) {
    let first = State {
        clock: 0,
        cut_off: false,
        used: None,
        known: false,
        revoked: false,
        gate_knows: false,
        gate_heard_revoked: false,
        card: by_card.then(|| Life::begun(PersonId(id(OFFICERS[0])), hour(27))),
        kept: false,
        told: 0,
        untold: 0,
        runs: false,
        looking: None,
        closed: None,
        reminded: None,
        role_lost: false,
        suspended: false,
    };
    let (mut seen, mut todo, mut met) = (HashSet::from([first]), VecDeque::from([first]), Met::default());
    check(&first, None);
    while let Some(s) = todo.pop_front() {
        met.ran_unheard += usize::from(s.runs && s.cut_off && s.revoked);
        for t in next(&s, by_card, &mut met) {
            if seen.insert(t) {
                check(&t, Some(&s));
                todo.push_back(t);
            }
        }
    }
    (seen.len(), met)
}

#[test]
fn every_emergency_leads_to_a_look_by_somebody_else_at_all_of_it() {
    for by_card in [false, true] {
        let (states, met) = explore(by_card);
        // A model in which nothing happens proves nothing.
        assert!(states > 10_000 && met.closed > 0 && met.reopened > 0 && met.reminded > 0 && met.changed > 0, "{states} states, {met:?}");
        assert!(met.refused_own > 0 && met.refused_live > 0 && met.refused_role > 0 && met.ran_unheard > 0, "{states} states, {met:?}");
        assert_eq!(met.irregular > 0, by_card, "{states} states, {met:?}");
    }
}

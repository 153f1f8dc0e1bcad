//! Keeps deciding while a connection lives: its deadline, revocations, suspensions and orders end it; whatever else changes has it judged
//! again, and what is owed by then is held against what the session has; and so does time, from what was known last.
use super::{
    EndSignal, Registry,
    warnings::{Warnings, span, words},
};
use anteroom_approvals::{Approvals, Change};
use anteroom_domain::{AuditEvent, EndReason, Hold, Moment, SessionControl as _, audit::PolicyEvent};
use anteroom_policy::{Circumstances, Given, More, Permit, Standing, Verdict};
use std::time::Duration;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until},
};

/// Between two questions to a database that does not answer.
const ASK_AGAIN: Duration = Duration::from_millis(200);
/// How often what only time changes is looked at: a report that grows too old, the end of a shift. Asks nobody.
const BY_THE_CLOCK: Duration = Duration::from_secs(5);

/// What a permit was made of, as far as a later change can take it away.
#[derive(Debug, Clone)]
pub struct Guard {
    standing: Standing,
    known: Circumstances,
    /// What the session has, whatever is asked of it now.
    given: Given,
    /// Monotonic: no step of the wall clock moves it (invariant 7).
    deadline: Instant,
    /// Where the session is held and let go.
    registry: Registry,
    /// It stands still because of us.
    holds: bool,
    warnings: Warnings,
}

/// What a change means for one session.
#[derive(Debug, PartialEq, Eq)]
enum Hears {
    Nothing,
    Ends(EndReason),
    /// Something it stands on may be otherwise now: look at all of it again.
    LookAgain,
}

/// What a session does next.
#[derive(Debug, PartialEq, Eq)]
enum Does {
    GoOn,
    /// The text is for the person.
    Wait(String),
    /// It stands still until somebody watches, and runs only while somebody does.
    BeWatched,
    /// It ends, and what is asked by now counts for the next. The text is for the person.
    BeginAnew(String),
    End(EndReason),
}

/// What its person reads who had to be watched by nobody.
const WATCHED: &str = "from now on somebody has to watch this session";

impl Guard {
    /// `deadline` is the permit's remaining time, counted from before it was asked for.
    pub fn new(permit: &Permit, deadline: Instant, registry: Registry) -> Self {
        Self {
            standing: permit.standing(),
            known: permit.circumstances().clone(),
            given: permit.given(),
            deadline,
            registry,
            holds: false,
            warnings: Warnings::default(),
        }
    }

    /// What its person is told next before the end as it is now, and when.
    fn warning(&mut self) -> Option<(Instant, Duration)> {
        self.warnings.next(self.deadline, Instant::now())
    }

    fn warn(&mut self, (_, before): (Instant, Duration)) {
        let known = &self.known;
        self.registry.say(self.standing.session, &words(before, known.grant.obligations.at_end, known.prolonged));
        self.warnings.said();
    }

    fn hear(&self, change: Result<Change, RecvError>) -> Hears {
        let (s, known) = (&self.standing, &self.known);
        let concerns = |yes| if yes { Hears::LookAgain } else { Hears::Nothing };
        match change {
            Ok(Change::GrantRevoked(g)) if g == s.grant => Hears::Ends(EndReason::GrantRevoked),
            Ok(Change::PersonSuspended(p)) if p == s.person => Hears::Ends(EndReason::PersonSuspended),
            Ok(Change::Terminate { session, by }) if session == s.session => Hears::Ends(EndReason::Terminated { by }),
            Ok(Change::Person(p)) => concerns(p == s.person),
            // Whoever watches may have let it go on for a while.
            Ok(Change::Supervision(of)) => concerns(of == s.session),
            Ok(Change::Target(t)) => concerns(t == s.target),
            Ok(Change::Company(c)) => concerns([known.person.attributes.company, known.target.attributes.vendor].contains(&Some(c))),
            Ok(Change::Policy | Change::Resync) | Err(RecvError::Lagged(_)) => Hears::LookAgain,
            Ok(_) => Hears::Nothing,
            Err(RecvError::Closed) => Hears::Ends(EndReason::GatewayStopped),
        }
    }

    /// Takes the verdict's deadline over and says what else it means.
    fn follow(&mut self, verdict: Verdict, start: Instant) -> Does {
        match verdict {
            Verdict::Stays { obligations, deadline } => {
                self.deadline = self.instant(deadline, start);
                match self.given.against(&obligations, &self.known.grant.capabilities) {
                    More::Nothing => Does::GoOn,
                    More::Watching => Does::BeWatched,
                    More::Anew(why) => Does::BeginAnew(why),
                }
            }
            Verdict::StandsStill { why, deadline } => {
                self.deadline = self.instant(deadline, start);
                Does::Wait(why)
            }
            Verdict::Ends(reason) => Does::End(reason),
        }
    }

    /// A moment of the wall clock as it was when the permit was made, on our clock, which nobody sets.
    fn instant(&self, at: Moment, start: Instant) -> Instant {
        match Duration::try_from(at - self.standing.judged_at) {
            Ok(after) => start.checked_add(after).unwrap_or(self.deadline),
            Err(_) => start,
        }
    }
}

/// Runs until the session has ended, by whatever cause. `changes` must have been subscribed to before the permit
/// was asked for, so that nothing falls between.
pub async fn guard(mut g: Guard, approvals: Approvals, mut changes: Receiver<Change>, end: EndSignal) {
    let permitted = Duration::try_from(g.standing.not_after - g.standing.judged_at).unwrap_or_default();
    let start = g.deadline.checked_sub(permitted).unwrap_or_else(Instant::now);
    let mut clock = interval_at(Instant::now() + BY_THE_CLOCK, BY_THE_CLOCK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let warning = g.warning();
        let heard = tokio::select! {
            _ = end.ended() => return,
            () = sleep_until(g.deadline) => Hears::Ends(EndReason::GrantEnded),
            Some(due) = comes(warning) => { g.warn(due); Hears::Nothing }
            c = changes.recv() => g.hear(c),
            _ = clock.tick() => {
                let verdict = approvals.judge_by_the_clock(&g.standing, &g.known);
                if let Some(over) = obey(&mut g, &approvals, verdict, start).await { Hears::Ends(over) } else { Hears::Nothing }
            }
        };
        let over = match heard {
            Hears::Nothing => continue,
            Hears::Ends(reason) => Some(reason),
            // A session goes on to its deadline while the database is away; it is judged again when it is back, and by the clock meanwhile.
            Hears::LookAgain => look_again(&mut g, &approvals, &end, start).await,
        };
        if let Some(reason) = over {
            end.end(reason);
            return;
        }
    }
}

/// Holds it, lets it go, or says why it has to end.
async fn obey(g: &mut Guard, approvals: &Approvals, verdict: Verdict, start: Instant) -> Option<EndReason> {
    let (session, before) = (g.standing.session, g.deadline);
    match g.follow(verdict, start) {
        Does::GoOn => {
            goes_on(g, approvals, before).await;
            None
        }
        Does::BeWatched => {
            // One that has not begun yet cannot wait for anybody: it begins anew, in the lobby.
            if !g.registry.have_watched(session) {
                return Some(EndReason::PolicyAsksMore);
            }
            g.given.watch();
            g.registry.message(session, "policy", WATCHED);
            goes_on(g, approvals, before).await;
            None
        }
        Does::BeginAnew(why) => {
            tracing::info!(%session, "ends: policy asks for what a running session cannot be given");
            g.registry.message(session, "policy", &why);
            Some(EndReason::PolicyAsksMore)
        }
        Does::Wait(why) => {
            // One that is signing in has nothing to hold yet. It is looked at again by the clock.
            if !g.holds && g.registry.hold(session, Hold::Policy) {
                g.holds = true;
                tracing::info!(%session, "stands still: policy says to wait");
                g.registry.message(session, "policy", &why);
                approvals.note(AuditEvent::Policy(PolicyEvent::StandsStill { session, why }), None).await;
            }
            None
        }
        Does::End(reason) => Some(reason),
    }
}

/// Policy no longer says to wait. Other causes to stand still stay.
async fn goes_on(g: &mut Guard, approvals: &Approvals, before: Instant) {
    let session = g.standing.session;
    if g.known.prolonged && g.deadline > before {
        let left = span(g.deadline.saturating_duration_since(Instant::now()));
        g.registry.message(session, "your supervisor", &format!("you may go on; in {left} it ends, whatever anybody does"));
    }
    if std::mem::take(&mut g.holds) {
        approvals.note(AuditEvent::Policy(PolicyEvent::GoesOn { session }), None).await;
        g.registry.release(session, Hold::Policy);
    }
}

/// Asks until there is an answer: a database that has just come back may fail the first question.
async fn look_again(g: &mut Guard, approvals: &Approvals, end: &EndSignal, start: Instant) -> Option<EndReason> {
    // Soon, if the database does not answer: a lock that was set on this machine counts without it.
    let mut clock = interval_at(Instant::now() + ASK_AGAIN, BY_THE_CLOCK);
    loop {
        let (standing, warning) = (g.standing.clone(), g.warning());
        let verdict = tokio::select! {
            reason = end.ended() => return Some(reason),
            () = sleep_until(g.deadline) => return Some(EndReason::GrantEnded),
            Some(due) = comes(warning) => { g.warn(due); continue }
            _ = clock.tick() => approvals.judge_by_the_clock(&g.standing, &g.known),
            judged = judge_again(&standing, approvals) => {
                let (verdict, known) = judged;
                g.known = known.unwrap_or_else(|| g.known.clone());
                return obey(g, approvals, verdict, start).await;
            }
        };
        if let Some(reason) = obey(g, approvals, verdict, start).await {
            return Some(reason);
        }
    }
}

/// A warning, when it is due. None at once if there is none; a `select!` looks at the others then.
async fn comes(warning: Option<(Instant, Duration)>) -> Option<(Instant, Duration)> {
    if let Some((at, _)) = warning {
        sleep_until(at).await;
    }
    warning
}

async fn judge_again(s: &Standing, approvals: &Approvals) -> anteroom_approvals::Rejudged {
    loop {
        match approvals.rejudge(s).await {
            Ok(judged) => return judged,
            Err(e) => tracing::debug!(session = %s.session, error = %e, "cannot be judged again yet"),
        }
        sleep(ASK_AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use anteroom_domain::{Capabilities, Capability, CompanyId, GrantId, Obligations, PersonId, SessionId, TargetId};
    use anteroom_policy::SecondFactor;
    use anteroom_test_samples as samples;
    use uuid::Uuid;

    const NOW: Moment = Moment::UNIX_EPOCH;
    const HOUR: Duration = Duration::from_secs(3600);

    fn g() -> Guard {
        let id = Uuid::from_u128;
        let standing = Standing {
            session: SessionId(id(1)),
            person: PersonId(id(1)),
            grant: GrantId(id(30)),
            target: TargetId(id(10)),
            source: "10.0.0.7".parse().unwrap(),
            key: None,
            second_factor: SecondFactor::SecurityKey,
            factor_at: NOW,
            not_after: NOW + HOUR,
            judged_at: NOW,
        };
        let mut person = samples::person();
        person.attributes.company = Some(CompanyId(id(5)));
        let target = samples::target();
        let grant = samples::grant(&person, &target);
        Guard {
            standing,
            known: Circumstances { person, grant, target, emergency: false, prolonged: false, locks: vec![], company: None, posture: None },
            given: Given::new(&Capabilities::interactive(), &Obligations::default()),
            deadline: Instant::now() + HOUR,
            registry: Registry::default(),
            holds: false,
            warnings: Warnings::default(),
        }
    }

    #[test]
    fn only_what_concerns_the_session_is_heard() {
        let other = Uuid::from_u128(99);
        let by = PersonId(other);
        let s = g().standing;
        for (change, heard) in [
            (Change::GrantRevoked(s.grant), Hears::Ends(EndReason::GrantRevoked)),
            (Change::GrantRevoked(GrantId(other)), Hears::Nothing),
            (Change::PersonSuspended(s.person), Hears::Ends(EndReason::PersonSuspended)),
            (Change::PersonSuspended(PersonId(other)), Hears::Nothing),
            (Change::Terminate { session: s.session, by }, Hears::Ends(EndReason::Terminated { by })),
            (Change::Terminate { session: SessionId(other), by }, Hears::Nothing),
            (Change::Person(s.person), Hears::LookAgain),
            (Change::Person(PersonId(other)), Hears::Nothing),
            (Change::Target(s.target), Hears::LookAgain),
            (Change::Target(TargetId(other)), Hears::Nothing),
            (Change::Company(CompanyId(Uuid::from_u128(5))), Hears::LookAgain),
            (Change::Company(CompanyId(other)), Hears::Nothing),
            (Change::Supervision(s.session), Hears::LookAgain),
            (Change::Supervision(SessionId(other)), Hears::Nothing),
            (Change::Policy, Hears::LookAgain),
            (Change::Resync, Hears::LookAgain),
        ] {
            assert_eq!(g().hear(Ok(change)), heard, "{change:?}");
        }
    }

    #[test]
    fn missed_changes_are_looked_up_and_a_dead_feed_ends_the_session() {
        assert_eq!(g().hear(Err(RecvError::Lagged(3))), Hears::LookAgain);
        assert_eq!(g().hear(Err(RecvError::Closed)), Hears::Ends(EndReason::GatewayStopped));
    }

    #[test]
    fn what_is_owed_from_now_on_is_held_against_what_the_session_has() {
        let mut g = g();
        let start = g.deadline - HOUR;
        let stays = |obligations| Verdict::Stays { obligations, deadline: NOW + HOUR };
        let watched = Obligations { supervise: true, ..Obligations::default() };
        let shell_only = Obligations { capabilities: Some(Capabilities([Capability::Shell].into())), ..Obligations::default() };
        assert_eq!(g.follow(stays(watched.clone()), start), Does::BeWatched);
        g.given.watch();
        assert_eq!(g.follow(stays(watched), start), Does::GoOn, "told once");
        assert_eq!(g.follow(stays(Obligations::default()), start), Does::GoOn);
        for less in [shell_only, Obligations { live_mask: true, ..Obligations::default() }] {
            let Does::BeginAnew(why) = g.follow(stays(less), start) else { panic!() };
            assert!(why.starts_with("from now on"), "{why}");
        }
    }

    #[test]
    fn a_deadline_of_the_wall_clock_becomes_one_that_nobody_sets() {
        let mut g = g();
        let start = g.deadline - HOUR;
        let stays = |deadline| Verdict::Stays { obligations: Default::default(), deadline };
        assert_eq!(g.follow(stays(NOW + HOUR / 2), start), Does::GoOn);
        assert_eq!(g.deadline, start + HOUR / 2);
        assert_eq!(g.follow(stays(NOW - HOUR), start), Does::GoOn);
        assert_eq!(g.deadline, start, "over at once");
        assert_eq!(g.follow(stays(NOW + 2 * HOUR), start), Does::GoOn);
        assert_eq!(g.deadline, start + 2 * HOUR, "extended: the same grant lasts longer");
        let waits = Verdict::StandsStill { why: "in use".into(), deadline: NOW + HOUR };
        assert_eq!((g.follow(waits, start), g.deadline), (Does::Wait("in use".into()), start + HOUR));
        assert_eq!(g.follow(Verdict::Ends(EndReason::Locked), start), Does::End(EndReason::Locked));
    }
}

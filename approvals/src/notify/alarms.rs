//! Which lines of the log that nobody's request made somebody has to hear of at once.
use super::{Alarm, Notice};
use anteroom_domain::{
    AuditEvent, Role, SessionId,
    audit::{CommandsEvent, PolicyEvent, SafeModeEvent},
};
use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Who hears of an emergency, and looks into what a session shows and does.
pub(crate) const WATCHERS: [Role; 3] = [Role::Approver, Role::Auditor, Role::Operator];
/// Who keeps the gateway.
pub(crate) const KEEPERS: [Role; 2] = [Role::Auditor, Role::Operator];
/// More rules and sessions than are remembered here begin anew.
const MOST: usize = 4096;

/// Rules about commands that somebody was told of, of one process. Each tells once a session: a hundred times says nothing new.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<BTreeSet<(SessionId, String)>>);

impl Told {
    fn rules(&self) -> MutexGuard<'_, BTreeSet<(SessionId, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has to be told of this line, if it has not been.
    pub(crate) fn news(&self, event: &AuditEvent) -> Option<Notice> {
        if let Some((session, rule)) = watched(event) {
            let new = !self.rules().contains(&(session, rule.to_owned()));
            return new.then(|| Notice::alarm(Alarm::Command, &WATCHERS, None, None, Some(session)));
        }
        // Whoever reads it told of it once a process and version.
        if matches!(event, AuditEvent::Policy(PolicyEvent::Unread { .. })) {
            return Some(Notice::alarm(Alarm::PolicyUnread, &KEEPERS, None, None, None));
        }
        // Before it is over nobody can be told: who is written to stands in the database.
        let over = matches!(event, AuditEvent::SafeMode(SafeModeEvent::Left { .. }));
        over.then(|| Notice::alarm(Alarm::SafeMode, &KEEPERS, None, None, None))
    }

    /// It is in the database.
    pub(crate) fn said(&self, event: &AuditEvent) {
        if let Some((session, rule)) = watched(event) {
            let mut rules = self.rules();
            if rules.len() >= MOST {
                rules.clear();
            }
            rules.insert((session, rule.to_owned()));
        }
    }
}

/// The session and the rule that watches over its commands. One that only asks the person again tells nobody.
fn watched(event: &AuditEvent) -> Option<(SessionId, &str)> {
    match event {
        AuditEvent::Commands(CommandsEvent::Matched { session, rule, does, .. }) if does != "confirm" => Some((*session, rule)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(n: u128, rule: &str, does: &str) -> AuditEvent {
        AuditEvent::Commands(CommandsEvent::Matched {
            session: SessionId(uuid::Uuid::from_u128(n)),
            rule: rule.into(),
            does: does.into(),
            way: "typed".into(),
            command_sha256: String::new(),
            outcome: "passed".into(),
        })
    }

    #[test]
    fn a_rule_tells_once_a_session_and_a_question_to_the_person_tells_nobody() {
        let told = Told::default();
        assert!(told.news(&matched(1, "dump", "alert")).is_some());
        assert!(told.news(&matched(1, "dump", "alert")).is_some(), "it was not kept: the database was away");
        told.said(&matched(1, "dump", "alert"));
        assert!(told.news(&matched(1, "dump", "alert")).is_none());
        assert!(told.news(&matched(1, "drop", "block")).is_some() && told.news(&matched(2, "dump", "pause")).is_some());
        assert!(told.news(&matched(3, "rm", "confirm")).is_none());
    }
}

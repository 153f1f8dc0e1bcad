//! A notice in words: the same for every channel.
use super::{Alarm, What};
use anteroom_domain::{RequestState, Role, Roles, TargetName};
use std::fmt::Write;

impl What {
    /// The webhooks' event type.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RequestWaiting { .. } => "request.waiting",
            Self::RequestAnswered { .. } => "request.answered",
            Self::RequestCommented { .. } => "request.commented",
            Self::SessionWaiting { .. } => "session.waiting",
            Self::Alarm { .. } => "alarm",
            Self::Test => "test",
        }
    }

    /// One line.
    pub fn title(&self) -> String {
        match self {
            Self::RequestWaiting { requester, targets, .. } => format!("{requester} asks for access to {}", named(targets)),
            Self::RequestAnswered { targets, state, .. } => match state {
                RequestState::Approved => format!("Access to {} was approved", named(targets)),
                RequestState::Denied => format!("Access to {} was denied", named(targets)),
                _ => format!("Nobody answered the request for {} in time", named(targets)),
            },
            Self::RequestCommented { by, targets, .. } => format!("{by} wrote about the request for {}", named(targets)),
            Self::SessionWaiting { person, target, .. } => format!("{person} waits for a supervisor on {target}"),
            Self::Alarm { alarm, person, target, .. } => {
                let mut line = match alarm {
                    Alarm::BreakGlass => "Break-glass was used",
                    Alarm::BreakGlassUnreviewed => "A use of break-glass waits for its review",
                    Alarm::CardIssued => "A break-glass card was issued",
                    Alarm::CardRevoked => "A break-glass card was revoked",
                    Alarm::CardMisused => "A break-glass card was used that did not count any more",
                    Alarm::SafeMode => "A gateway worked in safe mode; its database is back",
                    Alarm::Posture => "A machine that somebody works from is not protected",
                    Alarm::PatientsSeen => "More patients were seen than is usual",
                    Alarm::Command => "A watched command was entered",
                    Alarm::Locked => "A lock was set",
                    Alarm::PolicyUnread => "A gateway cannot read the policy that counts and goes by the one before",
                }
                .to_owned();
                if let Some(p) = person {
                    let _ = write!(line, " by {p}");
                }
                if let Some(t) = target {
                    let _ = write!(line, " on {t}");
                }
                line
            }
            Self::Test => "A test of Anteroom's notifications".into(),
        }
    }

    /// Where the portal shows it to somebody with these roles; none: to whoever has to look at it. Everybody may open where they are sent.
    pub fn path(&self, reader: Option<&Roles>) -> String {
        let has = |roles: &[Role]| reader.is_none_or(|r| roles.iter().any(|role| r.has(*role)));
        match self {
            Self::RequestWaiting { request, .. } | Self::RequestAnswered { request, .. } | Self::RequestCommented { request, .. } => {
                format!("/requests/{request}")
            }
            Self::SessionWaiting { session, .. } if has(&[Role::Approver]) => format!("/supervise/{session}"),
            Self::Alarm { alarm: Alarm::BreakGlass | Alarm::BreakGlassUnreviewed | Alarm::CardMisused, .. }
                if has(&[Role::Approver, Role::Auditor]) =>
            {
                "/break-glass/all".into()
            }
            Self::Alarm { alarm: Alarm::CardIssued | Alarm::CardRevoked, .. } if has(&[Role::KeyHolder, Role::Approver, Role::Auditor]) => {
                "/cards".into()
            }
            Self::Alarm { alarm: Alarm::PolicyUnread, .. } if has(&[Role::Auditor, Role::Operator]) => "/policies".into(),
            Self::Alarm { alarm: Alarm::Locked, .. } if has(&[Role::Approver, Role::Operator]) => "/locks".into(),
            // What was done there.
            Self::Alarm { alarm: Alarm::PatientsSeen | Alarm::Command, session: Some(session), .. } if has(&[Role::Auditor]) => {
                format!("/recordings/{session}")
            }
            // What runs, where an operator can end it.
            Self::Alarm { alarm: Alarm::BreakGlass, .. } | Self::Alarm { session: Some(_), .. } => "/sessions".into(),
            Self::SessionWaiting { .. } | Self::Alarm { .. } | Self::Test => "/".into(),
        }
    }
}

fn named(targets: &[TargetName]) -> String {
    match targets {
        [] => "a target".into(),
        [one] => one.to_string(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use anteroom_domain::SessionId;

    fn alarm(alarm: Alarm) -> What {
        What::Alarm { alarm, person: None, target: None, session: None, grant: None }
    }

    #[test]
    fn everybody_is_sent_to_a_page_that_they_may_open() {
        let broken = alarm(Alarm::BreakGlass);
        let to = |what: &What, role| what.path(Some(&Roles::from_iter([role])));
        assert_eq!(broken.path(None), "/break-glass/all");
        for role in [Role::Approver, Role::Auditor] {
            assert_eq!(to(&broken, role), "/break-glass/all");
        }
        assert_eq!(to(&broken, Role::Operator), "/sessions", "an operator ends sessions and reviews nothing");
        assert_eq!(to(&alarm(Alarm::CardIssued), Role::KeyHolder), "/cards");
        assert_eq!(to(&alarm(Alarm::CardIssued), Role::Operator), "/");
        assert_eq!(to(&What::Test, Role::Admin), "/");
        let (session, target) = (SessionId(uuid::Uuid::nil()), "mri-3".parse().unwrap());
        let waiting = What::SessionWaiting { session, person: "vera".parse().unwrap(), target };
        assert_eq!(waiting.title(), "vera waits for a supervisor on mri-3");
        assert_eq!(to(&waiting, Role::Approver), format!("/supervise/{session}"));
        assert_eq!((waiting.path(None), to(&waiting, Role::Auditor)), (format!("/supervise/{session}"), "/".into()));
    }
}

//! Who may do what in the portal and the CLI.
use crate::vendor;
use anteroom_domain::{Person, Role};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    RequestAccess,
    ReviewRequests,
    SeeSessions,
    TerminateSession,
    RevokeGrant,
    /// Masked replay of a recording whose mask is complete.
    ReplayMasked,
    /// Replay although a sealed original was seen in the masked track. Nobody, until unmasking under four eyes exists.
    ReplayIncomplete,
    ExportRecording,
    /// Ask to see an interval of a recording as it was, and see it once two key-holders agreed.
    AskUnmask,
    /// Be one of the two.
    ReviewUnmask,
    /// Keep a recording from being shredded.
    HoldRecording,
    /// Take such a hold away: not whoever shreds.
    LiftHold,
    /// Destroy the keys of a recording, for good.
    ShredRecording,
    /// Reach a target in an emergency, without an approver; not for vendors, and policy has the last word.
    BreakGlass,
    /// See who did, and be the other person who looks at it afterwards.
    ReviewBreakGlass,
    /// Sign sealed break-glass cards, and unmake them.
    IssueCards,
    SearchAudit,
    ManagePeople,
    ManageTargets,
    /// Watch a session that may not run unwatched, and hold it.
    Supervise,
    /// Read the policies that decide who may reach what, and ask what they would say.
    SeePolicies,
    /// Set the policies that decide who may reach what.
    ManagePolicies,
    /// Shut somebody, something or a company out at once, and let them in again.
    Lock,
}

impl Action {
    pub const ALL: [Self; 23] = [
        Self::RequestAccess,
        Self::ReviewRequests,
        Self::SeeSessions,
        Self::TerminateSession,
        Self::RevokeGrant,
        Self::ReplayMasked,
        Self::ReplayIncomplete,
        Self::ExportRecording,
        Self::AskUnmask,
        Self::ReviewUnmask,
        Self::HoldRecording,
        Self::LiftHold,
        Self::ShredRecording,
        Self::BreakGlass,
        Self::ReviewBreakGlass,
        Self::IssueCards,
        Self::SearchAudit,
        Self::ManagePeople,
        Self::ManageTargets,
        Self::Supervise,
        Self::SeePolicies,
        Self::ManagePolicies,
        Self::Lock,
    ];

    /// The roles of which one is enough.
    fn roles(self) -> &'static [Role] {
        match self {
            Self::RequestAccess | Self::BreakGlass => &[Role::Admin],
            Self::ReviewRequests | Self::RevokeGrant | Self::Supervise => &[Role::Approver],
            Self::ReviewBreakGlass => &[Role::Approver, Role::Auditor],
            Self::SeeSessions => &[Role::Approver, Role::Auditor, Role::Operator],
            Self::TerminateSession | Self::Lock => &[Role::Approver, Role::Operator],
            Self::ReplayMasked | Self::ExportRecording | Self::AskUnmask | Self::LiftHold | Self::SearchAudit => &[Role::Auditor],
            Self::HoldRecording | Self::SeePolicies => &[Role::Auditor, Role::Operator],
            Self::ReviewUnmask | Self::IssueCards => &[Role::KeyHolder],
            Self::ReplayIncomplete => &[],
            Self::ShredRecording | Self::ManagePeople | Self::ManageTargets | Self::ManagePolicies => &[Role::Operator],
        }
    }
}

/// A suspended person may do nothing, and a vendor's person nothing but ask for access.
pub fn may(person: &Person, action: Action) -> bool {
    !person.is_suspended() && !vendor::is_kept_from(person, action) && action.roles().iter().any(|r| vendor::holds(person, *r))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use anteroom_domain::Roles;
    use anteroom_test_samples as samples;

    fn with(roles: &[Role], suspended: bool) -> Person {
        Person { roles: Roles::from_iter(roles.iter().copied()), suspended_at: suspended.then_some(samples::BEGIN), ..samples::person() }
    }

    #[test]
    fn without_a_role_nothing_is_allowed_and_suspended_people_may_nothing() {
        for a in Action::ALL {
            assert!(!may(&with(&[], false), a), "{a:?}");
            assert!(!may(&with(&Role::ALL, true), a), "{a:?}");
        }
    }

    #[test]
    fn an_admin_cannot_approve_replay_or_manage() {
        let admin = with(&[Role::Admin], false);
        let allowed: Vec<_> = Action::ALL.into_iter().filter(|a| may(&admin, *a)).collect();
        assert_eq!(allowed, [Action::RequestAccess, Action::BreakGlass]);
    }

    /// Whatever roles they were given, and by whatever road.
    #[test]
    fn a_vendors_person_asks_for_access_and_may_nothing_else() {
        let mut vera = with(&Role::ALL, false);
        vera.attributes.company = Some(anteroom_domain::CompanyId(Default::default()));
        let allowed: Vec<_> = Action::ALL.into_iter().filter(|a| may(&vera, *a)).collect();
        assert_eq!(allowed, [Action::RequestAccess]);
    }

    #[test]
    fn whoever_shreds_cannot_lift_a_hold_and_whoever_lifts_cannot_shred() {
        for role in Role::ALL {
            assert!(!(may(&with(&[role], false), Action::LiftHold) && may(&with(&[role], false), Action::ShredRecording)), "{role}");
        }
    }

    #[test]
    fn nobody_replays_a_recording_whose_mask_is_incomplete() {
        assert!(!may(&with(&Role::ALL, false), Action::ReplayIncomplete));
    }
}

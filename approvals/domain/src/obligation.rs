//! What a permit asks in return. Decided with the request, kept with the grant, joined with what policy says at each connection;
//! of two, the stricter counts.
use crate::{Capabilities, Capability, GroupName};
use serde::{Deserialize, Serialize};
use std::fmt;

/// So many different people of a group have to approve. Nobody counts twice, whatever groups they are in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Quorum {
    /// None: anybody who may approve.
    pub group: Option<GroupName>,
    pub count: u8,
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.group {
            Some(g) => write!(f, "{} of {g}", self.count),
            None => write!(f, "{} approver{}", self.count, if self.count == 1 { "" } else { "s" }),
        }
    }
}

/// What happens when a grant ends in the middle of work. In order, the strictest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtEnd {
    #[default]
    Cut,
    /// Whoever watches decides, for at most this many minutes; then it is cut.
    SupervisorDecides { minutes: u16 },
}

/// Every field's default asks for nothing. (That something is recorded, and that a grant needs an approval, is no obligation: it is always so.)
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Obligations {
    /// Nothing happens unless a named supervisor watches.
    pub supervise: bool,
    /// Patient data is masked in what the person themself sees.
    pub live_mask: bool,
    /// The request names a change or an incident.
    pub ticket: bool,
    /// All of these; empty: one approver.
    pub approvals: Vec<Quorum>,
    /// The quorums are asked one after the other.
    pub ordered: bool,
    /// The second factor is at most this old, seconds. Zero: made for this connection.
    pub factor_age: Option<u32>,
    /// The grant is at most this long, minutes.
    pub longest: Option<u32>,
    /// Nothing beyond these.
    pub capabilities: Option<Capabilities>,
    pub at_end: Option<AtEnd>,
    /// Sessions of this kind at the same time on one target.
    pub at_once: Option<u16>,
}

fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl Obligations {
    /// Both, the stricter of each.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut approvals = self.approvals;
        for q in other.approvals {
            match approvals.iter_mut().find(|a| a.group == q.group) {
                Some(a) => a.count = a.count.max(q.count),
                None => approvals.push(q),
            }
        }
        Self {
            supervise: self.supervise || other.supervise,
            live_mask: self.live_mask || other.live_mask,
            ticket: self.ticket || other.ticket,
            approvals,
            ordered: self.ordered || other.ordered,
            factor_age: least(self.factor_age, other.factor_age),
            longest: least(self.longest, other.longest),
            capabilities: match (self.capabilities, other.capabilities) {
                (Some(a), Some(b)) => Some(a.meet(&b)),
                (a, b) => a.or(b),
            },
            // To cut is stricter than to ask, and less time than more.
            at_end: least(self.at_end, other.at_end),
            at_once: least(self.at_once, other.at_once),
        }
    }

    /// Whether somebody with these capabilities sees masks in place of patient data.
    pub fn masks(&self, granted: &Capabilities) -> bool {
        self.live_mask && !granted.has(&Capability::Unmask)
    }

    /// What of a grant remains under these obligations. While patient data is masked, only what a terminal shows can be: whatever
    /// carries bytes past it (files, forwards, windows, desktops) is not there.
    #[must_use]
    pub fn leaves(&self, granted: &Capabilities) -> Capabilities {
        let mut left = self.capabilities.as_ref().map_or_else(|| granted.clone(), |most| granted.meet(most));
        if self.masks(&left) {
            left.0.retain(|c| matches!(c, Capability::Shell | Capability::Exec(_) | Capability::AgentForwarding));
        }
        left
    }
}

impl Obligations {
    /// The first quorum of `now` that approvals given under these obligations do not prove. One approver is always asked.
    pub fn lacks<'a>(&self, now: &'a Self) -> Option<&'a Quorum> {
        let proven = |q: &Quorum| {
            let same = self.approvals.iter().filter(|a| a.group == q.group).map(|a| a.count).max().unwrap_or(0);
            // Whoever counted for a group is an approver as well. Cautious: the largest counts, not the sum.
            let any = self.approvals.iter().map(|a| a.count).max().unwrap_or(0).max(1);
            q.count <= same || (q.group.is_none() && q.count <= any)
        };
        now.approvals.iter().find(|q| !proven(q))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Capability;

    fn of(group: Option<&str>, count: u8) -> Quorum {
        Quorum { group: group.map(|g| GroupName::new(g).unwrap()), count }
    }

    #[test]
    fn of_two_the_stricter_counts() {
        let a = Obligations {
            supervise: true,
            approvals: vec![of(None, 1), of(Some("clinical-engineering"), 1)],
            factor_age: Some(600),
            longest: Some(240),
            at_end: Some(AtEnd::SupervisorDecides { minutes: 10 }),
            capabilities: Some(Capabilities::interactive()),
            ..Obligations::default()
        };
        let b = Obligations {
            live_mask: true,
            approvals: vec![of(None, 2)],
            factor_age: Some(0),
            at_end: Some(AtEnd::Cut),
            capabilities: Some(Capabilities([Capability::Shell].into())),
            ..Obligations::default()
        };
        let both = a.clone().and(b.clone());
        assert!(both.supervise && both.live_mask && !both.ticket);
        assert_eq!(both.approvals, [of(None, 2), of(Some("clinical-engineering"), 1)]);
        assert_eq!((both.factor_age, both.longest, both.at_end), (Some(0), Some(240), Some(AtEnd::Cut)));
        assert_eq!(both.capabilities, Some(Capabilities([Capability::Shell].into())));
        let five = Obligations { at_end: Some(AtEnd::SupervisorDecides { minutes: 5 }), ..Obligations::default() };
        assert_eq!(a.clone().and(five.clone()).at_end, five.at_end, "less time is stricter");
        assert_eq!(a.clone().and(Obligations::default()), a, "nothing asked changes nothing");
        assert_eq!(b.clone().and(b.clone()), b);
    }

    #[test]
    fn what_cannot_be_masked_is_not_there_while_masking_is_owed() {
        let granted = Capabilities::parse([
            "shell",
            "exec:uptime",
            "download",
            "upload:/srv/**",
            "local-forward:*:*",
            "remote-forward:localhost:1",
            "local-socket:/run/x",
            "x11-forwarding",
            "agent-forwarding",
            "subsystem:netconf",
            "desktop",
            "clipboard-from-target",
        ])
        .unwrap();
        let owed = Obligations { live_mask: true, ..Obligations::default() };
        assert_eq!(owed.leaves(&granted).names(), ["shell", "exec:uptime", "agent-forwarding"]);
        let mut lifted = granted.clone();
        lifted.0.insert(Capability::Unmask);
        assert_eq!(owed.leaves(&lifted), lifted);
        assert_eq!(Obligations::default().leaves(&granted), granted);
        // A policy that allows no unmasking is not overruled by a grant.
        let stricter = Obligations { capabilities: Some(Capabilities::interactive()), ..owed };
        assert!(stricter.masks(&stricter.leaves(&lifted)) && !stricter.leaves(&lifted).has(&Capability::Unmask));
    }

    #[test]
    fn of_a_ceiling_and_a_grant_what_both_allow_is_left() {
        let set = |texts: &[&str]| Capabilities::parse(texts).unwrap();
        let owed = Obligations { capabilities: Some(set(&["exec:ls *", "download:/var/log/**"])), ..Obligations::default() };
        let left = |texts: &[&str]| owed.leaves(&set(texts)).names();
        assert_eq!(left(&["shell", "exec", "download:/var/log/app.log"]), ["exec:ls *", "download:/var/log/app.log"]);
        assert_eq!(left(&["download", "upload"]), ["download:/var/log/**"]);
        assert!(left(&["shell", "download:/etc/passwd"]).is_empty());
    }

    #[test]
    fn approvals_that_were_given_prove_no_more_than_they_asked() {
        let given = |approvals| Obligations { approvals, ..Obligations::default() };
        let none = Obligations::default();
        assert_eq!(none.lacks(&given(vec![of(None, 1)])), None, "one approver is always asked");
        assert_eq!(none.lacks(&given(vec![of(None, 2)])), Some(&of(None, 2)));
        assert_eq!(given(vec![of(Some("a"), 2)]).lacks(&given(vec![of(None, 2)])), None);
        assert_eq!(given(vec![of(None, 2)]).lacks(&given(vec![of(Some("a"), 1)])), Some(&of(Some("a"), 1)));
        assert_eq!(
            given(vec![of(Some("a"), 1), of(Some("b"), 1)]).lacks(&given(vec![of(None, 2)])),
            Some(&of(None, 2)),
            "said with caution"
        );
    }

    #[test]
    fn what_an_older_program_wrote_is_read() {
        assert_eq!(serde_json::from_str::<Obligations>("{}").unwrap(), Obligations::default());
    }
}

//! Whether the people who have signed are those who had to. Nobody fills two places; the requester and vendors' people fill none.
use anteroom_domain::{CompanyId, GroupName, Obligations, PersonId, Quorum, content::Verdict};
use std::collections::BTreeSet;

/// Somebody's signed answer, with what counted when it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    pub approver: PersonId,
    /// Whoever is absent and named the approver as deputy: the place that is filled is theirs.
    pub stands_for: Option<PersonId>,
    /// Of the approver, or of whom they stand for.
    pub groups: BTreeSet<GroupName>,
    /// Companies of both.
    pub companies: BTreeSet<CompanyId>,
    pub verdict: Verdict,
}

impl Voice {
    fn people(&self) -> impl Iterator<Item = PersonId> {
        std::iter::once(self.approver).chain(self.stands_for)
    }
}

/// What a request needs before it is granted.
#[derive(Debug, Clone)]
pub struct Needed {
    requester: PersonId,
    quorums: Vec<Quorum>,
    ordered: bool,
}

/// What the voices so far come to.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tally {
    /// These are still missing. In order: only the first of them is asked now.
    Waiting(Vec<Quorum>),
    Satisfied,
    Denied(PersonId),
}

/// Why somebody's voice would change nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoVoice {
    #[error("this is your own request; somebody else has to answer it")]
    Requester,
    #[error("only the hospital's own people answer requests, and nobody in the place of a vendor's person")]
    Vendor,
    #[error("you have answered this already, or somebody answered in your place; nobody counts twice")]
    Twice,
    #[error("your approval is not what is missing: this waits for {}", listed(.0))]
    NotNeeded(Vec<Quorum>),
}

/// `1 of clinical-engineering and 1 approver`
pub fn listed(quorums: &[Quorum]) -> String {
    quorums.iter().map(Quorum::to_string).collect::<Vec<_>>().join(" and ")
}

impl Needed {
    pub fn new(obligations: &Obligations, requester: PersonId) -> Self {
        let mut quorums: Vec<_> = obligations.approvals.iter().filter(|q| q.count > 0).cloned().collect();
        if quorums.is_empty() {
            // No policy can take the one approver away.
            quorums.push(Quorum { group: None, count: 1 });
        }
        Self { requester, quorums, ordered: obligations.ordered }
    }

    pub fn quorums(&self) -> &[Quorum] {
        &self.quorums
    }
    pub fn is_ordered(&self) -> bool {
        self.ordered
    }

    /// `voices` in the order they were given.
    pub fn tally(&self, voices: &[Voice]) -> Tally {
        let mut counted: Vec<&Voice> = Vec::new();
        for v in voices {
            if self.admits(&counted, v).is_err() {
                continue;
            }
            if v.verdict == Verdict::Deny {
                return Tally::Denied(v.approver);
            }
            counted.push(v);
        }
        let missing = self.missing(&counted);
        if missing.is_empty() { Tally::Satisfied } else { Tally::Waiting(missing) }
    }

    /// Whether one more voice counts. To deny, it is enough to be allowed to answer at all.
    pub fn hears(&self, voices: &[Voice], one: &Voice) -> Result<(), NoVoice> {
        let mut counted: Vec<&Voice> = Vec::new();
        for v in voices {
            if self.admits(&counted, v).is_ok() {
                counted.push(v);
            }
        }
        self.admits(&counted, one)?;
        if one.verdict == Verdict::Deny {
            return Ok(());
        }
        let before = self.missing(&counted);
        counted.push(one);
        if self.missing(&counted) == before { Err(NoVoice::NotNeeded(before)) } else { Ok(()) }
    }

    fn admits(&self, counted: &[&Voice], one: &Voice) -> Result<(), NoVoice> {
        if one.people().any(|p| p == self.requester) {
            return Err(NoVoice::Requester);
        }
        if !one.companies.is_empty() {
            return Err(NoVoice::Vendor);
        }
        if one.people().any(|p| counted.iter().any(|v| v.people().any(|q| p == q))) {
            return Err(NoVoice::Twice);
        }
        Ok(())
    }

    fn missing(&self, counted: &[&Voice]) -> Vec<Quorum> {
        if self.ordered { self.missing_in_order(counted) } else { self.missing_in_any_order(counted) }
    }

    /// Whoever signs before it is their group's turn fills nothing.
    fn missing_in_order(&self, counted: &[&Voice]) -> Vec<Quorum> {
        let mut left = self.quorums.clone();
        for v in counted {
            let Some(now) = left.first_mut() else { break };
            if belongs(v, now.group.as_ref()) {
                now.count -= 1;
                if now.count == 0 {
                    left.remove(0);
                }
            }
        }
        left
    }

    /// As many places as can be filled at once, each by another voice (Kuhn's augmenting paths; places are few).
    fn missing_in_any_order(&self, counted: &[&Voice]) -> Vec<Quorum> {
        let mut order: Vec<usize> = (0..self.quorums.len()).collect();
        // What anybody can fill is filled last, so that what is shown as missing is what really is.
        order.sort_by_key(|i| self.quorums[*i].group.is_none());
        let places: Vec<usize> = order.iter().flat_map(|i| std::iter::repeat_n(*i, usize::from(self.quorums[*i].count))).collect();
        let mut filled: Vec<Option<usize>> = vec![None; places.len()];
        for v in 0..counted.len() {
            let mut seen = vec![false; places.len()];
            self.seat(v, counted, &places, &mut filled, &mut seen);
        }
        let mut left: Vec<Quorum> = self.quorums.iter().map(|q| Quorum { count: 0, ..q.clone() }).collect();
        for (place, by) in places.iter().zip(&filled) {
            left[*place].count += u8::from(by.is_none());
        }
        left.retain(|q| q.count > 0);
        left
    }

    fn seat(&self, v: usize, counted: &[&Voice], places: &[usize], filled: &mut [Option<usize>], seen: &mut [bool]) -> bool {
        for p in 0..places.len() {
            if seen[p] || !belongs(counted[v], self.quorums[places[p]].group.as_ref()) {
                continue;
            }
            seen[p] = true;
            if filled[p].is_none_or(|other| self.seat(other, counted, places, filled, seen)) {
                filled[p] = Some(v);
                return true;
            }
        }
        false
    }
}

fn belongs(v: &Voice, group: Option<&GroupName>) -> bool {
    group.is_none_or(|g| v.groups.contains(g))
}

#[cfg(test)]
mod tests;

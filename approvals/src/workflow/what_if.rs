//! What would policy say, now or with another text? The questions of earnest, put to a policy that need not count; nothing is changed by asking.
use super::explain::{factor_asked, from_where, in_return, in_the_way, left_out, machine};
use super::ruling::in_words;
use crate::{Approvals, GrantFilter, ManageError, Page, RequestFilter, StoreError, clock, store};
use anteroom_domain::{
    AccessRequest, AccountName, Capabilities, Capability, Grant, GrantId, GrantState, Handle, Machine, Moment, Obligations, Person,
    PersonId, RequestId, RequestState, Target, TargetId, TargetName,
};
use anteroom_policy::{
    Action, Ask, Policy, Question, Ruling,
    break_glass::{self, NoGlass},
    may,
    pdp::{Factor, Ground},
};
use anteroom_posture::{Comes, fitting};
use std::{collections::HashMap, net::IpAddr};
use time::Duration;

/// Live grants that another policy's effect is looked at for.
const GRANTS: u32 = 500;
/// The newest requests, and how old they may be.
const REQUESTS: u32 = 200;
const RECENT: Duration = Duration::days(30);

/// A case that somebody thinks of.
#[derive(Debug, Clone)]
pub struct WhatIf {
    pub ask: Ask,
    pub person: Handle,
    pub target: TargetName,
    pub account: AccountName,
    /// None: now.
    pub at: Option<Moment>,
    pub comes_from: Option<IpAddr>,
    /// Fingerprint of the SSH key they use.
    pub key: Option<String>,
    pub factor: Option<Factor>,
    /// None: what people usually ask for on such a target.
    pub capabilities: Option<Capabilities>,
    pub minutes: u32,
    /// Under a grant that was taken in an emergency.
    pub emergency: bool,
}

#[derive(Debug, Clone)]
pub struct WhatIfAnswer {
    pub permits: bool,
    pub reasons: Vec<Ground>,
    /// What a permit asks in return, in words.
    pub owes: Option<String>,
    /// The machine they would come from, if the policy speaks of machines.
    pub machine: Option<String>,
    /// What is asked beside the policy, and would stand in the way.
    pub besides: Vec<String>,
}

/// Something that another policy would answer otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    pub on: Affected,
    pub person: String,
    /// `root@mri-3`
    pub place: String,
    pub before: Said,
    pub after: Said,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Affected {
    Grant(GrantId),
    Request(RequestId),
}

/// An answer in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub permits: bool,
    pub words: String,
}

#[derive(Debug, Clone, Default)]
pub struct Effects {
    pub changed: Vec<Effect>,
    pub grants: usize,
    pub requests: usize,
    /// There are more grants than were looked at.
    pub more: bool,
}

impl Approvals {
    pub async fn what_if(&self, q: &WhatIf, policy: &Policy) -> Result<WhatIfAnswer, ManageError> {
        let now = q.at.unwrap_or_else(clock::now);
        let pool = &self.inner.pool;
        let person = store::people::by_handle(pool, q.person.as_str()).await?.ok_or(ManageError::NoSuch("person"))?;
        let target = store::targets::by_name(pool, q.target.as_str()).await?.ok_or(ManageError::NoSuch("target"))?;
        let machines = store::posture::of(pool, &[person.id.0]).await?;
        let comes = Comes { from: q.comes_from, key: q.key.as_deref() };
        let found = machine(machines.iter().map(|(_, m)| m), comes);
        let capabilities = q.capabilities.clone().unwrap_or_else(|| Capabilities::usual(target.protocol));
        let ruling = policy.decide(&Question {
            ask: q.ask,
            person: &person,
            target: &target,
            account: &q.account,
            capabilities: &capabilities,
            lasts: Duration::minutes(q.minutes.into()),
            source: q.comes_from,
            factor: q.factor,
            posture: found.map(|m| &m.posture),
            break_glass: q.emergency || q.ask == Ask::BreakGlass,
            now,
        });
        let speaks = policy.speaks_of_posture();
        let machine = speaks.then(|| from_where(person.handle.as_str(), machines.len(), found, now));
        let broken = store::break_glass::count_since(pool, person.id, clock::now() - break_glass::COUNTED).await?;
        let owed = match &ruling {
            Ruling::Permit { obligations, .. } => Some(obligations),
            Ruling::Deny { .. } => None,
        };
        let mut besides = self.besides(q, &person, &target, owed, now).await?;
        let owes = match &ruling {
            Ruling::Permit { obligations, .. } => {
                besides.extend(no_emergency(q, &ruling, broken));
                besides.extend(left_out(q.ask, &capabilities, obligations));
                besides.extend(q.factor.filter(|_| q.ask == Ask::Connect).and_then(|f| factor_asked(f, obligations)));
                Some(words(obligations))
            }
            Ruling::Deny { .. } => None,
        };
        Ok(WhatIfAnswer { permits: ruling.permits(), reasons: ruling.reasons().to_vec(), owes, machine, besides })
    }

    /// What code asks whatever a policy's text says.
    async fn besides(
        &self,
        q: &WhatIf,
        person: &Person,
        target: &Target,
        owed: Option<&Obligations>,
        now: Moment,
    ) -> Result<Vec<String>, StoreError> {
        let (pool, who) = (&self.inner.pool, &person.handle);
        let locks = store::locks::between(pool, person, target.id).await?;
        if q.ask == Ask::Supervise {
            let mut all = Vec::new();
            if !may(person, Action::Supervise) {
                all.push(format!("{who} is no approver of the hospital, or suspended: only they watch."));
            }
            if locks.iter().any(|l| l.keeps_out(person)) {
                all.push(format!("{who} is locked."));
            }
            return Ok(all);
        }
        let company = store::companies::of(pool, person).await?;
        let mut all = in_the_way(person, target, &locks, company.as_ref(), now);
        if q.ask == Ask::BreakGlass && all.is_empty() && !may(person, Action::BreakGlass) {
            all.push(format!("{who} is a vendor's: emergencies are for the hospital's own people."));
        }
        if !target.accounts.iter().any(|a| a.name == q.account) {
            all.push(format!("{} has no account {} here.", target.name, q.account));
        }
        if let Some(c) = q.capabilities.as_ref().and_then(|c| c.misfit(target.protocol)) {
            all.push(format!("{} speaks {}, which knows no {c}.", target.name, target.protocol.title()));
        }
        if q.ask == Ask::Connect {
            let grants = store::grants::unended(pool, person.id, Some(target.id), now).await?;
            let live = grants.iter().filter(|g| g.account_name == q.account && g.state(now) == GrantState::Live);
            match (live.max_by_key(|g| (g.capabilities.has(&Capability::Unmask), g.not_after)), owed) {
                (None, _) => all.push(format!("No grant for {}@{} counts then; policy is asked as if one did.", q.account, target.name)),
                (Some(grant), Some(owed)) if !q.emergency => all.extend(grant.obligations.lacks(owed).map(|lacking| {
                    format!(
                        "The grant for {}@{} has fewer approvals than policy asks by now ({lacking}): ask again.",
                        q.account, target.name
                    )
                })),
                (Some(_), _) => {}
            }
            if q.factor.is_none() {
                all.push("A second factor is always asked.".into());
            }
        }
        Ok(all)
    }

    /// Which live grants and recent requests would this policy answer otherwise than the one that counts? Each is asked as it would be put now:
    /// the person as they are, from where they asked, with a new passkey.
    pub async fn policy_effects(&self, with: &Policy) -> Result<Effects, StoreError> {
        let (now, pool, counts) = (clock::now(), &self.inner.pool, self.policy());
        let live = GrantFilter { live_only: true, ..Default::default() };
        let grants = store::grants::list(pool, &live, now, Page { number: 0, size: GRANTS }).await?;
        let requests = store::requests::list(pool, &RequestFilter::default(), Page { number: 0, size: REQUESTS }).await?;
        let recent = |r: &AccessRequest| r.state == RequestState::Pending || r.created_at > now - RECENT;
        let requests: Vec<AccessRequest> = requests.rows.into_iter().filter(recent).collect();
        let facts = self.facts(&grants.rows, &requests).await?;
        let mut effects =
            Effects { grants: grants.rows.len(), requests: requests.len(), more: grants.total > u64::from(GRANTS), ..Effects::default() };
        for g in &grants.rows {
            let Some((person, target)) = facts.pair(g.person, g.target) else { continue };
            let source = facts.sources.get(&g.request).copied();
            let emergency = facts.emergencies.contains(&g.id);
            let put = |policy: &Policy| {
                let ruling = policy.decide(&Question {
                    ask: Ask::Connect,
                    person,
                    target,
                    account: &g.account_name,
                    capabilities: &g.capabilities,
                    lasts: g.not_after - g.not_before,
                    source,
                    factor: Some(Factor::NEW_PASSKEY),
                    posture: facts.machine(g.person, source).map(|m| &m.posture),
                    break_glass: emergency,
                    now,
                });
                said(&ruling, Some(g).filter(|_| !emergency))
            };
            effects.compare(Affected::Grant(g.id), person, format!("{}@{}", g.account_name, target.name), put(&counts), put(with));
        }
        for r in &requests {
            let Some((person, target)) = facts.pair(r.requester, r.target) else { continue };
            let source = r.source.parse().ok();
            let put = |policy: &Policy| {
                let ruling = policy.decide(&Question {
                    ask: Ask::Request,
                    person,
                    target,
                    account: &r.account,
                    capabilities: &r.capabilities,
                    lasts: r.until - r.from,
                    source,
                    factor: None,
                    posture: facts.machine(r.requester, source).map(|m| &m.posture),
                    break_glass: false,
                    now: r.created_at,
                });
                said(&ruling, None)
            };
            effects.compare(Affected::Request(r.id), person, format!("{}@{}", r.account, target.name), put(&counts), put(with));
        }
        Ok(effects)
    }

    /// Everybody and everything these are about, asked for once.
    async fn facts(&self, grants: &[Grant], requests: &[AccessRequest]) -> Result<Facts, StoreError> {
        let pool = &self.inner.pool;
        let mut people: Vec<_> = grants.iter().map(|g| g.person.0).chain(requests.iter().map(|r| r.requester.0)).collect();
        let mut targets: Vec<_> = grants.iter().map(|g| g.target.0).chain(requests.iter().map(|r| r.target.0)).collect();
        for ids in [&mut people, &mut targets] {
            ids.sort_unstable();
            ids.dedup();
        }
        let of: Vec<_> = grants.iter().map(|g| g.request.0).collect();
        let ids: Vec<_> = grants.iter().map(|g| g.id.0).collect();
        Ok(Facts {
            machines: store::posture::of(pool, &people).await?,
            people: store::people::by_ids(pool, &people).await?.into_iter().map(|p| (p.id, p)).collect(),
            targets: store::targets::by_ids(pool, &targets).await?.into_iter().map(|t| (t.id, t)).collect(),
            sources: store::requests::sources(pool, &of).await?.into_iter().filter_map(|(id, s)| Some((id, s.parse().ok()?))).collect(),
            emergencies: store::break_glass::among(pool, &ids).await?,
        })
    }
}

/// What code asks of an emergency that policy permits: how long, and how often.
fn no_emergency(q: &WhatIf, ruling: &Ruling, before: i64) -> Option<String> {
    let length = Duration::minutes(q.minutes.into());
    let ruling = in_words(ruling.clone());
    let wish = break_glass::Wish { length, before, ruling: &ruling };
    let no = (q.ask == Ask::BreakGlass).then(|| break_glass::judge(&wish).err())??;
    Some(match no {
        NoGlass::TooOften => format!("{} broke the glass {} times within a day: that is all.", q.person, break_glass::MOST),
        other => format!("It would be refused: {other}."),
    })
}

struct Facts {
    people: HashMap<PersonId, Person>,
    targets: HashMap<TargetId, Target>,
    machines: Vec<(PersonId, Machine)>,
    sources: HashMap<RequestId, IpAddr>,
    emergencies: Vec<GrantId>,
}

impl Facts {
    fn pair(&self, person: PersonId, target: TargetId) -> Option<(&Person, &Target)> {
        Some((self.people.get(&person)?, self.targets.get(&target)?))
    }

    /// The machine at that address, or else the only one there is: which key they will use is not known.
    fn machine(&self, person: PersonId, from: Option<IpAddr>) -> Option<&Machine> {
        let theirs = || self.machines.iter().filter(move |(whose, _)| *whose == person).map(|(_, m)| m);
        let mut all = theirs();
        let only = all.next().filter(|_| all.next().is_none());
        fitting(theirs(), Comes { from, key: None }).or(only)
    }
}

impl Effects {
    fn compare(&mut self, on: Affected, person: &Person, place: String, before: Said, after: Said) {
        if before != after {
            self.changed.push(Effect { on, person: person.handle.to_string(), place, before, after });
        }
    }
}

/// `grant`: what was agreed to; a permit that asks for more people than that opens nothing.
fn said(ruling: &Ruling, grant: Option<&Grant>) -> Said {
    match ruling {
        Ruling::Permit { obligations, .. } => match grant.and_then(|g| g.obligations.lacks(obligations)) {
            Some(lacking) => Said { permits: false, words: format!("asks for {lacking}, and the grant has fewer") },
            None => Said { permits: true, words: words(obligations) },
        },
        Ruling::Deny { reasons } => Said { permits: false, words: reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ") },
    }
}

fn words(o: &Obligations) -> String {
    in_return(o).trim_start_matches(", ").to_owned()
}

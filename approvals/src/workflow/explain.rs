//! Why somebody may, or may not, reach a target: the same questions as in earnest, answered in sentences.
use super::ruling::in_words;
use crate::{Approvals, StoreError, clock, store};
use anteroom_domain::{
    AccountName, AtEnd, Capabilities, Capability, Company, GrantState, Lock, Machine, Moment, Obligations, Person, Role, Target,
    TargetName,
    break_glass::{LONGEST, USUAL},
};
use anteroom_policy::{Action, Ask, Question, VendorRefusal, break_glass, break_glass::NoGlass, may, pdp::Factor, vendor};
use anteroom_posture::{Comes, fitting};
use time::Duration;

#[derive(Debug, Clone, serde::Serialize)]
pub struct Explained {
    /// May ask for it, at that time.
    pub may_ask: bool,
    /// May connect then, if a grant counts and a second factor is given.
    pub may_connect: bool,
    pub has_grant: bool,
    /// May take it without an approval in an emergency, and connect under that.
    pub may_break_glass: bool,
    /// For people, in order.
    pub sentences: Vec<String>,
}

/// What is asked. What is left out is as it usually is.
#[derive(Debug)]
pub struct Why<'a> {
    pub person: &'a Person,
    pub target: &'a TargetName,
    pub account: &'a AccountName,
    pub comes: Comes<'a>,
    /// None: now.
    pub at: Option<Moment>,
    /// None: what people usually ask for on such a target.
    pub capabilities: Option<Capabilities>,
    /// Of the connection; none: nobody has given one yet.
    pub factor: Option<Factor>,
}

impl<'a> Why<'a> {
    /// Now, with what people usually ask for and a new passkey.
    pub fn usual(person: &'a Person, target: &'a TargetName, account: &'a AccountName, comes: Comes<'a>) -> Self {
        Self { person, target, account, comes, at: None, capabilities: None, factor: Some(Factor::NEW_PASSKEY) }
    }
}

impl Approvals {
    /// None: there is no such target.
    pub async fn explain(&self, q: Why<'_>) -> Result<Option<Explained>, StoreError> {
        let (now, person, account, pool) = (q.at.unwrap_or_else(clock::now), q.person, q.account, &self.inner.pool);
        let Some(target) = store::targets::by_name(pool, q.target.as_str()).await? else { return Ok(None) };
        let grants = store::grants::unended(pool, person.id, Some(target.id), now).await?;
        let locks = store::locks::between(pool, person, target.id).await?;
        let company = store::companies::of(pool, person).await?;
        let broken = store::break_glass::count_since(pool, person.id, clock::now() - break_glass::COUNTED).await?;
        let emergencies = store::break_glass::live_of(pool, person.id, now).await?;
        let machines = store::posture::of(pool, &[person.id.0]).await?;
        let machine = machine(machines.iter().map(|(_, m)| m), q.comes);
        let capabilities = q.capabilities.clone().unwrap_or_else(|| Capabilities::usual(target.protocol));
        let policy = self.policy();
        let asked = |ask, factor, emergency| {
            in_words(policy.decide(&Question {
                ask,
                person,
                target: &target,
                account,
                capabilities: &capabilities,
                lasts: Duration::HOUR,
                // What is not said is not known: policy is asked as when nobody knows.
                source: q.comes.from,
                factor,
                posture: machine.map(|m| &m.posture),
                break_glass: emergency,
                now,
            }))
        };
        let (who, place) = (&person.handle, format!("{account}@{}", target.name));
        let mut sentences = in_the_way(person, &target, &locks, company.as_ref(), now);
        if !target.accounts.iter().any(|a| a.name == *account) {
            sentences.push(format!("{} has no account {account} here.", target.name));
        }
        if let Some(c) = q.capabilities.as_ref().and_then(|c| c.misfit(target.protocol)) {
            sentences.push(format!("{} speaks {}, which knows no {c}.", target.name, target.protocol.title()));
        }
        let open = sentences.is_empty();
        if policy.speaks_of_posture() {
            sentences.push(from_where(who.as_str(), machines.len(), machine, now));
        }
        if policy.speaks_of_source() && q.comes.from.is_none() {
            sentences.push("From which address is not said, and policy asks: it is answered as if nobody knew.".into());
        }

        // A vendor's contract asks for more than policy: its sponsors, and somebody who watches.
        let contract = vendor::terms(person, &target, company.as_ref(), now).map(|t| t.obligations).unwrap_or_default();
        let ask = asked(Ask::Request, None, false).map(|owed| owed.and(contract));
        let refused = ask.as_ref().ok().and_then(|o| left_out(Ask::Request, &capabilities, o));
        match (&ask, &refused) {
            (Ok(_), Some(why)) => sentences.push(format!("{who} may not ask for {place} so: {why}")),
            (Ok(o), None) if open => sentences.push(format!("{who} may ask for {place}{}.", in_return(o))),
            (Ok(o), None) => sentences.push(format!("Policy alone would let {who} ask for {place}{}.", in_return(o))),
            (Err(why), _) => sentences.push(format!("{who} may not ask for {place}: {}", why.join(" "))),
        }

        // The grant that a connection would be judged by; one that broke the glass is asked about as one.
        let live = grants.iter().filter(|g| g.account_name == *account && g.state(now) == GrantState::Live);
        let live = live.max_by_key(|g| (g.capabilities.has(&Capability::Unmask), g.not_after));
        let broke = live.is_some_and(|g| emergencies.contains(&g.id));
        let connect = asked(Ask::Connect, q.factor, broke);
        let lacking = connect.as_ref().ok().and_then(|o| live.filter(|_| !broke).and_then(|g| g.obligations.lacks(o)));
        match (&connect, live, lacking) {
            (Ok(_), Some(_), Some(quorum)) => sentences
                .push(format!("A grant for {place} counts then, but policy asks for {quorum} by now, and it has fewer: ask again.")),
            (Ok(_), Some(_), None) => sentences.push(format!("A grant for {place} counts then, and policy lets the connection be.")),
            (Ok(_), None, _) => {
                sentences.push(format!("No grant for {place} counts then; with an approved one policy would let the connection be."));
            }
            (Err(why), ..) => sentences.push(format!("Policy does not let {who} connect to {place} then: {}", why.join(" "))),
        }
        if let Ok(o) = &connect {
            sentences.extend(left_out(Ask::Connect, &capabilities, o));
            match q.factor {
                Some(f) => sentences.extend(factor_asked(f, o)),
                None => sentences.push("A second factor is always asked.".into()),
            }
        }

        // Their own passkey breaks the glass, and then the connection is asked about like every other.
        let breaks = || {
            let no = |why: &str| format!("In an emergency {who} could not reach {place} either: {why}");
            if !may(person, Action::BreakGlass) {
                return Err(no("emergencies are for the hospital's own people."));
            }
            let ruling = asked(Ask::BreakGlass, None, true);
            let longest = ruling.as_ref().ok().and_then(|o| o.longest).map_or(LONGEST, |m| LONGEST.min(Duration::minutes(m.into())));
            let wish = break_glass::Wish { length: USUAL.min(longest), before: broken, ruling: &ruling };
            let owed = break_glass::judge(&wish).map_err(|e| match e {
                NoGlass::Policy(why) => no(&why.join(" ")),
                NoGlass::TooOften => no(&format!("they broke the glass {} times within a day.", break_glass::MOST)),
                NoGlass::Length { .. } => no("policy lets an emergency last for less than is any use."),
            })?;
            asked(Ask::Connect, q.factor, true).map_err(|why| no(&why.join(" ")))?;
            let watched = if owed.supervise { ", while a supervisor watches" } else { "" };
            let minutes = longest.whole_minutes();
            Ok(format!(
                "In an emergency {who} could take {place} without an approval, for {minutes} minutes at most{watched}; everybody is told."
            ))
        };
        let emergency = if open { breaks() } else { Err("In an emergency the same stands in the way.".into()) };
        let may_break_glass = emergency.is_ok();
        sentences.push(emergency.unwrap_or_else(|no| no));

        let may_ask = open && ask.is_ok() && refused.is_none();
        let may_connect = open && connect.is_ok() && lacking.is_none();
        Ok(Some(Explained { may_ask, may_connect, has_grant: live.is_some(), may_break_glass, sentences }))
    }
}

/// What code asks whatever a policy's text says. If there is any, nothing can be asked for or reached.
pub(super) fn in_the_way(person: &Person, target: &Target, locks: &[Lock], company: Option<&Company>, now: Moment) -> Vec<String> {
    let (who, mut all) = (&person.handle, Vec::new());
    if person.is_suspended() {
        all.push(format!("{who} is suspended: nothing is allowed, whatever the policies say."));
    }
    if locks.iter().any(|l| l.keeps_out(person)) {
        all.push(format!("{who} is locked, or their company is: nothing is allowed until that is lifted."));
    }
    if locks.iter().any(|l| l.closes(target)) {
        all.push(format!("{} is locked: nobody reaches it until that is lifted.", target.name));
    }
    if !person.roles.has(Role::Admin) {
        all.push(format!("{who} has not the role admin: nothing can be asked for or reached."));
    }
    match vendor::terms(person, target, company, now) {
        Ok(_) => {}
        Err(VendorRefusal::NotTheirs) => all.push(format!("{who}'s company does not keep {}.", target.name)),
        Err(VendorRefusal::ContractEnded) => all.push(format!("The contract of {who}'s company is over then.")),
    }
    all
}

/// What of these capabilities policy does not give: a request for more is refused, a connection gets less.
pub(super) fn left_out(ask: Ask, asked: &Capabilities, owed: &Obligations) -> Option<String> {
    let listed = |all: &[&Capability]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match (ask, &owed.capabilities) {
        (Ask::Request, Some(most)) => {
            let beyond = asked.beyond(most);
            (!beyond.is_empty())
                .then(|| format!("policy gives nothing beyond {}, and {} is more.", most.names().join(", "), listed(&beyond)))
        }
        (Ask::Connect | Ask::BreakGlass, _) => {
            let left = owed.leaves(asked);
            let kept = if left.0.is_empty() { "nothing".to_owned() } else { left.names().join(", ") };
            (left != *asked).then(|| format!("Of what is asked for the session would have {kept} only."))
        }
        _ => None,
    }
}

/// What is asked for once more although this factor was given.
pub(super) fn factor_asked(f: Factor, owed: &Obligations) -> Option<String> {
    let oldest = owed.factor_age.filter(|s| !f.kind.is_of_now() && f.age >= Duration::seconds((*s).into()))?;
    Some(match oldest {
        0 => "A new passkey would be asked for: policy wants one for each connection.".into(),
        s => format!("A new passkey would be asked for: policy wants one that is less than {} minutes old.", s / 60),
    })
}

/// The machine they would come from. Where nothing is said of how they come and there is one only, it is that one.
pub(super) fn machine<'m>(machines: impl ExactSizeIterator<Item = &'m Machine> + Clone, comes: Comes<'_>) -> Option<&'m Machine> {
    if comes.from.is_none() && comes.key.is_none() && machines.len() == 1 {
        return machines.clone().next();
    }
    fitting(machines, comes)
}

pub(super) fn from_where(who: &str, known: usize, machine: Option<&Machine>, now: Moment) -> String {
    let Some(m) = machine else {
        return match known {
            0 => format!("No device manager has reported a machine of {who}."),
            1 => format!("The one machine that is reported for {who} does not fit this address and key."),
            n => format!("{n} machines are reported for {who}; none, or more than one, fits this address and key."),
        };
    };
    let p = &m.posture;
    let off = [(p.disk_encrypted, "disk encryption"), (p.secure_boot, "secure boot"), (p.endpoint_protection, "endpoint protection")];
    let off: Vec<_> = off.iter().filter(|(on, _)| !on).map(|(_, what)| *what).collect();
    let state = if off.is_empty() { "healthy".to_owned() } else { format!("without {}", off.join(", ")) };
    let minutes = (now - p.reported_at).whole_minutes().max(0);
    format!("{who} would come from {} ({}), reported {state} {minutes} minutes before.", m.device, p.os)
}

/// What is owed, in words.
pub(super) fn in_return(o: &Obligations) -> String {
    let mut owed = Vec::new();
    if !o.approvals.is_empty() {
        let all: Vec<_> = o.approvals.iter().map(ToString::to_string).collect();
        owed.push(format!("approved by {}{}", all.join(" and "), if o.ordered { ", in this order" } else { "" }));
    }
    if let Some(m) = o.longest {
        owed.push(format!("for at most {m} minutes"));
    }
    if o.ticket {
        owed.push("with the number of a ticket".into());
    }
    if o.supervise {
        owed.push("while a supervisor watches".into());
    }
    if o.live_mask {
        owed.push("with patient data masked".into());
    }
    match o.factor_age {
        Some(0) => owed.push("with a second factor for each connection".into()),
        Some(s) => owed.push(format!("with a second factor at most {} minutes old", s / 60)),
        None => {}
    }
    if let Some(c) = &o.capabilities {
        owed.push(format!("nothing beyond {}", c.names().join(", ")));
    }
    if let Some(AtEnd::SupervisorDecides { minutes }) = o.at_end {
        owed.push(format!("and a supervisor may let it go on for {minutes} minutes after its end"));
    }
    if let Some(n) = o.at_once {
        owed.push(format!("at most {n} session{} at once", if n == 1 { "" } else { "s" }));
    }
    if owed.is_empty() { ", with the one approval that is always asked".into() } else { format!(", {}", owed.join(", ")) }
}

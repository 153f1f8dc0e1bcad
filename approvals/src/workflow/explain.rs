//! Why somebody may, or may not, reach a target: the same questions as in earnest, answered in sentences.
use super::ruling::in_words;
use crate::{Approvals, StoreError, clock, store};
use anteroom_domain::{AccountName, AtEnd, Capabilities, Capability, GrantState, Machine, Moment, Obligations, Person, Role, TargetName};
use anteroom_policy::{Ask, Question, pdp::Factor};
use anteroom_posture::{Comes, fitting};
use std::net::{IpAddr, Ipv4Addr};
use time::Duration;

#[derive(Debug, Clone, serde::Serialize)]
pub struct Explained {
    /// May ask for it, at that time.
    pub may_ask: bool,
    /// May connect then, if a grant counts and a second factor is given.
    pub may_connect: bool,
    pub has_grant: bool,
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
        let (now, person, account) = (q.at.unwrap_or_else(clock::now), q.person, q.account);
        let Some(target) = store::targets::by_name(&self.inner.pool, q.target.as_str()).await? else { return Ok(None) };
        let grants = store::grants::unended(&self.inner.pool, person.id, Some(target.id), now).await?;
        let has_grant = grants.iter().any(|g| g.account_name == *account && g.state(now) == GrantState::Live);
        let capabilities = q.capabilities.clone().unwrap_or_else(|| Capabilities::usual(target.protocol));
        let machines = store::posture::of(&self.inner.pool, &[person.id.0]).await?;
        let machine = machine(machines.iter().map(|(_, m)| m), q.comes);
        let asked = |ask, factor| {
            in_words(self.policy().decide(&Question {
                ask,
                person,
                target: &target,
                account,
                capabilities: &capabilities,
                lasts: Duration::HOUR,
                source: Some(q.comes.from.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))),
                factor,
                posture: machine.map(|m| &m.posture),
                break_glass: false,
                now,
            }))
        };
        let (ask, connect) = (asked(Ask::Request, None), asked(Ask::Connect, q.factor));
        let (who, place) = (&person.handle, format!("{account}@{}", target.name));
        let mut sentences = Vec::new();
        if person.is_suspended() {
            sentences.push(format!("{who} is suspended: nothing is allowed, whatever the policies say."));
        }
        if !person.roles.has(Role::Admin) {
            sentences.push(format!("{who} has not the role admin: nothing can be asked for or reached."));
        }
        if !target.accounts.iter().any(|a| a.name == *account) {
            sentences.push(format!("{} has no account {account} here.", target.name));
        }
        let misfit = q.capabilities.as_ref().and_then(|c| c.misfit(target.protocol));
        if let Some(c) = misfit {
            sentences.push(format!("{} speaks {}, which knows no {c}.", target.name, target.protocol.title()));
        }
        if self.policy().speaks_of_posture() {
            sentences.push(from_where(who.as_str(), machines.len(), machine, now));
        }
        let refused = ask.as_ref().ok().and_then(|o| left_out(Ask::Request, &capabilities, o));
        match (&ask, &refused) {
            (Ok(_), Some(why)) => sentences.push(format!("{who} may not ask for {place} so: {why}")),
            (Ok(o), None) => sentences.push(format!("{who} may ask for {place}{}.", in_return(o))),
            (Err(why), _) => sentences.push(format!("{who} may not ask for {place}: {}", why.join(" "))),
        }
        match &connect {
            Ok(_) if has_grant => sentences.push(format!("A grant for {place} counts then, and policy lets the connection be.")),
            Ok(_) => sentences.push(format!("No grant for {place} counts then; with an approved one policy would let the connection be.")),
            Err(why) => sentences.push(format!("Policy does not let {who} connect to {place} then: {}", why.join(" "))),
        }
        if let Ok(o) = &connect {
            sentences.extend(left_out(Ask::Connect, &capabilities, o));
            match q.factor {
                Some(f) => sentences.extend(factor_asked(f, o)),
                None => sentences.push("A second factor is always asked.".into()),
            }
        }
        let open = !person.is_suspended() && person.roles.has(Role::Admin) && misfit.is_none();
        let may_ask = open && ask.is_ok() && refused.is_none();
        Ok(Some(Explained { may_ask, may_connect: open && connect.is_ok(), has_grant, sentences }))
    }
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

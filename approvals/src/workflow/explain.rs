//! Why somebody may, or may not, reach a target: the same questions as in earnest, answered in sentences.
use super::ruling::Asked;
use crate::{Approvals, StoreError, clock, store};
use anteroom_domain::{AccountName, AtEnd, Capabilities, GrantState, Machine, Moment, Obligations, Person, Role, TargetName};
use anteroom_policy::Ask;
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

impl Approvals {
    /// None: there is no such target.
    pub async fn explain(
        &self,
        person: &Person,
        target: &TargetName,
        account: &AccountName,
        comes: Comes<'_>,
        at: Option<Moment>,
    ) -> Result<Option<Explained>, StoreError> {
        let now = at.unwrap_or_else(clock::now);
        let Some(target) = store::targets::by_name(&self.inner.pool, target.as_str()).await? else { return Ok(None) };
        let grants = store::grants::unended(&self.inner.pool, person.id, Some(target.id), now).await?;
        let has_grant = grants.iter().any(|g| g.account_name == *account && g.state(now) == GrantState::Live);
        let capabilities = Capabilities::usual(target.protocol);
        let source = comes.from.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let machines = store::posture::of(&self.inner.pool, &[person.id.0]).await?;
        let machine = machine(machines.iter().map(|(_, m)| m), comes);
        let asked = |ask| Asked {
            ask,
            person,
            target: &target,
            account,
            capabilities: &capabilities,
            lasts: Duration::HOUR,
            source,
            posture: machine.map(|m| &m.posture),
            now,
        };
        let (ask, connect) = (self.asked_ruling(&asked(Ask::Request)), self.asked_ruling(&asked(Ask::Connect)));
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
        if self.policy().speaks_of_posture() {
            sentences.push(from_where(who.as_str(), machines.len(), machine, now));
        }
        match &ask {
            Ok(o) => sentences.push(format!("{who} may ask for {place}{}.", in_return(o))),
            Err(why) => sentences.push(format!("{who} may not ask for {place}: {}", why.join(" "))),
        }
        match &connect {
            Ok(_) if has_grant => sentences.push(format!("A grant for {place} counts then, and policy lets the connection be.")),
            Ok(_) => sentences.push(format!("No grant for {place} counts then; with an approved one policy would let the connection be.")),
            Err(why) => sentences.push(format!("Policy does not let {who} connect to {place} then: {}", why.join(" "))),
        }
        let open = !person.is_suspended() && person.roles.has(Role::Admin);
        Ok(Some(Explained { may_ask: open && ask.is_ok(), may_connect: open && connect.is_ok(), has_grant, sentences }))
    }
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

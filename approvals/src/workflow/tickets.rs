//! Tickets for RDP: made after a passkey confirmed exactly this connection, looked up before NLA, and spent when the policy has made
//! a permit. After that a ticket opens only the same session again, while that waits for its client.
use super::authorize::{Claim, Question, STEP_UP_FRESH, decide};
use crate::{
    Approvals, IssuedTicket, RedeemError, Redeemed, StoreError, Ticket, TicketError, TicketRefusal,
    audit::record,
    clock, store,
    ticket::{self, Known, Worth},
    vault,
};
use anteroom_domain::{AuditEvent, EndReason, GrantId, Moment, Person, PersonId, Protocol, SessionId, StepUpId, TicketId};
use anteroom_policy::{Circumstances, Decision, SecondFactor, Standing, Verdict};
use anteroom_posture::Comes;
use std::net::IpAddr;
use uuid::Uuid;

/// Stands for the SSH key in what the passkey signs.
pub const RDP_FINGERPRINT: &str = "rdp";
/// From being made to its first use.
const LIFE: time::Duration = time::Duration::minutes(5);
/// How long a session waits for its client to come back.
const REOPENS: time::Duration = time::Duration::minutes(2);
/// The wrong secret that makes it void.
const MOST_FAILURES: i32 = 5;
/// Unused tickets of one person.
const MOST_UNUSED: i64 = 5;

impl Approvals {
    /// A ticket for this grant. `step_up` was passed for exactly this connection, with [`RDP_FINGERPRINT`]; it makes one ticket.
    pub async fn issue_ticket(
        &self,
        person: &Person,
        step_up: StepUpId,
        grant: GrantId,
        source: IpAddr,
    ) -> Result<IssuedTicket, TicketError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        let person = store::people::held(&mut *tx, person.id).await?.ok_or(TicketError::NoSuchAccess)?;
        let grant = store::grants::held(&mut tx, grant).await?.filter(|g| g.person == person.id).ok_or(TicketError::NoSuchAccess)?;
        let comes = Comes { from: Some(source), key: None };
        let circumstances = Self::circumstances_of(&mut tx, person, grant, comes).await?.ok_or(TicketError::NoSuchAccess)?;
        let standing = Standing {
            session: SessionId(Uuid::nil()),
            person: circumstances.person.id,
            grant: circumstances.grant.id,
            target: circumstances.target.id,
            source,
            key: None,
            second_factor: SecondFactor::Passed(step_up),
            factor_at: now,
            not_after: circumstances.grant.not_after,
            judged_at: now,
        };
        match self.judged(&standing, Some(circumstances.clone()), now) {
            (Verdict::Ends(EndReason::GrantEnded | EndReason::GrantRevoked), _) => return Err(TicketError::NoSuchAccess),
            // Whose grant counts may know what else is in the way.
            (Verdict::Ends(why), _) => return Err(TicketError::NotNow(why)),
            _ => {}
        }
        let Circumstances { person, grant, target, .. } = circumstances;
        if target.protocol != Protocol::Rdp || !grant.capabilities.desktop() {
            return Err(TicketError::NoSuchAccess);
        }
        let source = source.to_string();
        let confirmed = store::step_ups::Use {
            id: step_up,
            person: person.id,
            target: grant.target_name.as_str(),
            account: grant.account_name.as_str(),
            source: &source,
            // Spent later, on the session it opens.
            session: SessionId(Uuid::nil()),
            answered_after: now - STEP_UP_FRESH,
        };
        let confirmed = store::step_ups::confirmed_at(&mut *tx, confirmed, RDP_FINGERPRINT).await?.ok_or(TicketError::NotConfirmed)?;
        if store::tickets::unused_of(&mut *tx, person.id, now).await? >= MOST_UNUSED {
            return Err(TicketError::TooMany { max: MOST_UNUSED });
        }
        let row = store::tickets::Ticket {
            id: clock::new_id(),
            name: ticket::new_name(),
            person: person.id,
            grant: grant.id,
            step_up,
            source: source.clone(),
            issued_at: now,
            expires_at: (now + LIFE).min(confirmed + STEP_UP_FRESH).min(grant.not_after),
            voided: false,
            session: None,
            reopens_until: None,
        };
        let secret = ticket::new_secret();
        let sealed = vault::seal_ticket(&self.inner.options.vault_key, &row, &secret).ok_or(TicketError::Seal)?;
        if !store::tickets::insert(&mut *tx, &row, &sealed).await? {
            return Err(TicketError::NotConfirmed);
        }
        let event = AuditEvent::TicketIssued {
            ticket: row.name.clone(),
            person: person.id,
            target: grant.target,
            account: grant.account_name.clone(),
            grant: grant.id,
            step_up,
            source,
            until: clock::text(row.expires_at),
        };
        record::write(&mut tx, event, Some(person.id), now).await?;
        self.commit(tx).await?;
        Ok(IssuedTicket { name: row.name, secret, expires_at: row.expires_at })
    }

    /// What a client's user name stands for. There is always an answer, made on the same road: for a name that is unknown, or good for
    /// nothing from this address now, it has a secret that nobody can prove.
    pub async fn ticket(&self, typed: &str, source: IpAddr) -> Result<Ticket, StoreError> {
        let now = clock::now();
        let read = ticket::read_name(typed);
        let found = store::tickets::by_name(&self.inner.pool, read.as_deref().unwrap_or_default()).await?;
        let worth = found.as_ref().map_or(Err(TicketRefusal::Unknown), |f| ticket::worth(f, &source.to_string(), now));
        let found = found.unwrap_or_else(nobodys);
        let opened = vault::open_ticket(&self.inner.options.vault_key, &found.ticket, &found.sealed);
        let (known, secret) = match (worth, opened) {
            (Ok(_), Some(secret)) => (Ok(Known { id: found.ticket.id, session: found.ticket.session }), secret),
            (Ok(_), None) => return Err(StoreError::Damaged("rdp_ticket")),
            (Err(why), _) => (Err(why), ticket::new_secret()),
        };
        Ok(Ticket { name: read.unwrap_or_else(|| "(not a ticket)".into()), secret, known })
    }

    /// The client has proven the secret: judges it, and gives the ticket to its session, the first time a new one. Of two at once, one
    /// wins. What is refused is in the audit log and spends nothing.
    pub async fn redeem_ticket(&self, ticket: &Ticket, source: IpAddr) -> Result<Redeemed, RedeemError> {
        let now = clock::now();
        let mut person = None;
        match Box::pin(self.redeem(ticket, source, now, &mut person)).await {
            Err(RedeemError::Refused(why)) => {
                self.note(refused(ticket, person, source, &why), person).await;
                Err(why.into())
            }
            done => done,
        }
    }

    async fn redeem(&self, t: &Ticket, source: IpAddr, now: Moment, whose: &mut Option<PersonId>) -> Result<Redeemed, RedeemError> {
        let known = t.known.clone()?;
        let mut tx = self.begin().await?;
        let found = store::tickets::held(&mut tx, known.id).await?.ok_or(TicketRefusal::Unknown)?;
        *whose = Some(found.ticket.person);
        let person = store::people::by_id(&mut *tx, found.ticket.person).await?.ok_or(TicketRefusal::Unknown)?;
        let (target, account) = (&*found.target, &*found.account);
        let (session, (factor, factor_at), again) = match ticket::worth(&found, &source.to_string(), now)? {
            Worth::Session { waits: false, .. } => return Err(TicketRefusal::InUse.into()),
            Worth::Session { session, waits: true } => {
                let opened = store::step_ups::opened(&mut *tx, found.ticket.step_up, person.id, session).await?;
                (session, (if opened { SecondFactor::Passed(found.ticket.step_up) } else { SecondFactor::Missing }, now), true)
            }
            Worth::First => {
                let (session, claim) = (clock::new_id(), Claim::Factor(SecondFactor::Passed(found.ticket.step_up)));
                (session, self.proven(&mut tx, &person, session, target, account, source, claim, now).await?, false)
            }
        };
        let q = Question { session, person: &person, target, account, grant: Some(found.ticket.grant), source, key: None, now };
        let permit = match decide(self, &mut tx, &q, factor, factor_at).await? {
            Decision::Permit(permit) => permit,
            Decision::NeedsSecondFactor(_) => return Err(TicketRefusal::Expired.into()),
            Decision::Deny(why) => return Err(TicketRefusal::Access(why).into()),
        };
        if !store::tickets::spend(&mut *tx, known.id, session).await? {
            return Err(TicketRefusal::InUse.into());
        }
        let event = AuditEvent::TicketRedeemed { ticket: found.ticket.name, session, person: person.id, source: source.to_string(), again };
        record::write(&mut tx, event, Some(person.id), now).await?;
        self.commit(tx).await?;
        Ok(Redeemed { permit, again })
    }

    /// The client went away and the session waits: for two minutes its ticket opens it again.
    pub async fn ticket_waits(&self, session: SessionId) -> Result<(), StoreError> {
        store::tickets::reopens(&self.inner.pool, session, clock::now() + REOPENS).await
    }

    /// The client did not prove the secret. Too often, and the ticket is void. From another address than the ticket's nothing is counted:
    /// its name is public, and nobody else shall spoil it.
    pub async fn ticket_failed(&self, ticket: &Ticket, source: IpAddr) -> Result<(), StoreError> {
        let now = clock::now();
        let known = match &ticket.known {
            Ok(known) => known,
            Err(why) => {
                self.note(refused(ticket, None, source, why), None).await;
                return Ok(());
            }
        };
        let mut tx = self.begin().await?;
        store::tickets::failed(&mut *tx, known.id, MOST_FAILURES, now).await?;
        record::write(&mut tx, refused(ticket, None, source, &TicketRefusal::WrongSecret), None, now).await?;
        self.commit(tx).await?;
        Ok(())
    }
}

fn refused(ticket: &Ticket, person: Option<PersonId>, source: IpAddr, why: &TicketRefusal) -> AuditEvent {
    AuditEvent::TicketRefused { ticket: ticket.name.clone(), person, source: source.to_string(), why: why.to_string() }
}

/// Stands where no ticket was found, so that the road goes on as for one that was. Nothing opens it.
fn nobodys() -> store::tickets::Found {
    let nil = Uuid::nil();
    store::tickets::Found {
        ticket: store::tickets::Ticket {
            id: TicketId(nil),
            name: String::new(),
            person: PersonId(nil),
            grant: GrantId(nil),
            step_up: StepUpId(nil),
            source: String::new(),
            issued_at: Moment::UNIX_EPOCH,
            expires_at: Moment::UNIX_EPOCH,
            voided: true,
            session: None,
            reopens_until: None,
        },
        sealed: store::targets::Sealed {
            kind: "ticket".into(),
            key_version: 1,
            nonce: clock::random::<12>().to_vec(),
            // As long as a sealed secret.
            sealed: clock::random::<50>().to_vec(),
        },
        target: String::new(),
        account: String::new(),
        open: false,
    }
}

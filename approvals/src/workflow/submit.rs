//! Asking for access, and taking the wish back.
use super::{
    posture::posture_of,
    ruling::Asked,
    throttle::{A_MINUTE, Pass},
};
use crate::{
    Approvals, Change, Listing, Page, RequestError, RequestFilter, RequestForm, StoreError,
    audit::record,
    clock::{self, hex, text},
    notify::{self, Notice, What},
    store,
};
use anteroom_domain::{
    AccessRequest, AccountName, Asks, AuditEvent, Capabilities, Company, Grant, GrantId, GrantState, Moment, Obligations, Person, Place,
    Protocol, RequestId, RequestState, Target, TargetName,
    audit::RequestsEvent,
    capability::MAX_CAPABILITIES,
    request::{CLOCK_SLACK, MAX_PLACES, MAX_WEEKS, check_window},
};
use anteroom_policy::{Action, Ask, Needed, VendorRefusal, may, vendor};
use anteroom_posture::Comes;
use sha2::{Digest, Sha256};
use std::{net::IpAddr, time::Instant};

/// A person's requests that wait for an answer.
const MAX_PENDING: i64 = 50;

impl Approvals {
    pub async fn submit_request(&self, person: &Person, form: RequestForm, source: IpAddr) -> Result<AccessRequest, RequestError> {
        match self.inner.throttle.pass(person.id, Instant::now()) {
            Pass::Yes => {}
            Pass::FirstNo => {
                let event = AuditEvent::Requests(RequestsEvent::Throttled { person: person.id, source: source.to_string() });
                self.note(event, Some(person.id)).await;
                return Err(RequestError::TooFast { max: A_MINUTE });
            }
            Pass::No => return Err(RequestError::TooFast { max: A_MINUTE }),
        }
        let now = clock::now();
        let (from, until) = check_window(form.from.unwrap_or(now), form.until, now)?;
        // "Now" and slightly past mean now; what is signed shall not begin before it was asked for.
        let from = if from < now && from >= now - CLOCK_SLACK { now.replace_nanosecond(0).unwrap_or(now) } else { from };
        if form.capabilities.0.is_empty() || form.capabilities.0.len() > MAX_CAPABILITIES {
            return Err(RequestError::Capabilities);
        }
        if form.also.weeks > MAX_WEEKS {
            return Err(RequestError::Weeks { max: MAX_WEEKS });
        }
        let mut tx = self.begin().await?;
        let person = store::people::held(&mut *tx, person.id).await?.filter(|p| may(p, Action::RequestAccess));
        let person = person.ok_or(RequestError::NotAllowed)?;
        let posture = posture_of(&mut *tx, person.id, Comes { from: Some(source), key: None }).await?;
        let last_until = until + time::Duration::weeks(i64::from(form.also.weeks));
        let policy = |target: &Target, account: &AccountName| {
            let asked = Asked {
                ask: Ask::Request,
                person: &person,
                target,
                account,
                capabilities: &form.capabilities,
                lasts: until - from,
                source: Some(source),
                posture: posture.as_ref(),
                now,
            };
            owed(self.asked_ruling(&asked), &form.capabilities, until - from)
        };
        let (places, obligations) = places(&mut tx, &form, &person, last_until, now, &policy).await?;
        if store::requests::pending_of(&mut *tx, person.id).await? >= MAX_PENDING {
            return Err(RequestError::TooMany { max: MAX_PENDING });
        }
        if store::requests::made_since(&mut *tx, person.id, now - time::Duration::MINUTE).await? >= i64::from(A_MINUTE) {
            return Err(RequestError::TooFast { max: A_MINUTE });
        }
        if let Some(grant) = form.also.extends {
            extends(&mut tx, &person, grant, &places, until, now).await?;
        }
        if obligations.ticket && form.also.ticket.is_none() {
            return Err(RequestError::TicketMissing);
        }
        let mut rest = places.into_iter();
        let Some(first) = rest.next() else { return Err(RequestError::NoSuchTarget) };
        let asks = Asks { more: rest.collect(), ticket: form.also.ticket, weeks: form.also.weeks, extends: form.also.extends };
        let mut request = AccessRequest {
            id: clock::new_id(),
            requester: person.id,
            target: first.target,
            target_name: first.target_name,
            account: first.account_name,
            reason: form.reason,
            from,
            until,
            capabilities: form.capabilities,
            obligations,
            asks,
            state: RequestState::Pending,
            source: source.to_string(),
            created_at: now,
            expires_at: None,
        };
        request.expires_at = Some(request.last_until().min(now + self.unanswered_for()));
        store::requests::insert(&mut *tx, &request, first.account).await?;
        let event = AuditEvent::RequestSubmitted {
            request: request.id,
            person: person.id,
            target: request.target,
            account: request.account.clone(),
            from: text(from),
            until: text(until),
            reason_sha256: hex(&Sha256::digest(request.reason.as_str())),
            source: request.source.clone(),
            asks: request.asks.clone(),
        };
        record::write(&mut tx, event, Some(person.id), now).await?;
        let needed = Needed::new(&request.obligations, person.id);
        let what = What::RequestWaiting { request: request.id, requester: person.handle.clone(), targets: request.target_names() };
        notify::enqueue(&mut tx, &Notice { to: notify::asked(needed.quorums(), needed.is_ordered()), what }, now).await?;
        store::tell(&mut *tx, Change::Request(request.id)).await?;
        self.commit(tx).await?;
        Ok(request)
    }

    /// Only by the one who asked, and only while nobody answered.
    pub async fn withdraw_request(&self, person: &Person, request: RequestId) -> Result<(), RequestError> {
        let mut tx = self.begin().await?;
        let held = store::requests::held(&mut tx, request).await?.filter(|(r, _)| r.requester == person.id);
        held.ok_or(RequestError::NoSuchRequest)?;
        if !store::requests::answer(&mut *tx, request, RequestState::Withdrawn).await? {
            return Err(RequestError::NotPending);
        }
        record::write(&mut tx, AuditEvent::RequestWithdrawn { request, person: person.id }, Some(person.id), clock::now()).await?;
        store::tell(&mut *tx, Change::Request(request)).await?;
        self.commit(tx).await?;
        Ok(())
    }

    pub async fn request(&self, id: RequestId) -> Result<Option<AccessRequest>, StoreError> {
        store::requests::by_id(&self.inner.pool, id).await
    }

    /// Newest first; searched by requester, target, account and reason.
    pub async fn requests(&self, filter: RequestFilter, page: Page) -> Result<Listing<AccessRequest>, StoreError> {
        store::requests::list(&self.inner.pool, &filter, page).await
    }
}

/// Every login the form names, the first one first, each once; and what all of them together ask in return.
async fn places(
    tx: &mut sqlx::PgConnection,
    form: &RequestForm,
    person: &Person,
    last_until: Moment,
    now: Moment,
    policy: &(dyn Fn(&Target, &AccountName) -> Result<Obligations, RequestError> + Sync),
) -> Result<(Vec<Place>, Obligations), RequestError> {
    if form.also.more.len() >= MAX_PLACES {
        return Err(RequestError::Places { max: MAX_PLACES });
    }
    let company = store::companies::of(&mut *tx, person).await?;
    let (mut all, mut owed): (Vec<Place>, _) = (Vec::new(), Obligations::default());
    let first = (form.target.clone(), form.account.clone());
    for (target, account) in std::iter::once(&first).chain(&form.also.more) {
        let (target, place) = place(&mut *tx, target, account).await?;
        owed = owed.and(vendors_terms(person, &target, company.as_ref(), last_until, now)?);
        if store::locks::between(&mut *tx, person, target.id).await?.iter().any(|l| l.closes(&target) || l.keeps_out(person)) {
            return Err(RequestError::Locked { target: target.name.to_string() });
        }
        fits(&target, &form.capabilities)?;
        owed = owed.and(policy(&target, account)?);
        if all.contains(&place) {
            return Err(RequestError::SamePlace { place: format!("{}@{}", place.account_name, place.target_name) });
        }
        all.push(place);
    }
    Ok((all, owed))
}

/// A vendor's person learns of no target but their company's, and asks for nothing beyond its contract.
fn vendors_terms(
    person: &Person,
    target: &Target,
    company: Option<&Company>,
    last_until: Moment,
    now: Moment,
) -> Result<Obligations, RequestError> {
    let terms = match vendor::terms(person, target, company, now) {
        Ok(terms) => terms,
        Err(VendorRefusal::NotTheirs) => return Err(RequestError::NoSuchTarget),
        Err(VendorRefusal::ContractEnded) => return Err(RequestError::Contract { at: company.map_or(now, |c| c.contract_ends) }),
    };
    match terms.until.filter(|at| *at < last_until) {
        Some(at) => Err(RequestError::Contract { at }),
        None => Ok(terms.obligations),
    }
}

async fn place(tx: &mut sqlx::PgConnection, target: &TargetName, account: &AccountName) -> Result<(Target, Place), RequestError> {
    let target = store::targets::by_name(tx, target.as_str()).await?.ok_or(RequestError::NoSuchTarget)?;
    let account = target.accounts.iter().find(|a| a.name == *account).cloned().ok_or(RequestError::NoSuchTarget)?;
    let place = Place { target: target.id, target_name: target.name.clone(), account: account.id, account_name: account.name };
    Ok((target, place))
}

/// What is extended is the person's own, counts still, is for this one login, and ends earlier.
async fn extends(
    tx: &mut sqlx::PgConnection,
    person: &Person,
    grant: GrantId,
    places: &[Place],
    until: Moment,
    now: Moment,
) -> Result<(), RequestError> {
    let held = store::grants::held(tx, grant).await?;
    let same = |g: &Grant| places.len() == 1 && places.iter().all(|p| p.target == g.target && p.account == g.account);
    let live = |g: &Grant| matches!(g.state(now), GrantState::Live | GrantState::NotYet);
    let fits = held.is_some_and(|g| g.person == person.id && live(&g) && same(&g) && until > g.not_after);
    if fits { Ok(()) } else { Err(RequestError::NothingToExtend) }
}

/// Whether all that is asked for means something there.
fn fits(target: &Target, asked: &Capabilities) -> Result<(), RequestError> {
    let name = || target.name.to_string();
    if let Some(c) = asked.misfit(target.protocol) {
        return Err(RequestError::Misfit { target: name(), protocol: target.protocol.title(), capability: c.to_string() });
    }
    if target.protocol == Protocol::Rdp && !asked.desktop() { Err(RequestError::NoDesktop { target: name() }) } else { Ok(()) }
}

/// What policy asks in return for this, if it lets it be asked for.
fn owed(ruling: Result<Obligations, Vec<String>>, capabilities: &Capabilities, lasts: time::Duration) -> Result<Obligations, RequestError> {
    let owed = ruling.map_err(RequestError::Policy)?;
    if let Some(minutes) = owed.longest.filter(|m| lasts > time::Duration::minutes((*m).into())) {
        return Err(RequestError::TooLong { minutes });
    }
    match &owed.capabilities {
        Some(ceiling) if !capabilities.beyond(ceiling).is_empty() => Err(RequestError::Beyond(ceiling.names().join(", "))),
        _ => Ok(owed),
    }
}

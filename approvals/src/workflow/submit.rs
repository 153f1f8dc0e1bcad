//! Asking for access, and taking the wish back.
use crate::{
    Approvals, Change, Listing, Page, RequestError, RequestFilter, RequestForm, StoreError,
    audit::record,
    clock::{self, hex, text},
    store,
};
use anteroom_domain::{
    AccessRequest, AuditEvent, Capabilities, Person, Protocol, RequestId, RequestState, Target,
    capability::MAX_CAPABILITIES,
    request::{CLOCK_SLACK, check_window},
};
use anteroom_policy::{Action, VendorRefusal, may, vendor};
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// A person's requests that wait for an answer.
const MAX_PENDING: i64 = 50;

impl Approvals {
    pub async fn submit_request(&self, person: &Person, form: RequestForm, source: IpAddr) -> Result<AccessRequest, RequestError> {
        let now = clock::now();
        let (from, until) = check_window(form.from.unwrap_or(now), form.until, now)?;
        // "Now" and slightly past mean now; what is signed shall not begin before it was asked for.
        let from = if from < now && from >= now - CLOCK_SLACK { now.replace_nanosecond(0).unwrap_or(now) } else { from };
        if form.capabilities.0.is_empty() || form.capabilities.0.len() > MAX_CAPABILITIES {
            return Err(RequestError::Capabilities);
        }
        let mut tx = self.begin().await?;
        let person = store::people::held(&mut *tx, person.id).await?.filter(|p| may(p, Action::RequestAccess));
        let person = person.ok_or(RequestError::NotAllowed)?;
        let target = store::targets::by_name(&mut *tx, form.target.as_str()).await?;
        let account = target.as_ref().and_then(|t| t.accounts.iter().find(|a| a.name == form.account));
        let (Some(target), Some(account)) = (&target, account) else { return Err(RequestError::NoSuchTarget) };
        let company = store::companies::of(&mut *tx, &person).await?;
        // A vendor's person learns of no target but their company's.
        let terms = match vendor::terms(&person, target, company.as_ref(), now) {
            Ok(terms) => terms,
            Err(VendorRefusal::NotTheirs) => return Err(RequestError::NoSuchTarget),
            Err(VendorRefusal::ContractEnded) => return Err(RequestError::Contract { at: company.map_or(now, |c| c.contract_ends) }),
        };
        if let Some(at) = terms.until.filter(|at| *at < until) {
            return Err(RequestError::Contract { at });
        }
        fits(target, &form.capabilities)?;
        if store::requests::pending_of(&mut *tx, person.id).await? >= MAX_PENDING {
            return Err(RequestError::TooMany { max: MAX_PENDING });
        }
        let request = AccessRequest {
            id: clock::new_id(),
            requester: person.id,
            target: target.id,
            target_name: target.name.clone(),
            account: account.name.clone(),
            reason: form.reason,
            from,
            until,
            capabilities: form.capabilities,
            obligations: terms.obligations,
            state: RequestState::Pending,
            source: source.to_string(),
            created_at: now,
        };
        store::requests::insert(&mut *tx, &request, account.id).await?;
        let event = AuditEvent::RequestSubmitted {
            request: request.id,
            person: person.id,
            target: request.target,
            account: request.account.clone(),
            from: text(from),
            until: text(until),
            reason_sha256: hex(&Sha256::digest(request.reason.as_str())),
            source: request.source.clone(),
        };
        record::write(&mut tx, event, Some(person.id), now).await?;
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

/// Whether all that is asked for means something there.
fn fits(target: &Target, asked: &Capabilities) -> Result<(), RequestError> {
    let name = || target.name.to_string();
    if let Some(c) = asked.misfit(target.protocol) {
        return Err(RequestError::Misfit { target: name(), protocol: target.protocol.title(), capability: c.to_string() });
    }
    if target.protocol == Protocol::Rdp && !asked.desktop() { Err(RequestError::NoDesktop { target: name() }) } else { Ok(()) }
}

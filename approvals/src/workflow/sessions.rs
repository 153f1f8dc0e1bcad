//! Sessions: begun under a permit, ended and sealed whatever happens to the database, listed and terminated.
use crate::{
    Approvals, Change, Listing, ManageError, Page, SealedRecord, SessionFilter, StartError, StoreError,
    audit::{
        record,
        spool::{Spooled, Work},
    },
    clock::{self, hex},
    notify, store,
};
use anteroom_domain::{AuditEvent, EndReason, FactorUsed, Moment, PersonId, SessionId, SessionRecord};
use anteroom_policy::{Action, Circumstances, More, Permit, SecondFactor, Verdict};
use anteroom_posture::Comes;
use std::collections::HashMap;

/// As the log says it. A permit without a second factor does not exist.
pub(crate) fn factor_used(factor: SecondFactor) -> Option<FactorUsed> {
    match factor {
        SecondFactor::Missing => None,
        SecondFactor::Passed(step_up) => Some(FactorUsed::Passkey { step_up }),
        SecondFactor::Certificate { serial } => Some(FactorUsed::Certificate { serial: serial.to_string() }),
        SecondFactor::SecurityKey => Some(FactorUsed::SecurityKey),
        SecondFactor::Remembered => Some(FactorUsed::Remembered),
        SecondFactor::Card(card) => Some(FactorUsed::Card { card }),
    }
}

/// What makes a running session stand still until somebody resumes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pausing {
    pub ordered_by: Option<PersonId>,
    /// About patients seen, or commands.
    pub by_rule: bool,
}

impl Pausing {
    pub fn stands(self) -> bool {
        self.ordered_by.is_some() || self.by_rule
    }
}

impl Approvals {
    /// The session's row and audit line. Refused if the grant or the person changed since the permit was made: their
    /// rows are held, so whatever changes later finds the session and ends it.
    pub async fn session_started(&self, permit: &Permit, recording_header_sha256: [u8; 32], gateway: &str) -> Result<(), StartError> {
        if let Some(known) = self.meanwhile() {
            return self.started_meanwhile(&known, permit, recording_header_sha256, gateway).await;
        }
        match self.started(permit, recording_header_sha256, gateway).await {
            Err(StartError::Store(StoreError::Away)) => match self.enter_safe_mode().await {
                Some(known) => self.started_meanwhile(&known, permit, recording_header_sha256, gateway).await,
                None => Err(StoreError::Away.into()),
            },
            started => started,
        }
    }

    async fn started(&self, permit: &Permit, recording_header_sha256: [u8; 32], gateway: &str) -> Result<(), StartError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        let person = store::people::held(&mut *tx, permit.person()).await?.ok_or(StartError::NoLonger(EndReason::PersonSuspended))?;
        let grant = store::grants::held(&mut tx, permit.grant()).await?.ok_or(StartError::NoLonger(EndReason::GrantRevoked))?;
        store::locks::share(&mut tx, grant.target, person.attributes.company).await?;
        let standing = permit.standing();
        let comes = Comes { from: Some(standing.source), key: standing.key.as_deref() };
        let circumstances = Self::circumstances_of(&mut tx, person, grant, comes).await?;
        let circumstances = circumstances.ok_or(StartError::NoLonger(EndReason::GrantRevoked))?;
        self.still_permitted(permit, Some(circumstances.clone()), now)?;
        let Circumstances { person, grant, .. } = circumstances;
        if let Some(at_once) = permit.obligations().at_once {
            let vendors = person.attributes.company.is_some();
            // Whoever comes second waits here until the first is written down.
            if store::companies::running_on(&mut tx, permit.target().id, vendors).await? >= u64::from(at_once) {
                return Err(StartError::Busy { target: permit.target().name.to_string(), at_once });
            }
        }
        let second_factor = factor_used(permit.second_factor());
        let certificate = match &second_factor {
            Some(FactorUsed::Certificate { serial }) => Some(serial.as_str()),
            _ => None,
        };
        // A connection may be older than its session: what let it in has to count still.
        if let Some(serial) = certificate
            && !store::certificates::held(&mut *tx, serial, person.id, now).await?
        {
            return Err(StartError::CertificateOver);
        }
        let begun = store::sessions::Begun::of(permit, &grant, &recording_header_sha256, gateway, certificate, now);
        if !store::sessions::insert(&mut *tx, &begun).await? {
            return Err(StoreError::Damaged("session").into());
        }
        let event = AuditEvent::SessionStarted {
            session: permit.session(),
            grant: grant.id,
            person: person.id,
            target: grant.target,
            account: grant.account_name.clone(),
            source: permit.source().to_string(),
            recording_header_sha256: hex(&recording_header_sha256),
            second_factor,
        };
        record::write(&mut tx, event, Some(person.id), now).await?;
        if permit.obligations().supervise {
            let notice = Box::pin(self.session_waits(&mut tx, permit.session(), (&person, permit.target(), &grant), now)).await?;
            notify::enqueue(&mut tx, &notice, now).await?;
        }
        self.commit(tx).await?;
        Ok(())
    }

    /// Whether what a permit was made of still holds, and policy asks for nothing by now that a session under it would not have.
    pub(crate) fn still_permitted(&self, permit: &Permit, found: Option<Circumstances>, now: Moment) -> Result<(), StartError> {
        match self.judged(&permit.standing(), found, now).0 {
            Verdict::Stays { obligations, .. } => match permit.given().against(&obligations, &permit.circumstances().grant.capabilities) {
                More::Nothing => Ok(()),
                More::Watching | More::Anew(_) => Err(StartError::NoLonger(EndReason::PolicyAsksMore)),
            },
            Verdict::StandsStill { .. } => Err(StartError::NoLonger(EndReason::PolicyDenied)),
            Verdict::Ends(why) => Err(StartError::NoLonger(why)),
        }
    }

    /// Never lost: kept in the spool while the database is away.
    pub async fn session_ended(&self, session: SessionId, reason: &EndReason) {
        let event = AuditEvent::SessionEnded { session, reason: reason.as_str().into() };
        let work = Work::End { session, reason: reason.as_str().into() };
        self.deliver(Spooled { record: record::line(event, None, clock::now()), work }).await;
    }

    /// Never lost: kept in the spool while the database is away.
    pub async fn recording_sealed(&self, sealed: SealedRecord) {
        let event = AuditEvent::RecordingSealed {
            session: sealed.session,
            state: sealed.state.as_str().into(),
            manifest_sha256: hex(&sealed.manifest_sha256),
            mask_incomplete: sealed.mask_incomplete,
            mask_counts: sealed.mask_counts.clone(),
        };
        self.deliver(Spooled { record: record::line(event, None, clock::now()), work: Work::Seal(sealed) }).await;
    }

    /// Any other line of the log. Never lost either.
    pub async fn note(&self, event: AuditEvent, actor: Option<PersonId>) {
        self.deliver(Spooled { record: record::line(event, actor, clock::now()), work: Work::Nothing }).await;
    }

    /// Newest first; searched by person, target, account, address and id.
    pub async fn sessions(&self, filter: SessionFilter, page: Page) -> Result<Listing<SessionRecord>, StoreError> {
        store::sessions::list(&self.inner.pool, &filter, page).await
    }

    pub async fn session(&self, id: SessionId) -> Result<Option<SessionRecord>, StoreError> {
        store::sessions::by_id(&self.inner.pool, id).await
    }

    /// Orders the end of a session; the gateway that runs it hears of it and obeys. A session that has ended already
    /// is left alone.
    pub async fn order_terminate(&self, session: SessionId, by: PersonId) -> Result<(), ManageError> {
        self.check_actor(Some(by), Action::TerminateSession).await?;
        let row = self.session(session).await?.ok_or(ManageError::NoSuch("session"))?;
        if row.ended_at.is_some() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        record::write(&mut tx, AuditEvent::SessionTerminated { session, by }, Some(by), clock::now()).await?;
        store::tell(&mut *tx, Change::Terminate { session, by }).await?;
        self.commit(tx).await?;
        Ok(())
    }

    /// Orders that a session stands still: its person sees it and can do nothing in it. The gateway that runs it hears of it and obeys.
    pub async fn order_pause(&self, session: SessionId, by: PersonId) -> Result<(), ManageError> {
        self.order_paused(session, by, true).await
    }

    /// Never by the person whose session it is: a stop that one lifts oneself stops nobody, whoever or whatever rule made it.
    pub async fn order_resume(&self, session: SessionId, by: PersonId) -> Result<(), ManageError> {
        self.order_paused(session, by, false).await
    }

    /// A rule made it stand still on its gateway. Kept for whoever looks from elsewhere; the gateway does not wait for it.
    pub async fn stopped_by_rule(&self, session: SessionId) -> Result<(), StoreError> {
        store::sessions::set_stopped(&self.inner.pool, session).await
    }

    /// The same pause twice is one; who resumes lifts a rule's stop too, also one of which no row tells yet. A session that has ended is left
    /// alone.
    async fn order_paused(&self, session: SessionId, by: PersonId, pause: bool) -> Result<(), ManageError> {
        self.check_actor(Some(by), Action::TerminateSession).await?;
        let row = self.session(session).await?.ok_or(ManageError::NoSuch("session"))?;
        if !pause && row.person == by {
            return Err(ManageError::Invalid { what: "session", why: "it is your own: somebody else has to let it go on".into() });
        }
        if row.ended_at.is_some() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        if store::sessions::set_paused(&mut *tx, session, pause.then_some(by)).await? || !pause {
            let (event, change) = if pause {
                (AuditEvent::SessionPaused { session, by }, Change::Pause { session, by })
            } else {
                (AuditEvent::SessionResumed { session, by }, Change::Resume { session, by })
            };
            record::write(&mut tx, event, Some(by), clock::now()).await?;
            store::tell(&mut *tx, change).await?;
        }
        self.commit(tx).await?;
        Ok(())
    }

    /// Of these sessions the running ones, and what stops them.
    pub async fn pausing(&self, sessions: &[SessionId]) -> Result<HashMap<SessionId, Pausing>, StoreError> {
        let ids: Vec<_> = sessions.iter().map(|s| s.0).collect();
        let rows = store::sessions::pausing(&self.inner.pool, &ids).await?;
        Ok(rows
            .into_iter()
            .map(|r| (r.id.into(), Pausing { ordered_by: r.paused_by.map(Into::into), by_rule: r.stopped_by_rule }))
            .collect())
    }
}

//! Reading the log.
use super::merkle;
use crate::{Approvals, AuditFilter, AuditLine, Evidence, Listing, Page, StoreError, clock::hex, evidence::ProvenRecord, store};
use anteroom_domain::{SessionId, SessionRecord, content::Verdict};

impl Approvals {
    /// Newest first.
    pub async fn audit_search(&self, filter: AuditFilter, page: Page) -> Result<Listing<AuditLine>, StoreError> {
        store::audit::search(&self.inner.pool, &filter, page).await
    }

    /// The newest signed note; none before the first entry got its place.
    pub async fn checkpoint(&self) -> Result<Option<String>, StoreError> {
        Ok(store::audit::latest_checkpoint(&self.inner.pool).await?.map(|c| c.note))
    }

    /// The log's verifier key (`name+id+key`), to be kept by whoever verifies later.
    pub fn log_public_key(&self) -> String {
        self.inner.signer.verifier_key()
    }

    /// Everything about one session that can be checked without us; none if there is no such session.
    ///
    /// Reads all leaf hashes for the proofs: 32 bytes each, so tens of milliseconds for 100,000 entries.
    pub async fn evidence(&self, session: SessionId) -> Result<Option<Evidence>, StoreError> {
        let db = &self.inner.pool;
        // What was just written should be provable. If another process is at it, its checkpoint is as good.
        self.sequence().await?;
        let Some(row) = store::sessions::by_id(db, session).await? else { return Ok(None) };
        const WHERE: StoreError = StoreError::Damaged("session");
        let grant = store::grants::by_id(db, row.grant).await?.ok_or(WHERE)?;
        let request = store::requests::by_id(db, grant.request).await?.ok_or(WHERE)?;
        let (mut approvals, mut people) = (Vec::new(), vec![request.requester.0]);
        for given in store::approvals::of(db, request.id).await?.into_iter().filter(|g| g.voice.verdict == Verdict::Approve) {
            approvals.push(store::evidence::by_id(db, given.evidence).await?);
            people.push(given.voice.approver.0);
        }
        // In an emergency the person signed it themself, or two officers the card that opened it.
        match store::break_glass::evidence(db, request.id).await? {
            Some((broken, None)) => approvals.push(store::evidence::by_id(db, broken).await?),
            Some((_, Some(card))) => {
                for (officer, evidence) in store::cards::signatures(db, card).await?.ok_or(WHERE)?.signatures {
                    approvals.push(store::evidence::by_id(db, evidence).await?);
                    people.push(officer.0);
                }
            }
            None => {}
        }
        let mut approvals = approvals.into_iter();
        let approval = approvals.next().ok_or(WHERE)?;
        let step_up = match store::step_ups::evidence_of(db, session).await? {
            Some(id) => Some(store::evidence::by_id(db, id).await?),
            None => None,
        };
        let certificate = match store::certificates::evidence_of(db, session).await? {
            Some(id) => Some(store::evidence::by_id(db, id).await?),
            None => None,
        };
        let Some(checkpoint) = store::audit::latest_checkpoint(db).await? else { return Ok(None) };
        let hashes = store::audit::leaf_hashes(db, checkpoint.size).await?;
        let mut records = Vec::new();
        let story = store::audit::Story { session, request: request.id.0, grant: grant.id.0, people: &people, size: checkpoint.size };
        for (index, record) in store::audit::story(db, story).await? {
            const WHERE: StoreError = StoreError::Damaged("audit_leaf");
            let index = usize::try_from(index).map_err(|_| WHERE)?;
            let proof = merkle::inclusion_proof(&hashes, index).ok_or(WHERE)?;
            records.push(ProvenRecord { record, index: index as u64, proof: proof.iter().map(|h| hex(h)).collect() });
        }
        let keeping = self.keeping_evidence(session, &records).await?;
        let row = SessionRecord { held: keeping.holding().next().is_some(), shredded_at: keeping.shredding.as_ref().map(|d| d.at), ..row };
        Ok(Some(Evidence {
            v: 1,
            request,
            grant,
            session: row,
            approval,
            more_approvals: approvals.collect(),
            step_up,
            certificate,
            manifest: store::sessions::manifest(db, session).await?,
            // After the records: what they name is there.
            unmasks: self.unmask_evidence(session, &records).await?,
            keeping,
            records,
            checkpoint: checkpoint.note,
            log_key: self.log_public_key(),
        }))
    }
}

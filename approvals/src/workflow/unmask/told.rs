//! What a session's evidence carries of unmasking.
use crate::{
    Approvals, StoreError,
    evidence::{AssertionEvidence, ProvenRecord, UnmaskEvidence},
    store,
    verify::{hashes, state},
};
use anteroom_domain::{AuditEvent, AuditRecord, SessionId};
use std::collections::BTreeSet;
use uuid::Uuid;

impl Approvals {
    /// Exactly what the records name: what happened since they were read is for the next bundle.
    pub(crate) async fn unmask_evidence(&self, session: SessionId, records: &[ProvenRecord]) -> Result<Vec<UnmaskEvidence>, StoreError> {
        const WHERE: StoreError = StoreError::Damaged("audit_entry");
        let records: Vec<AuditRecord> =
            records.iter().map(|r| serde_json::from_str(&r.record).map_err(|_| WHERE)).collect::<Result<_, _>>()?;
        let (mut asked, mut signed) = (BTreeSet::new(), BTreeSet::new());
        for r in &records {
            match &r.event {
                AuditEvent::UnmaskRequested { unmask, .. } => drop(asked.insert(*unmask)),
                AuditEvent::UnmaskApproved { evidence_sha256, .. }
                | AuditEvent::UnmaskDenied { evidence_sha256, .. }
                | AuditEvent::UnmaskOpened { evidence_sha256, .. } => drop(signed.insert(evidence_sha256.clone())),
                _ => {}
            }
        }
        let db = &self.inner.pool;
        let mut told = Vec::new();
        for mut request in store::unmasks::of_session(db, session).await? {
            if !asked.contains(&request.id) {
                continue;
            }
            request.state = state(&records, request.id);
            let answers: Vec<Uuid> = store::unmasks::answers(db, request.id).await?.into_iter().map(|(_, e)| e).collect();
            let openings: Vec<Uuid> = store::unmasks::openings(db, request.id).await?.into_iter().map(|(_, e)| e).collect();
            let (answers, openings) = (self.named(answers, &signed).await?, self.named(openings, &signed).await?);
            told.push(UnmaskEvidence { request, answers, openings });
        }
        Ok(told)
    }

    async fn named(&self, ids: Vec<Uuid>, signed: &BTreeSet<String>) -> Result<Vec<AssertionEvidence>, StoreError> {
        let mut all = Vec::new();
        for id in ids {
            let a = store::evidence::by_id(&self.inner.pool, id).await?;
            let (_, sha256) = hashes(&a).map_err(|_| StoreError::Damaged("evidence"))?;
            if signed.contains(&sha256) {
                all.push(a);
            }
        }
        Ok(all)
    }
}

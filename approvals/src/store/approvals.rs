//! Table `approval`: who answered a request, and what counted when they signed. Only ever added to.
use super::Store;
use crate::{StoreError, store::evidence::Stored};
use anteroom_domain::{ApprovalId, Comment, CompanyId, GroupName, Moment, PersonId, RequestId, content::Verdict};
use anteroom_policy::Voice;
use sqlx::PgExecutor;
use std::collections::BTreeSet;
use uuid::Uuid;

pub(crate) struct New<'a> {
    pub(crate) id: ApprovalId,
    pub(crate) request: RequestId,
    pub(crate) requester: PersonId,
    pub(crate) voice: &'a Voice,
    pub(crate) subject_sha256: [u8; 32],
    pub(crate) comment: Option<&'a Comment>,
    pub(crate) at: Moment,
}

/// One that was given.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) voice: Voice,
    pub(crate) evidence: Uuid,
    /// None in those from before 2026-11-26.
    pub(crate) subject_sha256: Option<Vec<u8>>,
    pub(crate) comment: Option<Comment>,
    pub(crate) at: Moment,
    /// The approver is an approver still, and the hospital's own.
    pub(crate) live: bool,
}

/// False if this person answered before, or somebody did in their place.
pub(crate) async fn insert(db: impl PgExecutor<'_>, a: New<'_>, evidence: &Stored) -> Store<bool> {
    let verdict = match a.voice.verdict {
        Verdict::Approve => "approve",
        Verdict::Deny => "deny",
    };
    let groups: Vec<String> = a.voice.groups.iter().map(|g| g.as_str().to_owned()).collect();
    let done = sqlx::query!(
        "insert into approval (id, request, requester, approver, verdict, evidence, at, groups, stands_for, subject_sha256, comment)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing",
        a.id.0,
        a.request.0,
        a.requester.0,
        a.voice.approver.0,
        verdict,
        evidence.id,
        a.at,
        &groups,
        a.voice.stands_for.map(|p| p.0),
        &a.subject_sha256[..],
        a.comment.map(Comment::as_str)
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// In the order they were given.
pub(crate) async fn of(db: impl PgExecutor<'_>, request: RequestId) -> Store<Vec<Given>> {
    const WHERE: StoreError = StoreError::Damaged("approval");
    let rows = sqlx::query!(
        r#"select a.approver, a.stands_for, a.groups, a.verdict, a.evidence, a.subject_sha256, a.comment, a.at,
         p.company as "company?", s.company as "stood_company?",
         (p.suspended_at is null and 'approver' = any(p.roles) and p.company is null
          and (a.stands_for is null or (s.suspended_at is null and 'approver' = any(s.roles) and s.company is null))
          and not exists(select from lock l where l.lifted_at is null and l.person in (a.approver, a.stands_for))) as "live!"
         from approval a join person p on p.id = a.approver left join person s on s.id = a.stands_for
         where a.request = $1 order by a.at, a.id"#,
        request.0
    )
    .fetch_all(db)
    .await?;
    let read = |r: Vec<String>| r.into_iter().map(GroupName::new).collect::<Result<BTreeSet<_>, _>>().map_err(|_| WHERE);
    rows.into_iter()
        .map(|r| {
            Ok(Given {
                voice: Voice {
                    approver: r.approver.into(),
                    stands_for: r.stands_for.map(PersonId),
                    groups: read(r.groups)?,
                    companies: r.company.into_iter().chain(r.stood_company).map(CompanyId).collect(),
                    verdict: match r.verdict.as_str() {
                        "approve" => Verdict::Approve,
                        "deny" => Verdict::Deny,
                        _ => return Err(WHERE),
                    },
                },
                evidence: r.evidence,
                subject_sha256: r.subject_sha256,
                comment: r.comment.map(Comment::new).transpose().map_err(|_| WHERE)?,
                at: r.at,
                live: r.live,
            })
        })
        .collect()
}

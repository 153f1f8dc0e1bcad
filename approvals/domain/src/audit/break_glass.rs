use crate::{AccountName, CanonicalText, GrantId, PersonId, RequestId, SessionId, TargetId};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum BreakGlassEvent {
    /// Access without an approver. The hashes are of what the person's passkey signed.
    Broken {
        request: RequestId,
        grant: GrantId,
        person: PersonId,
        target: TargetId,
        account: AccountName,
        until: CanonicalText,
        reason_sha256: String,
        source: String,
        content_sha256: String,
        evidence_sha256: String,
    },
    /// Somebody who may not, or not so.
    Refused { person: PersonId, target: Option<TargetId>, source: String, why: String },
    /// Somebody else has looked at it: `justified` or `not_justified`.
    Reviewed { request: RequestId, person: PersonId, by: PersonId, finding: String, content_sha256: String, evidence_sha256: String },
    /// A gateway told of a session afterwards that the review did not name: somebody has to look again.
    Reopened { request: RequestId, session: SessionId },
}

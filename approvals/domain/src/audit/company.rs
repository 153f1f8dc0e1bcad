use crate::{CanonicalText, CompanyId, GroupName};
use serde::{Deserialize, Serialize};

/// A vendor company as it is from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum CompanyEvent {
    Added {
        company: CompanyId,
        name: String,
        contract_ends: CanonicalText,
        supervised: bool,
    },
    Changed {
        company: CompanyId,
        contract_ends: CanonicalText,
        supervised: bool,
        /// Of whom one has to approve what its people ask for; none: whoever the policies name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sponsors: Option<GroupName>,
        /// The words are kept with the company.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason_sha256: Option<String>,
    },
}

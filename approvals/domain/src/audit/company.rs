use crate::{CanonicalText, CompanyId};
use serde::{Deserialize, Serialize};

/// A vendor company as it is from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum CompanyEvent {
    Added { company: CompanyId, name: String, contract_ends: CanonicalText, supervised: bool },
    Changed { company: CompanyId, contract_ends: CanonicalText, supervised: bool },
}

//! Companies whose people keep some of the targets.
use crate::{CompanyId, DisplayName, Moment};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Company {
    pub id: CompanyId,
    pub name: DisplayName,
    /// From then on its people reach nothing.
    #[serde(with = "time::serde::rfc3339")]
    pub contract_ends: Moment,
    /// Its people work only while somebody of the hospital watches.
    pub supervised: bool,
}

use crate::{PersonAttributes, PersonId, TargetAttributes, TargetId};
use serde::{Deserialize, Serialize};

/// What policies ask about was changed; all of it as it is from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum AttributesEvent {
    Person { person: PersonId, attributes: PersonAttributes },
    Target { target: TargetId, attributes: TargetAttributes },
    Roles { person: PersonId, roles: Vec<String> },
}

use crate::{ClinicalUse, TargetId};
use serde::{Deserialize, Serialize};

/// Of medical devices, and of the programs that tell us of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum DeviceEvent {
    InventorySet {
        target: TargetId,
    },
    /// What it is made of was read from a file.
    SbomStored {
        target: TargetId,
        format: String,
        components: u64,
        sha256: String,
    },
    /// Said by a program (`feed`, by its name), or by whoever the line's actor is.
    ClinicalUse {
        target: TargetId,
        state: ClinicalUse,
        feed: Option<String>,
    },
    FeedAdded {
        feed: String,
    },
    FeedRevoked {
        feed: String,
    },
}

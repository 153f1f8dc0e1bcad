use crate::{CardId, StepUpId};
use serde::{Deserialize, Serialize};

/// What proved more than the SSH key when a session began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FactorUsed {
    /// A passkey over this very connection.
    Passkey { step_up: StepUpId },
    /// A certificate that was given out after a passkey; its serial, decimal.
    Certificate { serial: String },
    /// A security key that verified its person.
    SecurityKey,
    /// An earlier confirmation with the same key from the same address.
    Remembered,
    /// The code of a sealed break-glass card, while the database was away.
    Card { card: CardId },
}

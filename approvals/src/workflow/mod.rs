//! From a wish to a session, one use case a file.
mod attributes;
mod authorize;
mod certificates;
mod companies;
mod grants;
mod holds;
mod messages;
mod review;
mod sessions;
mod shred;
mod step_up;
mod submit;
mod supervision;
mod targets;
mod tickets;
mod unmask;

pub use authorize::Claim;
pub(crate) use holds::hash;
pub use shred::Envelopes;
pub use supervision::{Supervised, SupervisionNote, Watching};
pub(crate) use targets::MAX_RELAYS;
pub use tickets::RDP_FINGERPRINT;

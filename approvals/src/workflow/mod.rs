//! From a wish to a session, one use case a file.
mod authorize;
mod certificates;
mod grants;
mod messages;
mod review;
mod sessions;
mod step_up;
mod submit;
mod targets;
mod unmask;

pub use authorize::Claim;
pub(crate) use targets::MAX_RELAYS;

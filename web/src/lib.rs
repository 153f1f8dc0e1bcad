//! The portal: what people see of the gateway. It shows and asks; deciding happens in `anteroom-approvals`.
//!
//! **Invariant**: this crate never imports the gateway. Live sessions are reached through
//! [`anteroom_domain::SessionControl`] alone, terminals in the browser through [`anteroom_domain::TerminalDoor`], tests of
//! targets through [`anteroom_domain::TargetProbe`].
#![forbid(unsafe_code)]

mod assets;
mod errors;
mod guard;
mod indexer;
mod layers;
mod moments;
mod page;
mod pages;
mod routes;
mod serve;
mod state;
mod tls;

pub use serve::{Portal, PortalError, Reload};
pub use state::{Clipboard, PortalConfig, RdpAddress, SshAddress, Tls};

// The same private Postgres and the same small hospital that the deciding side is tested with.
#[cfg(test)]
#[path = "../../approvals/tests/it/cluster.rs"]
#[allow(clippy::unwrap_used, unreachable_pub, missing_debug_implementations, dead_code)]
mod cluster;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[path = "../../approvals/tests/it/world.rs"]
#[allow(clippy::unwrap_used, unreachable_pub, missing_debug_implementations, dead_code)]
mod world;

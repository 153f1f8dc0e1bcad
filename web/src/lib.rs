//! The portal: what people see of the gateway. It shows and asks; deciding happens in `anteroom-approvals`.
//!
//! **Invariant**: this crate never imports the gateway. Live sessions are reached through
//! [`anteroom_domain::SessionControl`] alone.
#![forbid(unsafe_code)]

mod assets;
mod errors;
mod guard;
mod layers;
mod moments;
mod page;
mod pages;
mod routes;
mod serve;
mod state;
mod tls;

pub use serve::{Portal, PortalError, Reload, serve};
pub use state::{PortalConfig, SshAddress, Tls};

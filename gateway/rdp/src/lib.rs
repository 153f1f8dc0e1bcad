//! RDP's PDUs as a gateway in the middle needs them: bytes in; bytes, facts and refusals out. No clock, no I/O.
//!
//! [`Relay`] is the active phase: what comes from the person's client and from the target is judged frame by frame, rewritten where the gateway
//! promises something, and passed on. What it does not know ends the session (a [`Violation`]).
#![forbid(unsafe_code)]

mod action;
mod caps;
mod channel;
pub mod client_info;
mod config;
pub mod connect;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
mod input;
mod lobby;
pub mod mcs;
pub mod negotiate;
mod notice;
mod output;
mod relay;
#[cfg(any(test, feature = "fuzz"))]
mod sample;
mod violation;
mod wire;

pub use action::{Action, EndReason, Seen, Way};
pub use config::{Ids, Limits, Policy, RelayConfig, Start, StaticChannel, TextRule};
pub use lobby::Lobby;
pub use relay::Relay;
pub use violation::{Side, Violation};
pub use wire::frame::frame_length;

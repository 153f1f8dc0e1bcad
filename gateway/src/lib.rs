//! The policy enforcement point: the one door in front of every target.
//!
//! `enforcement` knows permits, deadlines and the registry of live sessions; `ssh` and `rdp` speak the protocols. No byte
//! reaches a target without an [`anteroom_policy::Permit`], and none is relayed that is not recorded.
#![forbid(unsafe_code)]

mod cores;
mod dial;
pub mod enforcement;
mod listening;
pub mod rdp;
pub mod ssh;

pub use cores::Cores;
pub use ssh::{Gateway, SshConfig};

//! RDP: ordinary clients in, real desktops out, both sides ended here. The PDUs themselves are `anteroom-rdp`'s.
mod admission;
mod client;
mod config;
mod driver;
mod licence;
mod listener;
mod lobby;
mod nla_client;
mod nla_server;
mod pin;
mod policy;
pub(crate) mod probe;
mod session;
mod target;
mod tls;
mod wire;

pub use config::RdpConfig;
pub use listener::RdpService;
pub use probe::{Shown, look};
pub use tls::{Identity, IdentityError};

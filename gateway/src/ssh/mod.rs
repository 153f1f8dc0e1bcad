//! SSH: ordinary clients in, real sshd out, both sides ended here.
mod algorithms;
mod auth;
mod config;
mod connection;
mod handler;
mod host_key;
mod login;
mod notice;
mod relay;
mod requests;
mod server;
mod session;
mod upstream;

pub use config::SshConfig;
pub use host_key::{HostKeyError, generate_host_key, load_host_key, scan_host_keys};
pub use server::Gateway;
pub use session::record_of;

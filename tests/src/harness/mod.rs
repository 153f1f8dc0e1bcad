//! Everything a black-box test needs, made of the real things: the program `anteroom` with its private Postgres, OpenSSH as
//! client and as target, people who use the portal's own HTTP routes with a passkey of software, and Chromium.
//!
//! Nothing is switched off in the product. What is started here ends with the value that holds it.
mod agent;
mod browser;
mod cli;
mod clients;
mod daemon;
mod mail;
mod person;
pub mod ports;
mod postgres;
pub mod rdp;
mod ssh;
mod sshd;
mod wait;
mod world;

pub use agent::KeyAgent;
pub use browser::{Browser, Screenshots};
pub use cli::{Cli, Finished};
pub use clients::{python_client, venv};
pub use daemon::Daemon;
pub use mail::{Authority, Mail, MailServer, Speaks};
pub use person::{Ceremony, Person, Reply, RequestId};
pub use postgres::Cluster;
pub use ssh::{Confirm, Link, Route, Ssh, SshOutput, SshSession};
pub use sshd::{Sshd, account_here, keygen};
pub use wait::{soon, wait_for};
pub use world::{SecondGateway, World, WorldOptions};

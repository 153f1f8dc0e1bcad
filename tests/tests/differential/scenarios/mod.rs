//! What people and their programs do.
mod connection;
mod exec;
mod files;
mod forwards;
mod terminal;
mod tools;

use super::{clients::Client, table::Scenario};

/// The clients that are programs of their own.
const PROGRAMS: &[Client] = &[Client::OpenSsh, Client::Plink, Client::Dbclient];

pub(crate) fn all() -> Vec<Scenario> {
    [exec::all(), terminal::all(), connection::all(), files::all(), forwards::all(), tools::all()].into_iter().flatten().collect()
}

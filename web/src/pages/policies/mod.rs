//! The policies that decide who may reach what: what counts, how it came to that, and what another text would change.
pub(crate) mod diff;
pub(crate) mod edit;
mod question;
pub(crate) mod show;
pub(crate) mod version;
pub(crate) mod what_if;

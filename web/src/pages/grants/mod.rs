//! Rights to connect, and taking them back.
pub(crate) mod confirm;
pub(crate) mod list;
pub(crate) mod revoke;

//! Who somebody is: passkeys, web sessions, SSH keys.
mod enrol;
pub(crate) mod passkey;
mod people;
pub(crate) mod signing;
pub(crate) mod ssh_keys;
mod swap;
mod web_session;

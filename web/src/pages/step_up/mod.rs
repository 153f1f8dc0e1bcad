//! The second factor of one SSH connection: the page compares the number and takes a passkey.
pub(crate) mod begin;
pub(crate) mod finish;
pub(crate) mod page;
pub(crate) mod refuse;

//! A one-time link becomes a passkey. The token stands in the fragment: no server log ever sees it.
pub(crate) mod begin;
pub(crate) mod finish;
pub(crate) mod page;

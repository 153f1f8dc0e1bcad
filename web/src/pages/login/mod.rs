//! Short-lived SSH certificates: a program asks without signing in, its person confirms here with a passkey, the program fetches it, once.
pub(crate) mod ask;
pub(crate) mod begin;
pub(crate) mod finish;
pub(crate) mod here;
pub(crate) mod page;
pub(crate) mod poll;
pub(crate) mod refuse;

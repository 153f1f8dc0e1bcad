//! Servers and devices, their pinned keys and their credentials (which only go in).
pub(crate) mod add;
pub(crate) mod change;
pub(crate) mod clinical_use;
pub(crate) mod components;
pub(crate) mod credential;
pub(crate) mod list;
pub(crate) mod pin;
pub(crate) mod reach;
pub(crate) mod show;
pub(crate) mod test;

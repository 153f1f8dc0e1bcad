//! My keys: passkeys for the portal, SSH keys for connecting. An SSH key becomes mine by a passkey's signature.
pub(crate) mod page;
pub(crate) mod passkey_begin;
pub(crate) mod passkey_finish;
pub(crate) mod ssh_begin;
pub(crate) mod ssh_finish;
pub(crate) mod ssh_remove;

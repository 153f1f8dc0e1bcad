//! The log of every decision: a Merkle tree over lines that can only be added.
pub mod merkle;
pub mod note;
pub(crate) mod record;
mod search;
pub(crate) mod sequencer;
pub(crate) mod spool;
mod verify_log;
pub(crate) mod witness;

//! Safe mode: the database is away, and care goes on. What this gateway last read from it is kept sealed; grants that count already go on
//! counting by it, for a bounded time, and everything that happens waits in the spool.
mod admit;
mod cards;
mod keep;
mod known;
mod local;
mod local_locks;
mod unread;

pub(crate) use admit::Meanwhile;
pub use admit::ShownCard;
pub(crate) use keep::Safe;
pub use keep::SafeMode;
pub(crate) use known::Known;
pub use local::{LocalLockError, LockHere, lock_here};

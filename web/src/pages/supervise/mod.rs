//! Watching a session that may not run unwatched: who waits, joining, being heard of every second, leaving, writing something down.
pub(crate) mod list;
pub(crate) mod seat;
pub(crate) mod show;

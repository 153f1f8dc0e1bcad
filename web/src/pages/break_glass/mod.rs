//! Access in an emergency, and the look that somebody else takes at it.
pub(crate) mod all;
pub(crate) mod begin;
pub(crate) mod finish;
pub(crate) mod page;
pub(crate) mod review;
pub(crate) mod show;

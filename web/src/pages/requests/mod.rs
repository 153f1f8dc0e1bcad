//! Asking for access, and the page of one request for both sides.
pub(crate) mod choice;
pub(crate) mod comment;
pub(crate) mod list;
pub(crate) mod new;
pub(crate) mod review_begin;
pub(crate) mod review_finish;
pub(crate) mod show;
pub(crate) mod submit;
pub(crate) mod targets;
pub(crate) mod wish;
pub(crate) mod withdraw;

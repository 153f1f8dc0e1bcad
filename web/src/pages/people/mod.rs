//! Who may use the gateway.
pub(crate) mod add;
pub(crate) mod link;
pub(crate) mod list;
pub(crate) mod reinstate;
pub(crate) mod show;
pub(crate) mod suspend;

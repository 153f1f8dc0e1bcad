//! Who and what is shut out at this moment.
pub(crate) mod list;
pub(crate) mod set;

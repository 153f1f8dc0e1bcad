//! What programs tell of devices.
pub(crate) mod clinical_use;
pub(crate) mod posture;

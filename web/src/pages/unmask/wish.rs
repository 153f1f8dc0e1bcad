//! What the form says, from text to checked values.
use super::moment;
use anteroom_approvals::UnmaskForm;
use anteroom_domain::{NameError, Reason, SessionId, unmask::USUAL_HOURS};
use serde::Deserialize;

/// The fields as they came; also what the form is filled with again after an error.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wish {
    pub(crate) from: String,
    pub(crate) until: String,
    pub(crate) reason: String,
    pub(crate) hours: String,
}

/// A field and what is wrong with it.
pub(super) struct Wrong {
    pub(super) field: &'static str,
    pub(super) text: String,
}

pub(super) fn wrong(field: &'static str, text: impl Into<String>) -> Wrong {
    Wrong { field, text: text.into() }
}

impl Wish {
    pub(super) fn read(&self, session: SessionId) -> Result<UnmaskForm, Vec<Wrong>> {
        let mut bad = Vec::new();
        let mut time = |field, text: &str| {
            let read = moment(text);
            if read.is_none() {
                bad.push(wrong(field, "enter a time in the session as hours, minutes and seconds, for example 0:05:30"));
            }
            read
        };
        let (from, until) = (time("from", &self.from), time("until", &self.until));
        // Forms send line breaks as CR LF.
        let reason = match Reason::new(self.reason.replace("\r\n", "\n").trim()) {
            Ok(reason) => Some(reason),
            Err(e) => {
                bad.push(wrong(
                    "reason",
                    if matches!(e, NameError::Empty { .. }) { "say why you need to see it".to_owned() } else { e.to_string() },
                ));
                None
            }
        };
        let hours = if self.hours.is_empty() { Some(USUAL_HOURS) } else { self.hours.parse().ok() };
        match (from, until, reason, hours) {
            (Some(from_us), Some(until_us), Some(reason), Some(hours)) => Ok(UnmaskForm { session, from_us, until_us, reason, hours }),
            _ => {
                if hours.is_none() {
                    bad.push(wrong("hours", "choose for how long you need it"));
                }
                Err(bad)
            }
        }
    }

    pub(super) fn has_hours(&self, hours: &u8) -> bool {
        if self.hours.is_empty() { *hours == USUAL_HOURS } else { self.hours == hours.to_string() }
    }
}

//! `[patients]`: from how many patients in one session on something is done.
use super::{check::Checker, file};
use anteroom_policy::{Limit, PatientLimits};
use toml::Spanned;

impl Checker<'_> {
    pub(super) fn patients(&mut self, p: Option<&file::Patients>) -> PatientLimits {
        let Some(p) = p else { return PatientLimits::default() };
        PatientLimits {
            alert: self.limit(["patients.alert", "patients.alert_times"], p.alert.as_ref(), p.alert_times.as_ref()),
            pause: self.limit(["patients.pause", "patients.pause_times"], p.pause.as_ref(), p.pause_times.as_ref()),
            lock: self.limit(["patients.lock", "patients.lock_times"], p.lock.as_ref(), p.lock_times.as_ref()),
        }
    }

    fn limit(&mut self, keys: [&str; 2], patients: Option<&Spanned<u32>>, times: Option<&Spanned<u32>>) -> Limit {
        if let Some(n) = patients.filter(|n| *n.get_ref() == 0) {
            self.problem(keys[0], n, Some("0".into()), "at least 1: leave it out if there is to be no limit");
        }
        if let Some(n) = times.filter(|n| *n.get_ref() < 2) {
            self.problem(keys[1], n, Some(n.get_ref().to_string()), "at least 2: what is usual is no alarm");
        }
        Limit { patients: patients.map(|n| u64::from(*n.get_ref())), times: times.map(|n| *n.get_ref()) }
    }
}

//! What runs now, writing into it, and ending it.
pub(crate) mod confirm;
pub(crate) mod list;
pub(crate) mod message;
pub(crate) mod pause;
pub(crate) mod terminate;

use crate::{errors::Problem, state::App};
use anteroom_approvals::{Page, SessionFilter, SessionPatients};
use anteroom_domain::{LiveSession, Moment, SessionRecord};

/// Running sessions of all gateways: those of this process with live figures, the others as the database knows them.
pub(crate) struct Running {
    pub(crate) record: SessionRecord,
    pub(crate) live: Option<LiveSession>,
    /// Whether it stands still until somebody resumes it; none: it is over.
    pub(crate) paused: Option<bool>,
    /// What masking found of patients so far.
    pub(crate) patients: Option<SessionPatients>,
}

impl Running {
    pub(crate) fn grant_ends_at(&self) -> Option<&Moment> {
        self.live.as_ref().map(|l| &l.grant_ends_at)
    }
    pub(crate) fn received(&self) -> Option<String> {
        self.live.as_ref().map(|l| bytes(l.bytes_out))
    }
}

async fn running(app: &App, search: &str, page: Page) -> Result<(Vec<Running>, u64), Problem> {
    let filter = SessionFilter { person: None, live_only: true, search: search.to_owned() };
    let found = app.approvals.sessions(filter, page).await?;
    let mut live: std::collections::HashMap<_, _> = app.control.list().into_iter().map(|l| (l.id, l)).collect();
    let mut patients = app.approvals.patients_of(&found.rows.iter().map(|r| r.id).collect::<Vec<_>>()).await?;
    let pausing = app.approvals.pausing(&found.rows.iter().map(|r| r.id).collect::<Vec<_>>()).await?;
    let running = |record: SessionRecord| {
        let paused = pausing.get(&record.id).map(|p| p.stands());
        Running { live: live.remove(&record.id), patients: patients.remove(&record.id), record, paused }
    };
    let rows = found.rows.into_iter().map(running).collect();
    Ok((rows, found.total))
}

/// "3.1 MB".
pub(crate) fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if n < 1_000 {
        return format!("{n} bytes");
    }
    // A figure for people: the loss beyond 2^53 does not show.
    #[allow(clippy::cast_precision_loss)]
    let mut value = n as f64 / 1_000.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1_000.0;
        unit += 1;
    }
    if value < 10.0 { format!("{value:.1} {}", UNITS[unit]) } else { format!("{value:.0} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn amounts_are_said_shortly() {
        for (n, text) in
            [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 kB"), (12_345, "12 kB"), (999_600, "1.0 MB"), (u64::MAX, "18446744 TB")]
        {
            assert_eq!(super::bytes(n), text);
        }
    }
}

//! Watching a session that may not run unwatched: who waits, joining, being heard of every second, leaving, writing something down.
pub(crate) mod list;
pub(crate) mod seat;
pub(crate) mod show;

use crate::state::App;
use anteroom_approvals::{StoreError, Watching};
use anteroom_domain::{Person, SessionRecord};
use anteroom_policy::may_supervise;

/// One running session somebody has to watch.
pub(crate) struct Supervised {
    pub(crate) record: SessionRecord,
    pub(crate) person: Person,
    pub(crate) watching: Watching,
}

impl Supervised {
    pub(crate) fn waits(&self) -> bool {
        self.watching == Watching::Lobby
    }
    pub(crate) fn unwatched(&self) -> bool {
        self.watching == Watching::Unwatched
    }
}

/// Those this person may watch, who waits first.
async fn all(app: &App, me: &Person) -> Result<Vec<Supervised>, StoreError> {
    let mut found = Vec::new();
    for (id, watching) in app.approvals.to_supervise().await? {
        let Some(record) = app.approvals.session(id).await? else { continue };
        let Some(person) = app.approvals.person(record.person).await? else { continue };
        if may_supervise(me, &person) {
            found.push(Supervised { record, person, watching });
        }
    }
    found.sort_by_key(|s| (s.watching == Watching::Watched, s.record.started_at));
    Ok(found)
}

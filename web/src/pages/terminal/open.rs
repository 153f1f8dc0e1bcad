//! Terminals that run: each is one task that the portal awaits at its end, and that signing out ends.
use anteroom_domain::{Secret, StepUpId};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

type Running = HashMap<StepUpId, (Secret<String>, CancellationToken)>;

#[derive(Clone, Default)]
pub(crate) struct Open {
    running: Arc<Mutex<Running>>,
    tasks: TaskTracker,
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open").field("running", &self.all().len()).finish()
    }
}

impl Open {
    fn all(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held by the task of one terminal for as long as it runs.
    pub(super) fn enter(&self, id: StepUpId, token: &Secret<String>) -> Place {
        let signed_out = CancellationToken::new();
        self.all().insert(id, (token.clone(), signed_out.clone()));
        Place { id, signed_out, open: self.clone(), _task: self.tasks.token() }
    }

    /// Ends every terminal of this web session.
    pub(crate) fn signed_out(&self, token: &Secret<String>) {
        for (_, ended) in self.all().values().filter(|(t, _)| t == token) {
            ended.cancel();
        }
    }

    /// Returns when none runs any more.
    pub(crate) async fn all_ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

pub(super) struct Place {
    id: StepUpId,
    pub(super) signed_out: CancellationToken,
    open: Open,
    _task: TaskTrackerToken,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.all().remove(&self.id);
    }
}

//! What commands on a gateway's data start with: its configuration, its database, and who is asking.
use super::{ConfigArg, Failure};
use crate::{compose, config, config::Checked, database::Database, logging};
use anteroom_approvals::{Approvals, ManageError, OpenError, StoreError};
use anteroom_domain::{Handle, Person};
use anteroom_policy::{Action, may};
use anyhow::{Context as _, anyhow};

pub(crate) struct Context {
    pub(crate) config: Checked,
    pub(crate) approvals: Approvals,
    database: Database,
}

impl Context {
    pub(crate) async fn open(arg: &ConfigArg) -> Result<Self, Failure> {
        let config = config::load(&arg.config)?;
        logging::start("warn", config::LogFormat::Text);
        let database = Database::open(&config.database).await?;
        let approvals = compose::open_for_command(&config, &database).await?;
        Ok(Self { config, approvals, database })
    }

    /// Stops a private database that was started for this command only.
    pub(crate) async fn close(self) {
        self.database.stop().await;
    }

    pub(crate) async fn person(&self, handle: &Handle) -> anyhow::Result<Person> {
        self.approvals.person_by_handle(handle).await?.ok_or_else(|| anyhow!("there is no person \"{handle}\""))
    }

    /// The person in whose name something audited is done, who must be allowed to do it.
    pub(crate) async fn acting(&self, handle: &Handle, action: Action) -> anyhow::Result<Person> {
        let person = self.person(handle).await.context("--as")?;
        if may(&person, action) { Ok(person) } else { Err(anyhow!("--as: {handle} may not do this ({action:?})")) }
    }
}

/// Whether it was only that the database did not answer.
pub(crate) fn is_away(why: &Failure) -> bool {
    let Failure::Failed(e) = why else { return false };
    matches!(e.downcast_ref(), Some(StoreError::Away))
        || matches!(e.downcast_ref(), Some(OpenError::Store(StoreError::Away)))
        || matches!(e.downcast_ref(), Some(ManageError::Store(StoreError::Away)))
}

/// Runs `work` and closes the context whatever came of it.
macro_rules! with_context {
    ($arg:expr, $cx:ident => $work:expr) => {{
        let $cx = Box::pin($crate::cli::context::Context::open($arg)).await?;
        let done: $crate::cli::Done = Box::pin(async { $work }).await;
        $cx.close().await;
        done
    }};
}
pub(crate) use with_context;

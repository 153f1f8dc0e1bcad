//! Where a masker's time goes, for benches. The crate has no clock: who measures lends one.

use std::time::Duration;

/// Time spent so far.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Bytes to rows. Without a terminal there is none: lines are found while they are classified.
    pub grid: Duration,
    pub classify: Duration,
    pub render: Duration,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Stage {
    Grid,
    Classify,
    Render,
}

#[derive(Debug, Default)]
pub(crate) struct Stages {
    clock: Option<fn() -> Duration>,
    since: Duration,
    spent: Spent,
}

impl Stages {
    pub(crate) fn with(clock: fn() -> Duration) -> Self {
        Self { clock: Some(clock), since: clock(), ..Self::default() }
    }

    pub(crate) fn spent(&self) -> Spent {
        self.spent
    }

    /// What happened since the last call was none of the stages.
    pub(crate) fn begin(&mut self) {
        if let Some(clock) = self.clock {
            self.since = clock();
        }
    }

    /// What happened since the last call was this one.
    pub(crate) fn end(&mut self, stage: Stage) {
        let Some(clock) = self.clock else { return };
        let now = clock();
        let took = now.saturating_sub(self.since);
        self.since = now;
        match stage {
            Stage::Grid => self.spent.grid += took,
            Stage::Classify => self.spent.classify += took,
            Stage::Render => self.spent.render += took,
        }
    }
}

use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(25);

/// Looks until there is something to see. `what` completes the sentence "waited in vain for ...".
pub fn wait_for<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if began.elapsed() > limit {
            bail!("waited in vain for {what} ({limit:?})");
        }
        std::thread::sleep(LOOK);
    }
}

/// [`wait_for`] a condition, with the patience that a busy machine of two cores needs.
pub fn soon(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    wait_for(what, Duration::from_secs(20), || Ok(is_so()?.then_some(())))
}

//! A line for each slow step, with its time.
use std::{future::Future, io::Write as _, time::Instant};

/// Says what is being done, does it, says how long it took. On stderr, so that stdout holds the result only.
pub(super) async fn step<T>(what: &str, work: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let _ = write!(std::io::stderr(), "  {what} ... ");
    let done = Box::pin(work).await;
    let _ = writeln!(std::io::stderr(), "{:.1} s", began.elapsed().as_secs_f32());
    done
}

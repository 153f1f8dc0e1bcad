//! One thread with a runtime of its own a processor core; a connection stays on one of them.
//!
//! A byte passes three tasks: the client's connection, the relay, the target's connection. On a runtime that steals work each hand-over
//! wakes another core, which costs more than the work (docs/performance.md). Here they wake each other by a look at a queue.
use std::{
    io,
    num::NonZeroUsize,
    thread::{self, JoinHandle},
};
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

/// Dropping it ends the threads: after everything that was spawned here, and whatever shares connections with it (a database pool).
#[derive(Debug)]
pub struct Cores {
    handles: Vec<Handle>,
    threads: Vec<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Cores {
    /// As many as the machine has.
    pub fn start() -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let mut cores = Self { handles: Vec::new(), threads: Vec::new(), stop: CancellationToken::new() };
        for n in 0..count {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            cores.handles.push(runtime.handle().clone());
            let stop = cores.stop.clone();
            let run = move || runtime.block_on(stop.cancelled());
            cores.threads.push(thread::Builder::new().name(format!("ssh-{n}")).spawn(run)?);
        }
        Ok(cores)
    }

    pub(crate) fn all(&self) -> Spread {
        Spread(self.handles.clone().into())
    }
}

impl Drop for Cores {
    fn drop(&mut self) {
        self.stop.cancel();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Where new connections go.
#[derive(Debug, Clone)]
pub(crate) struct Spread(std::sync::Arc<[Handle]>);

impl Spread {
    /// The core with the fewest tasks.
    pub(crate) fn idlest(&self) -> Handle {
        let idlest = self.0.iter().min_by_key(|h| h.metrics().num_alive_tasks());
        idlest.cloned().unwrap_or_else(Handle::current)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn connections_spread_and_what_they_spawn_stays_with_them() {
        let cores = Cores::start().unwrap();
        let spread = cores.all();
        let (send, seen) = std::sync::mpsc::channel();
        let hold = CancellationToken::new();
        let mut places = HashSet::new();
        for _ in 0..2 * cores.handles.len() {
            let (send, hold) = (send.clone(), hold.clone());
            spread.idlest().spawn(async move {
                let here = thread::current().id();
                let child = tokio::spawn(async { thread::current().id() }).await.unwrap();
                send.send((here, child)).unwrap();
                hold.cancelled().await;
            });
            // The next one is placed when this one is counted.
            let (here, child) = seen.recv().unwrap();
            assert_eq!(here, child);
            places.insert(here);
        }
        hold.cancel();
        assert_eq!(places.len(), cores.handles.len());
    }
}

//! Waiting for room on a thread that is nobody's task.
use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

struct Unpark(Thread);
impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Room for `cost` bytes in a queue of `size`; what is larger takes all of it. None: the recording failed.
pub(super) fn room(queue: &Arc<Semaphore>, cost: usize, size: usize) -> Option<OwnedSemaphorePermit> {
    let cost = u32::try_from(cost.min(size)).unwrap_or(u32::MAX);
    let mut acquiring = pin!(queue.clone().acquire_many_owned(cost));
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match acquiring.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(permit) => return permit.ok(),
            Poll::Pending => thread::park(),
        }
    }
}

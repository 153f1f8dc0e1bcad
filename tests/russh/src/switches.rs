use russh::{Preferred, cipher, client, mac, server};
use std::time::Duration;

/// How a russh in the middle is configured.
#[derive(Debug, Clone, Copy)]
pub struct Switches {
    pub manual_window: bool,
    pub raw_requests: bool,
    pub manual_close: bool,
    /// Messages that a channel may hold before the connection waits for it.
    pub queue: usize,
    /// How long nothing has to happen to count as a standstill.
    pub patience: Duration,
}

impl Switches {
    /// As the gateway runs it. Patience is generous where the trap must be closed: it costs time only if it is not.
    pub const fn ours() -> Self {
        let patience = if cfg!(feature = "stock") { 2 } else { 20 };
        // As long as this only where the window is the bound (`manual_window`).
        let queue = if cfg!(feature = "stock") { 100 } else { 1 << 16 };
        Self { manual_window: true, raw_requests: true, manual_close: true, queue, patience: Duration::from_secs(patience) }
    }

    /// As the crate is without our patches.
    pub const fn stock() -> Self {
        Self { manual_window: false, raw_requests: false, manual_close: false, queue: 100, patience: Duration::from_secs(1) }
    }

    /// Its packets are in clear, so that a [`Wire`](crate::wire::Wire) can read them.
    pub fn server(self) -> server::Config {
        let mut config = server::Config {
            keys: vec![crate::ends::key(1)],
            preferred: clear(),
            auth_rejection_time: Duration::ZERO,
            channel_buffer_size: self.queue,
            ..Default::default()
        };
        #[cfg(not(feature = "stock"))]
        {
            config.manual_window = self.manual_window;
            config.raw_requests = self.raw_requests;
            config.manual_close = self.manual_close;
        }
        config.inactivity_timeout = None;
        config
    }

    pub fn client(self) -> client::Config {
        #[allow(unused_mut)]
        let mut config = client::Config { preferred: clear(), channel_buffer_size: self.queue, ..Default::default() };
        #[cfg(not(feature = "stock"))]
        {
            config.manual_window = self.manual_window;
            config.raw_requests = self.raw_requests;
            config.manual_close = self.manual_close;
        }
        config
    }
}

fn clear() -> Preferred {
    Preferred { cipher: [cipher::NONE].to_vec().into(), mac: [mac::NONE].to_vec().into(), ..Preferred::default() }
}

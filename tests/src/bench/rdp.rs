//! A desktop through the gateway and directly, in one run: the same screen of the same FreeRDP shadow, seen by the same client.
mod page;
mod run;
mod stage;

pub use page::Page;
pub use run::{Lag, Load, Measured, latency, load, recorded};
pub use stage::Stage;

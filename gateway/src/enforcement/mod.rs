//! What holds for every protocol: when a session has to end, who is connected, how many may knock at once.
mod cutter;
mod end;
mod failures;
mod guard;
mod limits;
mod notices;
mod opened;
mod orders;
mod patients;
mod registry;
mod supervision;
mod warnings;

pub use cutter::Cutter;
pub use end::EndSignal;
pub use failures::Failures;
pub use guard::{Guard, guard};
pub use limits::{PreAuthLimits, Refused, Slot};
pub use notices::{Listener, Notices};
pub use opened::{Common, Opened, record_of};
pub use orders::{orders, stopped};
pub use registry::{Entry, Registry};

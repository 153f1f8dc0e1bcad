//! Many SSH clients and a target that costs little, for measuring what a gateway bears.
//!
//! OpenSSH on both sides would need more processors than the gateway between them. A crate of its own, because it is compiled
//! with optimisation (the code of a connection is made where its handler is named) and the tests around it are not.
#![forbid(unsafe_code)]

mod clients;
mod target;

pub use clients::{Clients, Held, Opening};
pub use target::Target;

/// What the target says when its terminal is ready.
const READY: &[u8] = b"ready\r\n";

//! The client side of telnet toward a target that has nothing better, and the answers to its login prompts.
//!
//! Sans-io: bytes in, bytes out. There is no clock and no socket here; the driver owns both, and every time limit.
//!
//! [`Telnet`] speaks RFC 854 and 855 with BINARY (RFC 856), ECHO (857), SUPPRESS-GO-AHEAD (858), TERMINAL-TYPE (1091) and NAWS (1073),
//! and refuses everything else. [`login::Login`] recognises prompts in what the target shows and answers them from a credential.
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "fuzz"))]
mod fuzz;
pub mod login;
mod negotiation;
mod plain;
mod protocol;
mod telnet;

#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub use fuzz::fuzz;
pub use telnet::{MAX_SUBNEGOTIATION, MAX_TERM, MAX_TYPE_ANSWERS, Received, Telnet, Terminal};

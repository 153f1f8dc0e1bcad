//! Numbers of RFC 854 and of the options spoken here.

/// RFC 854, "TELNET COMMAND STRUCTURE".
pub(crate) const SE: u8 = 240;
pub(crate) const BRK: u8 = 243;
pub(crate) const IP: u8 = 244;
pub(crate) const SB: u8 = 250;
pub(crate) const WILL: u8 = 251;
pub(crate) const WONT: u8 = 252;
pub(crate) const DO: u8 = 253;
pub(crate) const DONT: u8 = 254;
pub(crate) const IAC: u8 = 255;

/// RFC 856.
pub(crate) const BINARY: u8 = 0;
/// RFC 857.
pub(crate) const ECHO: u8 = 1;
/// RFC 858.
pub(crate) const SUPPRESS_GO_AHEAD: u8 = 3;
/// RFC 1091.
pub(crate) const TERMINAL_TYPE: u8 = 24;
/// RFC 1073.
pub(crate) const NAWS: u8 = 31;

/// RFC 1091 section 2.
pub(crate) const TYPE_IS: u8 = 0;
pub(crate) const TYPE_SEND: u8 = 1;

//! RDP's PDUs as a gateway in the middle needs them: bytes in; bytes, facts and refusals out. No clock, no I/O.
#![forbid(unsafe_code)]

//! A desktop's picture: decoded from RDP's PDUs, cut into tiles, cleared of what must not be seen. No clock, no I/O.
#![forbid(unsafe_code)]

//! RDP's frames, updates, capabilities and compressed graphics.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| anteroom_rdp::fuzz::pieces(data));

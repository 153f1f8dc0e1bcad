//! A whole RDP session: frames of both sides, between any calls.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| anteroom_rdp::fuzz::relay(data));

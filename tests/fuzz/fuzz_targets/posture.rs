//! What device managers send: headers, a zero byte, a body.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| anteroom_posture::fuzz(data));

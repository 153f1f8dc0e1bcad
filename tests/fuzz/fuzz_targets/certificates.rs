//! Certificates that people bring: their dates, principals, critical options and extensions.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| anteroom_certificate::fuzz(data));

//! Software bills of materials that makers send.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| anteroom_sbom::fuzz(data));

//! What a recording's folder holds: segments without and with a key, envelopes, manifests, headers, and what is in a chunk once it is open.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| anteroom_format::fuzz(data));

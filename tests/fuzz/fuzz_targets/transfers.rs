//! SFTP and scp, both directions, against a grant.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| anteroom_files::fuzz(data));

//! Messages of the clipboard, of devices and of dynamic channels.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| anteroom_rdp::fuzz::channels(data));

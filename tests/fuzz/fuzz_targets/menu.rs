//! What is typed into the menu, in any size and any order.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| anteroom_menu::fuzz(data));

//! A telnet target's bytes: negotiation, subnegotiation, login prompts.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| anteroom_telnet::fuzz(data));

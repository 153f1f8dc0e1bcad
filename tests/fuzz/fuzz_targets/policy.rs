//! The text of policies, and of the tests beside them.
#![no_main]
use anteroom_policy::{Policy, PolicyFile, pdp::try_cases};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // A NUL parts the policies from their tests.
    let (policies, cases) = text.split_once('\0').unwrap_or((text, ""));
    match Policy::load(vec![PolicyFile { name: "a.cedar".into(), text: policies.into() }]) {
        Ok(policy) => {
            assert!(!policy.is_empty());
            let _ = try_cases(&policy, cases);
        }
        Err(e) => {
            let lines = policies.matches('\n').count() + 1;
            assert!(!e.0.is_empty() && e.0.iter().all(|e| e.line.is_none_or(|l| (1..=lines).contains(&l))));
        }
    }
});

//! A person's own terminal while a hostile target's output is masked: nothing but what Ink writes comes out, and every question ends.
#![no_main]
use anteroom_masking::{LiveMask, RuleSet};
use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

static RULES: LazyLock<Arc<RuleSet>> = LazyLock::new(|| Arc::new(RuleSet::builtin()));

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let mut mask = if first & 1 == 0 { LiveMask::plain(RULES.clone()) } else { LiveMask::terminal(RULES.clone(), 40, 10) };
    let mut sent = String::new();
    for (n, part) in rest.chunks(1 + usize::from(*first)).enumerate() {
        let now = Duration::from_millis(n as u64 * u64::from(first >> 4));
        sent += &mask.feed(now, part);
        if part.first().is_some_and(|b| b % 16 == 3) {
            sent += &mask.resize(now, u16::from(part[0]), u16::from(*first));
        }
        assert!(mask.answers().len() < 1024);
    }
    sent += &mask.finish(Duration::from_secs(100_000)).0;
    assert!(!sent.contains("\x1b]") && !sent.contains("\x1bP") && !sent.contains("\x1b[c"));
});

//! A target's output, any bytes: the emulator's boundary and every parser of a format. What comes out must not depend on how the bytes were
//! split, and nothing but text and the renderer's own sequences may come out.
#![no_main]

use std::{sync::Arc, time::Duration};

use anteroom_masking::{MaskedEvent, Masker, RuleSet};

fn masked(mut masker: Masker, parts: &[&[u8]]) -> Vec<MaskedEvent> {
    let mut out = Vec::new();
    for part in parts {
        masker.feed(Duration::ZERO, part, &mut out);
    }
    masker.finish(Duration::from_secs(1), &mut out);
    out
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    static RULES: std::sync::LazyLock<Arc<RuleSet>> = std::sync::LazyLock::new(|| Arc::new(RuleSet::builtin()));
    let Some((how, bytes)) = data.split_first() else { return };
    let masker = || match how % 4 {
        0 => Masker::plain(Arc::clone(&RULES)),
        1 => Masker::new(Arc::clone(&RULES), 20, 5),
        2 => Masker::new(Arc::clone(&RULES), 80, 24),
        _ => Masker::new(Arc::clone(&RULES), 200, 8),
    };
    let whole = masked(masker(), &[bytes]);
    let (first, second) = bytes.split_at(usize::from(*how) * bytes.len() / 256);
    assert_eq!(whole, masked(masker(), &[first, second]));
    for event in &whole {
        if let MaskedEvent::Output { text, .. } = event {
            assert!(text.chars().all(|c| !c.is_control() || matches!(c, '\r' | '\n' | '\t' | '\x1b')));
        }
    }
});

//! What comes over the unsealer's socket, and a judgement of whatever could be read.
#![no_main]

use anteroom_unsealer::{Request, Site, Trust, decide};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(request) = Request::parse(data) {
        let site = Site { rp_id: "bastion.example".into(), origin: "https://bastion.example".into() };
        // It trusts nobody: whatever is asked is refused.
        assert!(decide(&Trust::nobody(site), &request.proof, time::OffsetDateTime::UNIX_EPOCH, |_| false).is_err());
    }
});

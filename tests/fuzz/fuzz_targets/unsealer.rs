//! What comes over the unsealer's socket before anything is known of who sent it, and its trust file.
#![no_main]
use anteroom_unsealer::{Request, Site, Trust};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(request) = Request::parse(data) {
        let again = Request::parse(&request.to_bytes().unwrap()).unwrap();
        assert_eq!(again, request);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let site = Site { rp_id: "localhost".into(), origin: "http://localhost".into() };
        if let Ok(trust) = Trust::parse(text, site.clone()) {
            assert_eq!(Trust::parse(&trust.to_text(), site).unwrap(), trust);
        }
    }
});

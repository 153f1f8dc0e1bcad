//! What a device manager tells us of people's machines: who signed it, what it says, and which machine a connection comes from.
//!
//! Messages are signed as Standard Webhooks says (<https://www.standardwebhooks.com>), with an Ed25519 key (`v1a`). Everything here comes from
//! outside and is read as hostile. Pure.
#![forbid(unsafe_code)]

mod fitting;
mod key;
mod message;
mod report;

pub use fitting::{Comes, fitting};
pub use key::{FeedKey, FeedSecret, KeyError};
pub use message::{Envelope, MAX_BYTES, WINDOW};
pub use report::{MAX_PLACES, Report, ReportError};

/// For the fuzzer: whatever the bytes, what is read holds to the bounds, and nothing is signed by a key that did not sign it.
pub fn fuzz(data: &[u8]) {
    let split = data.iter().position(|b| *b == 0).unwrap_or(data.len());
    let (head, body) = data.split_at(split);
    let mut words = std::str::from_utf8(head).unwrap_or_default().splitn(3, '\n');
    let mut word = || words.next().unwrap_or_default();
    let envelope = Envelope { id: word(), timestamp: word(), signature: word(), body };
    let key = FeedSecret::of([7; 32]).public();
    assert!(!envelope.signed_by(&key), "nobody can guess a signature");
    if let Ok(r) = Report::read(body) {
        assert!(body.len() <= MAX_BYTES && r.machine.keys.len() <= MAX_PLACES && r.machine.addresses.len() <= MAX_PLACES);
        assert!(!r.machine.posture.os.chars().any(char::is_control));
    }
    let _ = FeedKey::read(&String::from_utf8_lossy(data));
}

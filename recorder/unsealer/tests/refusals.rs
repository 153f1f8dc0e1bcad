//! Everything that is not two key-holders' yes and the requester's touch just now is refused, each for its own reason.
#![allow(clippy::unwrap_used)]
mod common;
use anteroom_domain::content::{UnmaskContent, UnmaskOpening, Verdict};
use anteroom_recorder::unmask::{Recipient, UnmaskProof};
use anteroom_unsealer::{CLOCK_SKEW, LONGEST_HOLD, OPENING_LIFETIME, Trust, decide};
use common::*;
use proptest::prelude::*;
use std::time::Duration;

fn ask() -> (World, Wish) {
    let (world, recipient) = (world(), Recipient::generate().unwrap());
    let wish = Wish { content: world.content(), opening: world.opening(&recipient) };
    (world, wish)
}

fn code(world: &World, proof: &UnmaskProof) -> &'static str {
    decide(&world.trust(), proof, now(), |_| false).map_or_else(|refusal| refusal.code(), |_| "allowed")
}

#[test]
fn two_approvals_and_a_touch_are_enough() {
    let (world, wish) = ask();
    let warrant = decide(&world.trust(), &world.proof(&wish), now(), |_| false).unwrap();
    assert_eq!((warrant.session(), warrant.from_us(), warrant.until_us()), (wish.content.session, 1_000, 2_000));
    assert_eq!(warrant.recipient().to_string(), wish.opening.recipient);
    assert_eq!(warrant.holders().iter().map(|h| h.as_str()).collect::<Vec<_>>(), ["kim", "lee"]);
    assert_eq!(warrant.hold_until(), now() + LONGEST_HOLD, "shorter than the approval");
}

#[test]
fn fewer_than_two_approvals() {
    let (world, wish) = ask();
    let mut proof = world.proof(&wish);
    proof.approvals.pop();
    assert_eq!(code(&world, &proof), "too_few_approvals");
    proof.approvals.clear();
    assert_eq!(code(&world, &proof), "too_few_approvals");
}

#[test]
fn one_person_is_not_two() {
    let (world, wish) = ask();
    let mut proof = world.proof(&wish);
    proof.approvals[1] = world.by(&world.kim, &UnmaskContent { nonce: "again".into(), ..wish.content.clone() });
    assert_eq!(code(&world, &proof), "same_holder_twice");
    proof.approvals = vec![proof.approvals[0].clone(); 20];
    assert_eq!(code(&world, &proof), "too_many_approvals");
}

#[test]
fn the_requester_does_not_approve() {
    let (mut world, mut wish) = ask();
    world.cleo = somebody("kim", 1);
    wish.content.requester = world.kim.person;
    wish.opening.requester = world.kim.person;
    assert_eq!(code(&world, &world.proof(&wish)), "holder_is_requester");
}

#[test]
fn strangers_and_strange_passkeys_approve_nothing() {
    let (world, wish) = ask();
    let mut proof = world.proof(&wish);
    let stranger = somebody("zed", 9);
    proof.approvals[1] = world.by(&stranger, &wish.content);
    assert_eq!(code(&world, &proof), "unknown_holder");
    // Says to be Lee, signs with another passkey.
    let content = UnmaskContent { holder: world.lee.person, holder_handle: world.lee.handle.clone(), ..wish.content.clone() };
    proof.approvals[1] = stranger.passkey.sign(&content);
    assert_eq!(code(&world, &proof), "untrusted_key");
    // Trusted, but for Mo.
    proof.approvals[1] = world.mo.passkey.sign(&content);
    assert_eq!(code(&world, &proof), "untrusted_key");
}

#[test]
fn another_site() {
    let (mut world, wish) = ask();
    world.lee.passkey.origin = "https://evil.example".into();
    assert_eq!(code(&world, &world.proof(&wish)), "other_site");
    let (mut world, wish) = ask();
    world.lee.passkey.rp_id = "hospital.example".into();
    assert_eq!(code(&world, &world.proof(&wish)), "other_site");
    // What the evidence says beside the signature counts for nothing.
    let mut proof = world.proof(&wish);
    proof.approvals[1].rp_id = RP_ID.into();
    assert_eq!(code(&world, &proof), "bad_signature");
    let (mut world, wish) = ask();
    world.cleo.passkey.origin = "https://evil.example".into();
    assert_eq!(code(&world, &world.proof(&wish)), "other_site");
}

#[test]
fn a_no_is_no_yes() {
    let (world, wish) = ask();
    let mut proof = world.proof(&wish);
    proof.approvals[1] = world.by(&world.lee, &UnmaskContent { verdict: Verdict::Deny, ..wish.content });
    assert_eq!(code(&world, &proof), "denied");
}

#[test]
fn they_approved_different_things() {
    let (world, wish) = ask();
    let c = &wish.content;
    let id = uuid::Uuid::from_u128(99);
    for other in [
        UnmaskContent { unmask: id.into(), ..c.clone() },
        UnmaskContent { session: id.into(), ..c.clone() },
        UnmaskContent { header_sha256: "cd".repeat(32), ..c.clone() },
        UnmaskContent { session_person: world.mo.handle.clone(), ..c.clone() },
        UnmaskContent { session_target: "root@other".into(), ..c.clone() },
        UnmaskContent { session_started_at: now(), ..c.clone() },
        UnmaskContent { from_us: 0, ..c.clone() },
        UnmaskContent { until_us: 3_000, ..c.clone() },
        UnmaskContent { requester: id.into(), ..c.clone() },
        UnmaskContent { reason: anteroom_domain::Reason::new("another").unwrap(), ..c.clone() },
        UnmaskContent { expires_at: c.expires_at + Duration::from_secs(1), ..c.clone() },
    ] {
        let mut proof = world.proof(&wish);
        proof.approvals[1] = world.by(&world.lee, &other);
        assert_eq!(code(&world, &proof), "contents_differ", "{other:?}");
    }
}

#[test]
fn expired_or_no_interval() {
    let (world, mut wish) = ask();
    wish.content.expires_at = now();
    assert_eq!(code(&world, &world.proof(&wish)), "expired");
    let (world, mut wish) = ask();
    (wish.content.from_us, wish.content.until_us) = (2_000, 1_000);
    assert_eq!(code(&world, &world.proof(&wish.aligned())), "no_interval");
}

#[test]
fn opened_for_something_else() {
    let (world, wish) = ask();
    let id = uuid::Uuid::from_u128(99);
    let o = &wish.opening;
    for other in [
        UnmaskOpening { unmask: id.into(), ..o.clone() },
        UnmaskOpening { session: id.into(), ..o.clone() },
        UnmaskOpening { from_us: 0, ..o.clone() },
        UnmaskOpening { until_us: 9_000, ..o.clone() },
        UnmaskOpening { requester: id.into(), ..o.clone() },
    ] {
        let proof = world.proof(&Wish { opening: other, ..wish.clone() });
        assert_eq!(code(&world, &proof), "other_opening");
    }
}

#[test]
fn opened_by_somebody_else() {
    let (world, wish) = ask();
    let mut proof = world.proof(&wish);
    proof.opening = somebody("zed", 9).passkey.sign(&wish.opening);
    assert_eq!(code(&world, &proof), "other_key");
    // One key-holder saw another list of the requester's passkeys.
    let mut proof = world.proof(&wish);
    proof.approvals[1] = world.by(&world.lee, &UnmaskContent { requester_keys: vec!["ef".repeat(32)], ..wish.content.clone() });
    assert_eq!(code(&world, &proof), "other_key");
    // A portal that lists Lee's passkey as Cleo's.
    let mut wish = wish;
    wish.content.requester_keys.push(world.lee.passkey.sha256());
    let mut proof = world.proof(&wish);
    proof.opening = world.lee.passkey.sign(&wish.opening);
    assert_eq!(code(&world, &proof), "opened_by_holder");
}

#[test]
fn an_opening_counts_now_and_once() {
    let (world, wish) = ask();
    let second = Duration::from_secs(1);
    for (at, expected) in [
        (now() - OPENING_LIFETIME, "allowed"),
        (now() - OPENING_LIFETIME - second, "opening_too_old"),
        (now() + CLOCK_SKEW, "allowed"),
        (now() + CLOCK_SKEW + second, "opening_in_future"),
    ] {
        let opening = UnmaskOpening { at, ..wish.opening.clone() };
        assert_eq!(code(&world, &world.proof(&Wish { opening, ..wish.clone() })), expected);
    }
    let used = decide(&world.trust(), &world.proof(&wish), now(), |nonce| nonce == wish.opening.nonce);
    assert_eq!(used.unwrap_err().code(), "opening_used");
}

#[test]
fn keys_go_to_a_key() {
    let (world, mut wish) = ask();
    wish.opening.recipient = "anteroom-x25519-v1 bm90IGEga2V5".into();
    assert_eq!(code(&world, &world.proof(&wish)), "no_recipient");
}

#[test]
fn contents_of_another_version() {
    let (world, mut wish) = ask();
    wish.content.v = 2;
    assert_eq!(code(&world, &world.proof(&wish)), "unknown_version");
    let (world, mut wish) = ask();
    wish.opening.v = 2;
    assert_eq!(code(&world, &world.proof(&wish)), "unknown_version");
}

#[test]
fn an_approval_is_no_opening_and_the_other_way() {
    let (world, wish) = ask();
    let good = world.proof(&wish);
    let swapped = UnmaskProof { opening: good.approvals[0].clone(), ..good.clone() };
    assert_eq!(code(&world, &swapped), "bad_signature");
    let swapped = UnmaskProof { approvals: vec![good.opening.clone(), good.approvals[1].clone()], ..good };
    assert_eq!(code(&world, &swapped), "bad_signature");
}

#[test]
fn the_trust_file_says_who_counts_and_nothing_else_does() {
    let world = world();
    let text = world.trust().to_text();
    assert_eq!(Trust::parse(&text, site()).unwrap(), world.trust());
    let line = |needle: &str| text.lines().position(|l| l.contains(needle)).unwrap() + 1;
    let e = Trust::parse(&text.replace("handle = \"lee\"", "handle = \"kim\""), site()).unwrap_err();
    assert!(e.line >= line("\"kim\"") && e.why.contains("somebody else already"), "{e}");
    let e = Trust::parse(&text.replacen(&world.kim.passkey.sha256(), &"0".repeat(64), 1), site()).unwrap_err();
    assert!(e.key == "holder.passkey.sha256" && e.why.contains(&world.kim.passkey.sha256()), "{e}");
    assert_eq!(Trust::parse("[[holder]]\nhandel = 1\n", site()).unwrap_err().line, 2);
    let mut trust = world.trust();
    let twin = anteroom_unsealer::Holder { keys: world.kim.as_holder().keys, ..somebody("zed", 9).as_holder() };
    assert!(trust.add(twin).unwrap_err().contains("cannot share a passkey"));
    assert!(trust.add(anteroom_unsealer::Holder { keys: Vec::new(), ..somebody("zed", 9).as_holder() }).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever byte of whatever signed text or signature is changed, it is not allowed any more.
    #[test]
    fn any_changed_byte_is_refused(which in 0usize..3, field in 0usize..8, at in any::<prop::sample::Index>(), to in b'0'..=b'z') {
        let (world, wish) = ask();
        let mut proof = world.proof(&wish);
        let good = proof.clone();
        let e = if which < 2 { &mut proof.approvals[which] } else { &mut proof.opening };
        let text = match field {
            0 => &mut e.domain,
            1 => &mut e.rp_id,
            2 => &mut e.origin,
            3 | 4 => &mut e.content,
            5 => &mut e.client_data_json,
            6 => &mut e.authenticator_data,
            _ => &mut e.signature,
        };
        let mut bytes = std::mem::take(text).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = to;
        *text = String::from_utf8(bytes).unwrap();
        prop_assume!(proof != good);
        // base64 has bits that say nothing in its last character; the decoder refuses them, so that this holds.
        prop_assert_ne!(code(&world, &proof), "allowed");
    }

    /// Another public key beside the signature is another signer.
    #[test]
    fn any_other_key_is_refused(which in 0usize..3, n in 10u8..200) {
        let (world, wish) = ask();
        let mut proof = world.proof(&wish);
        let e = if which < 2 { &mut proof.approvals[which] } else { &mut proof.opening };
        e.cose_key = somebody("zed", n).passkey.cose_key();
        prop_assert_ne!(code(&world, &proof), "allowed");
    }
}

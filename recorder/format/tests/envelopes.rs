//! Envelopes: who opens what, before a rotation and after it.
#![allow(clippy::unwrap_used)]
use anteroom_domain::Secret;
use anteroom_format::*;
use getrandom::{SysRng, rand_core::UnwrapErr};
use proptest::prelude::*;

fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

fn key(n: u8) -> SegmentKey {
    Secret::new([n; 32])
}

fn header(track: Track, key: &SegmentKey) -> SegmentHeader {
    let start = SegmentStart { track, segment: 3, session: uuid::Uuid::from_u128(7), recording: [1; 32], link: [0; 32], salt: [2; 32] };
    start.header(key)
}

/// Somebody's key, of either curve.
fn holder(n: u8) -> PrivateKey {
    PrivateKey::derive(if n.is_multiple_of(2) { Curve::X25519 } else { Curve::P256 }, &[n; 32])
}

fn one_share(h: &SegmentHeader, k: &SegmentKey, to: &PrivateKey) -> Envelope {
    Envelope::wrap(h, k, &[&[*to.public()]], &mut rng()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_holder_opens_their_share_and_only_together_the_key(k: [u8; 32], who in prop::collection::btree_set(any::<u8>(), 2..6)) {
        let k = Secret::new(k);
        let h = header(Track::Sealed, &k);
        let keys: Vec<_> = who.iter().map(|n| holder(*n)).collect();
        let groups: Vec<[PublicKey; 1]> = keys.iter().map(|k| [*k.public()]).collect();
        let groups: Vec<&[PublicKey]> = groups.iter().map(|g| &g[..]).collect();
        let e = Envelope::from_bytes(&Envelope::wrap(&h, &k, &groups, &mut rng()).unwrap().to_bytes().unwrap()).unwrap();
        let shares: Vec<_> = keys.iter().map(|k| e.open_share(&h, k).unwrap()).collect();
        prop_assert_eq!(e.combine(&h, &shares).unwrap(), k);
        prop_assert!(matches!(e.combine(&h, &shares[1..]), Err(EnvelopeError::MissingShare(0))));
    }

    /// However often and in whatever way keys are changed: the last ones open, those before do not, and the file stays one.
    #[test]
    fn after_any_rotations_the_last_key_opens_and_no_other(k: [u8; 32], ways in prop::collection::vec((any::<u8>(), any::<bool>()), 1..6)) {
        let k = Secret::new(k);
        let h = header(Track::Masked, &k);
        let mut current = holder(0);
        let mut allowed = vec![current.clone()];
        let mut gone: Vec<PrivateKey> = Vec::new();
        let mut e = one_share(&h, &k, &current);
        for (n, keep) in ways {
            let next = holder(n);
            e = e.rewrap(&h, &current, &[*next.public()], keep, &mut rng()).unwrap();
            e = Envelope::from_bytes(&e.to_bytes().unwrap()).unwrap();
            if !keep && next.public() != current.public() {
                allowed.retain(|a| a.public() != current.public());
                gone.push(current);
            }
            gone.retain(|g| g.public() != next.public());
            allowed.retain(|a| a.public() != next.public());
            allowed.push(next.clone());
            current = next;
        }
        for a in &allowed {
            prop_assert_eq!(e.open(&h, a).unwrap(), k.clone());
        }
        for g in &gone {
            prop_assert!(matches!(e.open(&h, g), Err(EnvelopeError::NotForKey)));
        }
        prop_assert_eq!(e.recipients().count(), allowed.len());
    }

    #[test]
    fn what_a_hand_changed_does_not_open(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let (k, me) = (key(9), holder(1));
        let h = header(Track::Masked, &k);
        let mut bytes = one_share(&h, &k, &me).to_bytes().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(Envelope::from_bytes(&bytes).is_err());
    }
}

#[test]
fn one_holder_changes_their_own_key_and_the_other_notices_nothing() {
    let k = key(9);
    let (h, a, b, new) = (header(Track::Sealed, &k), holder(1), holder(2), holder(3));
    let e = Envelope::wrap(&h, &k, &[&[*a.public()], &[*b.public()]], &mut rng()).unwrap();
    let next = e.rewrap(&h, &a, &[*new.public()], false, &mut rng()).unwrap();
    let shares = [next.open_share(&h, &new).unwrap(), next.open_share(&h, &b).unwrap()];
    assert_eq!(next.combine(&h, &shares).unwrap(), k);
    assert!(matches!(next.open_share(&h, &a), Err(EnvelopeError::NotForKey)));
    let wrap_of_b = |e: &Envelope| e.wraps.iter().find(|w| w.recipient == b.public().id()).cloned();
    assert_eq!(wrap_of_b(&next), wrap_of_b(&e), "untouched");
    // Nor can one holder come to have both.
    assert!(matches!(e.rewrap(&h, &a, &[*b.public()], false, &mut rng()), Err(EnvelopeError::TwoShares)));
}

#[test]
fn a_wrong_key_that_opens_does_not_replace_a_right_one() {
    let (right, wrong, me, new) = (key(9), key(8), holder(1), holder(3));
    let h = header(Track::Masked, &right);
    // Wrapped properly to us, and not what the segment was encrypted with.
    let e = Envelope { commitment: hex(&h.commitment), ..one_share(&h, &wrong, &me) };
    e.open_share(&h, &me).unwrap();
    assert!(matches!(e.rewrap(&h, &me, &[*new.public()], false, &mut rng()), Err(EnvelopeError::WrongShares)));
}

#[test]
fn what_lay_there_for_the_new_key_is_replaced_and_not_believed() {
    let (k, me, new) = (key(9), holder(1), holder(3));
    let h = header(Track::Masked, &k);
    let mut e = one_share(&h, &k, &me);
    let forged = Wrap { recipient: new.public().id(), ..e.wraps[0].clone() };
    e.wraps.push(forged);
    assert!(matches!(e.open(&h, &new), Err(EnvelopeError::Open)));
    let next = e.rewrap(&h, &me, &[*new.public()], false, &mut rng()).unwrap();
    assert_eq!((next.wraps.len(), next.open(&h, &new).unwrap()), (1, k));
}

#[test]
fn nothing_is_left_that_nobody_opens() {
    let (k, me) = (key(9), holder(1));
    let h = header(Track::Masked, &k);
    let e = one_share(&h, &k, &me);
    assert!(matches!(e.rewrap(&h, &me, &[], false, &mut rng()), Err(EnvelopeError::MissingShare(0))));
    // To oneself: the same recipient, wrapped anew or not.
    let same = e.rewrap(&h, &me, &[*me.public()], false, &mut rng()).unwrap();
    assert_eq!(same.open(&h, &me).unwrap(), k);
}

#[test]
fn an_envelope_has_bounds() {
    let (k, me) = (key(9), holder(1));
    let h = header(Track::Masked, &k);
    let e = one_share(&h, &k, &me);
    let wrap = e.wraps[0].clone();
    let many = Envelope { wraps: vec![wrap.clone(); MAX_WRAPS + 1], ..e.clone() };
    let far = Envelope { wraps: vec![Wrap { share: 1, ..wrap.clone() }], ..e.clone() };
    let long = Envelope { wraps: vec![Wrap { enc: "A".repeat(92), ..wrap.clone() }], ..e.clone() };
    let named = Envelope { wraps: vec![Wrap { recipient: "x".repeat(500), ..wrap }], ..e.clone() };
    for bad in [many, far, long, named, Envelope { shares: 0, ..e.clone() }, Envelope { shares: 200, ..e.clone() }] {
        assert!(matches!(Envelope::from_bytes(&bad.to_bytes().unwrap()), Err(EnvelopeError::Bounds)));
    }
    let recipients = vec![*me.public(); MAX_WRAPS + 1];
    assert!(matches!(Envelope::wrap(&h, &k, &[&recipients], &mut rng()), Err(EnvelopeError::Bounds)));
}

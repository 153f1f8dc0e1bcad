#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;
use uuid::Uuid;

const GROUPS: [&str; 3] = ["clinical-engineering", "security", "sponsor-acme"];

fn id(n: u128) -> PersonId {
    PersonId(Uuid::from_u128(n))
}
fn group(n: usize) -> GroupName {
    GroupName::new(GROUPS[n]).unwrap()
}
fn of(g: Option<usize>, count: u8) -> Quorum {
    Quorum { group: g.map(group), count }
}
fn needs(quorums: &[Quorum], ordered: bool) -> Needed {
    Needed::new(&Obligations { approvals: quorums.to_vec(), ordered, ..Obligations::default() }, id(0))
}
fn voice(who: u128, groups: &[usize]) -> Voice {
    Voice {
        approver: id(who),
        stands_for: None,
        groups: groups.iter().map(|g| group(*g)).collect(),
        companies: BTreeSet::new(),
        verdict: Verdict::Approve,
    }
}

#[test]
fn without_a_quorum_one_approver_is_asked_and_no_policy_can_ask_none() {
    for quorums in [vec![], vec![of(None, 0)], vec![of(Some(0), 0), of(None, 0)]] {
        let n = needs(&quorums, false);
        assert_eq!(n.tally(&[]), Tally::Waiting(vec![of(None, 1)]));
        assert_eq!(n.tally(&[voice(1, &[])]), Tally::Satisfied);
    }
}

#[test]
fn somebody_in_two_groups_fills_one_place() {
    let n = needs(&[of(Some(0), 1), of(Some(1), 1)], false);
    let both = voice(1, &[0, 1]);
    assert!(matches!(n.tally(std::slice::from_ref(&both)), Tally::Waiting(m) if m.len() == 1));
    // The one who is in both makes room for whoever is in one of them only, whoever came first.
    assert_eq!(n.tally(&[both.clone(), voice(2, &[0])]), Tally::Satisfied);
    assert_eq!(n.tally(&[both.clone(), voice(2, &[1])]), Tally::Satisfied);
    assert_eq!(n.hears(std::slice::from_ref(&both), &both), Err(NoVoice::Twice));
    assert_eq!(n.hears(&[both], &voice(2, &[2])), Err(NoVoice::NotNeeded(vec![of(Some(1), 1)])));
}

#[test]
fn the_requester_and_vendors_people_never_count() {
    let n = Needed::new(&Obligations::default(), id(0));
    let mut colleague = voice(1, &[0]);
    colleague.companies.insert(CompanyId(Uuid::from_u128(9)));
    assert_eq!(n.hears(&[], &voice(0, &[0])), Err(NoVoice::Requester));
    assert_eq!(n.hears(&[], &colleague), Err(NoVoice::Vendor));
    assert_eq!(n.tally(&[voice(0, &[0]), colleague.clone()]), Tally::Waiting(vec![of(None, 1)]));
    let for_a_colleague = Voice { stands_for: Some(id(1)), companies: colleague.companies.clone(), ..voice(2, &[0]) };
    assert_eq!(n.hears(&[], &for_a_colleague), Err(NoVoice::Vendor));
    let in_their_place = Voice { stands_for: Some(id(0)), ..voice(2, &[0]) };
    assert_eq!(n.hears(&[], &in_their_place), Err(NoVoice::Requester));
    colleague.verdict = Verdict::Deny;
    assert!(matches!(n.tally(&[colleague]), Tally::Waiting(_)), "nor do they end a request");
}

#[test]
fn a_deputy_and_whom_they_stand_for_fill_one_place_together() {
    let n = needs(&[of(Some(0), 2)], false);
    let deputy = Voice { stands_for: Some(id(1)), ..voice(2, &[0]) };
    assert_eq!(n.hears(std::slice::from_ref(&deputy), &voice(1, &[0])), Err(NoVoice::Twice));
    assert_eq!(n.hears(std::slice::from_ref(&deputy), &voice(2, &[0])), Err(NoVoice::Twice));
    assert_eq!(n.tally(&[deputy, voice(3, &[0])]), Tally::Satisfied);
}

#[test]
fn in_order_nobody_signs_before_their_turn() {
    let n = needs(&[of(Some(0), 1), of(Some(1), 1)], true);
    assert_eq!(n.hears(&[], &voice(2, &[1])), Err(NoVoice::NotNeeded(vec![of(Some(0), 1), of(Some(1), 1)])));
    assert_eq!(n.tally(&[voice(2, &[1]), voice(1, &[0])]), Tally::Waiting(vec![of(Some(1), 1)]), "too early is as if never");
    assert_eq!(n.tally(&[voice(1, &[0]), voice(2, &[1])]), Tally::Satisfied);
}

#[test]
fn one_deny_ends_it_also_of_somebody_who_is_in_no_group() {
    let n = needs(&[of(Some(0), 2)], false);
    let no = Voice { verdict: Verdict::Deny, ..voice(7, &[]) };
    assert_eq!(n.hears(&[voice(1, &[0])], &no), Ok(()));
    assert_eq!(n.tally(&[voice(1, &[0]), no]), Tally::Denied(id(7)));
}

/// Every way to give places to voices, tried one by one: the definition, not the algorithm.
fn by_trying(places: &[Option<GroupName>], voices: &[&Voice]) -> bool {
    let Some((place, rest)) = places.split_first() else { return true };
    (0..voices.len()).any(|i| {
        let left: Vec<&Voice> = voices.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, v)| *v).collect();
        belongs(voices[i], place.as_ref()) && by_trying(rest, &left)
    })
}

/// The rules in their plainest form.
fn may_be_granted(n: &Needed, voices: &[Voice]) -> bool {
    let mut heard: Vec<&Voice> = Vec::new();
    for v in voices {
        let outside = v.people().all(|p| p != n.requester) && v.companies.is_empty();
        let new = !heard.iter().any(|h| h.people().any(|p| v.people().any(|q| p == q)));
        if outside && new {
            if v.verdict == Verdict::Deny {
                return false;
            }
            heard.push(v);
        }
    }
    let places: Vec<_> = n.quorums.iter().flat_map(|q| std::iter::repeat_n(q.group.clone(), usize::from(q.count))).collect();
    if n.ordered {
        let mut next = 0;
        for v in heard {
            if next < places.len() && belongs(v, places[next].as_ref()) {
                next += 1;
            }
        }
        next == places.len()
    } else {
        by_trying(&places, &heard)
    }
}

fn any_voice() -> impl Strategy<Value = Voice> {
    let groups = prop::collection::btree_set(0..GROUPS.len(), 0..=3);
    (0u128..6, prop::option::weighted(0.2, 0u128..6), groups, any::<bool>(), prop::bool::weighted(0.06)).prop_map(
        |(who, place, groups, vendor, no)| Voice {
            approver: id(who),
            stands_for: place.filter(|p| *p != who).map(id),
            groups: groups.into_iter().map(group).collect(),
            companies: vendor.then(|| CompanyId(Uuid::from_u128(9))).into_iter().collect(),
            verdict: if no { Verdict::Deny } else { Verdict::Approve },
        },
    )
}

fn any_needed() -> impl Strategy<Value = Needed> {
    let quorum = (prop::option::of(0..GROUPS.len()), 0u8..3).prop_map(|(g, n)| of(g, n));
    (prop::collection::vec(quorum, 0..4), any::<bool>())
        .prop_map(|(approvals, ordered)| Needed::new(&Obligations { approvals, ordered, ..Obligations::default() }, id(0)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn granted_exactly_when_the_rules_say_so(n in any_needed(), voices in prop::collection::vec(any_voice(), 0..7)) {
        prop_assert_eq!(n.tally(&voices) == Tally::Satisfied, may_be_granted(&n, &voices));
    }

    /// What is refused as not needed would not have been needed later either: refusing it loses nothing.
    #[test]
    fn whoever_is_heard_brings_it_on_and_whoever_is_not_never_would_have(n in any_needed(), voices in prop::collection::vec(any_voice(), 0..7)) {
        let mut kept: Vec<Voice> = Vec::new();
        for v in voices.iter().filter(|v| v.verdict == Verdict::Approve) {
            if n.hears(&kept, v).is_ok() {
                let before = n.tally(&kept);
                kept.push(v.clone());
                prop_assert_ne!(before, n.tally(&kept));
            }
        }
        let people: BTreeSet<_> = kept.iter().flat_map(|v| v.people().collect::<Vec<_>>()).collect();
        prop_assert_eq!(people.len(), kept.iter().map(|v| v.people().count()).sum::<usize>(), "nobody twice");
        prop_assert!(!people.contains(&id(0)), "not the requester");
    }
}

/// Everything that six people can do with a request that needs "1 of security, 2 approvers", in every order: a grant only ever with
/// three different people of whom one is of security, none of them the requester or a vendor's.
#[test]
fn every_path_of_six_people_is_walked_and_none_leads_to_a_grant_without_its_approvals() {
    let approvals = vec![of(Some(1), 1), of(None, 2)];
    for ordered in [false, true] {
        let n = Needed::new(&Obligations { approvals: approvals.clone(), ordered, ..Obligations::default() }, id(0));
        let mut colleague = voice(5, &[1]);
        colleague.companies.insert(CompanyId(Uuid::from_u128(9)));
        let people =
            [voice(0, &[1]), voice(1, &[1]), voice(2, &[]), voice(3, &[0]), Voice { stands_for: Some(id(1)), ..voice(4, &[1]) }, colleague];
        let (mut grants, mut states) = (0, 0);
        let mut todo = vec![Vec::<usize>::new()];
        while let Some(path) = todo.pop() {
            states += 1;
            let voices: Vec<Voice> = path.iter().map(|i| people[*i].clone()).collect();
            if n.tally(&voices) == Tally::Satisfied {
                grants += 1;
                let heads: BTreeSet<_> = path.iter().filter(|i| ![0, 5].contains(*i)).collect();
                assert!(heads.len() >= 3 && (path.contains(&1) || path.contains(&4)), "{path:?}");
            }
            if path.len() < 5 {
                todo.extend((0..people.len()).map(|i| [path.clone(), vec![i]].concat()));
            }
        }
        assert!(grants > 100 && states == 9331, "{grants} of {states}");
    }
}

#![allow(clippy::unwrap_used)]
use super::*;
use std::collections::HashSet;
use uuid::Uuid;

/// All that can be done to a card, by a few people and at a few moments.
#[derive(Debug, Clone, Copy)]
enum Step {
    Countersign(PersonId),
    Revoke,
    Use(RequestId, PersonId),
    Wait,
}

const TIMES: i64 = 5;
const END: i64 = 3;

fn at(n: i64) -> Moment {
    Moment::UNIX_EPOCH + time::Duration::days(n)
}

fn person(n: u128) -> PersonId {
    PersonId(Uuid::from_u128(n))
}

fn request(n: u128) -> RequestId {
    RequestId(Uuid::from_u128(n))
}

/// What an observer wrote down of one way through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Seen {
    countersigned: bool,
    officers: Vec<PersonId>,
    revoked: bool,
    regular: u8,
    irregular: u8,
    first: Option<RequestId>,
}

/// Every way through: five moments, three officers, three uses, in every order.
#[test]
fn no_way_leads_to_a_valid_card_without_two_officers_nor_to_a_second_use_nor_back() {
    let steps: Vec<Step> = (1..4)
        .map(|n| Step::Countersign(person(n)))
        .chain([Step::Revoke, Step::Wait])
        .chain((1..4).flat_map(|n| (1..5).map(move |p| Step::Use(request(n), person(p)))))
        .collect();
    let mut todo = vec![(Life::begun(person(1), at(END)), 0i64, Seen { officers: vec![person(1)], ..Seen::default() })];
    let mut known: HashSet<_> = todo.iter().cloned().collect();
    let (mut valid, mut used, mut revoked, mut expired) = (0, 0, 0, 0);
    while let Some((life, now, seen)) = todo.pop() {
        let before = life.state(at(now));
        match before {
            CardState::Valid => {
                valid += 1;
                assert!(seen.countersigned && !seen.revoked && seen.regular == 0 && now < END, "{life:?} {seen:?}");
            }
            CardState::Used => used += 1,
            CardState::Revoked => revoked += 1,
            CardState::Expired => expired += 1,
            CardState::Begun => assert!(!seen.countersigned, "{life:?}"),
        }
        for step in &steps {
            let (mut next, mut then, mut told) = (life, now, seen.clone());
            match *step {
                Step::Wait if now < TIMES => then += 1,
                Step::Wait => continue,
                Step::Countersign(who) => match life.countersign(who, at(now)) {
                    Ok(l) => {
                        assert_eq!(before, CardState::Begun);
                        assert_ne!(who, person(1), "whoever began it does not countersign");
                        (next, told.countersigned) = (l, true);
                        told.officers.push(who);
                    }
                    Err(e) => assert!(before != CardState::Begun || (who == person(1) && e == NoCard::SameOfficer)),
                },
                Step::Revoke => match life.revoke(at(now)) {
                    Ok(l) => {
                        assert!(matches!(before, CardState::Begun | CardState::Valid));
                        (next, told.revoked) = (l, true);
                    }
                    Err(_) => assert!(!matches!(before, CardState::Begun | CardState::Valid)),
                },
                Step::Use(r, by) => match life.told_of_use(r, by, at(now)) {
                    Told::Regular(l) => {
                        assert!(!seen.officers.contains(&by), "by who signed it");
                        assert_eq!(before, CardState::Valid, "a use that is as it should be");
                        assert_eq!(l.state(at(now)), CardState::Used);
                        next = l;
                        told.regular += 1;
                        told.first = told.first.or(Some(r));
                    }
                    Told::Known => {
                        assert_eq!(seen.first, Some(r));
                        assert_eq!(next, life, "told again changes nothing");
                    }
                    Told::Irregular(l, why) => {
                        assert!(before != CardState::Valid || (why == NoCard::OwnCard && seen.officers.contains(&by)));
                        assert_eq!(l.state(at(now)), CardState::Used, "what happened is kept");
                        next = l;
                        told.irregular = (told.irregular + 1).min(3);
                        told.first = told.first.or(Some(r));
                    }
                },
            }
            assert!(told.regular <= 1, "one use: {told:?}");
            // Nothing leads from an end back to a card that opens something.
            if matches!(before, CardState::Used | CardState::Revoked | CardState::Expired) {
                assert!(!matches!(next.state(at(then)), CardState::Begun | CardState::Valid), "{step:?} {life:?}");
            }
            let place = (next, then, told);
            if known.insert(place.clone()) {
                todo.push(place);
            }
        }
    }
    assert!(valid > 0 && used > 0 && revoked > 0 && expired > 0 && known.len() > 100, "{} states", known.len());
}

#[test]
fn a_row_that_names_one_officer_twice_is_not_valid() {
    let life = Life::of(person(1), Some(person(1)), at(END), None, None);
    assert_eq!(life.state(at(0)), CardState::Begun);
    assert_eq!(life.told_of_use(request(1), person(4), at(1)), {
        let used = Life::of(person(1), Some(person(1)), at(END), None, Some((request(1), at(1))));
        Told::Irregular(used, NoCard::OneOfficer)
    });
}

fn set(texts: &[&str]) -> Capabilities {
    Capabilities::parse(texts).unwrap()
}

fn worth_it(asked: &[&str], minutes: i64, rulings: &[Result<Obligations, Vec<String>>]) -> Result<(), Useless> {
    worth(&set(asked), &Capabilities::interactive(), Duration::minutes(minutes), rulings.iter().cloned())
}

#[test]
fn a_card_says_what_policy_lets_somebody_have_and_nothing_more() {
    let (any, no) = (Ok(Obligations::default()), Err(vec!["not at night".to_owned()]));
    let logs = Ok(Obligations { capabilities: Some(set(&["shell", "download:/var/log/**"])), ..Obligations::default() });
    assert_eq!(worth_it(&["shell", "upload"], 60, &[no.clone(), logs.clone(), any.clone()]), Ok(()), "one who may is enough");
    assert_eq!(worth_it(&["shell", "download:/var/log/a"], 60, std::slice::from_ref(&logs)), Ok(()));
    assert_eq!(worth_it(&["shell", "exec"], 60, &[no.clone(), logs.clone()]), Err(Useless::Beyond("shell".into())));
    assert_eq!(worth_it(&["upload"], 60, &[logs]), Err(Useless::Beyond("nothing".into())));
    let masked = Ok(Obligations { live_mask: true, ..Obligations::default() });
    assert_eq!(worth_it(&["shell", "download"], 60, &[masked]), Err(Useless::Beyond("shell".into())), "what cannot be masked is not there");
    assert_eq!(worth_it(&["shell", "unmask"], 60, &[any]), Err(Useless::Unmask));
}

#[test]
fn a_card_lasts_no_longer_than_an_emergency_may() {
    let hour = Ok(Obligations { longest: Some(60), ..Obligations::default() });
    assert_eq!(worth_it(&["shell"], 60, std::slice::from_ref(&hour)), Ok(()));
    assert_eq!(worth_it(&["shell"], 61, std::slice::from_ref(&hour)), Err(Useless::Longer(Duration::HOUR)));
    assert_eq!(worth_it(&["shell"], 240, &[hour, Ok(Obligations::default())]), Ok(()));
}

/// What denies now may pass; more than the usual is not taken on trust.
#[test]
fn where_nobody_may_now_a_card_has_the_usual_at_most() {
    let no = Err(vec!["not at night".to_owned()]);
    assert_eq!(worth_it(&["shell", "exec:uptime"], 60, std::slice::from_ref(&no)), Ok(()));
    assert_eq!(worth_it(&["shell"], 60, &[]), Ok(()));
    assert_eq!(worth_it(&["shell", "download"], 60, &[no]), Err(Useless::Denied("not at night".into())));
    assert_eq!(worth_it(&["download"], 60, &[]), Err(Useless::Denied("there is nobody who may".into())));
}

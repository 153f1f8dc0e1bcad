//! What is exported about a session can be checked by anybody, and any change to it is seen.
use crate::{
    certificates::certificate,
    connecting::{permit, sealed},
    world::{HERE, World},
};
use anteroom_approvals::{
    Answer, Evidence,
    verify::{all_good, verify_assertion, verify_evidence},
};
use anteroom_domain::{EndReason, Role, SessionId};
use anteroom_policy::{Decision, Permit, SecondFactor};
use uuid::Uuid;

/// A session that is over, and everything about it.
async fn told() -> (World, Evidence) {
    let w = Box::pin(World::new()).await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.grant(&ada, &mut bob).await;
    let p = Box::pin(permit(&w, &mut ada, SessionId(Uuid::now_v7()))).await;
    let e = over(&w, &p).await;
    (w, e)
}

/// The same for one that began with a certificate.
async fn told_with_a_certificate() -> (World, Evidence) {
    let w = Box::pin(World::new()).await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.grant(&ada, &mut bob).await;
    let serial = Box::pin(certificate(&w, &mut ada)).await.serial();
    let p = Box::pin(with(&w, &ada.person, SecondFactor::Certificate { serial })).await.unwrap();
    let e = over(&w, &p).await;
    (w, e)
}

async fn with(w: &World, who: &anteroom_domain::Person, factor: SecondFactor) -> Option<Permit> {
    match w.approvals.authorize(who, SessionId(Uuid::now_v7()), "ehr-db-1", "root", HERE, factor).await.unwrap() {
        Decision::Permit(p) => Some(p),
        _ => None,
    }
}

async fn over(w: &World, p: &Permit) -> Evidence {
    w.approvals.session_started(p, [0; 32], "gw").await.unwrap();
    w.approvals.session_ended(p.session(), &EndReason::ClientClosed).await;
    w.approvals.recording_sealed(sealed(p.session())).await;
    Box::pin(w.approvals.evidence(p.session())).await.unwrap().unwrap()
}

pub fn wrong(e: &Evidence, check: &str) -> String {
    let f = verify_evidence(e, None).into_iter().find(|f| f.check == check).unwrap();
    assert!(!f.ok, "{f:?}");
    f.detail
}

#[tokio::test]
async fn a_session_by_certificate_carries_the_passkey_that_gave_it_out() {
    let (w, e) = told_with_a_certificate().await;
    let e: Evidence = serde_json::from_slice(&serde_json::to_vec(&e).unwrap()).unwrap();
    let f = verify_evidence(&e, Some(&w.approvals.log_public_key()));
    assert!(all_good(&f), "{f:#?}");
    assert!(f.iter().any(|f| f.check == "second factor" && f.detail.contains("a passkey gave out certificate")), "{f:#?}");

    let (_other, foreign) = told_with_a_certificate().await;
    for swapped in [None, foreign.certificate] {
        let robbed = Evidence { certificate: swapped, ..e.clone() };
        wrong(&robbed, "second factor");
    }
    let mut elsewhere = e.clone();
    elsewhere.session.source = "203.0.113.9".into();
    assert!(wrong(&elsewhere, "second factor").contains("another address"));
    let mut late = e.clone();
    late.session.started_at += time::Duration::hours(2);
    assert!(wrong(&late, "second factor").contains("did not count"));
    let unsaid =
        Evidence { records: e.records.iter().filter(|r| !r.record.contains("certificate_issued")).cloned().collect(), ..e.clone() };
    assert!(wrong(&unsaid, "audit log tells this story").contains("given out with this signature"));
}

#[tokio::test]
async fn a_bundle_cannot_be_robbed_of_its_second_factor() {
    let (_w, e) = told().await;
    let robbed = Evidence { step_up: None, ..e.clone() };
    assert!(wrong(&robbed, "second factor").contains("does not hold"));
    let (_w, by_certificate) = told_with_a_certificate().await;
    let another_kind = Evidence { step_up: None, certificate: by_certificate.certificate, ..e };
    assert!(wrong(&another_kind, "second factor").contains("another second factor"));
}

#[tokio::test]
async fn a_certificate_that_was_taken_back_opens_no_session_on_an_open_connection() {
    let w = Box::pin(World::new()).await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.grant(&ada, &mut bob).await;
    let factor = SecondFactor::Certificate { serial: Box::pin(certificate(&w, &mut ada)).await.serial() };
    let p = with(&w, &ada.person, factor).await.unwrap();
    w.approvals.revoke_certificates(Some(ada.person.id), ada.person.id).await.unwrap();
    let refused = w.approvals.session_started(&p, [0; 32], "gw").await.unwrap_err();
    assert!(refused.to_string().contains("anteroom login"), "{refused}");
    assert!(with(&w, &ada.person, factor).await.is_none(), "nor does a menu that stood open");
    assert!(with(&w, &ada.person, SecondFactor::Certificate { serial: 7 }).await.is_none(), "nor one that was never given out");
}

#[tokio::test]
async fn a_session_is_verified_offline_from_its_evidence_alone() {
    let (w, e) = told().await;
    // Through a file, as it would travel.
    let e: Evidence = serde_json::from_slice(&serde_json::to_vec(&e).unwrap()).unwrap();
    for key in [None, Some(w.approvals.log_public_key())] {
        let f = verify_evidence(&e, key.as_deref());
        assert!(all_good(&f), "{f:#?}");
        assert!(f.iter().any(|f| f.check == "second factor"));
    }
    assert!(w.approvals.evidence(SessionId(Uuid::nil())).await.unwrap().is_none());
}

/// A session under a grant that two had to sign.
async fn told_by_two() -> (World, Evidence) {
    let w = Box::pin(World::new()).await;
    let (mut ada, mut bob, mut eve) =
        (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await, w.somebody("eve", Role::Approver).await);
    let r = w.request(&ada).await;
    w.sql(r#"update access_request set obligations = '{"approvals":[{"group":null,"count":2}]}'"#).await;
    for who in [&mut bob, &mut eve] {
        w.answer(who, &r, Answer::Approve).await.unwrap();
    }
    let p = Box::pin(permit(&w, &mut ada, SessionId(Uuid::now_v7()))).await;
    let e = over(&w, &p).await;
    (w, e)
}

#[tokio::test]
async fn two_signatures_are_verified_and_neither_can_be_left_out_doubled_or_changed() {
    let (w, e) = told_by_two().await;
    let f = verify_evidence(&e, Some(&w.approvals.log_public_key()));
    assert!(all_good(&f), "{f:#?}");
    assert!(f.iter().any(|f| f.check == "approval" && f.detail.contains("bob and eve signed")), "{f:#?}");
    let robbed = Evidence { more_approvals: vec![], ..e.clone() };
    assert!(wrong(&robbed, "approval").contains("1 approver missing"));
    let doubled = Evidence { more_approvals: vec![e.approval.clone()], ..e.clone() };
    assert!(wrong(&doubled, "approval").contains("missing"), "one person is not two");
    let mut less = Evidence { more_approvals: vec![], ..e.clone() };
    less.request.obligations = Default::default();
    less.grant.obligations = Default::default();
    assert!(wrong(&less, "approval").contains("not what the request says"), "nor is the request made to need less");
    let mut later = e.clone();
    later.grant.not_after += time::Duration::hours(1);
    wrong(&later, "grant");
    changed(&e);
}

#[tokio::test]
async fn evidence_of_another_log_is_not_trusted() {
    let (_w, e) = told().await;
    let other = anteroom_approvals::audit::note::Signer::new("anteroom/test", &[99; 32]).verifier_key();
    assert!(!all_good(&verify_evidence(&e, Some(&other))));
}

#[tokio::test]
async fn any_change_to_the_evidence_is_seen() {
    changed(&told().await.1);
    changed(&told_with_a_certificate().await.1);
}

fn changed(e: &Evidence) {
    let whole = serde_json::to_value(e).unwrap();
    let mut leaves = Vec::new();
    paths(&whole, String::new(), &mut leaves);
    assert!(leaves.len() > 60, "{}", leaves.len());
    for path in leaves {
        // What nothing can follow from: the version, the key we do not trust anyway, an id that only the database knows,
        // and what is not there.
        let free = ["/v", "/log_key", "/grant/account"].contains(&path.as_str());
        if free || whole.pointer(&path).unwrap().is_null() {
            continue;
        }
        let mut changed = whole.clone();
        spoil(changed.pointer_mut(&path).unwrap());
        let bad = match serde_json::from_value::<Evidence>(changed) {
            Ok(e) => !all_good(&verify_evidence(&e, whole["log_key"].as_str())),
            Err(_) => true,
        };
        assert!(bad, "a change at {path} goes unseen");
    }
}

#[tokio::test]
async fn an_assertion_with_any_byte_changed_is_refused() {
    let (_w, e) = told().await;
    verify_assertion(&e.approval).unwrap();
    let whole = serde_json::to_value(&e.approval).unwrap();
    for field in ["content", "client_data_json", "authenticator_data", "signature", "rp_id", "origin", "domain"] {
        let text = whole[field].as_str().unwrap();
        for i in (0..text.len()).step_by(7) {
            let mut bytes = text.as_bytes().to_vec();
            bytes[i] = if bytes[i] == b'A' { b'B' } else { b'A' };
            let mut changed = whole.clone();
            changed[field] = String::from_utf8(bytes).unwrap().into();
            assert!(verify_assertion(&serde_json::from_value(changed).unwrap()).is_err(), "{field} at {i}");
        }
    }
}

/// Every value that is not a container, as a JSON pointer.
pub fn paths(v: &serde_json::Value, at: String, out: &mut Vec<String>) {
    match v {
        serde_json::Value::Object(m) => m.iter().for_each(|(k, v)| paths(v, format!("{at}/{k}"), out)),
        serde_json::Value::Array(a) => a.iter().enumerate().for_each(|(i, v)| paths(v, format!("{at}/{i}"), out)),
        _ => out.push(at),
    }
}

/// Changes a value to another of its kind, in the middle where a text is long.
pub fn spoil(v: &mut serde_json::Value) {
    use serde_json::Value;
    *v = match v.take() {
        Value::Bool(b) => (!b).into(),
        Value::Number(n) => (n.as_u64().unwrap() + 1).into(),
        Value::String(s) => {
            let mut b = s.into_bytes();
            // The middle of a moment is the letter T; any letter there means the same moment.
            let i = b.len() / 2 + usize::from(b.get(10) == Some(&b'T'));
            b[i] = match b[i] {
                b'0'..=b'8' | b'a'..=b'y' | b'A'..=b'Y' => b[i] + 1,
                b'9' => b'0',
                _ => b'a',
            };
            String::from_utf8(b).unwrap().into()
        }
        other => other,
    };
}

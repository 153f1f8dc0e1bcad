//! What is exported about a session can be checked by anybody, and any change to it is seen.
use crate::{
    connecting::{permit, sealed},
    world::World,
};
use anteroom_approvals::{
    Evidence,
    verify::{all_good, verify_assertion, verify_evidence},
};
use anteroom_domain::{EndReason, Role, SessionId};
use uuid::Uuid;

/// A session that is over, and everything about it.
async fn told() -> (World, Evidence) {
    let w = Box::pin(World::new()).await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.grant(&ada, &mut bob).await;
    let s = SessionId(Uuid::now_v7());
    let p = Box::pin(permit(&w, &mut ada, s)).await;
    w.approvals.session_started(&p, [0; 32], "gw").await.unwrap();
    w.approvals.session_ended(s, &EndReason::ClientClosed).await;
    w.approvals.recording_sealed(sealed(s)).await;
    let e = Box::pin(w.approvals.evidence(s)).await.unwrap().unwrap();
    (w, e)
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

#[tokio::test]
async fn evidence_of_another_log_is_not_trusted() {
    let (_w, e) = told().await;
    let other = anteroom_approvals::audit::note::Signer::new("anteroom/test", &[99; 32]).verifier_key();
    assert!(!all_good(&verify_evidence(&e, Some(&other))));
}

#[tokio::test]
async fn any_change_to_the_evidence_is_seen() {
    let (_w, e) = told().await;
    let whole = serde_json::to_value(&e).unwrap();
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
fn paths(v: &serde_json::Value, at: String, out: &mut Vec<String>) {
    match v {
        serde_json::Value::Object(m) => m.iter().for_each(|(k, v)| paths(v, format!("{at}/{k}"), out)),
        serde_json::Value::Array(a) => a.iter().enumerate().for_each(|(i, v)| paths(v, format!("{at}/{i}"), out)),
        _ => out.push(at),
    }
}

/// Changes a value to another of its kind, in the middle where a text is long.
fn spoil(v: &mut serde_json::Value) {
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

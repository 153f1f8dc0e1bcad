//! An approval is a signature over exactly what was asked, by somebody else, once.
use anteroom_tests::harness::{Person, World};
use serde_json::json;

struct Scene {
    w: World,
    ada: Person,
    ben: Person,
}

impl Scene {
    fn set() -> Self {
        let w = World::start().unwrap();
        let (ada, ben) = (w.admin("ada").unwrap(), w.person("ben", &["approver"]).unwrap());
        Self { w, ada, ben }
    }
    fn request(&self) -> String {
        self.ada.request(&self.w.target.name, &self.w.target.account).unwrap()
    }
    fn grants(&self) -> usize {
        serde_json::from_str::<Vec<serde_json::Value>>(&self.w.cli.good(&["grant", "list", "--json"]).unwrap()).unwrap().len()
    }
}

#[test]
fn nobody_approves_their_own_request() {
    let s = Scene::set();
    let both = s.w.person("dora", &["admin", "approver"]).unwrap();
    let own = both.request(&s.w.target.name, &s.w.target.account).unwrap();
    let refused = both.post_json(&format!("/requests/{own}/review/begin"), &json!({ "verdict": "approve" })).unwrap();
    assert_eq!((refused.status, refused.error().as_str()), (403, "this is your own request; somebody else has to answer it"));
    // A requester without the role is not even told that there is something to answer.
    let hidden = s.ada.post_json(&format!("/requests/{own}/review/begin"), &json!({ "verdict": "approve" })).unwrap();
    assert_eq!(hidden.status, 404);
    // A signature that ben began is not finished by the requester.
    let begun = s.ben.begin_review(&own, "approve").unwrap();
    let mut any_key = begun.options.clone();
    any_key.public_key.allow_credentials.clear();
    let by_dora = both.passkey().get(&any_key).unwrap();
    let sent = both.post_json(&format!("/requests/{own}/review/finish"), &json!({ "ceremony": begun.id, "credential": by_dora })).unwrap();
    assert!(sent.status >= 400, "{sent:?}");
    assert_eq!(s.grants(), 0);
}

#[test]
fn what_was_changed_or_withdrawn_after_it_was_shown_is_not_approved() {
    let s = Scene::set();
    let changed = s.request();
    let begun = s.ben.begin_review(&changed, "approve").unwrap();
    // Somebody with the database in their hands makes the hour a day.
    s.w.sql(&format!("update access_request set ends_at = ends_at + interval '20 hours' where id = '{changed}'")).unwrap();
    let refused = s.ben.finish_review(&changed, &begun).unwrap();
    assert_eq!((refused.status, refused.error().as_str()), (409, "what you signed is not what the request says now; look again"));

    let withdrawn = s.request();
    let begun = s.ben.begin_review(&withdrawn, "approve").unwrap();
    assert_eq!(s.ada.post_form(&format!("/requests/{withdrawn}/withdraw"), &[]).unwrap().status, 303);
    let refused = s.ben.finish_review(&withdrawn, &begun).unwrap();
    assert_eq!((refused.status, refused.error().as_str()), (409, "this request was already answered or withdrawn"));
    assert!(s.ben.begin_review(&withdrawn, "approve").is_err());

    assert_eq!(s.grants(), 0);
    assert!(s.w.audited("request_approved").unwrap().is_empty());
}

#[test]
fn a_signature_counts_once_and_for_one_request_only() {
    let s = Scene::set();
    let (first, second) = (s.request(), s.request());
    let begun = s.ben.begin_review(&first, "approve").unwrap();
    let content: serde_json::Value = serde_json::from_str(begun.content.as_deref().unwrap()).unwrap();
    assert_eq!((content["request"].as_str(), content["reason"].as_str()), (Some(&first[..]), Some("a test needs it")));
    let credential = s.ben.passkey().get(&begun.options).unwrap();
    let send = |request: &str, ceremony: &str| {
        s.ben.post_json(&format!("/requests/{request}/review/finish"), &json!({ "ceremony": ceremony, "credential": credential })).unwrap()
    };
    assert_eq!(send(&first, &begun.id).status, 200);
    assert_eq!(send(&first, &begun.id).status, 410, "the same answer a second time");
    // The old signature in a new ceremony, for this and for another request.
    let other = s.ben.begin_review(&second, "approve").unwrap();
    let replayed = send(&second, &other.id);
    assert!(replayed.status == 403 && replayed.error().starts_with("the passkey was not accepted"), "{replayed:?}");
    assert_eq!(s.grants(), 1);
    // A denial that was signed does not turn into an approval.
    let deny = s.ben.begin_review(&second, "deny").unwrap();
    assert_eq!(s.ben.finish_review(&second, &deny).unwrap().json().unwrap()["grant"], serde_json::Value::Null);
    assert_eq!(s.grants(), 1);
}

#[test]
fn a_passkey_that_was_not_verified_or_sits_on_another_site_does_not_count() {
    let s = Scene::set();
    let request = s.request();
    let refused = |what: &str| {
        let begun = s.ben.begin_review(&request, "approve").unwrap();
        let r = s.ben.finish_review(&request, &begun).unwrap();
        assert!(r.status == 403 && r.error().starts_with("the passkey was not accepted"), "{what}: {r:?}");
    };
    s.ben.passkey().set_user_verification(false);
    refused("without fingerprint or PIN");
    s.ben.passkey().set_user_verification(true);
    s.ben.passkey().set_user_presence(false);
    refused("without a touch");
    s.ben.passkey().set_user_presence(true);
    s.ben.passkey().set_cross_origin(true);
    refused("in a frame of another site");
    s.ben.passkey().set_cross_origin(false);
    s.ben.passkey().set_origin("http://localhost:1".parse().unwrap());
    refused("on another site");
    s.ben.passkey().set_origin(s.w.origin.clone());
    assert_eq!(s.grants(), 0);
    s.ben.approve(&request).unwrap();
    assert_eq!(s.grants(), 1);
    // A clone of the key that is behind the real one.
    s.ben.passkey().set_counter(0);
    let next = s.request();
    let begun = s.ben.begin_review(&next, "approve").unwrap();
    let r = s.ben.finish_review(&next, &begun).unwrap();
    assert!(r.status >= 400, "a counter that went back was accepted: {r:?}");
}

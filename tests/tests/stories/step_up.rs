//! A second factor counts for the one connection it was asked for (THREATS 2).
use anteroom_tests::harness::{Confirm, World, soon};
use std::time::Duration;

#[test]
fn confirming_one_connection_does_nothing_for_another() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let by_hand = |word: &str| w.ssh(&ada).unwrap().confirm(Confirm::Later).command(&format!("echo {word}"));
    let a = by_hand("a-is-in").spawn().unwrap();
    let mut b = by_hand("b-is-in").spawn().unwrap();
    let (link_a, link_b) = (a.link().unwrap(), b.link().unwrap());
    assert_ne!(link_a.step_up, link_b.step_up);

    // The signature for A, sent to B's address, is A's all the same.
    let begun = ada.begin(&format!("/step-up/{}/begin", link_a.step_up), &serde_json::json!({})).unwrap();
    let content = begun.content.clone().unwrap();
    assert!(content.contains(&link_a.step_up) && content.contains(&link_a.number), "{content}");
    ada.finish(&format!("/step-up/{}/finish", link_b.step_up), &begun).unwrap();
    let page_b = ada.get(&format!("/step-up/{}", link_b.step_up)).unwrap();
    assert!(page_b.body.contains("Is this you connecting?"), "B must still wait:\n{}", page_b.body);
    assert!(b.has_ended().unwrap().is_none());

    // A goes on when its own link is used, B waits on.
    if ada.get(&format!("/step-up/{}", link_a.step_up)).unwrap().body.contains("Is this you connecting?") {
        ada.confirm(&link_a.step_up, &link_a.number).unwrap();
    }
    let done = a.finish(Duration::from_secs(20)).unwrap();
    assert!(done.text().contains("a-is-in"), "{}", done.said());
    assert!(b.has_ended().unwrap().is_none() && !b.said().contains("b-is-in"));

    // The used signature opens nothing a second time.
    let again = ada.finish(&format!("/step-up/{}/finish", link_b.step_up), &begun).unwrap();
    assert!(again.status >= 400, "{again:?}");
    assert!(b.has_ended().unwrap().is_none());

    ada.refuse(&link_b.step_up).unwrap();
    let refused = b.finish(Duration::from_secs(20)).unwrap();
    assert_eq!(refused.status, Some(255));
    assert!(refused.stderr.contains("Permission denied"), "{}", refused.stderr);
    assert!(!refused.said().contains("b-is-in"));
}

#[test]
fn nobody_else_can_confirm_or_even_see_it() {
    let w = World::start().unwrap();
    let (ada, ben) = w.ada_and_ben().unwrap();
    let mut s = w.ssh(&ada).unwrap().confirm(Confirm::Later).command("echo in").spawn().unwrap();
    let link = s.link().unwrap();
    let (page, begin) = (format!("/step-up/{}", link.step_up), format!("/step-up/{}/begin", link.step_up));
    assert_eq!(ben.get(&page).unwrap().status, 404);
    let begun = ben.post_json(&begin, &serde_json::json!({})).unwrap();
    assert_eq!(begun.status, 404, "{begun:?}");
    // What ada began is not finished by ben's passkey, whoever sends it.
    let adas = ada.begin(&begin, &serde_json::json!({})).unwrap();
    let mut for_anybody = adas.clone();
    for_anybody.options.public_key.allow_credentials.clear();
    let finish = format!("/step-up/{}/finish", link.step_up);
    let by_ben = ben.passkey().get(&for_anybody.options).unwrap();
    for (who, what) in [(&ben, "in ben's browser"), (&ada, "in ada's browser")] {
        let sent = who.post_json(&finish, &serde_json::json!({ "ceremony": adas.id, "credential": by_ben })).unwrap();
        assert!(sent.status >= 400, "{what}: {sent:?}");
    }
    let refused = ben.post_form(&format!("{page}/refuse"), &[]).unwrap();
    assert_eq!(refused.status, 404, "{refused:?}");
    assert!(s.has_ended().unwrap().is_none(), "{}", s.said());
    ada.confirm(&link.step_up, &link.number).unwrap();
    assert_eq!(s.finish(Duration::from_secs(20)).unwrap().good().unwrap(), "in\n");
}

#[test]
fn a_remembered_confirmation_counts_for_the_same_key_address_and_target_only() {
    let w = World::with(anteroom_tests::harness::WorldOptions { remember_step_up: "1h".into(), ..Default::default() }).unwrap();
    let (ada, ben) = w.ada_and_ben().unwrap();
    let other = w.add_target("pacs-2", "").unwrap();
    ben.approve(&ada.request("pacs-2", &other.account).unwrap()).unwrap();
    assert_eq!(w.ssh(&ada).unwrap().command("echo first").run().unwrap().good().unwrap(), "first\n");
    // No link is shown now.
    let second = w.ssh(&ada).unwrap().confirm(Confirm::Later).command("echo second").run().unwrap();
    assert_eq!(second.stdout, b"second\n", "{}", second.said());
    assert!(!second.said().contains("/step-up/"));
    // Another target asks again.
    let elsewhere =
        w.ssh(&ada).unwrap().login(&format!("{}@pacs-2", other.account)).confirm(Confirm::Later).command("echo x").spawn().unwrap();
    elsewhere.link().unwrap();
    soon("the log to tell of it", || Ok(!w.audited("step_up_remembered")?.is_empty())).unwrap();
}

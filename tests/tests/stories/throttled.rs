//! Who fails again and again has to wait; nobody else does.
use anteroom_tests::harness::{Confirm, World, soon};
use std::time::Duration;

/// Of the person, at once (one more every ten seconds).
const AT_ONCE: usize = 15;

#[test]
fn who_refuses_every_confirmation_is_not_asked_again_for_a_while() {
    let w = World::start().unwrap();
    let (ada, ben) = w.ada_and_ben().unwrap();
    let dora = w.admin("dora").unwrap();
    w.grant(&dora, &ben).unwrap();
    let mut asked = 0;
    // A few more than at once, for those that came back meanwhile.
    for _ in 0..AT_ONCE * 2 {
        let s = w.ssh(&ada).unwrap().confirm(Confirm::Later).command("echo in").spawn().unwrap();
        soon("a number or the end", || Ok(s.said().contains("Number: ") || s.said().contains("Permission denied"))).unwrap();
        if !s.said().contains("Number: ") {
            break;
        }
        let link = s.link().unwrap();
        asked += 1;
        ada.refuse(&link.step_up).unwrap();
        assert_eq!(s.finish(Duration::from_secs(20)).unwrap().status, Some(255));
    }
    assert!((AT_ONCE..AT_ONCE * 2).contains(&asked), "asked {asked} times");
    let out = w.ssh(&ada).unwrap().command("echo in").run().unwrap();
    assert!(out.status == Some(255) && !out.stderr.contains("/step-up/"), "{}", out.said());
    assert_eq!(w.ssh(&dora).unwrap().command("echo in").run().unwrap().good().unwrap(), "in\n");
}

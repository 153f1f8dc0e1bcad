//! `ssh bastion` without a target: what may I reach, and how?
use anteroom_tests::harness::World;

#[test]
fn somebody_sees_what_they_may_reach_and_connects() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let menu = w.ssh(&ada).unwrap().login("ada").run().unwrap();
    assert_eq!(menu.status, Some(0), "{}", menu.said());
    assert!(menu.text().contains("Open now") && menu.text().contains(&format!("-p {} {}@", w.ssh_port(), w.login())), "{}", menu.said());
    let done = w.ssh(&ada).unwrap().command("echo hello from $ANTEROOM_TARGET").run().unwrap();
    assert_eq!(done.clone().good().unwrap(), "hello from ehr-db-1\n");
    let sealed = w.sealed_session().unwrap();
    assert_eq!(sealed["recording"], "complete");
}

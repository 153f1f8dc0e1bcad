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

#[test]
fn a_vendors_person_is_shown_what_their_company_keeps_and_nothing_else() {
    let w = World::start().unwrap();
    let vera = w.admin("vera").unwrap();
    let theirs = w.add_target("ct-console-2", "").unwrap();
    let before = w.ssh(&vera).unwrap().login("vera").run().unwrap();
    assert!(before.text().contains("ehr-db-1") && before.text().contains("ct-console-2"), "{}", before.said());
    w.cli.good(&["company", "add", "Made-up Imaging", "--until", "2099-12-31"]).unwrap();
    w.cli.good(&["person", "set", "vera", "--company", "Made-up Imaging"]).unwrap();
    w.cli.good(&["company", "keeps", "Made-up Imaging", &theirs.name]).unwrap();
    let menu = w.ssh(&vera).unwrap().login("vera").run().unwrap();
    assert!(menu.text().contains("ct-console-2") && !menu.text().contains("ehr-db-1"), "{}", menu.said());
}

//! A terminal in the browser: the same grant, a touch of the passkey for this very terminal, and the same recording.
use anteroom_tests::harness::{Browser, World};

#[test]
fn somebody_without_an_ssh_client_works_in_the_browser_and_is_recorded() {
    let w = World::start().unwrap();
    let ada = Browser::start("ada", &w.origin).unwrap();
    ada.open(&w.add_person("ada", &["admin"]).unwrap()).unwrap();
    ada.click("Create a passkey").unwrap();
    ada.expect("Hello, Ada Example").unwrap();
    ada.click("Ask for access").unwrap();
    ada.fill("Target", &w.target.name).unwrap();
    ada.fill("Account", &w.target.account).unwrap();
    ada.fill("Reason", "look at the disk from a borrowed tablet, ticket 77").unwrap();
    ada.click("Send request").unwrap();
    ada.expect("Your request was sent").unwrap();
    let request = ada.path().unwrap().split('?').next().unwrap().rsplit('/').next().unwrap().to_owned();
    let ben = w.person("ben", &["approver", "auditor"]).unwrap();
    ben.approve(&request).unwrap();

    let place = format!("/terminal/{}@{}", w.target.account, w.target.name);
    ada.open(&place).unwrap();
    ada.expect("Everything in it is recorded").unwrap();
    ada.click("Open with passkey").unwrap();
    ada.expect("target$").unwrap();
    ada.press("echo made-$((40 + 2))-here\u{e007}").unwrap();
    ada.expect("made-42-here").unwrap();
    ada.screenshot("browser-terminal").unwrap();
    ada.press("exit 3\u{e007}").unwrap();
    ada.expect("Open again").unwrap();

    let session = w.sealed_session().unwrap();
    assert_eq!(session["recording"], "complete", "{session}");
    // Her touch was for this terminal: the log has the question and the answer.
    assert_eq!((w.audited("step_up_asked").unwrap().len(), w.audited("step_up_passed").unwrap().len()), (1, 1));
    let id = session["id"].as_str().unwrap();
    let cast = ben.get(&format!("/recordings/{id}/channels/1/cast")).unwrap();
    assert!(cast.body.contains("made-42-here"), "{}", cast.body);
}

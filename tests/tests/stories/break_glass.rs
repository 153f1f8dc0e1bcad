//! Nobody can approve in time: ada breaks the glass and is in, by real ssh; everybody is told, and ben looks at it on his phone.
use anteroom_tests::harness::{Browser, World, soon};
use serde_json::json;

#[test]
fn an_emergency_opens_at_once_tells_everybody_and_somebody_else_signs_what_they_found() {
    let w = World::start().unwrap();
    let ada = w.admin("ada").unwrap();
    let ben = Browser::start("ben", &w.origin).unwrap();
    ben.be_a_phone().unwrap();
    ben.open(&w.add_person("ben", &["approver"]).unwrap()).unwrap();
    ben.click("Create a passkey").unwrap();
    ben.expect("You are signed in").unwrap();
    let closed = w.ssh(&ada).unwrap().command("echo in").run().unwrap();
    assert!(!closed.text().contains("in\n"), "{}", closed.said());

    assert!(ada.get("/").unwrap().body.contains("href=\"/break-glass\""), "it is to be found without having read about it");
    let why = "the monitors of ward 4 show nothing";
    let wish = json!({ "target": w.target.name, "account": w.target.account, "reason": why, "minutes": "30" });
    let begun = ada.begin("/break-glass/begin", &wish).unwrap();
    assert!(begun.content.as_deref().unwrap_or_default().contains(why), "what is signed says why");
    let broken = ada.finish("/break-glass/finish", &begun).unwrap().good("break the glass").unwrap().json().unwrap();
    let page = broken["next"].as_str().unwrap().split('?').next().unwrap().to_owned();
    assert_eq!(w.ssh(&ada).unwrap().command("echo monitors are back").run().unwrap().good().unwrap(), "monitors are back\n");
    let mut at_work = w.ssh(&ada).unwrap().command("echo at work; cat").spawn().unwrap();
    at_work.expect("at work").unwrap();

    // Ben is told where he looks first, and nobody looks at themselves.
    ben.open("/").unwrap();
    ben.expect("1 emergency waits for somebody to look").unwrap();
    ben.open("/break-glass/all").unwrap();
    ben.expect(why).unwrap();
    ben.screenshot("break-glass-all-phone").unwrap();
    ben.open(&page).unwrap();
    ben.expect("counts now").unwrap();
    ben.screenshot("break-glass-live-phone").unwrap();
    let wide = ben.script("return document.documentElement.scrollWidth", &[]).unwrap();
    assert!(wide.as_u64().unwrap() <= 390, "{wide} points wide on a phone of 390");
    let own = ada.begin(&format!("{page}/review/begin"), &json!({ "finding": "justified", "findings": "it was me" }));
    assert!(own.is_err(), "whoever broke it does not look at it");

    // He has seen enough: it ends, and he signs what he found.
    ben.click("Revoke it now").unwrap();
    ben.click("Revoke grant").unwrap();
    at_work.ended(std::time::Duration::from_secs(10)).unwrap();
    assert!(at_work.said().contains("the grant was revoked"), "{}", at_work.said());
    ben.open(&page).unwrap();
    ben.click("Yes, it was justified").unwrap();
    ben.fill("What you looked at and what follows from it", "The monitors' server was full; a watch on its disk follows.").unwrap();
    ben.screenshot("break-glass-review-phone").unwrap();
    ben.click("Sign with passkey").unwrap();
    ben.expect("it was justified").unwrap();
    let told: Vec<_> = w.audited("break_glass").unwrap().iter().map(|e| e["what"].as_str().unwrap_or_default().to_owned()).collect();
    assert!(told.iter().any(|t| t == "broken") && told.iter().any(|t| t == "reviewed"), "{told:?}");

    // Anybody can check afterwards that no approval was needed because somebody signed for it.
    soon("the recordings to be closed", || Ok(w.sessions()?.iter().all(|s| s["recording"] == "complete"))).unwrap();
    let session = w.sessions().unwrap()[0]["id"].as_str().unwrap().to_owned();
    w.person("max", &["auditor"]).unwrap();
    let bundle = w.dir.join("emergency.anteroom");
    w.cli.good(&["recording", "export", &session, "--output", bundle.to_str().unwrap(), "--as", "max"]).unwrap();
    let report = w.cli.good(&["verify", bundle.to_str().unwrap()]).unwrap();
    assert!(report.contains("nobody approved it: ada broke the glass"), "{report}");
}

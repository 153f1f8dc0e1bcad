//! Two of three approve, one of them on a phone, in real Chromium; one alone opens nothing.
use anteroom_tests::harness::{Browser, Person, World};

const TWO: &str = r#"
@id("two-agree")
@reason("Clinical engineering and one more have to agree.")
@approvals("1 of clinical-engineering, 1")
permit (principal, action == Action::"oblige", resource);
"#;

struct Scene {
    w: World,
    ada: Person,
    request: String,
}

impl Scene {
    /// Ada asks for what needs somebody of clinical engineering and one approver more.
    fn set() -> Self {
        let w = World::start().unwrap();
        w.add_to_policy(TWO).unwrap();
        let ada = w.admin("ada").unwrap();
        let request = ada.request(&w.target.name, &w.target.account).unwrap();
        Self { w, ada, request }
    }

    fn path(&self) -> String {
        format!("/requests/{}", self.request)
    }

    fn grants(&self) -> usize {
        serde_json::from_str::<Vec<serde_json::Value>>(&self.w.cli.good(&["grant", "list", "--json"]).unwrap()).unwrap().len()
    }

    fn engineer(&self, handle: &str) {
        self.w.cli.good(&["person", "set", handle, "--group", "clinical-engineering"]).unwrap();
    }
}

fn enrolled(w: &World, handle: &str) -> Browser {
    let browser = Browser::start(handle, &w.origin).unwrap();
    browser.be_a_phone().unwrap();
    browser.open(&w.add_person(handle, &["approver"]).unwrap()).unwrap();
    browser.click("Create a passkey").unwrap();
    browser.expect("You are signed in").unwrap();
    browser
}

#[test]
fn two_of_three_approve_on_a_phone_and_one_alone_opens_nothing() {
    let s = Scene::set();
    let (ben, cleo) = (enrolled(&s.w, "ben"), s.w.person("cleo", &["approver"]).unwrap());
    let dan = s.w.person("dan", &["approver"]).unwrap();
    s.engineer("cleo");

    // Ben reads one sentence and two buttons, without scrolling sideways, and signs.
    ben.open(&s.path()).unwrap();
    ben.expect("Ada Example").unwrap();
    ben.expect("1 of clinical-engineering and 1 approver").unwrap();
    let wide = ben.script("return document.documentElement.scrollWidth", &[]).unwrap();
    assert!(wide.as_u64().unwrap() <= 390, "{wide} points wide on a phone of 390");
    let low = ben.script(
        "return [...document.querySelectorAll('.buttons.wide button')].map(b => Math.round(b.getBoundingClientRect().height))",
        &[],
    );
    assert!(low.unwrap().as_array().unwrap().iter().all(|h| h.as_u64().unwrap() >= 40), "buttons for a thumb");
    ben.screenshot("approval-phone").unwrap();
    ben.click("Approve with passkey").unwrap();
    ben.expect("Others have to approve too").unwrap();
    ben.expect("Still missing").unwrap();
    ben.expect("1 of clinical-engineering").unwrap();
    ben.screenshot("approval-phone-signed").unwrap();
    assert_eq!(s.grants(), 0);

    // Dan is nobody of whom one is missing.
    let refused = dan.begin_review(&s.request, "approve").unwrap_err().to_string();
    assert!(refused.contains("waits for 1 of clinical-engineering"), "{refused}");
    let seen = s.ada.get(&s.path()).unwrap().body;
    assert!(seen.contains("Ben Example") && seen.contains("Still missing"), "ada sees who has and who has not");

    cleo.approve(&s.request).unwrap();
    assert_eq!(s.grants(), 1);
    ben.open(&s.path()).unwrap();
    ben.expect("The grant is open").unwrap();

    // It works, and anybody can check afterwards that both signed.
    let said = s.w.ssh(&s.ada).unwrap().command("echo reached").run().unwrap().good().unwrap();
    assert!(said.contains("reached"));
    let session = s.w.sealed_session().unwrap()["id"].as_str().unwrap().to_owned();
    let bundle = s.w.dir.join("two.anteroom");
    s.w.person("max", &["auditor"]).unwrap();
    s.w.cli.good(&["recording", "export", &session, "--output", bundle.to_str().unwrap(), "--as", "max"]).unwrap();
    let report = s.w.cli.good(&["verify", bundle.to_str().unwrap()]).unwrap();
    assert!(report.contains("ben and cleo signed"), "{report}");
}

#[test]
fn a_deny_on_a_phone_says_why_and_ends_it() {
    let s = Scene::set();
    let ben = enrolled(&s.w, "ben");
    ben.open(&s.path()).unwrap();
    ben.click("Deny").unwrap();
    ben.expect("Say why you deny this").unwrap();
    ben.fill("If you deny: why", "not while the scanner is in use").unwrap();
    ben.click("Deny").unwrap();
    ben.expect("You denied this request").unwrap();
    let seen = s.ada.get(&s.path()).unwrap().body;
    assert!(seen.contains("not while the scanner is in use"), "{seen}");
    assert_eq!(s.grants(), 0);
}

//! What an auditor sees of a desktop: the words around the patients, and no patient. Read by the same OCR as anybody could use, from the
//! pixels in Chromium. What two key-holders release is readable again.
use super::{
    desktops::{AT_MOST, READING_ROOM, SOON_OVER, Scene, TOLERANCE},
    unmask::unsealer,
};
use anteroom_tests::harness::{
    Browser,
    rdp::{SECRET, WORDS},
    soon, wait_for,
};
use std::{path::Path, time::Duration};

/// A settled screen is read about a second later.
pub(super) const LOOKED_AT: Duration = Duration::from_secs(4);
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn enrolled(s: &Scene, handle: &str, role: &str) -> Browser {
    let b = Browser::start(handle, &s.w.origin).unwrap();
    b.open(&s.w.add_person(handle, &[role]).unwrap()).unwrap();
    b.click("Create a passkey").unwrap();
    b.expect("Hello,").unwrap();
    b
}

/// Letters and digits only: what OCR makes of blanks and hyphens is no disguise.
fn bare(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

pub(super) fn found<'a>(text: &str, words: &[&'a str]) -> Vec<&'a str> {
    let text = bare(text);
    words.iter().copied().filter(|w| text.contains(&bare(w))).collect()
}

/// Plays to the end and reads what is shown on the way and then; the last picture's text is the last.
fn played(b: &Browser, over: &str) -> Vec<String> {
    wait_for("a picture on the canvas", PATIENCE, || Ok(b.canvas("#desktop")?.filter(|p| p.width > 100))).unwrap();
    b.script("document.querySelector('#desktop').focus()", &[]).unwrap();
    b.press(" ").unwrap();
    let mut texts = Vec::new();
    wait_for(over, PATIENCE, || {
        if let Some(picture) = b.canvas("#desktop")? {
            texts.push(picture.read()?);
        }
        Ok(b.text()?.contains(over).then_some(()))
    })
    .unwrap();
    let last = b.canvas("#desktop").unwrap().unwrap();
    last.keep("rdp-replay").unwrap();
    texts.push(last.read().unwrap());
    texts
}

#[test]
fn an_auditor_reads_the_words_and_no_patient_until_two_key_holders_agree() {
    let dir = tempfile::Builder::new().prefix("anteroom-u-").tempdir().unwrap();
    let s = Scene::with(SOON_OVER, &format!("[unmask]\nsocket = \"{}\"\n", dir.path().join("socket").display()));
    let (shadow, _tap) = s.reading_room();
    let grant = s.grant(READING_ROOM, &shadow.login.account, &[]);
    let mut client = s.connect(&grant, "client", &[]);
    let seen = client.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap().read().unwrap();
    assert_eq!(found(&seen, &SECRET).len(), SECRET.len(), "ada works with the real data: {seen}");
    std::thread::sleep(LOOKED_AT);
    client.close().unwrap();
    let session = s.sealed();
    assert_eq!((session["recording"].as_str(), session["mask_incomplete"].as_bool()), (Some("complete"), Some(false)), "{session:#}");
    let id = session["id"].as_str().unwrap().to_owned();

    let (cleo, kim, lee) = (enrolled(&s, "cleo", "auditor"), enrolled(&s, "kim", "key_holder"), enrolled(&s, "lee", "key_holder"));
    let _unsealer = unsealer(&s.w, dir.path(), &["kim", "lee"]);
    cleo.open(&format!("/recordings/{id}")).unwrap();
    let masked = played(&cleo, "The recording is over");
    cleo.screenshot("rdp-masked").unwrap();
    for text in &masked {
        assert_eq!(found(text, &SECRET), Vec::<&str>::new(), "patients can be read: {text}");
    }
    let last = masked.last().unwrap();
    // A word that OCR is not sure of stays blurred, whatever it is: most of them it has to be sure of.
    assert!(found(last, &WORDS).len() * 3 >= WORDS.len() * 2, "words that are nobody's are hidden: {last}");
    let film = cleo.fetch(&format!("/recordings/{id}/channels/1/film")).unwrap_or_default();
    assert!(found(&film, &SECRET).is_empty());

    // Two key-holders.
    let path = ask(&cleo, &id);
    for holder in [&kim, &lee] {
        holder.open(&path).unwrap();
        holder.click("Approve with passkey").unwrap();
        holder.expect("You approved").unwrap();
    }
    cleo.open(&path).unwrap();
    cleo.click("Show it unmasked").unwrap();
    cleo.expect_path(&format!("{path}/watch")).unwrap();
    let released = played(&cleo, "The interval is over");
    cleo.screenshot("rdp-unmasked").unwrap();
    let last = released.last().unwrap();
    assert_eq!(found(last, &SECRET).len(), SECRET.len(), "not readable after it was released: {last}");
    no_log_has_them(&s, dir.path());
}

fn ask(cleo: &Browser, id: &str) -> String {
    cleo.open(&format!("/recordings/{id}")).unwrap();
    cleo.click("Ask to see an interval unmasked").unwrap();
    cleo.expect("Which interval").unwrap();
    let text = cleo.text().unwrap();
    let length = text.split("The recording is ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    cleo.fill("From", "0:00:00").unwrap();
    cleo.fill("Until", &length).unwrap();
    cleo.fill("Reason", "complaint 17: whose chart was opened?").unwrap();
    cleo.click("Send request").unwrap();
    cleo.expect("Waiting for key-holders").unwrap();
    cleo.path().unwrap().split('?').next().unwrap().to_owned()
}

fn no_log_has_them(s: &Scene, unsealer: &Path) {
    let logs = [s.w.gateway_log(), std::fs::read_to_string(unsealer.join("unsealer.log")).unwrap_or_default()];
    soon("the viewing in the log", || Ok(!s.w.audited("unmask_viewed")?.is_empty())).unwrap();
    for log in logs {
        assert_eq!(found(&log, &["Mockeline", "Fausto", "913-17-6173"]), Vec::<&str>::new());
    }
}
